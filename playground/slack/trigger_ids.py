"""Trigger ids: each opens one view, within three seconds, for the person who caused it."""

from __future__ import annotations

LIFE_S = 3.0


class Triggers:
    """Not thread-safe: the workspace holds its lock around every call."""

    def __init__(self) -> None:
        self._issued_at: dict[str, float] = {}
        self._owners: dict[str, str] = {}
        self._spent: set[str] = set()

    def issue(self, now: float, user_id: str) -> str:
        number = len(self._issued_at) + 1
        trigger_id = f"{number}.1000.{number:032x}"
        self._issued_at[trigger_id] = now
        self._owners[trigger_id] = user_id
        return trigger_id

    def spend(self, trigger_id: str, now: float) -> str | None:
        """None if it may open a view, else Slack's error code. Uses the id."""
        issued_at = self._issued_at.get(trigger_id)
        if issued_at is None:
            return "invalid_trigger_id"
        if trigger_id in self._spent:
            return "exchanged_trigger_id"
        if now - issued_at > LIFE_S:
            return "expired_trigger_id"
        self._spent.add(trigger_id)
        return None

    def owner(self, trigger_id: str) -> str:
        """The person who caused it. The id must have been issued."""
        return self._owners[trigger_id]
