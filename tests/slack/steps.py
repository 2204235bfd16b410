"""The steps of a durable request, stored as the engine stores them, in a process that can die at each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from bot.jobs.serialization import StepFailed, from_text, to_text

T = TypeVar("T")

STORED = ["decide", "act", "reply"]
STEPS = [*STORED, "follow", "update pressed message"]
"""All steps of a request that changes something. The results of the last two are not stored: they may be repeated."""

DEATHS = [(when, name) for name in STEPS for when in ("before", "after")] + [("once kept", name) for name in STORED]


class Crash(BaseException):
    """The process dies here."""


class Steps:
    """A `Step` that stores results as the engine does, unless told otherwise, and dies once.

    It dies before or after a step's work, or after its result is stored.
    """

    def __init__(self, dies: tuple[str, str] | None = None) -> None:
        self._kept: dict[str, str] = {}
        self._dies = dies
        self.names: list[str] = []

    def __call__(self, name: str, work: Callable[[], T], *, stored: bool = True) -> T:
        if name not in self.names:
            self.names.append(name)
        if not stored:
            self._is_near("before", name)
            done = work()
            self._is_near("after", name)
            return done
        if name not in self._kept:
            self._is_near("before", name)
            try:
                result: Any = work()
            except Exception as error:  # noqa: BLE001 - stored, as any result
                result = error
            self._is_near("after", name)
            self._kept[name] = to_text(result)
        self._is_near("once kept", name)
        came = from_text(self._kept[name])
        if isinstance(came, StepFailed):
            raise came
        kept: T = came
        return kept

    def _is_near(self, when: str, name: str) -> None:
        if self._dies == (when, name):
            self._dies = None
            raise Crash(name)
