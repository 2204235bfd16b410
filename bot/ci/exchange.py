"""One request and its answer over HTTP, bounded in time and size; it knows no CI service and never tries again.

The `requests` adapter is used without its session: that one reads the body of a redirect whole, however large, and
keeps cookies and the environment's settings in play.
"""

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

from bot.ci.answers import Answer, Request, origin
from bot.ci.timed_connections import Adapter, Stage, Try, trying
from bot.core.errors import BadAnswer, CIError, NoAnswer, Unreachable

_MOST_REDIRECTS = 3
_PIECE = 65_536
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate", "User-Agent": "codeship-bot"}
# Those of urllib3's loggers that write addresses with their query, at DEBUG and at WARNING.
_TALKATIVE = ("urllib3.connection", "urllib3.connectionpool", "urllib3.poolmanager", "urllib3.util.retry")
_CA_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_KEY_IN_QUERY = re.compile(r"(api_key=)[^&\s\"']*")


class Exchange:
    """Requests to the one origin of `address`, from many threads. `service` is the title that its errors carry.

    `connect_s` and `read_s` are the seconds that a connection may take to stand and that the other side may be silent.
    Proxy and CA bundle are read from `environ`, once. Raises ValueError where `address` is none.
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
        self._ca_bundle = next((found for name in _CA_BUNDLES if (found := environ.get(name))), None)
        self._connect_s, self._read_s, self._monotonic = connect_s, read_s, monotonic
        self._adapter = Adapter(pool_maxsize=workers)
        for name in _TALKATIVE:
            logging.getLogger(name).addFilter(_without_key)

    def answer_to(
        self, request: Request, *, until: float, max_bytes: int, before_onward: Callable[[], None] = lambda: None
    ) -> Answer:
        """For requests that may be repeated: over a kept connection, redirects followed within the origin.

        `until` is when it must be over, on the clock `monotonic`; `max_bytes` bounds the body, unpacked.
        `before_onward` is called before each redirect is followed; what it raises is raised.
        Raises Unreachable and NoAnswer; where the head of the answer came, what went wrong is its `flaw`.
        """
        answer = self._once(self._adapter, request, until, max_bytes)
        for _ in range(_MOST_REDIRECTS):
            onward = self._onward(request, answer)
            if onward is None:
                break
            before_onward()
            request = onward
            answer = self._once(self._adapter, request, until, max_bytes)
        return answer

    def answer_once(self, request: Request, *, until: float, max_bytes: int) -> Answer:
        """For requests that must not be repeated: over a connection of their own, and no redirect followed.

        A kept connection may have been closed by the other side, which shows only after the request has gone out.
        Raises as `answer_to`: Unreachable is certain to mean that nothing was sent.
        """
        adapter = Adapter(pool_maxsize=1)
        try:
            return self._once(adapter, request, until, max_bytes, {"Connection": "close"})
        finally:
            adapter.close()

    def close(self) -> None:
        self._adapter.close()

    def _once(
        self,
        adapter: Adapter,
        request: Request,
        until: float,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        this_try = Try(until, self._read_s, self._monotonic)
        with trying(this_try):
            got = self._open(adapter, request, {**_HEADERS, **dict(request.headers), **(headers or {})}, this_try)
            if isinstance(got, CIError):
                raise got
            try:
                body, flaw = self._body(got, max_bytes)
            finally:
                got.close()
        # A recipient with a clock notes when an answer without a date came (RFC 9110, 6.6.1).
        came = {"date": formatdate(usegmt=True)} | {name.lower(): value for name, value in got.headers.items()}
        return Answer(got.status_code, came, body, flaw)

    def _open(
        self, adapter: Adapter, request: Request, headers: dict[str, str], this_try: Try
    ) -> requests.Response | CIError:
        """The error is returned: raised in here, it would carry the library's own along, and the key in its address."""
        left = max(this_try.left_s(), 0.001)
        try:
            prepared = requests.Request(request.method, request.url, headers, params=list(request.params)).prepare()
            return adapter.send(
                prepared,
                stream=True,
                timeout=(min(self._connect_s, left), min(self._read_s, left)),
                verify=self._ca_bundle or True,
                proxies=self._proxies,
            )
        except (requests.RequestException, HTTPError, HTTPException, OSError, ValueError) as error:
            # Not begun and a time-out: something stands in for the connection, so the worse is assumed.
            unsure = this_try.stage is Stage.NOT_BEGUN and isinstance(error, requests.ReadTimeout)
            if this_try.stage is Stage.SENT or unsure:
                return NoAnswer(self._service, _why_no_answer(error))
            return Unreachable(self._service, _why_unreachable(error))

    def _body(self, response: requests.Response, max_bytes: int) -> tuple[bytes, CIError | None]:
        """What came of the body, and why that is not all of it."""
        too_large = BadAnswer(self._service, f"an answer of more than {max_bytes:,} bytes")
        length = response.headers.get("Content-Length", "")
        if length.isdecimal() and (len(length) > 18 or int(length) > max_bytes):
            return b"", too_large
        pieces, size = [], 0
        flaw: CIError | None = None
        try:
            # read1: one read of the socket and no more, so that no piece waits for another.
            while piece := response.raw.read1(_PIECE, decode_content=True):
                size += len(piece)
                if size > max_bytes:
                    return b"", too_large
                pieces.append(piece)
        except DecodeError:
            flaw = BadAnswer(self._service, "the answer cannot be unpacked")
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            flaw = NoAnswer(self._service, _why_no_answer(error))
        return b"".join(pieces), flaw

    def _onward(self, request: Request, answer: Answer) -> Request | None:
        location = answer.headers.get("location")
        if location is None or answer.status not in (301, 302, 303, 307, 308):
            return None
        try:
            target = urljoin(request.url, location)
            same = origin(target) == self._origin
        except ValueError:
            return None
        return Request(request.method, target, headers=request.headers) if same else None


def _proxies(address: str, environ: Mapping[str, str]) -> dict[str, str]:
    """As curl and requests have it: the small spelling before the large one, `NO_PROXY` before all."""
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
    """In words of our own: the libraries' repeat the address."""
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


def _why_no_answer(error: BaseException) -> str:
    late = any(isinstance(cause, (TimeoutError, urllib3.exceptions.TimeoutError)) for cause in _causes(error))
    return "no whole answer came in time" if late else "the connection broke before the whole answer came"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and what it stands for, as far as the libraries wrap it."""
    waiting, seen = [error], 0
    while waiting and seen < 20:
        seen += 1
        yield (this := waiting.pop(0))
        inner = (*this.args, getattr(this, "reason", None), this.__cause__, this.__context__)
        waiting.extend(cause for cause in inner if isinstance(cause, BaseException))
