"""Members of user groups, from `usergroups.users.list`, cached for a minute. Fetched only if a rule names a group.

https://docs.slack.dev/reference/methods/usergroups.users.list allows some 20 calls a minute and needs the scope
`usergroups:read`, which the app has only if it was added.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from bot.core.model.builds import Actor
from bot.core.model.policy import GUESTS
from bot.core.ports import Clock
from bot.slack.client.api_errors import ON_THE_WAY, word_of
from bot.slack.client.people import People

CACHE_TTL_S = 60.0
STALE_FOR_S = 3600.0
"""Maximum age of cached members while Slack does not answer."""
RETRY_AFTER_S = 10.0
"""Seconds after a failure in which no request waits for another attempt."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Known:
    """The members as of `at`; None if they were never fetched. `tried_at` is the last attempt."""

    members: frozenset[str] | None
    at: float
    tried_at: float


class Membership:
    """A `Groups`: Slack's user groups, and `GUESTS`."""

    def __init__(self, groups: UserGroups, people: People) -> None:
        self._groups = groups
        self._people = people

    def has(self, group_id: str, actor: Actor) -> bool | None:
        return self._people.is_guest(actor) if group_id == GUESTS else self._groups.has(group_id, actor)


class UserGroups:
    """Thread-safe: of concurrent requests, one calls Slack and the others wait for its result."""

    def __init__(self, client: WebClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}

    def has(self, group_id: str, actor: Actor) -> bool | None:
        """Whether the actor is in the group. None if Slack does not answer and the cache is older than an hour."""
        with self._lock:
            known = self._known.get(group_id)
            if known is None or self._is_due(known):
                known = self._known[group_id] = self._read(group_id, known)
            if known.members is None or self._clock.monotonic() - known.at > STALE_FOR_S:
                return None
            return actor.id in known.members

    def _is_due(self, known: _Known) -> bool:
        now = self._clock.monotonic()
        return now - known.at > CACHE_TTL_S and now - known.tried_at > RETRY_AFTER_S

    def _read(self, group_id: str, known: _Known | None) -> _Known:
        now = self._clock.monotonic()
        try:
            users = self._client.usergroups_users_list(usergroup=group_id).get("users")
        except SlackApiError as refusal:
            why = word_of(refusal)
        except ON_THE_WAY as failure:
            why = type(failure).__name__
        else:
            members = users if isinstance(users, list) else []
            return _Known(frozenset(user for user in members if isinstance(user, str)), now, now)
        remembered = known is not None and known.members is not None
        log.warning("user_group_not_read", group=group_id, why=why, remembered=remembered)
        return _Known(known.members, known.at, now) if known else _Known(None, float("-inf"), now)
