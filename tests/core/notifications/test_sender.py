"""What channels are sent: once, in order, the newest state only, and never nothing without a reason."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.model.builds import FailedJob, FailureLog
from bot.core.model.follows import MessageGone, RetryLater
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notifications.deliveries import ChannelRefuses, DeliveryState
from bot.core.model.notifications.reasons import Reason
from bot.core.model.notifications.subscriptions import Event, Mute, Replies
from tests.core.notifications.hearing import ADA, API, CHANNEL, Crash

BUSY = RetryLater("ratelimited", retry_after_s=30)
LOST = RetryLater("no answer", may_have_happened=True)
OUT = ChannelRefuses("not_in_channel")


def shown(hearing, channel):
    """The channel's only message."""
    [message] = [each for each in hearing.slack.messages.values() if each.channel == channel]
    return message


def broken(hearing):
    hearing.subscribe()
    hearing.goes("10 ok")
    hearing.builds("11 bad", "10 ok")


def test_one_message_per_broken_period_is_changed_in_place(hearing):
    broken(hearing)
    hearing.poll()
    assert hearing.heard() == ["web main broke 11"]
    hearing.goes("12 bad ; 11 bad")
    assert hearing.heard() == ["web main still 12"]
    hearing.goes("13 ok ; 12 bad")
    assert hearing.heard() == ["web main fixed 13", "  *web main fixed 13"]
    hearing.goes("14 bad ; 13 ok")
    assert hearing.heard() == ["web main fixed 13", "  *web main fixed 13", "web main broke 14"]


def test_a_failed_restart_is_said_in_the_thread(hearing):
    broken(hearing)
    hearing.poll()
    hearing.goes("11' bad ; 10 ok")
    assert hearing.heard() == ["web main failed again 11", "  web main failed again 11"]


def test_the_log_follows_in_the_thread_once_and_a_failure_to_post_it_changes_nothing(hearing):
    hearing.log = FailureLog(FailedJob("test"), ("boom",))
    broken(hearing)
    hearing.poll()
    hearing.goes("12 bad ; 11 bad", "13 ok ; 12 bad")
    assert hearing.heard() == ["web main fixed 13", "  *log of test", "  *web main fixed 13"]
    hearing.slack.failures = [None, BUSY]
    hearing.goes("14 bad ; 13 ok")
    hearing.jobs.pass_time(120)
    assert hearing.heard()[-1] == "web main broke 14"


def test_a_fix_of_what_the_channel_never_heard_of_is_a_message(hearing):
    hearing.subscribe()
    hearing.goes("10 bad", "11 ok ; 10 bad")
    assert hearing.heard() == ["web main fixed 11"]


def test_reminders_come_at_three_and_ten_failed_commits_for_those_who_asked(hearing):
    hearing.subscribe(Event.BROKE, Event.STILL)
    hearing.goes("10 ok", *(f"{number} bad" for number in range(11, 22)))
    assert hearing.heard() == ["web main still 21", "  web main still 13", "  web main still 20"]


def test_reminders_come_at_every_so_many_failed_commits_for_those_who_said_how_many(hearing):
    hearing.subscribe(Event.BROKE, Event.STILL, still_every=4)
    hearing.goes("10 ok", *(f"{number} bad" for number in range(11, 20)))
    assert hearing.heard() == ["web main still 19", "  web main still 14", "  web main still 18"]


def test_replies_are_in_the_thread_only_or_all_in_the_channel_for_those_who_said_so(hearing):
    looks = ("10 ok", "11 bad ; 10 ok", "11' bad ; 10 ok", "12 ok ; 11 bad")
    hearing.subscribe(replies=Replies.THREAD)
    hearing.subscribe(channel="C2", replies=Replies.CHANNEL)
    hearing.subscribe(channel="C3")
    hearing.goes(*looks)
    assert [shown(hearing, channel).broadcasts for channel in (CHANNEL, "C2", "C3")] == [0, 2, 1]


def test_the_loudest_of_several_subscriptions_counts_and_all_are_mentioned(hearing):
    hearing.subscribe(repo="acme/web", replies=Replies.THREAD, mentions=("S0ONCALL", "U0ADA"))
    hearing.subscribe(mentions=("U0BOB", "U0ADA"))
    hearing.goes("10 ok", "11 bad ; 10 ok", "12 bad ; 11 bad", "13 ok ; 12 bad")
    told = hearing.store.outbox.told(CHANNEL, hearing.clock.now() - timedelta(hours=1))
    everyone = ("S0ONCALL", "U0ADA", "U0BOB")
    assert [each.mentions for each in told] == [everyone, everyone, ()]
    assert shown(hearing, CHANNEL).broadcasts == 1


