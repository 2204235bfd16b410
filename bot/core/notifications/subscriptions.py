"""Carries out the commands about notifications: subscriptions, mutes and `why`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from bot.core.authorization import Authorizer
from bot.core.lookup.build_lookup import BuildLookup, about
from bot.core.lookup.ci_registry import CIRegistry
from bot.core.model.builds import Project, Status
from bot.core.model.command_values import BranchCommand, Verb, Word
from bot.core.model.errors import CIError, NotAllowed, NotUnderstood
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notification_commands.values import (
    MuteCommand,
    NotificationCommand,
    PauseCommand,
    ShowSubscriptions,
    Subscribe,
    UnmuteCommand,
    Unsubscribe,
    pattern_words,
)
from bot.core.model.notifications.subscriptions import PAUSED_BY_PERSON, Filters, Mismatch, Mute, Origin, Subscription
from bot.core.model.outcomes import (
    BranchState,
    Explained,
    MayBeShared,
    Muted,
    NotSubscribed,
    Outcome,
    Subscribed,
    SubscriptionsPaused,
    SubscriptionsShown,
    Unmuted,
    UnsubscribeAll,
    Unsubscribed,
)
from bot.core.notifications.mute_end import next_time, zone_of
from bot.core.notifications.ports import DecisionLog, SubscriptionStore
from bot.core.request import UserRequest

MAX_OF_A_CHANNEL = 100
SIMILAR = 3
SHARED = "People of other workspaces read this channel, and builds are not for them. An admin can allow it."
"""Every repository counts as private: CodeShip does not say which are public."""
BRANCHES_SHOWN = 3


class SubscriptionService:
    """Thread-safe. `zone` is the time zone of an end of a mute that names none.

    `is_shared` says whether people of another workspace read a channel, None if Slack does not tell. Without it they
    may.
    """

    def __init__(
        self,
        services: CIRegistry,
        store: SubscriptionStore,
        log: DecisionLog,
        authorizer: Authorizer,
        zone: ZoneInfo,
        is_shared: Callable[[str], bool | None] | None = None,
    ) -> None:
        self._is_shared = is_shared
        self._services = services
        self._store = store
        self._log = log
        self._authorizer = authorizer
        self._zone = zone
        self._build_lookup = BuildLookup(services, authorizer)

    def execute(self, command: NotificationCommand, request: UserRequest) -> Outcome:
        """Carries out the command for the channel of the request. Raises UserError, and CIError for a pasted URL."""
        match command:
            case Subscribe():
                return self._subscribe(command, request)
            case Unsubscribe():
                return self._unsubscribe(command, request)
            case ShowSubscriptions():
                channel = request.location.channel
                return SubscriptionsShown(tuple(self._store.of_channel(channel)), tuple(self._store.mutes(channel)))
            case PauseCommand():
                return self._pause(command, request)
            case MuteCommand():
                return self._mute(command, request)
            case UnmuteCommand():
                return self._unmute(command, request)

    def reached(self, channel: str, why_not: str | None) -> None:
        """The channel takes messages, or does not for Slack's reason: its subscriptions are active, or paused."""
        if why_not is None:
            self._store.resume(channel)
        else:
            self._store.pause(channel, why_not)

    def why(self, command: BranchCommand, request: UserRequest) -> Explained:
        """What was decided about builds of the branch for the channel. Raises UserError and CIError."""
        channel = request.location.channel
        meant = self._services.resolve(command.repo, timeout_s=request.seconds_left)
        project, branch, build_id = meant.project, command.branch or meant.branch, None
        with about(project):
            if branch is None and meant.page is not None:
                found = self._build_lookup.find(command, request)
                branch = Word.of(found.branch) if found.branch else None
                build_id = found.builds[0].id if meant.page.build_id and found.builds else None
        names = branch.spellings if branch else (None,)
        for name in names:
            made = self._log.decisions(project.service, project.id, name, channel)
            if made:
                break
        else:
            name = branch.cleanest if branch else None
        if build_id is not None:
            made = [decision for decision in made if decision.build_id == build_id]
        mine = [
            each
            for each in self._store.of_channel(channel)
            if each.filters.has_repository(project.service, project.name)
        ]
        return Explained(project, name, tuple(made), tuple(mine), build_id)

    def _subscribe(self, command: Subscribe, request: UserRequest) -> Subscribed | NotSubscribed | MayBeShared:
        channel, now = request.location.channel, request.clock.now()
        before = self._store.of_channel(channel)
        was = next((each for each in before if each.id == command.number), None)
        if command.number is not None:
            if was is None or was.origin is not Origin.SLACK:
                return NotSubscribed((f"#{command.number}",), () if was is None else (was,))
            self._allow(request, command.verb, was.filters.repositories, ())
        filters = self._resolved(command.filters, request)
        known = self._known(request)
        matching = [project for project in known or () if filters.has_repository(project.service, project.name)]
        self._allow(request, command.verb, filters.repositories, matching)
        filters = _as_the_service_spells_it(filters, matching)
        if self._may_be_shared(request) and not (command.confirmed or before):
            return MayBeShared(replace(command, filters=filters))
        if was is not None:
            stored = self._store.replace(was.id, channel, replace(was, filters=filters))
            if stored is None:  # removed in this moment
                return NotSubscribed(command.words[:1], ())
        elif len(before) >= MAX_OF_A_CHANNEL:
            why = f"This channel has {MAX_OF_A_CHANNEL} subscriptions. One with * can replace several."
            raise NotUnderstood(why, Verb.SUBSCRIPTIONS)
        else:
            stored = self._store.add(Subscription(channel, filters, request.actor, now))
        if was is None and stored.paused == PAUSED_BY_PERSON:
            [stored] = self._store.resume_these([stored.id], channel)
        unknown = _unknown(filters, matching) if known is not None else ()
        state: tuple[BranchState, ...] = ()
        failed = None
        if len(matching) == 1 and _names_only(filters):
            try:
                state = self._present_state(matching[0], filters, request)
            except CIError as error:
                failed = error
        muted = [
            mute.until
            for mute in self._store.mutes(channel)
            if mute.repositories is None or any(mute.covers(project.name, now) for project in matching)
        ]
        return Subscribed(
            stored,
            is_new=all(each.id != stored.id for each in before if each != was),
            repositories=None if known is None else len(matching),
            unknown=unknown,
            similar=self._similar(unknown),
            now=state,
            failed=failed,
            muted_until=max(muted, default=None),
            was=was,
        )

    def _may_be_shared(self, request: UserRequest) -> bool:
        """Whether Slack does not say who reads the channel. Raises NotAllowed if people of other workspaces do."""
        if self._is_shared is None or request.location.is_between_two:
            return False
        is_shared = self._is_shared(request.location.channel) if request.is_shared is None else request.is_shared
        if is_shared:
            raise NotAllowed(SHARED)
        return is_shared is None

    def _resolved(self, filters: Filters, request: UserRequest) -> Filters:
        """The same with whole names for URLs and names without an owner. A URL of a branch names the branch, too.

        Raises NotUnderstood for a service that is not configured.
        """
        services = [service.name for service in self._services]
        if filters.service is not None and filters.service not in services:
            why = f"No CI service called “{filters.service}”. There is {' and '.join(services)}."
            raise NotUnderstood(why, Verb.SUBSCRIBE)
        names: list[str] = []
        for typed in filters.repositories.patterns:
            if "*" in typed or ("/" in typed and "://" not in typed and not typed.startswith("git@")):
                names.append(typed)
                continue
            word = f"{typed}@{filters.service}" if filters.service and "/" not in typed else typed
            meant = self._services.resolve(Word.of(word), timeout_s=request.seconds_left)
            names.append(meant.project.name)
            if meant.branch is not None and not filters.branches:
                filters = replace(filters, branches=NamePattern((meant.branch.exact,)))
        repositories = NamePattern(tuple(dict.fromkeys(names)), filters.repositories.exceptions)
        return replace(filters, repositories=repositories)

    def _known(self, request: UserRequest) -> list[Project] | None:
        """Every repository; None if no service's list was ever read."""
        try:
            return self._services.matching("", timeout_s=request.seconds_left)[0]
        except CIError:
            return None

    def _allow(
        self, request: UserRequest, verb: Verb, repositories: NamePattern | None, matching: Sequence[Project]
    ) -> None:
        """Raises NotAllowed if the policy forbids it for a name, for a pattern, or for a known repository that fits."""
        names: list[str | None] = [project.name for project in matching]
        patterns = repositories.patterns if repositories is not None else ()
        names += [pattern for pattern in patterns if "*" not in pattern]
        if not patterns or any("*" in pattern for pattern in patterns):
            names.append(None)
        for name in dict.fromkeys(names):
            self._authorizer.check(request, verb, name, None)

    def _similar(self, unknown: Sequence[str]) -> tuple[str, ...]:
        """Names of repositories that are like the first unknown one."""
        if not unknown:
            return ()
        alike = [project.name for service in self._services for project in service.project_index.alike(unknown[0])]
        return tuple(dict.fromkeys(alike))[:SIMILAR]

    def _present_state(self, project: Project, filters: Filters, request: UserRequest) -> tuple[BranchState, ...]:
        """The state of each branch with recent results that matches. Costs a call; raises CIError."""
        only = filters.branches.patterns
        branch = only[0] if len(only) == 1 and "*" not in only[0] else None
        fetcher = self._services.of(project.service).fetcher
        found = fetcher.builds(project, branch, timeout_s=request.seconds_left, allowance=request.allowance)
        ended = [
            build
            for build in found.builds
            if build.has_ended
            and build.status in (Status.PASSED, Status.FAILED)
            and filters.mismatch_within(build.branch, project.default_branch) is not Mismatch.BRANCH
        ]
        states: list[BranchState] = []
        for name in dict.fromkeys(build.branch for build in ended):
            of_branch = [build for build in ended if build.branch == name]
            newest = of_branch[0]
            other = next((n for n, build in enumerate(of_branch) if build.status is not newest.status), None)
            first = of_branch[(other or len(of_branch)) - 1]
            states.append(BranchState(newest, first.finished_at or first.started_at, at_least=other is None))
        return tuple(states[:BRANCHES_SHOWN])

    def _unsubscribe(self, command: Unsubscribe, request: UserRequest) -> Outcome:
        channel = request.location.channel
        mine = self._store.of_channel(channel)
        own = [each for each in mine if each.origin is Origin.SLACK]
        if command.everything and own and not command.confirmed:
            return UnsubscribeAll(tuple(own))
        meant = {self._meant(typed, mine, request).lower() for typed in command.repositories}
        left = {each: _without(each, meant) for each in own}
        going = [each for each in own if command.everything or each.id in command.numbers or left[each] is None]
        shrunk = {each: less for each, less in left.items() if each not in going and less not in (None, each)}
        if not going and not shrunk:
            covering = [
                each
                for each in mine
                if each.id in command.numbers
                or any(each.filters.repositories.matches(name, any_case=True) for name in command.repositories)
            ]
            return NotSubscribed(command.words, tuple(mine if command.everything else covering))
        for each in (*going, *shrunk):
            self._allow(request, command.verb, each.filters.repositories, ())
        changed = [
            stored
            for each, less in shrunk.items()
            if less is not None and (stored := self._store.replace(each.id, channel, less)) is not None
        ]
        removed = self._store.remove([each.id for each in going], channel)
        return Unsubscribed(tuple(removed), tuple(changed), len(self._store.of_channel(channel)))

    def _meant(self, typed: str, mine: Sequence[Subscription], request: UserRequest) -> str:
        """As it was subscribed to: the name in a URL, and the whole name for one without its owner."""
        if "://" in typed:
            return self._services.resolve(Word.of(typed), timeout_s=request.seconds_left).project.name
        name = typed.rpartition("@")[0] or typed
        if "/" in name or "*" in name:
            return name
        of_name = [one for each in mine for one in each.filters.repositories.patterns if one.endswith(f"/{name}")]
        return of_name[0] if of_name else name

    def _pause(self, command: PauseCommand, request: UserRequest) -> Outcome:
        channel = request.location.channel
        named = [each for each in self._store.of_channel(channel) if each.id in command.numbers]
        own = [each for each in named if each.origin is Origin.SLACK]
        if not own:
            return NotSubscribed(command.words, tuple(named))
        for each in own:
            self._allow(request, command.verb, each.filters.repositories, ())
        ids = [each.id for each in own]
        if command.verb is Verb.PAUSE:
            return SubscriptionsPaused(tuple(self._store.pause_these(ids, channel)))
        return SubscriptionsPaused(tuple(self._store.resume_these(ids, channel)), resumed=True)

    def _mute(self, command: MuteCommand, request: UserRequest) -> Muted:
        now, channel = request.clock.now(), _muted_place(command, request)
        repositories = self._whole(command.repositories, channel, request)
        if not command.is_personal:
            self._allow(request, command.verb, repositories, ())
        zone = None
        if command.until is not None:
            zone = zone_of(command, command.until.zone, self._zone)
            until = next_time(command.until, now, zone)
        else:
            until = now + timedelta(minutes=command.minutes or 0)
        mute = self._store.mute(Mute(channel, until, request.actor, now, repositories))
        is_subscribed = command.is_personal or any(
            repositories is None or _overlap(each.filters.repositories, repositories)
            for each in self._store.of_channel(channel)
        )
        return Muted(mute, zone.key if zone else None, is_subscribed, command.is_personal)

    def _unmute(self, command: UnmuteCommand, request: UserRequest) -> Unmuted:
        channel = _muted_place(command, request)
        repositories = self._whole(command.repositories, channel, request)
        if not command.is_personal:
            self._allow(request, command.verb, repositories, ())
        ended = self._store.unmute(channel, None if repositories is None else [repositories])
        return Unmuted(tuple(ended), command.is_personal)

    def _whole(self, repositories: NamePattern | None, channel: str, request: UserRequest) -> NamePattern | None:
        """With whole names in small letters, so that one mute of a repository replaces another."""
        if repositories is None:
            return None
        mine = self._store.of_channel(channel)
        names = [self._meant(typed, mine, request) for typed in repositories.patterns]
        resolved = [self._named(name, request).lower() for name in names]
        return NamePattern(tuple(dict.fromkeys(resolved)), tuple(name.lower() for name in repositories.exceptions))

    def _named(self, name: str, request: UserRequest) -> str:
        """The whole name for a name without its owner."""
        if "/" in name or "*" in name:
            return name
        return self._services.resolve(Word.of(name), timeout_s=request.seconds_left).project.name


