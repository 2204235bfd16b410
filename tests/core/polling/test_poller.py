"""Followed builds: each change is shown once, the end is seen, one poll serves all followers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from bot.core.model.builds import Location, Status
from bot.core.model.command_values import BranchCommand, Verb, Word
from bot.core.model.errors import Forbidden
from bot.core.model.outcomes import Followed
from bot.core.model.rate_limit import Priority
from bot.core.model.verdicts import Meaning
from tests.core.actions.ada_restarts import MAIN, OLD, WEB
from tests.core.polling.world import Followers
from tests.core.world import ADA, BOB, build

MAIN_FOLLOWED = BranchCommand(Verb.FOLLOW, Word.of("acme/web"), Word.of("main"))


@pytest.fixture
def web() -> Iterator[Followers]:
    made = Followers()
    yield made
    made.close()


# Changes.


def test_each_change_is_shown_once_until_the_end(web: Followers) -> None:
    web.restarts()
    web.ci.becomes("7", Status.QUEUED, "waiting")
    web.passes_time(60)
    web.ci.becomes("7", Status.RUNNING, "testing")
    web.passes_time(300)
    web.ends()
    web.passes_time(300)
    assert web.states == ["queued", "running", "ended passed"]
    assert len(web.notifier.replies) == 1
    assert web.open == []


def test_nothing_is_shown_if_nothing_changed(web: Followers) -> None:
    web.restarts()
    web.passes_time(600)
    assert web.states == ["running"]
    assert web.ci.calls.count("builds") > 60


def test_a_message_changes_at_most_once_in_three_seconds(web: Followers) -> None:
    """Even if another process or a second chain polls it, too."""
    began = web.restarts().began_at
    for second in range(120):
        web.ci.becomes("7", (Status.QUEUED, Status.RUNNING)[second % 2], "testing")
        web.following.poll("codeship", WEB.id)
        web.another_process().poll("codeship", WEB.id)
        web.clock.advance(1)
    web.ends()
    web.following.poll("codeship", WEB.id)
    changes = [began, *web.notifier.shown_at]
    assert len(changes) > 30
    assert min(later - earlier for earlier, later in pairwise(changes)) >= timedelta(seconds=3)


@pytest.mark.parametrize("runs_s", [1, 7, 60, 119, 121, 600, 7200])
def test_the_end_is_seen_within_fifteen_seconds_even_of_a_long_build(web: Followers, runs_s: int) -> None:
    web.restarts()
    web.clock.advance(max(0, runs_s - 60))
    web.passes_time(min(runs_s, 60))
    web.ends()
    ended = web.clock.now()
    web.passes_time(30)
    assert web.states[-1] == "ended passed"
    assert web.notifier.shown_at[-1] - ended <= timedelta(seconds=13), "a job begins up to two seconds late"


def test_polling_ends_with_the_last_follow(web: Followers) -> None:
    web.restarts()
    web.ends()
    web.passes_time(60)
    calls = len(web.ci.calls)
    web.passes_time(3600)
    assert len(web.ci.calls) == calls
    assert web.jobs.waiting == 0


def test_polls_use_only_the_background_share_of_the_rate_limit(web: Followers) -> None:
    web.restarts()
    assert web.ci.asked_for == [Priority.PEOPLE]
    web.passes_time(20)
    assert set(web.ci.asked_for[1:]) == {Priority.BACKGROUND}


def test_the_delay_of_a_poll_is_reported(web: Followers) -> None:
    web.restarts()
    web.passes_time(10)
    assert web.lag == [0, 0]
    web.clock.advance(40)
    web.passes_time(0)
    assert web.lag[2:] == [35]


# One poll serves all followers.


def test_one_poll_serves_all_follows_of_a_project(web: Followers) -> None:
    others = [build(number, WEB, f"feature/{number}", Status.RUNNING) for number in range(8, 13)]
    web.ci.all_builds = [*others, *web.ci.all_builds]
    web.restarts()
    for other in others:
        web.follows(other, location=Location(f"C{other.id}"))
    web.ci.calls.clear()
    web.passes_time(60)
    assert len(web.notifier.shown) == 6
    assert web.ci.calls.count("builds") <= 12
    for other in others:
        web.ends(build_id=other.id)
    web.passes_time(15)
    assert web.states[6:] == ["ended passed"] * 5
    assert len(web.open) == 1


def test_a_build_missing_from_the_list_is_fetched_by_its_branch(web: Followers) -> None:
    web.restarts()
    web.ci.all_builds = [*(build(100 + n, WEB, "busy") for n in range(12)), *web.ci.all_builds]
    web.passes_time(20)
    web.ends()
    web.passes_time(20)
    assert web.states == ["running", "ended passed"]


def test_two_messages_about_one_build_both_show_its_end(web: Followers) -> None:
    web.restarts()
    outcome = web.world.ask(MAIN_FOLLOWED, BOB)
    assert isinstance(outcome, Followed)
    assert outcome.run_number == 2
    web.follows(outcome.build, who=BOB, run_number=2)
    web.ends()
    web.passes_time(20)
    assert [reply.follow.asker for reply in web.notifier.replies] == [ADA, BOB]
    assert {reply.verdict.meaning for reply in web.notifier.replies if reply.verdict} == {Meaning.FLAKY}


# Runs.


def test_an_outdated_list_does_not_end_the_follow(web: Followers) -> None:
    web.ci.restart_shows = False
    web.restarts()
    web.passes_time(60)
    assert web.states == ["failed"], "as restarted; what is shown is the run before"
    assert web.notifier.replies == []
    web.ci.catch_up()
    web.passes_time(15)
    web.ends()
    web.passes_time(15)
    assert web.states == ["failed", "running", "ended passed"]
    assert web.verdict_of(ADA) is Meaning.FLAKY


def test_a_restart_that_never_appears_ends_without_a_verdict(web: Followers) -> None:
    web.ci.restart_shows = False
    web.restarts()
    web.passes_time(300)
    assert web.states == ["failed", "ended unseen failed"]
    assert web.verdict is None
    assert web.store.history.of_commit(WEB, OLD.commit or "", "main") == [Status.FAILED], "that run did not end twice"


def test_a_restart_with_its_own_id_is_followed_under_that_id(web: Followers) -> None:
    web.ci.new_id = "8"
    web.restarts()
    web.passes_time(60)
    web.ends(build_id="8")
    web.passes_time(20)
    assert web.states == ["running", "ended passed"]
    assert [shown.build.id for shown in web.notifier.shown] == ["8", "8"]
    assert web.verdict_of(ADA) is Meaning.FLAKY


def test_a_build_that_is_restarted_again_first_gets_its_own_verdict(web: Followers) -> None:
    """The end was not seen before the next restart, whose claim names the run that it replaced."""
    web.restarts()
    web.passes_time(10)
    web.ends(Status.FAILED, "error")
    web.ci.restart_shows = False
    web.restarts(BOB)
    web.following.poll("codeship", WEB.id)
    assert web.states == ["running", "ended failed"]
    assert web.verdict_of(ADA) is Meaning.REAL
    web.ci.catch_up()
    web.passes_time(10)
    web.ends()
    web.passes_time(10)
    assert web.verdict_of(BOB) is Meaning.FLAKY


def test_a_run_whose_end_was_not_seen_is_shown_as_overtaken(web: Followers) -> None:
    web.restarts()
    web.passes_time(10)
    web.ends(Status.FAILED, "error")
    web.restarts(BOB)
    web.passes_time(5)
    assert web.states == ["running", "ended overtaken running", "running"]
    (reply,) = web.notifier.replies
    assert (reply.follow.asker, reply.overtaken_by and reply.overtaken_by.actor) == (ADA, BOB)
    assert [follow.asker for follow in web.open] == [BOB]


def test_missed_runs_are_shown_as_overtaken(web: Followers) -> None:
    """The bot was down while the build ended, was restarted elsewhere, and ended again."""
    web.restarts()
    for _ in range(2):
        web.clock.advance(60)
        web.ends(Status.FAILED, "error")
        web.world.ask(MAIN, BOB)
    web.ends(Status.FAILED, "error")
    web.passes_time(10)
    assert web.states == ["ended overtaken failed"]
    assert web.open == []


def test_a_later_run_is_not_mistaken_for_the_followed_one(web: Followers) -> None:
    web.restarts()
    web.clock.advance(60)
    web.ends(Status.FAILED, "error")
    web.world.ask(MAIN, BOB)
    web.clock.advance(60)
    web.ends()
    web.ci.restart_shows = False
    web.world.ask(MAIN, BOB)
    web.passes_time(10)
    assert web.states == ["ended overtaken passed"]


def test_missed_runs_are_shown_as_overtaken_even_if_the_last_restart_was_refused(
    web: Followers,
) -> None:
    web.restarts()
    web.clock.advance(60)
    web.ends(Status.FAILED, "error")
    web.world.ask(MAIN, BOB)
    web.clock.advance(60)
    web.ends()
    web.ci.failures["restart"] = [Forbidden("CodeShip")]
    with pytest.raises(Forbidden):
        web.world.ask(MAIN, BOB)
    web.passes_time(10)
    assert web.states == ["ended overtaken passed"]
    assert web.notifier.shown[-1].overtaken_by is None


def test_a_refused_second_restart_changes_nothing(web: Followers) -> None:
    web.restarts()
    web.passes_time(10)
    web.ends(Status.FAILED, "error")
    web.ci.failures["restart"] = [Forbidden("CodeShip")]
    with pytest.raises(Forbidden):
        web.world.ask(MAIN, BOB)
    web.passes_time(10)
    assert web.states == ["running", "ended failed"]
    assert web.verdict_of(ADA) is Meaning.REAL


def test_a_build_restarted_on_the_services_own_page_stays_followed(web: Followers) -> None:
    web.restarts()
    web.passes_time(10)
    web.ci.becomes("7", Status.RUNNING, "testing")
    web.ci.all_builds = [replace(b, started_at=web.clock.now()) for b in web.ci.all_builds]
    web.passes_time(60)
    web.ends()
    web.passes_time(20)
    assert web.states == ["running", "running", "ended passed"], "its new start is news"
