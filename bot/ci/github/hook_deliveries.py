"""Failed deliveries of the bot's webhook: asks GitHub to send them again, which it never does by itself.

https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.ci import json_fields as cleaning
from bot.ci.github import schema as shapes
from bot.ci.github.api import HEADERS
from bot.ci.github.http.calls import GitHubRequests
from bot.ci.github.http.errors import error_for, invalid_response
from bot.ci.github.http.pagination import A_PAGE
from bot.ci.http_client.responses import Request
from bot.ci.lru_cache import LRUCache
from bot.core.model.errors import CIError, Forbidden, NotFound

APP_HOOK = "app/hook"
"""The path of a GitHub App's own webhook. Others are `orgs/acme/hooks/12` and `repos/acme/web/hooks/7`."""
ASKED_EVERY_S = 300.0
MISSED_WITHIN = timedelta(hours=1)
"""What failed earlier has been found by polling."""
MAX_AT_ONCE = 20

_OURS = frozenset({"workflow_run", "workflow_job"})


@dataclass(frozen=True, slots=True)
class FailedDelivery:
    """`guid` stays the same when it is sent again; `id` does not."""

    id: str
    guid: str
    at: datetime
    is_second_try: bool


class HookDeliveries:
    """For one thread. `now` is the time of day."""

    def __init__(
        self,
        api_url: str,
        hook: str,
        calls: GitHubRequests,
        *,
        monotonic: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self._url, self._as_app = f"{api_url}/{hook}/deliveries", hook == APP_HOOK
        self._calls, self._monotonic, self._now = calls, monotonic, now
        self._due_s = monotonic()
        self._asked: LRUCache[str, bool] = LRUCache(2_000)
        """Those that this process need not ask `is_first` about."""

    def redeliver_failed(self, is_first: Callable[[str], bool]) -> int:
        """Requests each delivery that failed within an hour again, at most 20 of them, every five minutes.

        `is_first` is called with a delivery's guid before it is asked for, and allows each once. Returns how many it
        asked for. Raises CIError.
        """
        if self._monotonic() < self._due_s:
            return 0
        self._due_s = self._monotonic() + ASKED_EVERY_S
        deadline = self._calls.deadline_after()
        failed = self._failed(deadline)
        for each in failed:
            if each.is_second_try:
                self._asked.put(each.guid, True)
        since, count = self._now() - MISSED_WITHIN, 0
        for each in failed:
            if each.at < since or self._asked.get(each.guid):
                continue
            self._asked.put(each.guid, True)
            if is_first(each.guid):
                attempt = Request("POST", f"{self._url}/{each.id}/attempts", headers=HEADERS)
                self._calls.post("redelivery", attempt, deadline, as_app=self._as_app)
                count += 1
            if count == MAX_AT_ONCE:
                break
        return count

    def may_ask_again(self, deadline: float) -> bool | None:
        """Whether the key may ask for deliveries. None if unknown: a list that can be read does not tell of a token."""
        try:
            self._failed(deadline)
        except (Forbidden, NotFound):
            return False
        except CIError:
            return None
        return True if self._as_app else None

    def _failed(self, deadline: float) -> list[FailedDelivery]:
        request = Request("GET", self._url, (("status", "failure"), A_PAGE), HEADERS)
        return self._calls.get("deliveries", request, parse_failed, deadline, as_app=self._as_app)


def parse_failed(status: int, headers: Mapping[str, str], body: bytes, *, secret: str = "") -> list[FailedDelivery]:
    """The deliveries of runs and jobs, in GitHub's order."""
    if not 200 <= status < 300:
        raise error_for(status, headers, body, secret=secret)
    entries = shapes.deliveries(body)
    if entries is None:
        raise invalid_response(headers, body, secret)
    result = []
    for entry in entries:
        id_, guid = cleaning.id_(entry.id), cleaning.line(entry.guid, cleaning.MAX_ID)
        at, event = cleaning.time(entry.delivered_at), cleaning.line(entry.event, cleaning.MAX_WORD)
        if id_ and guid and at and event in _OURS:
            result.append(FailedDelivery(id_, guid, at, entry.redelivery is True))
    return result
