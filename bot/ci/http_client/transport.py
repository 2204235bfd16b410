"""Requests to one origin: redirects, proxies, deadlines and limits. Why one failed is an error in words."""

from __future__ import annotations

import logging
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from email.utils import formatdate
from http.client import HTTPException
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.utils import should_bypass_proxies
from urllib3.exceptions import DecodeError, HTTPError, NameResolutionError, ProxyError

from bot.ci.http_client.connections import Adapter, Phase, RequestProgress, trying
from bot.ci.http_client.responses import Request, Response, origin
from bot.core.model.errors import CIError, InvalidResponse, NoResponse, Unreachable

_MAX_REDIRECTS = 3
_PIECE = 65_536
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "codeship-bot"}
# urllib3 loggers that write addresses with their query, at DEBUG and at WARNING.
_VERBOSE = ("urllib3.connection", "urllib3.connectionpool", "urllib3.poolmanager", "urllib3.util.retry")
Feed = Callable[[bytes], None]
"""Takes the next piece of an unpacked body. Raises InvalidResponse to stop."""

_CA_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_KEY_IN_QUERY = re.compile(r"((?:api_key|sig)=)[^&\s\"']*")


class HttpTransport:
    """Requests to the single origin of `address`, thread-safe. `service` is the title that its errors contain.

    `connect_s` is the timeout for connecting, `read_s` for each read. Reads proxy and CA bundle from `environ`, once.
    Raises ValueError if `address` is not an address.
    """

    def __init__(
        self,
        service: str,
        address: str,
        *,
        environ: Mapping[str, str],
        workers: int,
        connect_s: float,
        read_s: float,
        monotonic: Callable[[], float],
    ) -> None:
        self._service = service
        self._origin = origin(address)
        self._proxies = _proxies(address, environ)
        self._ca_bundle = next((result for name in _CA_BUNDLES if (result := environ.get(name))), None)
        self._connect_s, self._read_s, self._monotonic = connect_s, read_s, monotonic
        self._adapter = Adapter(pool_maxsize=workers)
        for name in _VERBOSE:
            logging.getLogger(name).addFilter(_without_key)

    def answer_to(
        self,
        request: Request,
        *,
        deadline: float,
        max_bytes: int,
        before_redirect: Callable[[], None] = lambda: None,
        feed: Feed | None = None,
    ) -> Response:
        """Sends an idempotent request over a pooled connection, and follows redirects within the origin.

        `deadline` is a time of the clock `monotonic`; `max_bytes` limits the unpacked body. Calls `before_redirect`
        before it follows each redirect, and raises what that raises. Raises Unreachable and NoResponse. After complete
        headers, a failure is not raised but returned as the response's `flaw`.

        With `feed`, the body of a success has no limit. It goes there piece by piece and is empty in the response. The
        InvalidResponse that `feed` raises is a flaw, too.
        """
        answer = self._once(self._adapter, request, deadline, max_bytes, feed=feed)
        for _ in range(_MAX_REDIRECTS):
            redirect = self._redirect(request, answer)
            if redirect is None:
                break
            before_redirect()
            request = redirect
            answer = self._once(self._adapter, request, deadline, max_bytes, feed=feed)
        return answer

    def answer_once(self, request: Request, *, deadline: float, max_bytes: int) -> Response:
        """Sends a request that must not be repeated, over its own connection, and follows no redirect.

        A pooled connection may have been closed by the server, which shows only after the request was sent. Raises as
        `answer_to`; here Unreachable guarantees that nothing was sent.
        """
        adapter = Adapter(pool_maxsize=1)
        try:
            return self._once(adapter, request, deadline, max_bytes, {"Connection": "close"})
        finally:
            adapter.close()

    def stream(self, request: Request, take: Callable[[bytes], None], *, deadline: float, max_bytes: int) -> int:
        """Hands the body of a success to `take` piece by piece, and returns the answer's status.

        It ends early, without an error, at `max_bytes`, at `deadline` and if the connection breaks: what came by then
        counts. Raises Unreachable and NoResponse if no answer came at all.
        """
        progress = RequestProgress(deadline, self._read_s, self._monotonic)
        with trying(progress):
            got = self._open(self._adapter, request, {**_HEADERS, **dict(request.headers)}, progress)
            if isinstance(got, CIError):
                raise got
            size = 0
            try:
                while got.status_code == 200 and size < max_bytes:
                    piece = got.raw.read1(_PIECE, decode_content=True)
                    if not piece:
                        break
                    size += len(piece)
                    take(piece)
            except (DecodeError, HTTPError, HTTPException, OSError, ValueError):
                return got.status_code
            finally:
                got.close()
            return got.status_code

    def close(self) -> None:
        self._adapter.close()

    def _once(
        self,
        adapter: Adapter,
        request: Request,
        deadline: float,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
        feed: Feed | None = None,
    ) -> Response:
        progress = RequestProgress(deadline, self._read_s, self._monotonic)
        with trying(progress):
            got = self._open(adapter, request, {**_HEADERS, **dict(request.headers), **(headers or {})}, progress)
            if isinstance(got, CIError):
                raise got
            try:
                if feed is not None and 200 <= got.status_code < 300:
                    body, flaw = b"", self._fed(got, feed)
                else:
                    body, flaw = self._body(got, max_bytes)
            finally:
                got.close()
        # A recipient with a clock records when a response without a date arrived (RFC 9110, 6.6.1).
        response_headers = {"date": formatdate(usegmt=True)} | {
            name.lower(): value for name, value in got.headers.items()
        }
        return Response(got.status_code, response_headers, body, flaw)

    def _open(
        self, adapter: Adapter, request: Request, headers: dict[str, str], progress: RequestProgress
    ) -> requests.Response | CIError:
        """Returns the error: raised here, it would chain the library's error, and with it the key in the address."""
        left = max(progress.left_s(), 0.001)
        try:
            if request.body:
                headers = {**headers, "Content-Type": "application/json"}
            prepared = requests.Request(
                request.method, request.url, headers, params=list(request.params), data=request.body or None
            ).prepare()
            return adapter.send(
                prepared,
                stream=True,
                timeout=(min(self._connect_s, left), min(self._read_s, left)),
                verify=self._ca_bundle or True,
                proxies=self._proxies,
            )
        except (requests.RequestException, HTTPError, HTTPException, OSError, ValueError) as error:
            # A read timeout before the connection began: something replaced the connection, so assume the request was
            # sent.
            unsure = progress.stage is Phase.NOT_BEGUN and isinstance(error, requests.ReadTimeout)
            if progress.stage is Phase.SENT or unsure:
                return self._no_response(error)
            return Unreachable(self._service, _why_unreachable(error))

    def _body(self, response: requests.Response, max_bytes: int) -> tuple[bytes, CIError | None]:
        """The body as far as it was received, and why it is incomplete, or None."""
        too_large = InvalidResponse(self._service, f"an answer of more than {max_bytes:,} bytes")
        length = response.headers.get("Content-Length", "")
        if length.isdecimal() and (len(length) > 18 or int(length) > max_bytes):
            return b"", too_large
        pieces: list[bytes] = []
        size = 0

        def keep(piece: bytes) -> None:
            nonlocal size
            size += len(piece)
            if size > max_bytes:
                pieces.clear()
                raise too_large
            pieces.append(piece)

        flaw = self._fed(response, keep)
        return b"".join(pieces), flaw

    def _fed(self, response: requests.Response, feed: Feed) -> CIError | None:
        """Hands the body to `feed`. Returns why it is incomplete, or what `feed` raised; None for neither."""
        try:
            # read1 is a single read of the socket, so that no chunk waits for another.
            while piece := response.raw.read1(_PIECE, decode_content=True):
                feed(piece)
        except InvalidResponse as flaw:
            return flaw
        except DecodeError:
            return InvalidResponse(self._service, "the answer cannot be unpacked")
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            return self._no_response(error)
        return None

    def _no_response(self, error: BaseException) -> NoResponse:
        late = any(isinstance(cause, (TimeoutError, urllib3.exceptions.TimeoutError)) for cause in _causes(error))
        why = "no whole answer came in time" if late else "the connection broke before the whole answer came"
        return NoResponse(self._service, why, timed_out=late)

    def _redirect(self, request: Request, response: Response) -> Request | None:
        location = response.headers.get("location")
        if location is None or response.status not in (301, 302, 303, 307, 308):
            return None
        try:
            target = urljoin(request.url, location)
            same = origin(target) == self._origin
        except ValueError:
            return None
        return Request(request.method, target, headers=request.headers) if same else None


