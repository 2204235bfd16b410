"""Reads the file behind the setting SUBSCRIPTIONS: TOML in, subscriptions or every mistake with its line out.

docs/notifications.md explains the keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from bot.config.toml_file import FileError, Reading, read_toml, shown
from bot.core.model.names.slack_ids import CHANNEL_ID, GROUP_ID, USER_ID
from bot.core.model.notification_commands.subscribing import still_every
from bot.core.model.notification_commands.values import ALL, FLAKY, OPTIONS, REMIND
from bot.core.model.notifications.subscriptions import (
    DEFAULT_EVENTS,
    MAX_MENTIONS,
    Event,
    Filters,
    Origin,
    Replies,
    Subscription,
)
from bot.core.notifications.ports import SubscriptionStore

log = structlog.get_logger(__name__)

_KIND = "subscription"
_KEYS = ("channel", "repos", "branches", "on", "workflows", "service", FLAKY, REMIND, "mention", "to")


class SubscriptionsError(FileError):
    """The file of subscriptions cannot be used."""

    setting = "SUBSCRIPTIONS"


def subscriptions_in(path: str | None, services: tuple[str, ...]) -> list[Subscription]:
    """The subscriptions in the file; none if `path` is None. `services` are the configured ones.

    Raises SubscriptionsError with every mistake.
    """
    if path is None:
        return []
    reading = _Reading(*read_toml(path, SubscriptionsError))
    subscriptions = reading.subscriptions(services)
    if reading.mistakes:
        raise SubscriptionsError(path, reading.mistakes)
    return subscriptions


def reload(path: str, services: tuple[str, ...], store: SubscriptionStore) -> bool:
    """Reads the file again and stores it. If that fails, returns False and keeps what is stored. Logs either."""
    try:
        subscriptions = subscriptions_in(path, services)
    except SubscriptionsError as problem:
        for line, why in problem.mistakes:
            log.error("subscriptions_error", file=path, line=line or None, why=why)
        log.error("subscriptions_not_reloaded", file=path, mistakes=len(problem.mistakes))
        return False
    store.put_file(subscriptions)
    log.info("subscriptions_reloaded", file=path, subscriptions=len(subscriptions))
    return True


class _Reading(Reading):
    """Reads one file of subscriptions as far as possible."""

    def subscriptions(self, services: tuple[str, ...]) -> list[Subscription]:
        for key in self.document.keys() - {_KIND}:
            known = ", ".join(_KEYS) if key in _KEYS else "[[subscription]]"
            place = " within a [[subscription]]" if key in _KEYS else ""
            self.wrong(0, key, f"{shown(key)} is not a key here; these are{place}: {known}.")
        tables = self.document.get(_KIND, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self.wrong(0, _KIND, "a subscription begins with [[subscription]], in two brackets.")
            return []
        found: dict[tuple[str, Filters], int] = {}
        for number, table in enumerate(tables, start=1):
            subscription = self._subscription(number, table, services)
            first = found.setdefault((subscription.channel, subscription.filters), number)
            if first != number and not self.mistakes:
                self.wrong(number, "", f"the subscription in line {self.lines.at(first, '', _KIND)} says this.", _KIND)
        return [Subscription(channel, filters, origin=Origin.FILE) for channel, filters in found]

    def _subscription(self, number: int, table: Mapping[str, Any], services: tuple[str, ...]) -> Subscription:
        for key in table.keys() - set(_KEYS):
            known = ", ".join(_KEYS)
            self.wrong(number, key, f"{shown(key)} is not a key of a subscription; these are: {known}.", _KIND)
        for key in ("channel", "repos"):
            if key not in table:
                self.wrong(number, "", f"this subscription has no {key}.", _KIND)
        filters = Filters(
            self.names(number, table, "repos", _KIND),
            self._service(number, table, services),
            self.names(number, table, "branches", _KIND),
            self._events(number, table),
            self.names(number, table, "workflows", _KIND),
            still_every([str(word) for word in self.listed(number, table, "on", _KIND)]),
            self._mentions(number, table),
            self._replies(number, table),
            flaky_quiet=self._option(number, table, FLAKY),
            remind_off=self._option(number, table, REMIND),
        )
        return Subscription(self._channel(number, table), filters, origin=Origin.FILE)

    def _channel(self, number: int, table: Mapping[str, Any]) -> str:
        value = table.get("channel", "")
        if value and (not isinstance(value, str) or CHANNEL_ID.fullmatch(value) is None):
            self.wrong(number, "channel", f"{shown(str(value))} is not a channel's id, which begins with C.", _KIND)
        return str(value)

    def _service(self, number: int, table: Mapping[str, Any], services: tuple[str, ...]) -> str | None:
        value = table.get("service")
        if value is not None and value not in services:
            self.wrong(number, "service", f"{shown(str(value))} is not in CI_PROVIDERS.", _KIND)
        return value if isinstance(value, str) else None

    def _option(self, number: int, table: Mapping[str, Any], key: str) -> bool:
        value = table.get(key)
        if value is not None and value != OPTIONS[key]:
            self.wrong(number, key, f'{shown(str(value))} is no value of {key}; there is "{OPTIONS[key]}".', _KIND)
        return value is not None

    def _mentions(self, number: int, table: Mapping[str, Any]) -> tuple[str, ...]:
        ids = self.listed(number, table, "mention", _KIND)
        for id_ in ids:
            if USER_ID.fullmatch(id_) is None and GROUP_ID.fullmatch(id_) is None:
                why = f"{shown(id_)} is no id of a person (U…) or of a user group (S…)."
                self.wrong(number, "mention", why, _KIND)
        if len(ids) > MAX_MENTIONS:
            self.wrong(number, "mention", f"a message mentions {MAX_MENTIONS} people and groups at most.", _KIND)
        return tuple(dict.fromkeys(ids))

    def _replies(self, number: int, table: Mapping[str, Any]) -> Replies | None:
        value = table.get("to")
        if value is None or value in [*Replies]:
            return None if value is None else Replies(value)
        self.wrong(number, "to", f"{shown(str(value))} is neither channel nor thread.", _KIND)
        return None

    def _events(self, number: int, table: Mapping[str, Any]) -> frozenset[Event]:
        words = self.listed(number, table, "on", _KIND)
        known = [event.value for event in Event]
        for word in words:
            if word not in known and word != ALL and still_every([word]) is None:
                self.wrong(number, "on", f"{shown(word)} is no event; these are: {ALL}, {', '.join(known)}.", _KIND)
        if ALL in words:
            return frozenset(Event)
        events = [word.partition(":")[0] for word in words]
        return frozenset(Event(word) for word in events if word in known) or DEFAULT_EVENTS
