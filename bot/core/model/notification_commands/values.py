"""The commands about notifications. Each command's `words` are what to type after its verb."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from bot.core.model.command_values import Verb, Word
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notifications.reports import Schedule
from bot.core.model.notifications.subscriptions import DEFAULT_EVENTS, Event, Filters

ALL = "all"
ME = "me"
BRANCH, ON, WORKFLOW, FLAKY, REMIND = "branch", "on", "workflow", "flaky", "remind"
MENTION, TO = "mention", "to"
"""The keys of the filters."""
OPTIONS = {FLAKY: "quiet", REMIND: "off"}
"""The filters that take one word."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TOMORROW = "tomorrow"
NOW, OFF = "now", "off"
"""Words of `digest`."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """The repositories of `filters` are as typed: a name without its owner or a pasted URL is not resolved yet.

    `number`: changes the subscription with this number instead of making one. `confirmed`: a button asked whether
    people of other workspaces may read along.
    """

    verb: ClassVar[Verb] = Verb.SUBSCRIBE

    filters: Filters
    number: int | None = None
    confirmed: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        return (*((f"#{self.number}",) if self.number is not None else ()), *words_of(self.filters))

    def about(self, repository: str) -> Subscribe:
        """The same for this repository, `acme/web` or `acme/web@github`."""
        name, _, service = repository.partition("@")
        filters = replace(self.filters, repositories=NamePattern((name,)), service=service or self.filters.service)
        return replace(self, filters=filters)


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Removes by repository as it was subscribed to, by number, or all. `confirmed`: a button asked about all."""

    verb: ClassVar[Verb] = Verb.UNSUBSCRIBE

    repositories: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    everything: bool = False
    confirmed: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        numbers = tuple(f"#{number}" for number in self.numbers)
        return (*self.repositories, *numbers, *((ALL,) if self.everything else ()))


@dataclass(frozen=True, slots=True)
class ShowSubscriptions:
    """What the channel is subscribed to."""

    verb: ClassVar[Verb] = Verb.SUBSCRIPTIONS


@dataclass(frozen=True, slots=True)
class PauseCommand:
    """Pauses or resumes the subscriptions with these numbers, at least one. `verb` is PAUSE or RESUME."""

    verb: Verb
    numbers: tuple[int, ...]

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(f"#{number}" for number in self.numbers)


@dataclass(frozen=True, slots=True)
class Until:
    """The next such time. `day`: a weekday of `WEEKDAYS` or `TOMORROW`; None for today or, if it is past, tomorrow.

    `zone` is the time zone as typed; None for the default one.
    """

    hour: int
    minute: int
    day: str | None = None
    zone: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for word in ("until", self.day, f"{self.hour}:{self.minute:02}", self.zone) if word)


@dataclass(frozen=True, slots=True)
class MuteCommand:
    """For so many minutes, or until a time; one of them is set. `repositories` as in `Filters`, None for all.

    `is_personal`: mutes what the bot writes to the asker of its own accord, not the channel.
    """

    verb: ClassVar[Verb] = Verb.MUTE

    repositories: NamePattern | None = None
    minutes: int | None = None
    until: Until | None = None
    is_personal: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        end = self.until.words if self.until else (duration_words(self.minutes or 0),)
        return (*((ME,) if self.is_personal else ()), *pattern_words(self.repositories), *end)

    def about(self, repository: str) -> MuteCommand:
        """The same for this repository, `acme/web` or `acme/web@github`."""
        return replace(self, repositories=NamePattern((repository.partition("@")[0],)))


@dataclass(frozen=True, slots=True)
class UnmuteCommand:
    """The mute of exactly these repositories, or every mute of the channel; of the asker if `is_personal`."""

    verb: ClassVar[Verb] = Verb.UNMUTE

    repositories: NamePattern | None = None
    is_personal: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        return (*((ME,) if self.is_personal else ()), *pattern_words(self.repositories))

    def about(self, repository: str) -> UnmuteCommand:
        """The same for this repository, `acme/web` or `acme/web@github`."""
        return replace(self, repositories=NamePattern((repository.partition("@")[0],)))