def _proxies(address: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Proxies by scheme, by the rules of curl and requests: lower case wins over upper case, `NO_PROXY`
    wins over all.
    """
    scheme = urlsplit(address).scheme

    def setting(name: str) -> str:
        return environ.get(name) or environ.get(name.upper()) or ""

    proxy = setting(f"{scheme}_proxy") or setting("all_proxy")
    if not proxy or should_bypass_proxies(address, no_proxy=setting("no_proxy")):
        return {}
    return {scheme: proxy}


def _without_key(record: logging.LogRecord) -> bool:
    record.msg, record.args = _KEY_IN_QUERY.sub(r"\1[redacted]", record.getMessage()), ()
    return True


def _why_unreachable(error: BaseException) -> str:
    """The reason in the bot's own words: those of the libraries repeat the address."""
    causes = list(_causes(error))

    def has(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if has(requests.exceptions.ProxyError, ProxyError):
        return "the proxy let no connection through"
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message[:150]})"
    if has(ssl.SSLError, urllib3.exceptions.SSLError):
        return "no secure connection could be made"
    if has(socket.gaierror, NameResolutionError):
        return "its name cannot be found"
    if has(ConnectionRefusedError):
        return "the connection was refused"
    if has(TimeoutError, urllib3.exceptions.TimeoutError):
        return "no connection stood in time"
    return "no connection could be made"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and its causes, as far as the libraries wrap them."""
    waiting, seen = [error], 0
    while waiting and seen < 20:
        seen += 1
        yield (this := waiting.pop(0))
        inner = (*this.args, getattr(this, "reason", None), this.__cause__, this.__context__)
        waiting.extend(cause for cause in inner if isinstance(cause, BaseException))
