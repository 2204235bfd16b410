"""Which person is told that they broke a branch. Never a guess: no link and no listed e-mail address, no person.

The author of the first failed build is told once a broken period: by direct message, or by name in the channel's
message. A machine's commit and a nightly build have no author.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core.model.builds import Actor, Build
from bot.core.model.notifications.deliveries import UNSENT, Delivery, DeliveryState
from bot.core.model.notifications.reasons import Reason, SeenBy
from bot.core.model.notifications.subscriptions import USUAL_DEFAULT_BRANCHES, Mute
from bot.core.model.notifications.transitions import Change, Observation, Period, Transition
from bot.core.model.people.authors import LOGIN, listed_email
from bot.core.model.people.settings import NotifySettings, Scope, Way
from bot.core.notifications.ports import Outbox, WatchStore
from bot.core.notifications.recipients import Told, decision
from bot.core.people.ports import PeopleStore
from bot.core.ports import ClaimStore, IdempotencyKeys

DM_AFTER = timedelta(seconds=10)
"""The channel is told first. A person who restarts the build within that time knows."""
CHANNEL_FIRST_FOR = timedelta(minutes=1)
ASKED_ONCE_S = 400 * 24 * 3600.0
"""For how long "Is this you?" is not repeated for a login."""

_HEARD = frozenset({Reason.MUTED, Reason.PAUSED})


@dataclass(frozen=True, slots=True)
class Author:
    """Who broke a branch. `person` is None if `login` belongs to no one here."""

    person: Actor | None
    login: str | None = None


class Authors:
    """Thread-safe. `by_email` returns the only person with that e-mail address; `domains` are those it is asked for."""

    def __init__(
        self,
        people: PeopleStore,
        claims: ClaimStore,
        watching: WatchStore,
        outbox: Outbox,
        asked: IdempotencyKeys,
        by_email: Callable[[str], Actor | None] = lambda _email: None,
        domains: frozenset[str] = frozenset(),
    ) -> None:
        self._people = people
        self._claims = claims
        self._watching = watching
        self._outbox = outbox
        self._asked = asked
        self._by_email = by_email
        self._domains = domains

    def of(self, build: Build) -> Author | None:
        """The author of the build's commit; None if it has none that is a person."""
        made_by = build.made_by
        if made_by is None or made_by.is_machine:
            return None
        link = self._people.of_login(made_by.login) if made_by.login else None
        if link is not None:
            return Author(link.person)
        email = listed_email(made_by.email, self._domains)
        person = self._by_email(email) if email else None
        return Author(person, made_by.login) if person or made_by.login else None

    def named(self, observation: Observation) -> tuple[Observation, Author | None]:
        """The observation, with the author named in the new period if they want that; and the author if it broke."""
        broke = _broke(observation)
        if broke is None or broke.period is None:
            return observation, None
        author = self.of(broke.period.broken_by)
        if author is None or author.person is None:
            return observation, author
        person = author.person
        settings = self._people.settings(person)
        is_named = settings.way is Way.MENTION and wants(settings, broke.period.broken_by)
        if not is_named or self._knows(person, broke.period.broken_by):
            return observation, author
        period = replace(broke.period, mentions=person)
        return _in_period(observation, period), author

    def added_to(
        self,
        told: Told,
        observation: Observation,
        author: Author | None,
        at: datetime,
        by: SeenBy,
        mutes: Sequence[Mute] = (),
    ) -> Told:
        """What follows from a poll, and the author's own message; or why there is none for a login without a person."""
        broke = _broke(observation)
        if author is None or broke is None or broke.period is None or not _is_heard(broke, told):
            return told
        build = broke.period.broken_by
        if author.person is None:
            unlinked = decision(build, at, by, Reason.NOT_LINKED, author.login or "")
            return replace(told, decisions=(*told.decisions, unlinked))
        settings = self._people.settings(author.person)
        if settings.way is not Way.DM or not wants(settings, build):
            return told
        me = author.person.id
        muted = next((each for each in mutes if each.channel == me and each.covers(build.project.name, at)), None)
        if muted is not None:
            silent = decision(build, at, by, Reason.MUTED, muted.until.isoformat(), channel=me)
            return replace(told, decisions=(*told.decisions, silent))
        mine = Delivery(author.person.id, replace(broke, build=build), by, at, at + DM_AFTER)
        return replace(told, deliveries=(*told.deliveries, mine))

    def why_not(self, delivery: Delivery) -> str | None:
        """Why a person's own message need not be sent any more; None if it should be."""
        build, period = delivery.transition.build, delivery.transition.period
        person = Actor(delivery.channel)
        now = self._period(build)
        if period is None or now is None or now.id != period.id:
            return "fixed"
        if person.id in now.not_mine:
            return "not theirs"
        if not wants(self._people.settings(person), build):
            return "turned off"
        if self._knows(person, build) or (now.owner is not None and now.owner.person == person):
            return "they know"
        return None

    def of_channels(self, delivery: Delivery) -> list[Delivery]:
        """The newest delivery of each channel about the period of a person's own message."""
        build, period = delivery.transition.build, delivery.transition.period
        if period is None or build.branch is None:
            return []
        found = self._outbox.of_period(build.project.service, build.project.id, build.branch, period.id)
        return [each for each in found if not each.is_direct]

    def ask_who(self, delivery: Delivery) -> str | None:
        """The login of the author, once, if it belongs to no one here."""
        period = delivery.transition.period
        author = self.of(period.broken_by) if period is not None else None
        if author is None or author.person is not None or author.login is None or not LOGIN.fullmatch(author.login):
            return None
        return author.login if self._asked.add(f"who is {author.login.lower()}", keep_s=ASKED_ONCE_S) else None

    def _period(self, build: Build) -> Period | None:
        states = dict(self._watching.project(build.project.service, build.project.id).branches)
        state = states.get(build.branch or "")
        return state.period if state is not None else None

    def _knows(self, person: Actor, build: Build) -> bool:
        """Whether the person has asked to restart the build already."""
        return any(claim.actor == person for claim in self._claims.newest(build.project.service, [build.id]))


def wants(settings: NotifySettings, build: Build) -> bool:
    """Whether the person wants to hear that the build broke its branch."""
    match settings.scope:
        case Scope.MINE:
            return True
        case Scope.MAIN:
            default = build.project.default_branch
            return build.branch == default if default else build.branch in USUAL_DEFAULT_BRANCHES
        case Scope.OFF:
            return False


def comes_first(of_channels: list[Delivery], delivery: Delivery, now: datetime) -> bool:
    """Whether a channel is about to hear of it, so that the person's own message can link there soon."""
    soon = any(each.state in UNSENT and each.state is not DeliveryState.PAUSED for each in of_channels)
    return soon and now - delivery.created_at < CHANNEL_FIRST_FOR


def _broke(observation: Observation) -> Transition | None:
    return next((each for each in observation.transitions if each.change is Change.BROKE), None)


def _is_heard(broke: Transition, told: Told) -> bool:
    """Whether a channel hears of it, or would if it were not muted or paused."""
    return any(each.transition == broke for each in told.deliveries) or any(
        each.reason in _HEARD and each.build_id == broke.build.id for each in told.decisions
    )


def _in_period(observation: Observation, period: Period) -> Observation:
    def moved(transition: Transition) -> Transition:
        return replace(transition, period=period) if transition.period is not None else transition

    state = replace(observation.state, period=period)
    return replace(observation, state=state, transitions=tuple(map(moved, observation.transitions)))
