"""Calls to one CI service: each attempt is charged, sent and reported; idempotent ones are retried after a pause.

Knows no service and nothing about builds. Logs nothing: what goes wrong is raised as a `CIError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

from bot.ci.http_client.responses import Request, retry_after_s
from bot.ci.http_client.transport import Feed, HttpTransport
from bot.ci.service import ClientContext
from bot.core.model.errors import CIError, NoResponse, OverLimit, Unreachable

_PAUSES_S = (0.5, 1.0)  # the longest pauses before the second and the third attempt

_PASSING = (Unreachable, NoResponse, OverLimit)

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)
Read = Callable[[int, Mapping[str, str], bytes], _T]
"""Parses status, headers and body, or raises a `CIError`."""


class StreamReader(Protocol[_T_co]):
    """Reads one response. A success goes to `feed`, and then the body that `read` gets is empty."""

    def feed(self, piece: bytes) -> None: ...
    def read(self, status: int, headers: Mapping[str, str], body: bytes) -> _T_co: ...


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
        return self._ask(call, request, lambda: (read, None), max_bytes, deadline)

    def ask_stream(self, call: str, request: Request, reader: Callable[[], StreamReader[_T]], *, max_bytes: int) -> _T:
        """The same for a success of any length, read while it arrives, by a new reader in each attempt. `max_bytes`
        limits the body of a refusal.
        """

        def begin() -> tuple[Read[_T], Feed]:
            new = reader()
            return new.read, new.feed

        return self._ask(call, request, begin, max_bytes, None)

    def _ask(
        self,
        call: str,
        request: Request,
        begin: Callable[[], tuple[Read[_T], Feed | None]],
        max_bytes: int,
        deadline: float | None,
    ) -> _T:
        deadline = self.deadline_after() if deadline is None else deadline
        self._check(deadline)
        failed: CIError | None = None
        for longest_pause_s in (*_PAUSES_S, None):
            try:
                self._context.before_request(call)
            except OverLimit as refusal:  # no further attempt is allowed: then the last attempt's error says more
                raise refusal if failed is None or isinstance(failed, OverLimit) else failed from None
            began = self._context.monotonic()
            read, feed = begin()
            attempt = self._once(call, request, read, feed, deadline, max_bytes)
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

    def _once(
        self, call: str, request: Request, read: Read[_T], feed: Feed | None, deadline: float, max_bytes: int
    ) -> _Attempt[_T]:
        before_redirect = partial(self._context.before_request, call)
        try:
            answer = self._transport.answer_to(
                request, deadline=deadline, max_bytes=max_bytes, before_redirect=before_redirect, feed=feed
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
