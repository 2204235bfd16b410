"""Calls to one CI service: each attempt is charged, sent and reported; idempotent ones are retried after a pause.

Knows no service and nothing about builds. Logs nothing: what goes wrong is raised as a `CIError`.
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import partial
from http.client import HTTPException
from typing import Generic, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.utils import should_bypass_proxies
from urllib3.exceptions import DecodeError, HTTPError, NameResolutionError, ProxyError

from bot.ci.http_client.connections import Adapter, Phase, RequestProgress, trying
from bot.ci.http_client.responses import Request, Response, origin, retry_after_s
from bot.ci.service import ClientContext
from bot.core.model.errors import CIError, InvalidResponse, NoResponse, OverLimit, Unreachable

_MAX_REDIRECTS = 3
_PIECE = 65_536
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "codeship-bot"}
# urllib3 loggers that write addresses with their query, at DEBUG and at WARNING.
_VERBOSE = ("urllib3.connection", "urllib3.connectionpool", "urllib3.poolmanager", "urllib3.util.retry")
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
        self, request: Request, *, deadline: float, max_bytes: int, before_redirect: Callable[[], None] = lambda: None
    ) -> Response:
        """Sends an idempotent request over a pooled connection, and follows redirects within the origin.

        `deadline` is a time of the clock `monotonic`; `max_bytes` limits the unpacked body. Calls `before_redirect`
        before it follows each redirect, and raises what that raises. Raises Unreachable and NoResponse. After complete
        headers, a failure is not raised but returned as the response's `flaw`.
        """
        answer = self._once(self._adapter, request, deadline, max_bytes)
        for _ in range(_MAX_REDIRECTS):
            redirect = self._redirect(request, answer)
            if redirect is None:
                break
            before_redirect()
            request = redirect
            answer = self._once(self._adapter, request, deadline, max_bytes)
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
    ) -> Response:
        progress = RequestProgress(deadline, self._read_s, self._monotonic)
        with trying(progress):
            got = self._open(adapter, request, {**_HEADERS, **dict(request.headers), **(headers or {})}, progress)
            if isinstance(got, CIError):
                raise got
            try:
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
        pieces, size = [], 0
        flaw: CIError | None = None
        try:
            # read1 is a single read of the socket, so that no chunk waits for another.
            while piece := response.raw.read1(_PIECE, decode_content=True):
                size += len(piece)
                if size > max_bytes:
                    return b"", too_large
                pieces.append(piece)
        except DecodeError:
            flaw = InvalidResponse(self._service, "the answer cannot be unpacked")
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            flaw = self._no_response(error)
        return b"".join(pieces), flaw

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


_PAUSES_S = (0.5, 1.0)  # the longest pauses before the second and the third attempt

_PASSING = (Unreachable, NoResponse, OverLimit)

_T = TypeVar("_T")
Read = Callable[[int, Mapping[str, str], bytes], _T]
"""Parses status, headers and body, or raises a `CIError`."""


@dataclass(frozen=True, slots=True)
class _Attempt(Generic[_T]):
    """The result of one attempt. `wait_s`: seconds that the service asks to wait before the next one."""

    outcome: _T | CIError
    wait_s: float | None = None
    is_free: bool = False


class HttpClient:
    """Calls to the single origin of `address`, thread-safe. `title` is the service's, which its errors contain."""

    def __init__(self, title: str, address: str, context: ClientContext) -> None:
        self._title, self._context = title, context
        self._transport = HttpTransport(
            title,
            address,
            environ=context.environ,
            workers=context.workers,
            connect_s=context.connect_s,
            read_s=context.read_s,
            monotonic=context.monotonic,
        )

    def deadline_after(self, at_most_s: float | None = None) -> float:
        """The deadline of a call that begins now, on the clock `monotonic`; sooner if `at_most_s` is less than the
        total.
        """
        total_s = self._context.total_s
        return self._context.monotonic() + (total_s if at_most_s is None else min(at_most_s, total_s))

    def ask(self, call: str, request: Request, read: Read[_T], *, max_bytes: int, deadline: float | None = None) -> _T:
        """Sends an idempotent request: up to three attempts before the deadline."""
        deadline = self.deadline_after() if deadline is None else deadline
        self._check(deadline)
        failed: CIError | None = None
        for longest_pause_s in (*_PAUSES_S, None):
            try:
                self._context.before_request(call)
            except OverLimit as refusal:  # no further attempt is allowed: then the last attempt's error says more
                raise refusal if failed is None or isinstance(failed, OverLimit) else failed from None
            began = self._context.monotonic()
            attempt = self._once(call, request, read, deadline, max_bytes)
            if not isinstance(attempt.outcome, CIError):
                self._report(call, None, began, is_free=attempt.is_free)
                return attempt.outcome
            failed = attempt.outcome
            self._report(call, failed, began)
            if longest_pause_s is None or not isinstance(failed, _PASSING):
                raise failed
            # A random pause, so that clients that failed together do not come back together.
            pause = max(self._context.random() * longest_pause_s, attempt.wait_s or 0.0)
            if self._context.monotonic() + pause >= deadline:
                raise failed
            self._context.wait(pause)
        raise AssertionError("the last try returns or raises")

    def ask_once(
        self, call: str, request: Request, read: Read[_T], *, max_bytes: int, deadline: float | None = None
    ) -> _T:
        """Sends a request that must not be repeated: one attempt, over its own connection.

        The headers say whether it succeeded, so a body that is cut off or too large is parsed as it is.
        """
        deadline = self.deadline_after() if deadline is None else deadline
        self._check(deadline)
        self._context.before_request(call)
        began = self._context.monotonic()
        try:
            answer = self._transport.answer_once(request, deadline=deadline, max_bytes=max_bytes)
            outcome = read(answer.status, answer.headers, answer.body)
        except CIError as error:
            self._report(call, error, began)
            raise
        self._report(call, None, began)
        return outcome

    def close(self) -> None:
        """Closes idle connections. Running calls are not interrupted."""
        self._transport.close()

    def _check(self, deadline: float) -> None:
        """Raises Unreachable if the deadline is over. Several calls may share a deadline, and then nothing is sent."""
        if self._context.monotonic() >= deadline:
            raise Unreachable(self._title, "no time was left to ask")

    def _once(self, call: str, request: Request, read: Read[_T], deadline: float, max_bytes: int) -> _Attempt[_T]:
        before_redirect = partial(self._context.before_request, call)
        try:
            answer = self._transport.answer_to(
                request, deadline=deadline, max_bytes=max_bytes, before_redirect=before_redirect
            )
        except CIError as error:
            return _Attempt(error)
        try:
            if answer.is_success and answer.flaw is not None:
                return _Attempt(answer.flaw)
            # 304: nothing is new. Services that send it do not count the request.
            return _Attempt(read(answer.status, answer.headers, answer.body), is_free=answer.status == 304)
        except OverLimit as error:
            return _Attempt(error, error.retry_after_s)
        except CIError as error:
            return _Attempt(error, retry_after_s(answer.headers))

    def _report(self, call: str, error: CIError | None, began: float, *, is_free: bool = False) -> None:
        self._context.after_request(error, is_free)
        self._context.observe(call, "ok" if error is None else type(error).__name__, self._context.monotonic() - began)
