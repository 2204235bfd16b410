"""Why a followed build failed, and who may read it where the build is followed. Knows neither Slack nor HTTP."""

from __future__ import annotations

from collections.abc import Callable

from bot.core.authorization import Authorizer
from bot.core.lookup.ci_registry import CIRegistry
from bot.core.model.builds import Ability, Build, Status
from bot.core.model.commands import Verb, entry_for
from bot.core.model.errors import CIError
from bot.core.model.follows import Follow, ToldLog
from bot.core.model.policy import Allowed
from bot.core.rate_limiter import FOR_BACKGROUND

LOG_TIMEOUT_S = 7.0
"""Seconds that the reply to a failed build waits for its log."""


class FailureLogs:
    """`is_shared(channel)` says whether people of another workspace read the channel; None if that is unknown.

    The whole channel sees a log if the policy lets all of them read it, and only the bot's own workspace is
    there. Else only the person who asked gets it.
    """

    def __init__(
        self, services: CIRegistry, authorizer: Authorizer, is_shared: Callable[[str], bool | None] = lambda _id: None
    ) -> None:
        self._services = services
        self._authorizer = authorizer
        self._is_shared = is_shared

    def of(self, follow: Follow, build: Build) -> ToldLog | None:
        """None if the build did not fail, the people here may not read its log, or it cannot be read now."""
        service = self._services.of(follow.service)
        if build.status is not Status.FAILED or Ability.LOGS not in service.provider.abilities:
            return None
        place, repo, branch = follow.location, build.project.name, build.branch
        if not isinstance(self._authorizer.may(follow.asker, place, Verb.LOGS, repo, branch), Allowed):
            return None
        try:
            log = service.fetcher.failure_log(build, timeout_s=LOG_TIMEOUT_S, allowance=FOR_BACKGROUND)
        except CIError:
            return None
        if log is None:
            return None
        action = entry_for(Verb.LOGS).policy_action or Verb.LOGS
        for_all = self._authorizer.policy.lets_everyone(place, action, repo, branch)
        return ToldLog(log, to_all=place.is_between_two or (for_all and self._is_shared(place.channel) is False))
