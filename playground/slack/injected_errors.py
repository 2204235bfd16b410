"""Failures that a test or a player requests: the next calls of a method are refused with Slack's error codes."""

from __future__ import annotations

from dataclasses import dataclass

EVERY_METHOD = "*"


@dataclass(frozen=True, slots=True)
class Refusal:
    """`status` is the HTTP status. Those of 500 and above have no JSON body, as at Slack's edge."""

    error: str
    status: int = 200
    retry_after_s: int | None = None


class Refusals:
    """Not thread-safe: the workspace holds its lock around every call."""

    def __init__(self) -> None:
        self._ordered: list[tuple[str, Refusal, int | None]] = []

    def order(self, method: str, refusal: Refusal, times: int | None) -> None:
        """Refuses the next `times` calls; None: all calls."""
        self._ordered.append((method, refusal, times))

    def lift(self, method: str) -> None:
        self._ordered = [entry for entry in self._ordered if entry[0] != method]

    def next_for(self, method: str) -> Refusal | None:
        """The refusal of this call, or None. It then counts as used."""
        for place, (which, refusal, times) in enumerate(self._ordered):
            if which not in (method, EVERY_METHOD):
                continue
            if times is not None:
                self._ordered[place] = (which, refusal, times - 1)
                if times <= 1:
                    del self._ordered[place]
            return refusal
        return None
