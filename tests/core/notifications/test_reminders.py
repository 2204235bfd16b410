"""A reminder a day while a branch is broken, in the thread, for those who asked for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.model.commands import parse
from bot.core.model.follows import MessageGone
from bot.core.model.notifications.subscriptions import Event, Mute
from bot.slack.incoming.text import words_of_command
from tests.core.notifications.hearing import ADA, CHANNEL

DAY = 86_400
STILL = (Event.BROKE, Event.FIXED, Event.STILL)
HEAD, REMINDED = "web main broke 11", "  web main reminded 11"


def broken(hearing, *events, **options):
    hearing.subscribe(*events, **options)
    hearing.goes("10 ok", "11 bad ; 10 ok")


def passes(hearing, seconds):
    hearing.clock.advance(seconds)
    hearing.reminders.remind()
    hearing.jobs.pass_time(1)


def test_it_comes_once_a_day_until_the_fix(hearing):
    broken(hearing, *STILL)
    passes(hearing, DAY - 60)
    assert hearing.heard() == [HEAD]
    passes(hearing, 700)
    passes(hearing, 700)
    assert hearing.heard() == [HEAD, REMINDED]
    passes(hearing, DAY)
    assert hearing.heard() == [HEAD, REMINDED, REMINDED]
    hearing.goes("12 ok ; 11 bad")
    passes(hearing, DAY)
    assert len(hearing.slack.messages["1.0"].replies) == 3


def test_after_downtime_of_days_it_comes_once(hearing):
    broken(hearing, *STILL)
    passes(hearing, 5 * DAY + 60)
    assert hearing.heard() == [HEAD, REMINDED]


def test_two_processes_remind_once(hearing):
    broken(hearing, *STILL)
    first = hearing.reminders
    hearing.process("replica 2")
    hearing.clock.advance(DAY + 60)
    first.remind()
    passes(hearing, 1)
    assert hearing.heard() == [HEAD, REMINDED]


@pytest.mark.parametrize(("events", "options"), [((), {}), (STILL, {"remind_off": True})])
def test_only_those_who_asked_are_reminded(hearing, events, options):
    broken(hearing, *events, **options)
    passes(hearing, DAY + 60)
    assert hearing.heard() == [HEAD]


def test_a_branch_that_someone_is_on_has_no_reminders(hearing):
    broken(hearing, *STILL)
    hearing.does(parse(words_of_command("on-it acme/web main")), ADA)
    passes(hearing, DAY + 60)
    assert hearing.slack.messages["1.0"].replies == []


def test_a_muted_channel_has_no_reminders(hearing):
    broken(hearing, *STILL)
    now = hearing.clock.now()
    hearing.store.subscriptions.mute(Mute(CHANNEL, now + timedelta(days=2), ADA, now))
    passes(hearing, DAY + 60)
    assert hearing.heard() == [HEAD]


def test_without_its_message_there_is_no_reminder(hearing):
    broken(hearing, *STILL)
    hearing.slack.messages["1.0"].deleted = True

    hearing.slack.failures = [MessageGone("message_not_found", is_told=False)]
    passes(hearing, DAY + 60)
    assert hearing.heard() == []
