"""Who a person is to the workspace, from `users.info`, cached for ten minutes. Fetched only if something depends on it.

https://docs.slack.dev/reference/methods/users.info needs the scope `users:read`, which the app has only if it was
added.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from bot.core.model.builds import Actor
from bot.core.ports import Clock
from bot.slack.client.api_errors import ON_THE_WAY, word_of

CACHE_TTL_S = 600.0
STALE_FOR_S = 3600.0
"""Maximum age of a cached answer while Slack does not answer."""
RETRY_AFTER_S = 10.0
"""Seconds after a failure in which no request waits for another attempt."""
REMEMBERED = 2000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Person:
    """`is_guest`: of one channel or of several, or from outside. `enterprise_id` is None without an organisation."""

    is_guest: bool
    enterprise_id: str | None


@dataclass(frozen=True, slots=True)
class _Known:
    """What Slack said at `at`; None if it never answered. `tried_at` is the last attempt."""

    person: Person | None
    at: float
    tried_at: float


class People:
    """Thread-safe."""

    def __init__(self, client: WebClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def is_guest(self, actor: Actor) -> bool | None:
        """None if Slack does not answer and nothing is cached."""
        person = self._person(actor)
        return None if person is None else person.is_guest

    def belongs_to(self, enterprise_id: str, actor: Actor) -> bool | None:
        """Whether the actor is in the organisation. None if Slack does not answer and nothing is cached."""
        person = self._person(actor)
        return None if person is None else person.enterprise_id == enterprise_id

    def _person(self, actor: Actor) -> Person | None:
        now = self._clock.monotonic()
        with self._lock:
            known = self._known.get(actor.id)
        if known is None or (now - known.at > CACHE_TTL_S and now - known.tried_at > RETRY_AFTER_S):
            known = self._read(actor.id, known)
            with self._lock:
                self._known[actor.id] = known
                self._known.move_to_end(actor.id)
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return None if self._clock.monotonic() - known.at > STALE_FOR_S else known.person

    def _read(self, user_id: str, known: _Known | None) -> _Known:
        now = self._clock.monotonic()
        try:
            user = self._client.users_info(user=user_id).get("user")
        except SlackApiError as refusal:
            why = word_of(refusal)
        except ON_THE_WAY as failure:
            why = type(failure).__name__
        else:
            if isinstance(user, Mapping):
                return _Known(_person_in(user), now, now)
            why = "no user in the answer"
        log.warning("person_not_read", user=user_id, why=why, remembered=known is not None and known.person is not None)
        return _Known(known.person, known.at, now) if known else _Known(None, float("-inf"), now)


def _person_in(user: Mapping[str, Any]) -> Person:
    organisation = user.get("enterprise_user")
    enterprise_id = organisation.get("enterprise_id") if isinstance(organisation, Mapping) else None
    is_guest = any(user.get(flag) is True for flag in ("is_restricted", "is_ultra_restricted", "is_stranger"))
    return Person(is_guest, enterprise_id if isinstance(enterprise_id, str) else None)
