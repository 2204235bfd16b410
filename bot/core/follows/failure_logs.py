"""Why a build failed, and who may read it in a channel that hears of it. Knows neither Slack nor HTTP."""

from __future__ import annotations

from collections.abc import Callable

from bot.core.authorization import Authorizer
from bot.core.lookup.ci_registry import CIRegistry
from bot.core.model.builds import Ability, Build, FailureLog, Location, Status
from bot.core.model.command_values import Verb
from bot.core.model.commands import entry_for
from bot.core.model.errors import CIError
from bot.core.model.follows import Follow, ToldLog
from bot.core.model.policy import Allowed
from bot.core.rate_limiter import FOR_BACKGROUND

LOG_TIMEOUT_S = 7.0
"""Seconds that the reply to a failed build waits for its log."""


class FailureLogs:
    """`is_shared(channel)` says whether people of another workspace read the channel; None if that is unknown.

    The channel sees a log if the policy lets all its people read it, and it is not shared. Else only the person who
    asked gets it.
    """

    def __init__(
        self, services: CIRegistry, authorizer: Authorizer, is_shared: Callable[[str], bool | None] = lambda _id: None
    ) -> None:
        self._services = services
        self._authorizer = authorizer
        self._is_shared = is_shared

    def of(self, follow: Follow, build: Build) -> ToldLog | None:
        """None if the build did not fail, the people here may not read its log, or it cannot be read now."""
        if not self._has_log(build):
            return None
        place, repo, branch = follow.location, build.project.name, build.branch
        if not isinstance(self._authorizer.may(follow.asker, place, Verb.LOGS, repo, branch), Allowed):
            return None
        log = self._read(build)
        return ToldLog(log, to_all=self._is_for_all(place, build)) if log is not None else None

    def of_notification(self, channel: str, build: Build) -> FailureLog | None:
        """None if the build did not fail, not everyone in the channel may read its log, or it cannot be read now."""
        if not self._has_log(build) or not self._is_for_all(Location(channel), build):
            return None
        return self._read(build)

    def _has_log(self, build: Build) -> bool:
        try:
            abilities = self._services.of(build.project.service).provider.abilities
        except CIError:  # its service is no longer configured
            return False
        return build.status is Status.FAILED and Ability.LOGS in abilities

    def _is_for_all(self, place: Location, build: Build) -> bool:
        if place.is_between_two:
            return True
        action = entry_for(Verb.LOGS).policy_action or Verb.LOGS
        for_all = self._authorizer.policy.lets_everyone(place, action, build.project.name, build.branch)
        return for_all and self._is_shared(place.channel) is False

    def _read(self, build: Build) -> FailureLog | None:
        try:
            fetcher = self._services.of(build.project.service).fetcher
            return fetcher.failure_log(build, timeout_s=LOG_TIMEOUT_S, allowance=FOR_BACKGROUND)
        except CIError:
            return None
