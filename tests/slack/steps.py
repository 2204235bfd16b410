"""The steps of a durable ask, kept as the engine keeps them, in a process that can die at any of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from bot.jobs.serialization import StepFailed, from_text, to_text

T = TypeVar("T")


class Crash(BaseException):
    """The process dies here."""


class Steps:
    """A `Step` whose results are kept as the engine keeps them, and which dies once: before or after a step's work is
    done, or once it is kept."""

    def __init__(self, dies: tuple[str, str] | None = None) -> None:
        self._kept: dict[str, str] = {}
        self._dies = dies
        self.names: list[str] = []

    def __call__(self, name: str, work: Callable[[], T]) -> T:
        if name not in self.names:
            self.names.append(name)
        if name not in self._kept:
            self._is_near("before", name)
            try:
                result: Any = work()
            except Exception as error:  # noqa: BLE001 - kept, as any result
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
