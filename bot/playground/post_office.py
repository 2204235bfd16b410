"""Brings payloads to the bot and keeps the record of what became of each; makes none itself."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from bot.playground.delivery import Ack, Carrier, Delivery, Kind, Parcel
from bot.playground.slack_records import CannotDo


class PostOffice:
    """`changed` is notified of every delivery that has ended."""

    def __init__(self, changed: threading.Condition) -> None:
        self._changed = changed
        self._carrier: Carrier | None = None
        self._deliveries: list[Delivery] = []

    @property
    def deliveries(self) -> list[Delivery]:
        with self._changed:
            return list(self._deliveries)

    def deliver_through(self, carrier: Carrier) -> None:
        self._carrier = carrier

    def send(self, kind: Kind, payload: Mapping[str, Any]) -> Delivery:
        return self._send(Parcel(kind, payload))

    def again(self, times: int) -> list[Delivery]:
        """The last payload once more, `times` times, whatever became of it. Raises CannotDo where there was none."""
        if not self.deliveries:
            raise CannotDo("nothing was delivered yet")
        last = self.deliveries[-1].parcel
        return [
            self._send(Parcel(last.kind, last.payload, last.retry_num + number, "http_timeout"))
            for number in range(1, times + 1)
        ]

    def _send(self, parcel: Parcel) -> Delivery:
        # No lock is held meanwhile: the bot may call the Web API before it acknowledges.
        ack = self._carrier.carry(parcel) if self._carrier is not None else Ack("dispatch_failed")
        delivery = Delivery(parcel, ack)
        with self._changed:
            self._deliveries.append(delivery)
            self._changed.notify_all()
        return delivery
