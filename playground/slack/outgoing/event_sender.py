"""Sends payloads to the bot and records the result of each delivery."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

from playground.slack.model import CannotDo
from playground.slack.outgoing.delivery import Ack, Delivery, Kind, Payload, Transport
from playground.traffic import TrafficLog


class EventSender:
    """`changed` is notified of every finished delivery."""

    def __init__(self, changed: threading.Condition, wires: TrafficLog) -> None:
        self._changed = changed
        self._wires = wires
        self._carrier: Transport | None = None
        self._deliveries: list[Delivery] = []

    @property
    def deliveries(self) -> list[Delivery]:
        with self._changed:
            return list(self._deliveries)

    def deliver_through(self, carrier: Transport) -> None:
        self._carrier = carrier

    def send(self, kind: Kind, payload: Mapping[str, Any]) -> Delivery:
        return self._send(Payload(kind, payload))

    def again(self, times: int) -> list[Delivery]:
        """Sends the last payload again, `times` times. Raises CannotDo if there is none."""
        if not self.deliveries:
            raise CannotDo("nothing has been delivered yet")
        last = self.deliveries[-1].parcel
        return [
            self._send(Payload(last.kind, last.payload, last.retry_num + number, "http_timeout"))
            for number in range(1, times + 1)
        ]

    def _send(self, parcel: Payload) -> Delivery:
        # Without the lock: the bot may call the Web API before it acknowledges.
        wire = self._wires.begin("slack to bot", _title(parcel), parcel.payload)
        ack = self._carrier.carry(parcel) if self._carrier is not None else Ack("dispatch_failed")
        self._wires.end(wire, _status(ack), _read(ack.body))
        delivery = Delivery(parcel, ack)
        with self._changed:
            self._deliveries.append(delivery)
            self._changed.notify_all()
        return delivery


def _title(parcel: Payload) -> str:
    """A short title of the payload."""
    payload, again = parcel.payload, " (again)" if parcel.retry_num else ""
    match parcel.kind:
        case "slash_commands":
            return f"{payload['command']} {payload['text']}{again}"
        case "events_api":
            return f"{payload['event']['type']}: {payload['event'].get('text', '')}{again}"
        case "interactive":
            actions = payload.get("actions") or [{}]
            label = (actions[0].get("text") or {}).get("text") or actions[0].get("action_id", "")
            return f"{payload['type']}: {label}{again}" if label else f"{payload['type']}{again}"


def _status(ack: Ack) -> str:
    return ack.outcome if ack.status is None or ack.outcome == "operation_timeout" else str(ack.status)


def _read(body: str) -> Any:
    """Parsed JSON; any other text unchanged."""
    try:
        return json.loads(body)
    except ValueError:
        return body
