"""Digests are posted when they are due: once, by whichever process, and not if they are a day late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.core.model.builds import Actor, Location, Status
from bot.core.model.commands import parse
from bot.core.model.ended_builds import ended
from bot.core.model.errors import NotAllowed
from bot.core.model.follows import RetryLater
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notifications.deliveries import ChannelRefuses
from bot.core.model.notifications.reports import (
    Report,
    ReportOff,
    ReportPlanShown,
    ReportSet,
    ReportShown,
)
from bot.core.model.notifications.subscriptions import PAUSED_BY_PERSON, Filters, Mute, Subscription
from bot.core.model.outcomes import Outcome
from bot.core.model.policy import Policy
from bot.core.reports.record import ReportRecord
from bot.core.reports.sender import ReportSender
from bot.core.request import UserRequest
from bot.slack.incoming.text import words_of_command
from tests.core.world import ADA, BUILDS, World, build, project
from tests.held_clock import NOON

WEB, API = project(1, "acme/web"), project(2, "acme/api")
CHANNEL = BUILDS.channel
HOUR, DAY, WEEK = 3600, 86400, 7 * 86400
TO_MONDAY_S = WEEK - 3 * HOUR
"""From `NOON`, a Monday at 12:00, to the next at 9:00."""


def ignore(_outcome: Outcome) -> None:
    pass


class Crash(BaseException):
    """The process dies."""


class Posts:
    """A `ReportAnnouncer`. `failures` are raised by the next calls before they do anything, `after` once it is done."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.told: list[tuple[Actor, str, str]] = []
        self.failures: list[BaseException] = []
        self.after: list[BaseException] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def post_report(self, report: Report) -> None:
        self.meanwhile()
        if self.failures:
            raise self.failures.pop(0)
        self.reports.append(report)
        if self.after:
            raise self.after.pop(0)

    def tell_report_refused(self, person: Actor, channel: str, why: str) -> None:
        self.told.append((person, channel, why))


class Scene:
    """A bot with one or more processes, and one channel that is subscribed to acme/web."""

    def __init__(self, world: World) -> None:
        self.world, self.store, self.clock = world, world.store, world.clock
        self.posts = Posts()
        self.results: list[str] = []
        world.knows(WEB, API)
        self.store.subscriptions.add(Subscription(CHANNEL, Filters(NamePattern(("acme/web",))), ADA, NOON))
        self.sender = self.process()

    def process(self) -> ReportSender:
        subscriptions, history = self.store.subscriptions, self.store.build_history
        return ReportSender(
            plans=self.store.reports,
            record=ReportRecord(self.world.services, subscriptions, history, self.store.audit),
            subscriptions=subscriptions,
            announcer=self.posts,
            clock=self.clock,
            observe=self.results.append,
        )

    def says(self, text: str, channel: str = CHANNEL) -> Outcome:
        request = UserRequest(ADA, Location(channel), self.clock, self.clock.monotonic() + 16)
        return self.world.operations.execute(parse(words_of_command(text)), request)

    def passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.sender.send_due()

    def ended(self, number: int, status: Status, hours: float) -> None:
        """A build of acme/web, so many hours after `NOON`."""
        at = NOON + timedelta(hours=hours)
        self.store.build_history.add(ended([replace(build(number, WEB, status=status), finished_at=at)]))

    @property
    def ends(self) -> list[str]:
        """When each digest's period ended."""
        return [f"{report.end:%a %d %H:%M}" for report in self.posts.reports]

    @property
    def next_at(self) -> datetime:
        plan = self.store.reports.of_channel(CHANNEL)
        assert plan is not None
        assert plan.claimed_at is None
        return plan.next_at


@pytest.fixture
def scene(world: World) -> Iterator[Scene]:
    made = Scene(world)
    made.says("digest weekly mon 9:00")
    return made


def test_it_is_posted_at_its_time_and_once_a_week(scene: Scene) -> None:
    scene.passes(TO_MONDAY_S - 1)
    assert scene.ends == []
    scene.passes(1)
    scene.passes(60)
    assert scene.ends == ["Mon 09 09:00"]
    scene.passes(WEEK - 60)
    assert scene.ends == ["Mon 09 09:00", "Mon 16 09:00"]
    assert scene.posts.reports[1].start == scene.posts.reports[0].end
    assert scene.results == ["told", "told"]


