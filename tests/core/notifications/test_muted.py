"""The end of a mute: one line on what happened meanwhile, said once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.model.builds import Build, Status
from bot.core.model.follows import RetryLater
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notifications.deliveries import ChannelRefuses, Delivery
from bot.core.model.notifications.muted import Happened
from bot.core.model.notifications.reasons import Reason, SeenBy
from bot.core.model.notifications.subscriptions import Event, Mute
from bot.core.model.notifications.transitions import Change, Period, Transition
from bot.core.notifications.muted import while_muted
from tests.core.notifications.hearing import ADA, API, CHANNEL, WEB, Crash
from tests.held_clock import NOON

TWO_HOURS = timedelta(hours=2)
BROKE, FIXED, FLAKY, RETIRED = Change.BROKE, Change.FIXED, Change.FLAKY, Change.RETIRED


def held(change, of=WEB, id_=1):
    build = Build(str(id_), of, Status.FAILED, "error", branch="main")
    return Delivery(CHANNEL, Transition(change, build, Period("1", NOON, build)), SeenBy.LIST, NOON, NOON, id=id_)


@pytest.mark.parametrize(
    ("changes", "is_broken", "happened"),
    [
        ([BROKE], True, Happened.STILL_BROKEN),
        ([BROKE], False, Happened.BROKE_AND_FIXED),
        ([BROKE, FIXED], False, Happened.BROKE_AND_FIXED),
        ([BROKE, FIXED], True, Happened.BROKE_AND_FIXED),
        ([BROKE, FIXED, BROKE], True, Happened.STILL_BROKEN),
        ([BROKE, RETIRED], False, Happened.BROKE_AND_FIXED),
        ([BROKE, FLAKY], False, Happened.FLAKY),
        ([BROKE, FLAKY, BROKE, FIXED], False, Happened.BROKE_AND_FIXED),
        ([FIXED], False, Happened.FIXED),
        ([FIXED, BROKE], True, Happened.STILL_BROKEN),
        ([FLAKY], False, Happened.FLAKY),
    ],
)
def test_what_happened_on_a_branch_taken_together(changes, is_broken, happened):
    told = while_muted([held(change, id_=n) for n, change in enumerate(changes)], lambda _each: is_broken)
    assert [(each.id, what) for each, what in told] == [(len(changes) - 1, happened)]


def test_what_is_broken_comes_first():
    told = while_muted([held(FIXED), held(BROKE, API)], lambda _each: True)
    assert [each.transition.build.project for each, _ in told] == [API, WEB]


def mute(hearing, repo=None, *, lasts=TWO_HOURS):
    now = hearing.clock.now()
    hearing.store.subscriptions.mute(Mute(CHANNEL, now + lasts, ADA, now, NamePattern((repo,)) if repo else None))


def ends(hearing, after=TWO_HOURS):
    hearing.clock.advance(after.total_seconds())
    hearing.mute_ends.tell_ended()
    hearing.jobs.pass_time(1)


def muted(hearing, *events):
    """acme/web breaks and is fixed, and acme/api breaks, while the channel is muted."""
    hearing.subscribe(*events)
    hearing.goes("10 ok")
    hearing.goes("20 ok", of=API)
    mute(hearing)
    hearing.goes("11 bad ; 10 ok", "12 ok ; 11 bad")
    hearing.goes("21 bad ; 20 ok", of=API)


LINE = "while muted: acme/api main is still broken, acme/web main broke and was fixed"


def test_the_end_of_a_mute_is_one_line_and_said_once(hearing):
    muted(hearing)
    hearing.mute_ends.tell_ended()
    assert hearing.heard() == []
    ends(hearing)
    ends(hearing)
    assert hearing.heard() == [LINE]
    assert hearing.reasons_of(API)[0] is Reason.DIGEST
    hearing.goes("22 ok ; 21 bad", of=API)
    assert hearing.heard() == [LINE, "api main fixed 22"]


def test_nothing_is_said_if_nothing_happened(hearing):
    hearing.subscribe()
    hearing.goes("10 ok")
    mute(hearing)
    hearing.goes("11 ok ; 10 ok")
    ends(hearing)
    assert (hearing.heard(), hearing.store.subscriptions.ended_mutes()) == ([], [])


def test_only_news_of_branches_count_and_not_each_build(hearing):
    muted(hearing, *Event)
    ends(hearing)
    assert hearing.heard() == [LINE]


def test_after_downtime_the_line_says_what_is_true_now(hearing):
    muted(hearing)
    hearing.clock.advance(3 * 86400)
    hearing.goes("22 ok ; 21 bad", of=API)
    ends(hearing)
    assert hearing.heard()[-1] == "while muted: acme/web main broke and was fixed, acme/api main broke and was fixed"


def test_a_message_from_before_the_mute_is_changed_silently_when_it_ends(hearing):
    hearing.subscribe()
    hearing.goes("10 ok", "11 bad ; 10 ok")
    mute(hearing)
    hearing.goes("12 ok ; 11 bad")
    assert hearing.heard() == ["web main broke 11"]
    ends(hearing)
    assert hearing.heard() == ["web main fixed 12", "while muted: acme/web main was fixed"]


def test_unmuting_ends_the_mute_at_once(hearing):
    muted(hearing)
    hearing.store.subscriptions.unmute(CHANNEL)
    ends(hearing, timedelta(seconds=1))
    assert hearing.heard() == [LINE]


def test_a_longer_mute_keeps_what_it_covers(hearing):
    muted(hearing)
    mute(hearing, "acme/api", lasts=2 * TWO_HOURS)
    ends(hearing)
    assert hearing.heard() == ["while muted: acme/web main broke and was fixed"]
    ends(hearing)
    assert hearing.heard()[1:] == ["while muted: acme/api main is still broken"]


def test_a_mute_that_is_prolonged_is_told_at_its_new_end(hearing):
    muted(hearing)
    mute(hearing, lasts=2 * TWO_HOURS)
    ends(hearing)
    assert hearing.heard() == []
    ends(hearing)
    assert hearing.heard() == [LINE]


def test_a_channel_that_has_unsubscribed_meanwhile_is_told_nothing(hearing):
    muted(hearing)
    hearing.store.subscriptions.remove([each.id for each in hearing.store.subscriptions.all()], CHANNEL)
    ends(hearing)
    assert (hearing.heard(), hearing.store.outbox.muted(CHANNEL)) == ([], [])


@pytest.mark.parametrize(
    ("failure", "messages"),
    [
        (RetryLater("ratelimited", retry_after_s=30), 1),
        (RetryLater("no answer", may_have_happened=True), 0),
        (ChannelRefuses("not_in_channel"), 0),
    ],
)
def test_a_refusal_that_passes_is_tried_again_and_nothing_is_said_twice(hearing, failure, messages):
    muted(hearing)
    hearing.slack.failures = [failure]
    ends(hearing)
    assert hearing.heard() == []
    ends(hearing, timedelta(seconds=61))
    assert len(hearing.heard()) == messages


def test_another_process_says_it_if_the_first_dies_while_sending(hearing):
    muted(hearing)
    hearing.slack.failures = [Crash()]
    with pytest.raises(Crash):
        ends(hearing)
    hearing.process("replica 2")
    ends(hearing, timedelta(seconds=30))
    assert hearing.heard() == []
    ends(hearing, timedelta(seconds=31))
    assert hearing.heard() == [LINE]


def test_two_processes_say_it_once(hearing):
    muted(hearing)
    first = hearing.mute_ends
    hearing.process("replica 2")
    hearing.slack.meanwhile = first.tell_ended
    ends(hearing)
    assert hearing.heard() == [LINE]
