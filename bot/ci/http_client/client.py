"""The calls of one CI service: each try let out, sent, told; what may be repeated is tried again after a pause.

It knows no service and decides nothing about builds. It logs nothing: what goes wrong is raised, as a `CIError`.
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
# Those of urllib3's loggers that write addresses with their query, at DEBUG and at WARNING.
_TALKATIVE = ("urllib3.connection", "urllib3.connectionpool", "urllib3.poolmanager", "urllib3.util.retry")
_CA_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_KEY_IN_QUERY = re.compile(r"((?:api_key|sig)=)[^&\s\"']*")


class HttpTransport:
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
        self._ca_bundle = next((result for name in _CA_BUNDLES if (result := environ.get(name))), None)
        self._connect_s, self._read_s, self._monotonic = connect_s, read_s, monotonic
        self._adapter = Adapter(pool_maxsize=workers)
        for name in _TALKATIVE:
            logging.getLogger(name).addFilter(_without_key)

    def answer_to(
        self, request: Request, *, deadline: float, max_bytes: int, before_onward: Callable[[], None] = lambda: None
    ) -> Response:
        """For requests that may be repeated: over a kept connection, redirects followed within the origin.

        `until` is when it must be over, on the clock `monotonic`; `max_bytes` bounds the body, unpacked.
        `before_onward` is called before each redirect is followed; what it raises is raised.
        Raises Unreachable and NoAnswer; where the head of the answer came, what went wrong is its `flaw`.
        """
        answer = self._once(self._adapter, request, deadline, max_bytes)
        for _ in range(_MAX_REDIRECTS):
            onward = self._onward(request, answer)
            if onward is None:
                break
            before_onward()
            request = onward
            answer = self._once(self._adapter, request, deadline, max_bytes)
        return answer

    def answer_once(self, request: Request, *, deadline: float, max_bytes: int) -> Response:
        """For requests that must not be repeated: over a connection of their own, and no redirect followed.

        A kept connection may have been closed by the other side, which shows only after the request has gone out.
        Raises as `answer_to`: Unreachable is certain to mean that nothing was sent.
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
        # A recipient with a clock notes when an answer without a date came (RFC 9110, 6.6.1).
        came = {"date": formatdate(usegmt=True)} | {name.lower(): value for name, value in got.headers.items()}
        return Response(got.status_code, came, body, flaw)

    def _open(
        self, adapter: Adapter, request: Request, headers: dict[str, str], progress: RequestProgress
    ) -> requests.Response | CIError:
        """The error is returned: raised in here, it would carry the library's own along, and the key in its address."""
        left = max(progress.left_s(), 0.001)
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
            unsure = progress.stage is Phase.NOT_BEGUN and isinstance(error, requests.ReadTimeout)
            if progress.stage is Phase.SENT or unsure:
                return NoResponse(self._service, _why_no_answer(error))
            return Unreachable(self._service, _why_unreachable(error))

    def _body(self, response: requests.Response, max_bytes: int) -> tuple[bytes, CIError | None]:
        """What came of the body, and why that is not all of it."""
        too_large = InvalidResponse(self._service, f"an answer of more than {max_bytes:,} bytes")
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
            flaw = InvalidResponse(self._service, "the answer cannot be unpacked")
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            flaw = NoResponse(self._service, _why_no_answer(error))
        return b"".join(pieces), flaw

    def _onward(self, request: Request, response: Response) -> Request | None:
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


_PAUSES_S = (0.5, 1.0)  # before the second and the third try, at most

_PASSING = (Unreachable, NoResponse, OverLimit)

_T = TypeVar("_T")
Read = Callable[[int, Mapping[str, str], bytes], _T]
"""Deciphers status, headers and body, or raises a `CIError`."""


@dataclass(frozen=True, slots=True)
class _Attempt(Generic[_T]):
    """What came of one try, and how many seconds the service asks to wait before the next."""

    outcome: _T | CIError
    wait_s: float | None = None
    is_free: bool = False