def test_an_early_message_becomes_that_of_the_failure(hearing):
    hearing.has_workflows = True
    hearing.subscribe(Event.EARLY, Event.FIXED)
    hearing.subscribe(channel="C0OTHER")
    hearing.goes("10 ok", "11 failing ; 10 ok")
    assert (hearing.heard(), hearing.heard("C0OTHER")) == (["web main failing 11"], [])
    hearing.goes("11 bad ; 10 ok")
    assert (hearing.heard(), hearing.heard("C0OTHER")) == (["web main broke 11"], ["web main broke 11"])
    hearing.goes("12 ok ; 11 bad")
    assert hearing.heard() == ["web main fixed 12", "  *web main fixed 12"]


def test_an_early_message_is_corrected_if_the_build_passes(hearing):
    hearing.has_workflows = True
    hearing.subscribe(Event.EARLY)
    hearing.goes("10 ok", "11 failing ; 10 ok", "11 ok ; 10 ok")
    assert hearing.heard() == ["web main passed after all 11"]


def test_each_build_is_told_if_it_was_asked_for_but_never_twice(hearing):
    hearing.subscribe(Event.BROKE, Event.FIXED, Event.FAILED, Event.PASSED)
    hearing.goes("10 ok", "11 bad ; 10 ok", "12 ok ; 11 bad", "13 ok ; 12 ok")
    assert hearing.heard() == ["web main fixed 12", "  *web main fixed 12", "web main passed 13"]


def test_two_subscriptions_that_fit_give_one_message(hearing):
    hearing.subscribe()
    hearing.subscribe(repo="acme/web")
    hearing.goes("10 ok", "11 bad ; 10 ok")
    assert hearing.heard() == ["web main broke 11"]


def test_channels_do_not_wait_for_each_other(hearing):
    hearing.subscribe()
    hearing.subscribe(channel="C0OTHER")
    hearing.goes("10 ok")
    hearing.slack.failures = [BUSY]
    hearing.goes("11 bad ; 10 ok")
    assert hearing.heard() == []
    assert hearing.heard("C0OTHER") == ["web main broke 11"]


def test_slack_is_asked_again_when_it_said_and_nothing_overtakes(hearing):
    broken(hearing)
    hearing.slack.failures = [BUSY]
    hearing.poll()
    hearing.goes("21 ok", "22 bad ; 21 ok", of=API)
    assert hearing.heard() == []
    assert Reason.WAITING in hearing.reasons()
    hearing.jobs.pass_time(31)
    assert hearing.heard() == ["web main broke 11", "api main broke 22"]


def test_a_newer_state_replaces_one_that_was_not_sent(hearing):
    broken(hearing)
    hearing.slack.failures = [BUSY]
    hearing.poll()
    hearing.goes("12 ok ; 11 bad")
    hearing.jobs.pass_time(31)
    assert hearing.heard() == ["web main fixed 12"]
    assert ("broke", "dropped", None) in hearing.observed


@pytest.mark.parametrize(("after", "messages"), [([], 1), ([LOST], 2), ([LOST, LOST], 2)])
def test_broke_is_said_once_more_after_a_lost_answer(hearing, after, messages):
    broken(hearing)
    hearing.slack.after = list(after)
    hearing.poll()
    hearing.jobs.pass_time(120)
    assert len(hearing.slack.messages) == messages
    assert (Reason.UNCERTAIN in hearing.reasons()) == (len(after) == 2)


def test_other_news_is_not_repeated_after_a_lost_answer(hearing):
    hearing.subscribe(Event.PASSED)
    hearing.goes("10 ok")
    hearing.slack.after = [LOST]
    hearing.goes("11 ok ; 10 ok")
    hearing.jobs.pass_time(120)
    assert hearing.heard() == ["web main passed 11"]
    assert Reason.UNCERTAIN in hearing.reasons()


@pytest.mark.parametrize("gone", [MessageGone("message_not_found", is_told=False)])
def test_after_its_message_was_deleted_the_fix_is_a_new_one(hearing, gone):
    broken(hearing)
    hearing.poll()
    hearing.slack.messages["1.0"].deleted = True
    hearing.slack.failures = [gone]
    hearing.goes("12 ok ; 11 bad")
    assert hearing.heard() == ["web main fixed 12"]


def test_a_channel_that_takes_no_messages_is_paused_and_its_maker_hears_it_once(hearing):
    broken(hearing)
    hearing.slack.failures = [OUT, OUT]
    hearing.poll()
    assert [each.paused for each in hearing.store.subscriptions.all()] == ["not_in_channel"]
    hearing.goes("12 ok ; 11 bad")
    hearing.clock.advance(3700)
    hearing.sender.restart_late()
    hearing.jobs.pass_time(0)
    assert hearing.slack.told == [(ADA, CHANNEL, "not_in_channel")]
    assert Reason.PAUSED in hearing.reasons()


