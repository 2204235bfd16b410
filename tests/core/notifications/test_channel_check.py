"""What `check` finds out about a channel."""

from __future__ import annotations

import pytest

from bot.core.model.commands import parse
from bot.core.model.errors import NotUnderstood, Unreachable
from bot.core.model.follows import RetryLater
from bot.core.model.notifications.deliveries import ChannelRefuses
from bot.core.model.notifications.health import ChannelChecked
from bot.core.model.notifications.reasons import Reason
from bot.slack.incoming.text import words_of_command
from tests.core.notifications.hearing import ADA, Hearing


def check(hearing: Hearing) -> ChannelChecked:
    found = hearing.does(parse(words_of_command("check")), ADA)
    assert isinstance(found, ChannelChecked)
    return found


def test_a_channel_that_was_never_told_anything(hearing):
    found = check(hearing)
    assert (found.told_at, found.subscriptions, found.waiting, found.troubles) == (None, (), 0, ())
    assert [each.polling.polled_at for each in found.services] == [None]


def test_when_the_channel_was_last_told_and_the_service_last_read(hearing):
    hearing.subscribe()
    hearing.goes("10 ok", "11 bad ; 10 ok")
    now = hearing.clock.now()
    hearing.clock.advance(60)
    found = check(hearing)
    assert found.told_at == now
    assert found.services[0].polling.polled_at is not None
    assert len(found.subscriptions) == 1


def test_a_service_without_a_subscribed_repository_is_left_out(hearing):
    hearing.subscribe(repo="acme/later")
    hearing.goes("10 ok")
    assert check(hearing).services == ()


def test_a_failure_that_may_be_flaky_is_no_fault_of_slacks(hearing):
    hearing.subscribe(flaky_quiet=True)
    hearing.goes("10 ok", "11 bad ; 10 ok")
    assert (check(hearing).waiting, check(hearing).troubles) == (0, ())


def test_what_slack_did_not_take_counts_for_a_day(hearing):
    hearing.subscribe()
    hearing.goes("10 ok")
    hearing.slack.failures = [RetryLater("ratelimited", retry_after_s=30)]
    hearing.goes("11 bad ; 10 ok")
    assert (check(hearing).waiting, check(hearing).troubles) == (1, ((Reason.WAITING, 1),))
    hearing.slack.failures = [ChannelRefuses("not_in_channel")]
    hearing.jobs.pass_time(31)
    assert check(hearing).troubles == ((Reason.PAUSED, 1), (Reason.WAITING, 1))
    assert check(hearing).subscriptions[0].paused == "not_in_channel"
    hearing.clock.advance(86_500)
    assert check(hearing).troubles == ()


def test_a_service_that_cannot_be_read_says_since_when_and_why(hearing):
    hearing.subscribe()
    hearing.ci.failures["recent"] = [Unreachable("CodeShip", "no connection"), Unreachable("CodeShip", "no route")]
    hearing.poll()
    since = hearing.clock.now()
    hearing.poll()
    polling = check(hearing).services[0].polling
    assert (polling.failed_at, polling.failure) == (since, "no route")


def test_more_words_are_taken_for_a_status():
    with pytest.raises(NotUnderstood) as wrong:
        parse(words_of_command("check acme/web main"))
    assert wrong.value.instead == "status acme/web main"
