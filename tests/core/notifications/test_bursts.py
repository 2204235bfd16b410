"""Many changes at once: the first at once, then one digest that is changed in place, and never a flood."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.model.builds import Build, Status
from bot.core.model.follows import MessageGone, RetryLater
from bot.core.model.notifications.deliveries import Cause, Delivery, DeliveryState
from bot.core.model.notifications.reasons import Reason, SeenBy
from bot.core.model.notifications.subscriptions import Event
from bot.core.model.notifications.transitions import Change, Period, Transition
from bot.core.notifications.bursts import digest_of, next_turn, overtaken
from tests.core.notifications.hearing import API, CHANNEL, WEB, Crash
from tests.core.world import project
from tests.held_clock import NOON

MANY = [project(number, f"acme/repo{number}") for number in range(100, 400)]
LOST = RetryLater("no answer", may_have_happened=True)


def subscribed(hearing, count):
    """`count` repositories that are good, and a channel that hears of all."""
    hearing.world.knows(*MANY[:count])
    hearing.subscribe()
    hearing.ci.all_builds = [one("1", Status.PASSED, of) for of in MANY[:count]]
    hearing.poll()
    return MANY[:count]


def one(number, status, of, **fields):
    ended = NOON if status is Status.PASSED else NOON + timedelta(seconds=1)
    whole = Build(number, of, status, status.value, branch="main", commit=f"c{number}.{of.id}", finished_at=ended)
    return replace(whole, **fields)


def breaks(hearing, *projects, number="2", status=Status.FAILED, **fields):
    now = hearing.clock.now()
    new = [one(number, status, of, started_at=now, finished_at=now, **fields) for of in projects]
    hearing.ci.all_builds = [*new, *hearing.ci.all_builds]
    hearing.watch.poll_all("codeship")


def fixes(hearing, *projects, number="3"):
    breaks(hearing, *projects, number=number, status=Status.PASSED)


def test_the_first_two_branches_get_messages_and_the_third_begins_a_digest(hearing):
    first, second, third, fourth = subscribed(hearing, 4)
    for broken in (first, second, third):
        breaks(hearing, broken)
        hearing.jobs.pass_time(2)
    assert hearing.heard() == ["repo100 main broke 2", "repo101 main broke 2", "digest: repo102 main broke 2"]
    breaks(hearing, fourth)
    hearing.jobs.pass_time(5)
    assert len(hearing.slack.updates) == 0
    hearing.jobs.pass_time(20)
    assert hearing.heard()[2:] == ["digest: repo102 main broke 2, repo103 main broke 2"]
    assert hearing.reasons_of(fourth)[0] is Reason.DIGEST


def test_three_branches_at_once_are_one_message(hearing):
    breaks(hearing, *subscribed(hearing, 3))
    hearing.jobs.pass_time(0)
    assert hearing.heard() == ["digest: repo100 main broke 2, repo101 main broke 2, repo102 main broke 2"]


def test_after_five_minutes_the_next_change_is_a_message_again(hearing):
    *some, last = subscribed(hearing, 4)
    breaks(hearing, *some)
    hearing.jobs.pass_time(301)
    breaks(hearing, last)
    hearing.jobs.pass_time(0)
    assert hearing.heard()[1:] == ["repo103 main broke 2"]


def test_a_branch_that_is_fixed_within_the_digest_is_shown_as_fixed(hearing):
    some = subscribed(hearing, 3)
    breaks(hearing, *some)
    hearing.jobs.pass_time(1)
    fixes(hearing, some[0])
    hearing.jobs.pass_time(25)
    assert hearing.heard() == ["digest: repo101 main broke 2, repo102 main broke 2, repo100 main fixed 3"]


def test_a_fix_that_a_digest_tells_also_changes_the_branchs_own_message_silently(hearing):
    some = subscribed(hearing, 3)
    breaks(hearing, some[0])
    hearing.jobs.pass_time(100)
    breaks(hearing, *some[1:])
    fixes(hearing, some[0])
    hearing.jobs.pass_time(30)
    assert hearing.heard()[0] == "repo100 main fixed 3"
    assert "repo100 main fixed 3" in hearing.heard()[1]
    assert len(hearing.slack.posts) == 2


@pytest.mark.slow
def test_three_hundred_changes_are_at_most_three_posts_and_twenty_updates(hearing):
    some = subscribed(hearing, 300)
    for at in range(0, 300, 15):
        if at == 0:
            breaks(hearing, some[0])
        breaks(hearing, *some[max(at, 1) : at + 15])
        hearing.jobs.pass_time(13)
    hearing.jobs.pass_time(60)
    assert len(hearing.slack.posts) <= 3
    assert len(hearing.slack.updates) <= 20
    assert all(sum(f"{of.name} ".removeprefix("acme/") in line for line in hearing.heard()) == 1 for of in some)


def test_a_channel_gets_at_most_one_message_a_second(hearing):
    hearing.subscribe(Event.PASSED)
    hearing.goes("10 ok", "12 ok ; 11 ok ; 10 ok")
    assert hearing.heard() == ["web main passed 11"]
    hearing.jobs.pass_time(1)
    assert hearing.heard() == ["web main passed 11", "web main passed 12"]


def test_channels_have_their_own_bursts(hearing):
    hearing.subscribe(repo="acme/repo100", channel="C0OTHER")
    breaks(hearing, *subscribed(hearing, 3))
    hearing.jobs.pass_time(0)
    assert hearing.heard("C0OTHER") == ["repo100 main broke 2"]
    assert len(hearing.heard()) == 1


def test_after_downtime_two_changes_are_one_message_with_what_is_true_now(hearing):
    hearing.subscribe()
    hearing.goes("10 ok")
    hearing.goes("20 ok", of=API)
    hearing.builds("12 bad", "11 ok", "10 ok")
    hearing.builds("22 bad", "20 ok", of=API)
    hearing.clock.advance(3 * 3600)
    hearing.poll()
    hearing.jobs.pass_time(5)
    assert hearing.heard() == ["digest: web main broke 12, api main broke 22"]


def test_a_deleted_digest_is_posted_again_with_all_it_told(hearing):
    *some, last = subscribed(hearing, 4)
    breaks(hearing, *some)
    hearing.jobs.pass_time(1)
    breaks(hearing, last)
    hearing.slack.failures = [MessageGone("message_not_found", is_told=False)]
    hearing.jobs.pass_time(30)
    assert [line.count("broke") for line in hearing.heard()] == [3, 4]


@pytest.mark.parametrize(("dies", "posts"), [("failures", 1), ("after", 2)])
def test_a_process_that_dies_while_it_posts_a_digest_doubles_it_at_most(hearing, dies, posts):
    breaks(hearing, *subscribed(hearing, 5))
    setattr(hearing.slack, dies, [Crash()])
    with pytest.raises(Crash):
        hearing.jobs.pass_time(0)
    hearing.jobs.lose_all()
    _, other = hearing.process("replica 2")
    hearing.clock.advance(61)
    other.restart_late()
    hearing.jobs.pass_time(60)
    assert [line.count("broke") for line in hearing.heard()] == [5] * posts


def test_a_lost_answer_doubles_a_digest_once(hearing):
    breaks(hearing, *subscribed(hearing, 3))
    hearing.slack.after = [LOST, LOST]
    hearing.jobs.pass_time(120)
    assert [line.count("broke") for line in hearing.heard()] == [3, 3]
    assert hearing.reasons_of(MANY[0])[0] is Reason.UNCERTAIN


def test_two_senders_post_a_digest_once(hearing):
    breaks(hearing, *subscribed(hearing, 3))
    _, other = hearing.process("replica 2")
    hearing.slack.meanwhile = lambda: other.job({"channel": CHANNEL}, lambda _name, work: work())
    hearing.jobs.pass_time(60)
    assert len(hearing.heard()) == 1


# What shares a message, by itself


def due(of=WEB, change=Change.BROKE, period="1", **fields):
    build = one("2", Status.FAILED, of)
    made = Delivery(CHANNEL, Transition(change, build, Period(period, NOON, build)), SeenBy.LIST, NOON, NOON)
    return replace(made, **fields)


def sent(of, seconds_ago, **fields):
    at = NOON - timedelta(seconds=seconds_ago)
    return due(of, state=DeliveryState.TOLD, ts="1.0", changed_at=at, **fields)


@pytest.mark.parametrize(
    ("told_ago", "queued", "is_digest"),
    [
        ([], 1, False),
        ([], 2, False),
        ([], 3, True),
        ([5], 1, False),
        ([5], 2, True),
        ([5, 50], 1, True),
        ([5, 61], 1, False),
        ([-5, -6], 1, True),
        ([-90, -3600], 1, False),
    ],
)
def test_the_third_branch_within_a_minute_begins_a_digest(told_ago, queued, is_digest):
    told = [sent(MANY[10 + number], ago) for number, ago in enumerate(told_ago)]
    assert next_turn([due(MANY[number]) for number in range(queued)], told, NOON).is_digest is is_digest


def test_many_changes_of_one_branch_are_no_burst():
    told = [sent(WEB, 10), sent(WEB, 20), sent(WEB, 30)]
    assert not next_turn([due(WEB)], told, NOON).is_digest


def test_news_comes_before_quiet_changes_of_older_messages():
    quiet, news = due(WEB, Change.STILL), due(API)
    assert next_turn([quiet, news], [], NOON).deliveries == (news,)
    assert next_turn([quiet], [], NOON).deliveries == (quiet,)


def test_what_a_newer_state_replaces_is_left_out():
    broke, still, fixed = due(), due(change=Change.STILL), due(change=Change.FIXED)
    assert overtaken([broke, still, fixed]) == [broke, still]
    assert overtaken([broke, still]) == []
    assert overtaken([replace(broke, doubtful=True), fixed]) == []
    assert overtaken([broke, due(API, Change.FIXED)]) == []
    assert overtaken([due(change=Change.STILL, reminder=True), still]) == []


@pytest.mark.parametrize(
    ("fields", "change", "cause"),
    [
        ({}, Change.BROKE, None),
        ({"commit": "c9"}, Change.BROKE, Cause.COMMIT),
        ({"author": "ada"}, Change.BROKE, Cause.AUTHOR),
        ({"author": None, "commit": None}, Change.BROKE, None),
        ({"author": "ada"}, Change.INFRA, Cause.INFRA),
        ({"author": "ada"}, Change.FIXED, None),
    ],
)
def test_what_all_changes_have_in_common_is_named(fields, change, cause):
    shown = []
    for of in MANY[:3]:
        each = due(of, change)
        shown.append(replace(each, transition=replace(each.transition, build=one("2", Status.FAILED, of, **fields))))
    assert digest_of(shown, NOON).cause is cause
    assert digest_of(shown[:2], NOON).cause is None


def test_a_digest_says_since_when_only_if_that_is_long_ago():
    assert digest_of([due(WEB), due(API)], NOON + timedelta(minutes=20)).since is None
    later = NOON + timedelta(minutes=30)
    assert digest_of([due(WEB), due(API)], later).since == NOON + timedelta(seconds=1)
