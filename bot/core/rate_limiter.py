"""Every try of a call passes here before it is made: paid for out of the budget, on behalf of whoever waits for it.

On whose behalf is a context variable. It does not cross to an executor's thread by itself: who hands a call to one
takes the context along (`copy_context().run`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from bot.core.model.errors import BudgetSpent, CIError, OverLimit, Paused
from bot.core.model.rate_limit import Priority, Refused
from bot.core.ports import Budget

RESTART = "restart"
"""What a provider calls the try that runs a build again."""


class _Purse:
    """What one piece of work may spend. `restart_to_come`: its looks are worth nothing without the call after them."""

    def __init__(self, priority: Priority, *, restart_to_come: bool = False) -> None:
        self.priority = priority
        self._lock = threading.Lock()
        self._restart_to_come = restart_to_come
        self._reserved: Budget | None = None

    @property
    def lacks_a_restart(self) -> bool:
        return self._restart_to_come and self._reserved is None

    def keep(self, budget: Budget) -> None:
        """Puts by, for the restart, a call that was set aside; gives it back where none is wanted any more."""
        with self._lock:
            wanted = self.lacks_a_restart
            self._reserved = budget if wanted else self._reserved
        if not wanted:
            budget.give_back(1)

    def take(self) -> Budget | None:
        """Takes what was put by, and wants no more; None where there is nothing."""
        with self._lock:
            taken, self._reserved, self._restart_to_come = self._reserved, None, False
            return taken


_PURSE: ContextVar[_Purse | None] = ContextVar("_PURSE", default=None)


def priority_now() -> Priority:
    """People's, unless it was said otherwise."""
    purse = _PURSE.get()
    return Priority.PEOPLE if purse is None else purse.priority


@contextmanager
def on_behalf_of(priority: Priority) -> Iterator[None]:
    """What is asked within, in this thread, counts as asked with this priority."""
    token = _PURSE.set(_Purse(priority))
    try:
        yield
    finally:
        _PURSE.reset(token)


@contextmanager
def a_restart_to_come() -> Iterator[None]:
    """The first look within also puts a call by for the restart that follows it, or is refused with it."""
    purse = _Purse(priority_now(), restart_to_come=True)
    token = _PURSE.set(purse)
    try:
        yield
    finally:
        _PURSE.reset(token)
        budget = purse.take()
        if budget is not None:
            budget.give_back(1)


class Spending:
    """`title` is the service's name as people write it. Its methods may be called from any thread."""

    def __init__(self, budget: Budget, title: str) -> None:
        self._budget = budget
        self._title = title

    def before_try(self, call: str) -> None:
        """Returns where a call may be made, and counts it. Raises BudgetSpent and Paused: then none must be made."""
        purse = _PURSE.get() or _Purse(Priority.PEOPLE)
        if call != RESTART or purse.take() is None:
            two = call != RESTART and purse.lacks_a_restart
            refused = self._budget.take(2 if two else 1, purse.priority)
            if refused is not None:
                raise self._error(refused)
            if two:
                purse.keep(self._budget)
        refused = self._budget.begin(purse.priority)
        if refused is not None:
            self._budget.give_back(1)
            raise self._error(refused)

    def after_try(self, failure: CIError | None, was_free: bool = False) -> None:
        """In the thread that made it. Where the service itself has had enough, everything pauses; where it does not
        count the call, that may be made again."""
        if was_free:
            self._budget.uncount()
        if isinstance(failure, OverLimit) and not isinstance(failure, BudgetSpent | Paused):
            self._budget.pause(failure.retry_after_s)

    def _error(self, refused: Refused) -> OverLimit:
        kind = Paused if refused.paused else BudgetSpent
        return kind(self._title, retry_after_s=refused.retry_after_s)
