"""The messages of a workspace and who may see them. Knows no HTTP, no payloads and no permissions of apps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from playground.slack.model import Block, Channel, Message, Version


class Conversations:
    """Thread-safe. `changed` is notified at every change, and is the only lock of the whole workspace."""

    def __init__(self, clock: Callable[[], datetime], channels: Iterable[Channel]) -> None:
        self.changed = threading.Condition(threading.RLock())
        self._clock = clock
        self._channels = {channel.id: channel for channel in channels}
        self._messages: dict[tuple[str, str], Message] = {}
        self._last_ts_us = 0
        self._changes = 0
        self._ids = 0

    @property
    def channels(self) -> list[Channel]:
        with self.changed:
            return list(self._channels.values())

    def channel(self, channel_id: str) -> Channel | None:
        with self.changed:
            return self._channels.get(channel_id)

    def change_channel(self, channel_id: str, **fields: Any) -> Channel:
        with self.changed:
            self._channels[channel_id] = channel = replace(self._channels[channel_id], **fields)
            return channel

    @property
    def changes(self) -> int:
        """The number of changes so far, which is also the number of the last one."""
        with self.changed:
            return self._changes

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock().timestamp()

    def next_ts(self) -> str:
        """The time in the form of a message's ts: unique and rising, even if the clock stops."""
        with self.changed:
            self._last_ts_us = max(self._last_ts_us + 1, int(self.now() * 1_000_000))
            return f"{self._last_ts_us // 1_000_000}.{self._last_ts_us % 1_000_000:06d}"

    def add(
        self,
        channel_id: str,
        user_id: str,
        via: str,
        text: str,
        blocks: Sequence[Block] = (),
        *,
        bot_id: str | None = None,
        thread_ts: str | None = None,
        ephemeral_to: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        is_broadcast: bool = False,
    ) -> Message:
        with self.changed:
            version = self._version(via, text, blocks)
            message = Message(
                self.next_ts(), channel_id, user_id, (version,), bot_id, thread_ts, ephemeral_to, metadata, is_broadcast
            )
            self._messages[channel_id, message.ts] = message
            return message

    def change(
        self, message: Message, via: str, text: str, blocks: Sequence[Block] = (), *, deleted: bool = False
    ) -> Message:
        with self.changed:
            current = self._messages[message.channel_id, message.ts]
            version = replace(self._version(via, text, blocks), deleted=deleted)
            changed = replace(current, versions=(*current.versions, version))
            self._messages[message.channel_id, message.ts] = changed
            return changed

    def find(self, channel_id: str, ts: str) -> Message | None:
        """The current message; None if it never existed or was deleted."""
        with self.changed:
            message = self._messages.get((channel_id, ts))
            return None if message is None or message.deleted else message

    def everything(self) -> list[Message]:
        """Every message, including deleted ones, the oldest first."""
        with self.changed:
            return sorted(self._messages.values(), key=lambda message: _order(message.ts))

    def seen_by(self, channel: Channel, person_id: str) -> list[Message]:
        return [
            message
            for message in self.everything()
            if message.channel_id == channel.id and not message.deleted and message.ephemeral_to in (None, person_id)
        ]

    def wait_until(self, holds: Callable[[], bool], timeout_s: float) -> bool:
        """Whether `holds`, checked at every change, becomes true within `timeout_s` seconds."""
        with self.changed:
            return self.changed.wait_for(holds, timeout_s)

    def _version(self, via: str, text: str, blocks: Sequence[Block]) -> Version:
        self._changes += 1
        self.changed.notify_all()
        return Version(self._changes, self.now(), via, text, tuple(self._with_ids(block) for block in blocks))

    def _with_ids(self, block: Block) -> Block:
        """Slack gives an id to blocks and elements without one."""
        named = dict(block)
        named.setdefault("block_id", self._new_id("block"))
        if isinstance(elements := named.get("elements"), list) and named.get("type") == "actions":
            named["elements"] = [{"action_id": self._new_id("action"), **element} for element in elements]
        accessory = named.get("accessory")
        if isinstance(accessory, Mapping) and accessory.get("type") != "image":
            named["accessory"] = {"action_id": self._new_id("action"), **accessory}
        return named

    def _new_id(self, what: str) -> str:
        self._ids += 1
        return f"{what}-{self._ids}"


def _order(ts: str) -> tuple[int, int]:
    seconds, _, fraction = ts.partition(".")
    return int(seconds), int(fraction)
