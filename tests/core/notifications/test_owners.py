"""Who is on it: one person a broken period, in every channel that heard of it, whatever is pressed twice."""

from __future__ import annotations

import pytest

from bot.core.model.builds import Actor
from bot.core.model.command_values import BranchCommand, Verb, Word
from bot.core.model.errors import BranchRequired
from bot.core.model.follows import RetryLater
from bot.core.model.notification_commands.values import OnIt
from bot.core.model.notifications.subscriptions import Event
from bot.core.model.notifications.transitions import NotBroken, Owner, OwnerChanged
from tests.core.notifications.hearing import ADA, BOB, WEB, Hearing

REPO = Word.of("acme/web")


@pytest.fixture
def broken(hearing: Hearing) -> Hearing:
    hearing.subscribe(Event.BROKE, Event.FIXED, Event.STILL)
    hearing.goes("10 ok", "11 bad ; 10 ok")
    return hearing


def press(hearing: Hearing, who: Actor, *, shows: Actor | None = None, period: str | None = None) -> object:
    """A press on a message that names `shows`, a second after what came before."""
    hearing.jobs.pass_time(1)
    [(_, state)] = hearing.store.watching.project("codeship", WEB.id).branches
    period = period or (state.period.id if state.period else "gone")
    outcome = hearing.does(OnIt(REPO, "main", period, shows.id if shows else None), who)
    hearing.jobs.pass_time(0)
    return outcome


def test_a_press_names_the_person_in_the_message_of_each_channel(broken):
    broken.subscribe(channel="C0OTHER")
    broken.goes("12 bad ; 11 bad ; 10 ok")
    assert press(broken, ADA) == OwnerChanged(WEB, "main", Owner(ADA, broken.clock.now()), None)
    assert broken.heard() == ["web main on it 12, U0ADA is on it"]
    assert broken.heard("C0OTHER") == []  # it has no message: it was subscribed later


def test_the_same_person_takes_it_back_and_another_takes_it_over(broken):
    press(broken, ADA)
    press(broken, BOB, shows=ADA)
    assert broken.heard() == ["web main on it 11, U0BOB is on it"]
    press(broken, BOB, shows=BOB)
    assert broken.heard() == ["web main on it 11"]


def test_two_fast_clicks_or_a_repeated_request_count_once(broken):
    press(broken, ADA)
    first = Owner(ADA, broken.clock.now())
    assert press(broken, ADA) == OwnerChanged(WEB, "main", first, first)
    assert broken.heard() == ["web main on it 11, U0ADA is on it"]
    press(broken, ADA, shows=ADA)
    press(broken, ADA, shows=ADA)
    assert broken.heard() == ["web main on it 11"]


def test_a_person_who_was_replaced_takes_nothing_back_from_an_old_message(broken):
    press(broken, ADA)
    press(broken, BOB, shows=ADA)
    press(broken, ADA, shows=ADA)
    assert broken.heard() == ["web main on it 11, U0BOB is on it"]


def test_there_are_no_reminders_while_a_person_is_on_it(broken):
    press(broken, ADA)
    broken.goes("12 bad", "13 bad", "14 bad")
    assert broken.heard() == ["web main still 14, U0ADA is on it"]


def test_the_fix_ends_it(broken):
    press(broken, ADA)
    broken.goes("12 ok ; 11 bad", "13 bad ; 12 ok")
    assert broken.heard()[-1] == "web main broke 13"
    assert press(broken, ADA, period="11.1.0") == NotBroken(WEB, "main", is_old=True)


def test_a_press_that_meets_a_look_is_not_lost(broken):
    broken.builds("12 bad", "11 bad")
    watching, was_read = broken.store.watching, []
    project = watching.project

    def read(service: str, project_id: str) -> object:
        found = project(service, project_id)
        if not was_read:
            was_read.append(True)
            broken.poll()
        return found

    watching.project = read
    press(broken, ADA)
    assert broken.heard() == ["web main on it 12, U0ADA is on it"]


def test_a_message_that_was_not_sent_yet_names_the_person_afterwards(hearing):
    hearing.subscribe()
    hearing.goes("10 ok")
    hearing.slack.failures = [RetryLater("ratelimited", retry_after_s=30)]
    hearing.goes("11 bad ; 10 ok")
    press(hearing, ADA)
    assert hearing.heard() == []
    hearing.jobs.pass_time(31)
    assert hearing.heard() == ["web main on it 11, U0ADA is on it"]


def test_typed_words_take_it_too(broken):
    assert broken.does(BranchCommand(Verb.ON_IT, REPO), BOB) == OwnerChanged(
        WEB, "main", Owner(BOB, broken.clock.now()), None
    )
    assert broken.does(BranchCommand(Verb.ON_IT, REPO, Word.of("topic")), BOB) == NotBroken(WEB, "topic")


def test_of_several_broken_branches_one_must_be_named(hearing):
    hearing.subscribe(branch="*")
    hearing.goes("10 ok ; 9 ok topic", "12 bad ; 11 bad topic ; 10 ok ; 9 ok topic")
    with pytest.raises(BranchRequired):
        hearing.does(BranchCommand(Verb.ON_IT, REPO), BOB)