@pytest.mark.slow
def test_a_paused_channel_is_tried_after_one_hour_four_hours_and_daily_for_thirty_days(hearing):
    broken(hearing)
    hearing.slack.failures = [OUT] * 100
    hearing.poll()

    def tries_within(seconds: float) -> int:
        left = len(hearing.slack.failures)
        hearing.clock.advance(seconds)
        hearing.sender.restart_late()
        hearing.jobs.pass_time(0)
        return left - len(hearing.slack.failures)

    for hours in (1, 4, 24):
        assert (tries_within(hours * 3600 - 60), tries_within(100)) == (0, 1)
    assert sum(tries_within(86_500) for _ in range(40)) == 29
    assert [each.state for each in hearing.store.outbox.queue(CHANNEL)] == [DeliveryState.PAUSED]
    hearing.slack.failures = []
    hearing.store.subscriptions.resume(CHANNEL)
    hearing.clock.advance(30)
    hearing.sender.restart_late()
    hearing.jobs.pass_time(0)
    assert hearing.heard() == ["web main broke 11"]


def test_what_was_held_back_is_said_when_the_channel_takes_messages_again(hearing):
    broken(hearing)
    hearing.slack.failures = [OUT]
    hearing.poll()
    hearing.goes("21 ok", "22 bad ; 21 ok", of=API)
    assert hearing.heard() == []
    hearing.clock.advance(3700)
    hearing.sender.restart_late()
    hearing.jobs.pass_time(0)
    assert hearing.heard() == ["digest: web main broke 11, api main broke 22"]
    assert all(each.is_active for each in hearing.store.subscriptions.all())


def test_what_happens_while_a_person_has_paused_a_subscription_is_not_posted_later(hearing):
    broken(hearing)
    [subscription] = hearing.store.subscriptions.all()
    hearing.store.subscriptions.pause_these([subscription.id], CHANNEL)
    hearing.poll()
    hearing.store.subscriptions.resume_these([subscription.id], CHANNEL)
    hearing.clock.advance(3700)
    hearing.sender.restart_late()
    hearing.jobs.pass_time(0)
    assert hearing.heard() == []
    assert Reason.PAUSED in hearing.reasons()


def test_a_resumed_channel_hears_what_was_held_back(hearing):
    broken(hearing)
    hearing.slack.failures = [OUT]
    hearing.poll()
    hearing.store.subscriptions.resume(CHANNEL)
    hearing.clock.advance(30)
    hearing.sender.restart_late()
    hearing.jobs.pass_time(0)
    assert hearing.heard() == ["web main broke 11"]


def test_a_muted_channel_hears_nothing_and_the_log_says_why(hearing):
    broken(hearing)
    now = hearing.clock.now()
    hearing.store.subscriptions.mute(Mute(CHANNEL, now.replace(hour=20), ADA, now, NamePattern(("acme/web",))))
    hearing.poll()
    assert hearing.heard() == []
    assert hearing.reasons()[0] is Reason.MUTED


@pytest.mark.parametrize(
    ("looks", "reason"),
    [
        (["10 ok", "11 stop ; 10 ok"], Reason.NEUTRAL),
        (["10 ok", "11 ok ; 10 ok"], Reason.NO_TRANSITION),
        (["10 ok"], Reason.BASELINE),
        (["12 ok ; 11 run", "12 ok ; 11 bad"], Reason.OLDER),
        (["10 ok", "11 bad ; 10 ok"], Reason.TOLD),
    ],
)
def test_every_silence_has_a_reason(hearing, looks, reason):
    hearing.subscribe()
    hearing.goes(*looks)
    assert hearing.reasons()[0] is reason


def test_a_channel_that_did_not_ask_for_the_event_has_that_reason(hearing):
    hearing.subscribe(Event.FIXED)
    hearing.goes("10 ok", "11 bad ; 10 ok")
    assert hearing.reasons()[0] is Reason.EVENT


# Processes that die


@pytest.mark.parametrize(("dies", "messages"), [("failures", 1), ("after", 2)])
def test_another_process_says_broke_if_the_first_dies_while_sending(hearing, dies, messages):
    broken(hearing)
    setattr(hearing.slack, dies, [Crash()])
    with pytest.raises(Crash):
        hearing.poll()
    hearing.jobs.lose_all()
    _, other = hearing.process("replica 2")
    hearing.clock.advance(61)
    other.restart_late()
    hearing.jobs.pass_time(0)
    assert [line for line in hearing.heard() if line.startswith("web main broke")] == ["web main broke 11"] * messages


def test_what_was_stored_and_not_started_is_sent_later(hearing):
    broken(hearing)
    hearing.clock.advance(1)
    hearing.watch.poll_all("codeship")
    hearing.jobs.lose_all()
    hearing.clock.advance(25)
    hearing.sender.restart_late()
    hearing.jobs.pass_time(0)
    assert hearing.heard() == ["web main broke 11"]


def test_two_senders_send_it_once(hearing):
    broken(hearing)
    _, other = hearing.process("replica 2")
    hearing.slack.meanwhile = lambda: other.job({"channel": CHANNEL}, lambda _name, work: work())
    hearing.poll()
    assert hearing.heard() == ["web main broke 11"]
