"""Who has an e-mail address, from `users.lookupByEmail`, cached for ten minutes. Addresses are not logged.

https://docs.slack.dev/reference/methods/users.lookupByEmail needs the scopes `users:read` and `users:read.email`,
which the app has only if they were added.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from bot.core.model.builds import Actor
from bot.core.ports import Clock
from bot.slack.client.api_errors import ON_THE_WAY, word_of

CACHE_TTL_S = 600.0
REMEMBERED = 2000
_NO_ONE = "users_not_found"
_NOT_MEMBERS = ("deleted", "is_bot", "is_stranger")

log = structlog.get_logger(__name__)


class EmailLookup:
    """Thread-safe."""

    def __init__(self, client: WebClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[Actor | None, float]] = OrderedDict()

    def person(self, email: str) -> Actor | None:
        """The active member of the workspace with this address. None if there is none, or Slack does not answer."""
        now = self._clock.monotonic()
        with self._lock:
            known = self._known.get(email)
        if known is not None and now - known[1] <= CACHE_TTL_S:
            return known[0]
        try:
            user = self._client.users_lookupByEmail(email=email).get("user")
        except SlackApiError as refusal:
            if word_of(refusal) != _NO_ONE:
                log.warning("email_not_looked_up", why=word_of(refusal))
                return None
            user = None
        except ON_THE_WAY as failure:
            log.warning("email_not_looked_up", why=type(failure).__name__)
            return None
        found = _member(user)
        with self._lock:
            self._known[email] = (found, now)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return found


def _member(user: object) -> Actor | None:
    if not isinstance(user, Mapping) or any(user.get(flag) is True for flag in _NOT_MEMBERS):
        return None
    id_ = user.get("id")
    return Actor(id_) if isinstance(id_, str) else None