@dataclass(frozen=True, slots=True)
class OnIt:
    """The button of a notification. `period` is the broken period that it is about.

    `owner` is the user id of the person whom the message named as being on it; None for no one. A press by that
    person takes it back; a press by another, or on a message that named no one, takes it over.
    """

    verb: ClassVar[Verb] = Verb.ON_IT

    repo: Word
    branch: str
    period: str
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class SetReport:
    """The channel gets a digest at these times. `zone` is the time zone as typed; None for the default one."""

    verb: ClassVar[Verb] = Verb.DIGEST

    schedule: Schedule
    zone: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        return (*self.schedule.words, self.zone) if self.zone else self.schedule.words


@dataclass(frozen=True, slots=True)
class StopReport:
    """The channel gets no more digests."""

    verb: ClassVar[Verb] = Verb.DIGEST

    @property
    def words(self) -> tuple[str, ...]:
        return (OFF,)


@dataclass(frozen=True, slots=True)
class ShowReport:
    """What is set for the channel; `now`: a digest of the time until now instead, for the asker alone."""

    verb: ClassVar[Verb] = Verb.DIGEST

    now: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        return (NOW,) if self.now else ()


ReportCommand = SetReport | StopReport | ShowReport
NotificationCommand = Subscribe | Unsubscribe | ShowSubscriptions | PauseCommand | MuteCommand | UnmuteCommand


def words_of(filters: Filters) -> tuple[str, ...]:
    """The words of `subscribe` for the filters, without those that are the default."""
    words = repository_words(filters)
    for key, pattern in ((BRANCH, filters.branches), (WORKFLOW, filters.workflows)):
        if pattern:
            words.append(f"{key}:{','.join(pattern_words(pattern))}")
    if filters.events != DEFAULT_EVENTS or filters.still_every is not None:
        words.append(f"{ON}:{','.join(event_words(filters))}")
    chosen = {FLAKY: filters.flaky_quiet, REMIND: filters.remind_off}
    words += [f"{key}:{word}" for key, word in OPTIONS.items() if chosen[key]]
    if filters.mentions:
        words.append(mention_word(filters.mentions))
    if filters.replies is not None:
        words.append(f"{TO}:{filters.replies}")
    return tuple(words)


def mention_word(ids: Sequence[str]) -> str:
    """`mention:@S0ONCALL,@U0ADA`."""
    return f"{MENTION}:{','.join(f'@{each}' for each in ids)}"


def repository_words(filters: Filters) -> list[str]:
    """`acme/web@github`, `!acme/web-old`."""
    at = f"@{filters.service}" if filters.service else ""
    names = [f"{pattern}{at}" for pattern in filters.repositories.patterns]
    return [*names, *(f"!{pattern}" for pattern in filters.repositories.exceptions)]


def event_words(filters: Filters) -> list[str]:
    """`broke`, `fixed`, `still:5`; `all` for all."""
    if filters.events == frozenset(Event) and filters.still_every is None:
        return [ALL]
    every = f":{filters.still_every}" if filters.still_every is not None else ""
    return [f"{event}{every}" if event is Event.STILL else event.value for event in Event if event in filters.events]


def duration_words(minutes: int) -> str:
    """`2h`, `1d12h`, `90m`; the way in which it can be typed."""
    days, hours = minutes // 1440, minutes % 1440 // 60
    parts = [(days, "d"), (hours, "h"), (minutes % 60, "m")]
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0m"


def pattern_words(pattern: NamePattern | None) -> tuple[str, ...]:
    """The names, then the exceptions, each with a `!`."""
    if pattern is None:
        return ()
    return (*pattern.patterns, *(f"!{exception}" for exception in pattern.exceptions))