def test_two_processes_post_it_once(scene: Scene) -> None:
    other = scene.process()
    scene.posts.meanwhile = other.send_due
    scene.passes(TO_MONDAY_S)
    other.send_due()
    assert scene.ends == ["Mon 09 09:00"]


def test_a_process_that_dies_before_slack_has_it_leaves_it_to_another(scene: Scene) -> None:
    scene.posts.failures = [Crash()]
    with pytest.raises(Crash):
        scene.passes(TO_MONDAY_S)
    scene.sender = scene.process()
    scene.passes(30)
    assert scene.ends == []  # the first one may still be at it
    scene.passes(31)
    scene.passes(120)
    assert scene.ends == ["Mon 09 09:00"]


def test_a_process_that_dies_after_slack_has_it_makes_a_second_one_with_the_same_end(scene: Scene) -> None:
    scene.posts.after = [Crash()]
    with pytest.raises(Crash):
        scene.passes(TO_MONDAY_S)
    scene.passes(61)
    scene.passes(120)
    assert scene.ends == ["Mon 09 09:00"] * 2  # Slack may recognise it by its key


def test_a_lost_answer_is_followed_by_one_more_attempt(scene: Scene) -> None:
    lost = RetryLater("no answer", may_have_happened=True)
    scene.posts.failures = [RetryLater("ratelimited", retry_after_s=30), lost, lost]
    for seconds in (TO_MONDAY_S, 30, 15, 15, 3600):
        scene.passes(seconds)
    assert scene.ends == []
    assert scene.results == ["retried", "retried", "uncertain"]
    assert scene.next_at == NOON + timedelta(seconds=TO_MONDAY_S + WEEK)


def test_after_downtime_it_is_posted_if_it_is_less_than_a_day_late(scene: Scene) -> None:
    scene.passes(TO_MONDAY_S + DAY - 1)
    assert scene.ends == ["Mon 09 09:00"]
    scene.passes(WEEK + 1)
    assert scene.ends == ["Mon 09 09:00"]
    assert scene.results == ["told", "dropped"]
    assert scene.next_at == NOON + timedelta(seconds=TO_MONDAY_S + 2 * WEEK)


def test_of_several_that_were_missed_only_the_last_is_posted(scene: Scene) -> None:
    scene.says("digest daily 9:00")
    scene.passes(5 * DAY)
    assert scene.ends == ["Sat 07 09:00"]
    scene.passes(21 * HOUR)
    assert scene.ends == ["Sat 07 09:00", "Sun 08 09:00"]


def test_a_channel_that_refuses_is_tried_for_a_day_and_its_maker_told_once(scene: Scene) -> None:
    scene.posts.failures = [ChannelRefuses("not_in_channel") for _ in range(3)]
    for seconds in (TO_MONDAY_S, HOUR, 4 * HOUR, 12 * HOUR):
        scene.passes(seconds)
    assert scene.ends == ["Mon 09 09:00"]
    assert scene.posts.told == [(ADA, CHANNEL, "not_in_channel")]
    scene.posts.failures = [ChannelRefuses("is_archived") for _ in range(4)]
    scene.passes(WEEK - 17 * HOUR)
    for _ in range(30):
        scene.passes(HOUR)
    assert scene.results == ["paused"] * 3 + ["told"] + ["paused"] * 4 + ["dropped"]
    scene.posts.failures = [ChannelRefuses("is_archived")]
    scene.passes(WEEK - 30 * HOUR)
    assert [why for _, _, why in scene.posts.told] == ["not_in_channel", "is_archived"]


def test_a_muted_channel_gets_none(scene: Scene) -> None:
    until = NOON + timedelta(days=8)
    scene.store.subscriptions.mute(Mute(CHANNEL, until, ADA, NOON))
    scene.passes(TO_MONDAY_S)
    assert (scene.ends, scene.results) == ([], ["dropped"])
    scene.store.subscriptions.mute(Mute(CHANNEL, until + timedelta(days=30), ADA, NOON, NamePattern(("acme/web",))))
    scene.passes(WEEK)
    assert scene.ends == ["Mon 16 09:00"]


