"""The deliveries that were seen, so that each is answered once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from bot.core.ports import Clock, IdempotencyKeys
from bot.slack.incoming.payloads import SlackRequest, Source

COME_AGAIN = (Source.MENTION, Source.DIRECT)
"""Sources that Slack resends minutes later, to any process. Others are resent only over a broken connection of Socket
Mode. For those that change nothing, this process's memory is enough, without the database."""

DELIVERY_KEPT_S = 3600.0
"""In seconds. Slack redelivers three times within about six minutes."""

MAX_REMEMBERED = 10_000


class RecentDeliveries:
    """An `IdempotencyKeys` in memory: needs no database, but knows only this process. Thread-safe.

    Above `max_size` keys, the oldest are dropped first.
    """

    def __init__(self, clock: Clock, *, max_size: int = MAX_REMEMBERED) -> None:
        self._clock = clock
        self._max_size = max_size
        self._lock = threading.Lock()
        self._until: OrderedDict[str, float] = OrderedDict()

    def add(self, key: str, *, keep_s: float) -> bool:
        now = self._clock.monotonic()
        with self._lock:
            first = self._until.get(key, now) <= now
            if first:
                self._until[key] = now + keep_s
                self._until.move_to_end(key)
                while len(self._until) > self._max_size:
                    self._until.popitem(last=False)
            return first


@dataclass(frozen=True, slots=True)
class Deliveries:
    """The deliveries that were seen, by this process and by all processes on the database."""

    recent: RecentDeliveries
    stored: IdempotencyKeys

    def add(self, slack_request: SlackRequest) -> bool:
        """False for a redelivery. True for a request without an id."""
        if not slack_request.delivery:
            return True
        seen = self.stored if slack_request.source in COME_AGAIN else self.recent
        return seen.add(slack_request.delivery, keep_s=DELIVERY_KEPT_S)
