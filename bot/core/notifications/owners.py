"""What people say about a broken branch: that they are on it, or did not break it. Its notifications show that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from bot.core.authorization import Authorizer
from bot.core.lookup.build_lookup import BuildLookup, about
from bot.core.lookup.ci_registry import CIRegistry
from bot.core.model.builds import Project
from bot.core.model.command_values import BranchCommand, Verb, Word
from bot.core.model.errors import BranchRequired
from bot.core.model.notification_commands.values import OnIt
from bot.core.model.notifications.deliveries import Delivery, DeliveryState
from bot.core.model.notifications.transitions import Change, NotBroken, Owner, OwnerChanged, Period
from bot.core.model.people.commands import NotMine
from bot.core.model.people.outcomes import NotMineNoted
from bot.core.notifications.ports import Outbox, WatchStore
from bot.core.request import UserRequest


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a request wants. `period` None: the present one. `hands_back`: the asker no longer wants to be the owner.

    `disowns`: the asker did not break the branch.
    """

    branch: Word | None
    period: str | None = None
    hands_back: bool = False
    disowns: bool = False


class PeriodOwners:
    """Thread-safe. `announce` starts sending what was stored."""

    def __init__(
        self,
        services: CIRegistry,
        watching: WatchStore,
        outbox: Outbox,
        authorizer: Authorizer,
        announce: Callable[[Sequence[Delivery]], None],
    ) -> None:
        self._services = services
        self._watching = watching
        self._outbox = outbox
        self._build_lookup = BuildLookup(services, authorizer)
        self._announce = announce

    def press(self, command: OnIt | NotMine, request: UserRequest) -> OwnerChanged | NotMineNoted | NotBroken:
        """A repeated press (after a crash, or a second click) changes nothing. Raises UserError, CIError."""
        project = self._services.resolve(command.repo, timeout_s=request.seconds_left).project
        disowns = isinstance(command, NotMine)
        hands_back = isinstance(command, OnIt) and command.owner == request.actor.id
        return self._change(project, _Asked(Word.of(command.branch), command.period, hands_back, disowns), request)

    def take(self, command: BranchCommand, request: UserRequest) -> OwnerChanged | NotMineNoted | NotBroken:
        """Without a branch: the broken one, if there is exactly one. Raises UserError and CIError."""
        meant = self._build_lookup.resolve(command, request)
        with about(meant.project):
            return self._change(meant.project, _Asked(meant.branch, disowns=command.verb is Verb.NOT_MINE), request)

    def _change(self, project: Project, asked: _Asked, request: UserRequest) -> OwnerChanged | NotMineNoted | NotBroken:
        """Tries again if a poll of the project was stored meanwhile."""
        while True:
            before = self._watching.project(project.service, project.id)
            broken = {name: state for name, state in before.branches if state.period is not None}
            branch = _branch(project, asked.branch, broken)
            period = broken[branch].period if branch is not None else None
            if branch is None or period is None:
                return NotBroken(project, asked.branch.cleanest if asked.branch else None)
            if asked.period not in (None, period.id):
                return NotBroken(project, branch, is_old=True)
            changed = _changed(period, asked, request)
            owned = OwnerChanged(project, branch, changed.owner, period.owner)
            done = NotMineNoted(project, branch) if asked.disowns else owned
            if changed == period:
                return done
            states = {**dict(before.branches), branch: replace(broken[branch], period=changed)}
            after = replace(before, branches=tuple(states.items()))
            new = self._watching.apply(before, after, self._changes(project, branch, changed, request), ())
            if new is not None:
                self._announce(new)
                return done

    def _changes(self, project: Project, branch: str, period: Period, request: UserRequest) -> list[Delivery]:
        """For each channel with a notification of the period: its current message, with the owner."""
        now = request.clock.now()
        return [
            Delivery(
                channel=last.channel,
                transition=replace(last.transition, change=Change.ON_IT, period=period),
                seen_by=last.seen_by,
                created_at=now,
                due_at=now,
                subscription_id=last.subscription_id,
                mentions=last.mentions,
                replies=last.replies,
                state=DeliveryState.PAUSED if last.state is DeliveryState.PAUSED else DeliveryState.DUE,
            )
            for last in self._outbox.of_period(project.service, project.id, branch, period.id)
            if not last.is_direct
        ]


def _branch(project: Project, said: Word | None, broken: Collection[str]) -> str | None:
    """The broken branch that was meant; None if it is not broken. Raises BranchRequired if it may be several."""
    if said is not None:
        return next((spelling for spelling in said.spellings if spelling in broken), None)
    if len(broken) > 1:
        raise BranchRequired(project, list(broken))
    return next(iter(broken), None)


def _changed(period: Period, asked: _Asked, request: UserRequest) -> Period:
    """The same period if the request changes nothing of it."""
    changed = replace(period, owner=_next_owner(period, asked, request))
    if asked.disowns:
        person = request.actor
        mentions = None if period.mentions == person else period.mentions
        changed = replace(period, not_mine=tuple(dict.fromkeys((*period.not_mine, person.id))), mentions=mentions)
    return period if changed == period else replace(changed, owner_changes=period.owner_changes + 1)


def _next_owner(period: Period, asked: _Asked, request: UserRequest) -> Owner | None:
    is_mine = period.owner is not None and period.owner.person == request.actor
    if asked.hands_back:
        return None if is_mine else period.owner
    return period.owner if is_mine else Owner(request.actor, request.clock.now())