def test_a_digest_that_is_turned_off_or_changed_while_it_is_posted_stays_so(scene: Scene) -> None:
    scene.posts.meanwhile = lambda: ignore(scene.says("digest daily 7:00"))
    scene.passes(TO_MONDAY_S)
    assert scene.next_at == NOON + timedelta(seconds=TO_MONDAY_S + 22 * HOUR)
    scene.posts.meanwhile = lambda: ignore(scene.says("digest off"))
    scene.passes(22 * HOUR)
    assert scene.store.reports.of_channel(CHANNEL) is None
    scene.passes(DAY)
    assert len(scene.ends) == 2


def test_it_is_about_what_the_channel_is_subscribed_to(scene: Scene) -> None:
    scene.ended(1, Status.FAILED, 10)
    scene.ended(2, Status.PASSED, 12)
    other = replace(build(3, API, status=Status.FAILED), finished_at=NOON)
    branch = replace(build(4, WEB, "dev", Status.FAILED), finished_at=NOON)
    gone = replace(build(5, project(99, "acme/web"), status=Status.FAILED), finished_at=NOON)
    scene.store.build_history.add(ended([other, branch, gone]))
    scene.passes(TO_MONDAY_S)
    (report,) = scene.posts.reports
    assert [(one.project, one.branch, one.red_s) for one in report.red] == [(WEB, "main", 2 * HOUR)]
    assert (report.rate.passed, report.rate.builds, report.subscriptions) == (1, 2, 1)


def test_what_a_person_paused_does_not_count_and_a_filter_for_workflows_does_not_matter(scene: Scene) -> None:
    scene.ended(1, Status.FAILED, 10)
    workflows = Filters(NamePattern(("acme/web",)), workflows=NamePattern(("ci",)))
    scene.store.subscriptions.add(Subscription(CHANNEL, workflows, ADA, NOON, paused=PAUSED_BY_PERSON))
    scene.store.subscriptions.pause_these([1], CHANNEL)
    scene.passes(TO_MONDAY_S)
    assert scene.posts.reports[0].subscriptions == 0
    scene.store.subscriptions.resume_these([2], CHANNEL)
    scene.passes(WEEK)
    assert [one.is_red for one in scene.posts.reports[1].red] == [True]


def test_the_command_sets_shows_and_ends_it(scene: Scene) -> None:
    shown = scene.says("digest")
    assert isinstance(shown, ReportPlanShown)
    assert shown.plan is not None
    assert shown.plan.next_at == NOON + timedelta(seconds=TO_MONDAY_S)
    again = scene.says("digest daily 9:00 Europe/Berlin")
    assert isinstance(again, ReportSet)
    assert (again.plan.zone, again.plan.next_at, again.subscriptions) == (
        "Europe/Berlin",
        NOON + timedelta(hours=20),
        1,
    )
    assert isinstance(scene.says("digest daily 9:00", "C2"), ReportSet)
    off = scene.says("digest off")
    assert isinstance(off, ReportOff)
    assert off.was is not None
    assert off.was.zone == "Europe/Berlin"
    assert scene.says("digest off") == ReportOff(None)
    assert scene.says("digest") == ReportPlanShown(None, "UTC")
    assert scene.store.reports.of_channel("C2") is not None


def test_on_demand_it_is_about_the_time_until_now(scene: Scene) -> None:
    shown = scene.says("digest now")
    assert isinstance(shown, ReportShown)
    assert (shown.report.start, shown.report.end) == (NOON - timedelta(days=7), NOON)
    scene.says("digest daily 9:00")
    daily = scene.says("digest now")
    assert isinstance(daily, ReportShown)
    assert daily.report.start == NOON - timedelta(days=1)


def test_the_policys_action_subscribe_covers_it(scene: Scene) -> None:
    scene.world.rights.set_policy(Policy(()))
    for text in ("digest weekly", "digest off"):
        with pytest.raises(NotAllowed):
            scene.says(text)
    assert isinstance(scene.says("digest"), ReportPlanShown)
    assert isinstance(scene.says("digest now"), ReportShown)
