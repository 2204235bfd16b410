"""Checks requests against the current policy. Knows neither Slack nor files."""

from __future__ import annotations

from bot.core.model.builds import Actor, Location
from bot.core.model.command_values import Verb
from bot.core.model.commands import entry_for
from bot.core.model.errors import NotAllowed
from bot.core.model.policy import Allowed, Denied, Policy
from bot.core.ports import Groups
from bot.core.request import UserRequest


class Authorizer:
    """Checks every request against the current policy. Thread-safe: one check uses one policy throughout."""

    def __init__(self, policy: Policy, groups: Groups) -> None:
        self._policy = policy
        self._groups = groups

    @property
    def policy(self) -> Policy:
        return self._policy

    def set_policy(self, policy: Policy) -> None:
        """Replaces the policy for all later checks."""
        self._policy = policy

    def check(self, request: UserRequest, verb: Verb, project: str | None, branch: str | None) -> Allowed:
        """Raises NotAllowed, with the reason, if the actor may not do it."""
        answer = self.may(request.actor, request.location, verb, project, branch)
        if isinstance(answer, Denied):
            raise NotAllowed(answer.reason, ask=answer.ask, group_unknown=answer.group_unknown)
        return answer

    def may(
        self, actor: Actor, location: Location, verb: Verb, project: str | None, branch: str | None
    ) -> Allowed | Denied:
        """As `check`, without an error."""
        action = entry_for(verb).policy_action
        if action is None:
            return Allowed()

        def in_group(group_id: str) -> bool | None:
            return self._groups.has(group_id, actor)

        return self._policy.may(actor, location, action, project, branch, in_group)

    def needs_confirmation(self, project: str, branch: str | None) -> bool:
        """Whether a button that restarts the branch needs confirmation."""
        return self._policy.needs_confirmation(project, branch)
