"""The calls of one CI service: each try let out, sent, told; what may be repeated is tried again after a pause.

It knows no service and decides nothing about builds. It logs nothing: what goes wrong is raised, as a `CIError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from bot.ci.answers import Request, retry_after_s
from bot.ci.exchange import Exchange
from bot.ci.service import Surroundings
from bot.core.errors import CIError, NoAnswer, OverLimit, Unreachable

_PAUSES_S = (0.5, 1.0)  # before the second and the third try, at most

_PASSING = (Unreachable, NoAnswer, OverLimit)

_T = TypeVar("_T")
Read = Callable[[int, Mapping[str, str], bytes], _T]
"""Deciphers status, headers and body, or raises a `CIError`."""


@dataclass(frozen=True, slots=True)
class _Came(Generic[_T]):
    """What came of one try, and how many seconds the service asks to wait before the next."""

    outcome: _T | CIError
    wait_s: float | None = None
    is_free: bool = False


class Tries:
    """Calls to the one origin of `address`, from many threads. `title` is the service's, as its errors carry it."""

    def __init__(self, title: str, address: str, around: Surroundings) -> None:
        self._title, self._around = title, around
        self._exchange = Exchange(
            title,
            address,
            environ=around.environ,
            workers=around.workers,
            connect_s=around.connect_s,
            read_s=around.read_s,
            monotonic=around.monotonic,
        )

    def until(self, at_most_s: float | None = None) -> float:
        """When a call that begins now must be over, on the clock `monotonic`; sooner where it has less time."""
        total_s = self._around.total_s
        return self._around.monotonic() + (total_s if at_most_s is None else min(at_most_s, total_s))

    def ask(self, call: str, request: Request, read: Read[_T], *, max_bytes: int, until: float | None = None) -> _T:
        """For what may be repeated: up to three tries within the time there is."""
        until = self.until() if until is None else until
        self._check(until)
        failed: CIError | None = None
        for longest_pause_s in (*_PAUSES_S, None):
            try:
                self._around.before_try(call)
            except OverLimit as refusal:  # of no further try: then what came of the one before tells more
                raise refusal if failed is None or isinstance(failed, OverLimit) else failed from None
            began = self._around.monotonic()
            came = self._once(call, request, read, until, max_bytes)
            if not isinstance(came.outcome, CIError):
                self._tell(call, None, began, is_free=came.is_free)
                return came.outcome
            failed = came.outcome
            self._tell(call, failed, began)
            if longest_pause_s is None or not isinstance(failed, _PASSING):
                raise failed
            # Many who failed together are not to come back together: anything from nothing to the longest.
            pause = max(self._around.random() * longest_pause_s, came.wait_s or 0.0)
            if self._around.monotonic() + pause >= until:
                raise failed
            self._around.wait(pause)
        raise AssertionError("the last try returns or raises")

    def ask_once(
        self, call: str, request: Request, read: Read[_T], *, max_bytes: int, until: float | None = None
    ) -> _T:
        """For what must not be repeated: one try, over a connection of its own.

        The head of the answer tells whether it took: a body that was cut off, or is too large, is read as it came.
        """
        until = self.until() if until is None else until
        self._check(until)
        self._around.before_try(call)
        began = self._around.monotonic()
        try:
            answer = self._exchange.answer_once(request, until=until, max_bytes=max_bytes)
            outcome = read(answer.status, answer.headers, answer.body)
        except CIError as error:
            self._tell(call, error, began)
            raise
        self._tell(call, None, began)
        return outcome

    def close(self) -> None:
        """Closes the kept connections. Calls under way end as they will."""
        self._exchange.close()

    def _check(self, until: float) -> None:
        """For the later ones of several calls that share their time: what cannot be answered in time is not sent."""
        if self._around.monotonic() >= until:
            raise Unreachable(self._title, "no time was left to ask")

    def _once(self, call: str, request: Request, read: Read[_T], until: float, max_bytes: int) -> _Came[_T]:
        before_onward = partial(self._around.before_try, call)
        try:
            answer = self._exchange.answer_to(request, until=until, max_bytes=max_bytes, before_onward=before_onward)
        except CIError as error:
            return _Came(error)
        try:
            if answer.is_success and answer.flaw is not None:
                return _Came(answer.flaw)
            # Nothing new since what the request names: the services that tell so do not count it.
            return _Came(read(answer.status, answer.headers, answer.body), is_free=answer.status == 304)
        except OverLimit as error:
            return _Came(error, error.retry_after_s)
        except CIError as error:
            return _Came(error, retry_after_s(answer.headers))

    def _tell(self, call: str, error: CIError | None, began: float, *, is_free: bool = False) -> None:
        self._around.after_try(error, is_free)
        self._around.observe(call, "ok" if error is None else type(error).__name__, self._around.monotonic() - began)