class HttpClient:
    """Calls to the one origin of `address`, from many threads. `title` is the service's, as its errors carry it."""

    def __init__(self, title: str, address: str, context: ClientContext) -> None:
        self._title, self._around = title, context
        self._exchange = HttpTransport(
            title,
            address,
            environ=context.environ,
            workers=context.workers,
            connect_s=context.connect_s,
            read_s=context.read_s,
            monotonic=context.monotonic,
        )

    def deadline_after(self, at_most_s: float | None = None) -> float:
        """When a call that begins now must be over, on the clock `monotonic`; sooner where it has less time."""
        total_s = self._around.total_s
        return self._around.monotonic() + (total_s if at_most_s is None else min(at_most_s, total_s))

    def ask(self, call: str, request: Request, read: Read[_T], *, max_bytes: int, deadline: float | None = None) -> _T:
        """For what may be repeated: up to three tries within the time there is."""
        deadline = self.deadline_after() if deadline is None else deadline
        self._check(deadline)
        failed: CIError | None = None
        for longest_pause_s in (*_PAUSES_S, None):
            try:
                self._around.before_request(call)
            except OverLimit as refusal:  # of no further try: then what came of the one before tells more
                raise refusal if failed is None or isinstance(failed, OverLimit) else failed from None
            began = self._around.monotonic()
            attempt = self._once(call, request, read, deadline, max_bytes)
            if not isinstance(attempt.outcome, CIError):
                self._tell(call, None, began, is_free=attempt.is_free)
                return attempt.outcome
            failed = attempt.outcome
            self._tell(call, failed, began)
            if longest_pause_s is None or not isinstance(failed, _PASSING):
                raise failed
            # Many who failed together are not to come back together: anything from nothing to the longest.
            pause = max(self._around.random() * longest_pause_s, attempt.wait_s or 0.0)
            if self._around.monotonic() + pause >= deadline:
                raise failed
            self._around.wait(pause)
        raise AssertionError("the last try returns or raises")

    def ask_once(
        self, call: str, request: Request, read: Read[_T], *, max_bytes: int, deadline: float | None = None
    ) -> _T:
        """For what must not be repeated: one try, over a connection of its own.

        The head of the answer tells whether it took: a body that was cut off, or is too large, is read as it came.
        """
        deadline = self.deadline_after() if deadline is None else deadline
        self._check(deadline)
        self._around.before_request(call)
        began = self._around.monotonic()
        try:
            answer = self._exchange.answer_once(request, deadline=deadline, max_bytes=max_bytes)
            outcome = read(answer.status, answer.headers, answer.body)
        except CIError as error:
            self._tell(call, error, began)
            raise
        self._tell(call, None, began)
        return outcome

    def close(self) -> None:
        """Closes the kept connections. Calls under way end as they will."""
        self._exchange.close()

    def _check(self, deadline: float) -> None:
        """For the later ones of several calls that share their time: what cannot be answered in time is not sent."""
        if self._around.monotonic() >= deadline:
            raise Unreachable(self._title, "no time was left to ask")

    def _once(self, call: str, request: Request, read: Read[_T], deadline: float, max_bytes: int) -> _Attempt[_T]:
        before_onward = partial(self._around.before_request, call)
        try:
            answer = self._exchange.answer_to(
                request, deadline=deadline, max_bytes=max_bytes, before_onward=before_onward
            )
        except CIError as error:
            return _Attempt(error)
        try:
            if answer.is_success and answer.flaw is not None:
                return _Attempt(answer.flaw)
            # Nothing new since what the request names: the services that tell so do not count it.
            return _Attempt(read(answer.status, answer.headers, answer.body), is_free=answer.status == 304)
        except OverLimit as error:
            return _Attempt(error, error.retry_after_s)
        except CIError as error:
            return _Attempt(error, retry_after_s(answer.headers))

    def _tell(self, call: str, error: CIError | None, began: float, *, is_free: bool = False) -> None:
        self._around.after_request(error, is_free)
        self._around.observe(call, "ok" if error is None else type(error).__name__, self._around.monotonic() - began)
