"""Trigger ids: each opens a view once, within three seconds, for whoever caused it. What it opens is not known here."""

from __future__ import annotations

LIFE_S = 3.0


class Triggers:
    """Not safe for threads by itself: the workspace holds its lock around every call."""

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
        """None where it opens, or Slack's word for why it does not."""
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
        """Who caused it; only of one that was issued."""
        return self._owners[trigger_id]