def _muted_place(command: MuteCommand | UnmuteCommand, request: UserRequest) -> str:
    """The channel, or the person's id."""
    return request.actor.id if command.is_personal else request.location.channel


def _names_only(filters: Filters) -> bool:
    return all("*" not in pattern for pattern in filters.repositories.patterns) and bool(filters.repositories.patterns)


def _as_the_service_spells_it(filters: Filters, matching: Sequence[Project]) -> Filters:
    """In the service's spelling, so that another case of letters makes no second subscription."""
    spelled = {project.name.lower(): project.name for project in matching}
    names = [spelled.get(pattern.lower(), pattern) for pattern in filters.repositories.patterns]
    repositories = NamePattern(tuple(dict.fromkeys(names)), filters.repositories.exceptions)
    return replace(filters, repositories=repositories)


def _unknown(filters: Filters, matching: Sequence[Project]) -> tuple[str, ...]:
    there = {project.name.lower() for project in matching}
    return tuple(name for name in filters.repositories.patterns if "*" not in name and name.lower() not in there)


def _without(subscription: Subscription, meant: set[str]) -> Subscription | None:
    """The subscription without these repositories; None if nothing is left. The same if it names none of them."""
    repositories = subscription.filters.repositories
    if not repositories.patterns:
        return None if {word.lower() for word in pattern_words(repositories)} <= meant else subscription
    left = tuple(name for name in repositories.patterns if name.lower() not in meant)
    if not left:
        return None
    filters = replace(subscription.filters, repositories=NamePattern(left, repositories.exceptions))
    return replace(subscription, filters=filters)


def _overlap(one: NamePattern, other: NamePattern) -> bool:
    """Whether some name may match both. A pattern with `*` is compared as if it were a name, too."""
    pairs = ((one, other), (other, one))
    return any(not a.patterns or any(b.matches(name, any_case=True) for name in a.patterns) for a, b in pairs)
