"""Records the traffic between Slack, the bot and its CI services, for display, with every secret masked.

The simulated servers write it. The bot does not know about it.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

WIRES_KEPT = 300
MAX_BODY = 50_000

Direction = Literal["slack to bot", "bot to slack", "bot to codeship", "bot to github", "github to bot"]

_BLOTTED = "[redacted]"
_SECRET_NAMES = frozenset({"token", "api_key", "authorization"})
_SECRET_IN_URL = re.compile(r"(/(?:commands|actions)/T\w+/\d+/)[\w-]+|([?&](?:ticket|api_key)=)[^&\s\"]+")


@dataclass(frozen=True, slots=True)
class TrafficEntry:
    """One exchange. `took_ms` is None until the response. `change` grows with every change of the log."""

    id: int
    way: Direction
    title: str
    at: datetime
    sent: Any
    change: int
    came_back: Any = None
    status: str = ""
    took_ms: float | None = None


class TrafficLog:
    """The last exchanges. Thread-safe. Secrets are masked before anything is stored."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC), secrets: Iterable[str] = ()) -> None:
        self._now = now
        self._secrets = tuple(secret for secret in secrets if secret)
        self._lock = threading.Lock()
        self._wires: dict[int, TrafficEntry] = {}
        self._begun_at: dict[int, float] = {}
        self._changes = 0

    def begin(self, way: Direction, title: str, sent: Any) -> int:
        """Records a request. Returns the number for `end`."""
        clean_title, clean_sent = str(self._clean(title)), self._clean(sent)
        with self._lock:
            self._changes += 1
            number = self._changes
            self._wires[number] = TrafficEntry(number, way, clean_title, self._now(), clean_sent, number)
            self._begun_at[number] = time.perf_counter()
            if len(self._wires) > WIRES_KEPT:
                oldest = next(iter(self._wires))
                del self._wires[oldest]
                self._begun_at.pop(oldest, None)
            return number

    def end(self, number: int, status: object, came_back: Any = None) -> None:
        """Records the response; only the size of a body that is too large to show."""
        clean = self._clean(came_back)
        with self._lock:
            wire, begun_at = self._wires.get(number), self._begun_at.pop(number, None)
            if wire is None or begun_at is None:
                return
            self._changes += 1
            took_ms = round((time.perf_counter() - begun_at) * 1000, 1)
            self._wires[number] = replace(
                wire, came_back=clean, status=str(status), took_ms=took_ms, change=self._changes
            )

    def since(self, change: int) -> list[TrafficEntry]:
        """Entries that are new or have changed since, the oldest first."""
        with self._lock:
            return [wire for wire in self._wires.values() if wire.change > change]

    def _clean(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {str(name): self._clean_field(str(name), held) for name, held in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean(held) for held in value]
        if not isinstance(value, str):
            return value
        if len(value) > MAX_BODY:
            return f"({len(value):,} characters)"
        for secret in self._secrets:
            value = value.replace(secret, _BLOTTED)
        return _SECRET_IN_URL.sub(lambda found: (found[1] or found[2]) + _BLOTTED, value)

    def _clean_field(self, name: str, held: Any) -> Any:
        if name.lower() in _SECRET_NAMES and held:
            return _BLOTTED
        return self._clean(held)
