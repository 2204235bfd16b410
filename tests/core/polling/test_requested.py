"""What can be followed, for how long, and how to continue after that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.core.model.builds import Status
from bot.core.model.claims import ClaimState
from bot.core.model.command_values import BranchCommand, BuildCommand, Verb, Word
from bot.core.model.outcomes import Followed, NothingToFollow
from bot.core.model.verdicts import Meaning
from tests.core.actions.ada_restarts import MAIN, OLD, WEB, could_not_tell
from tests.core.polling.world import Followers
from tests.core.world import ADA, build, target

MAIN_FOLLOWED = BranchCommand(Verb.FOLLOW, Word.of("acme/web"), Word.of("main"))


@pytest.fixture
def web() -> Iterator[Followers]:
    made = Followers()
    yield made
    made.close()


def test_an_ended_build_cannot_be_followed(web: Followers) -> None:
    assert isinstance(web.world.ask(MAIN_FOLLOWED), NothingToFollow)


def test_a_restart_with_an_unknown_result_is_not_followed(web: Followers) -> None:
    could_not_tell(web.world)
    outcome = web.world.ask(MAIN_FOLLOWED)
    assert isinstance(outcome, NothingToFollow)
    assert outcome.restart_state.claim is not None
    assert outcome.restart_state.claim.state is ClaimState.UNKNOWN


def test_the_old_build_of_a_restart_with_its_own_id_is_not_followed(web: Followers) -> None:
    web.ci.new_id = "8"
    web.world.ask(MAIN)
    assert isinstance(web.world.ask(BuildCommand(Verb.FOLLOW, target(OLD))), NothingToFollow)


def test_a_first_run_ends_without_a_verdict(web: Followers) -> None:
    fresh = build(9, WEB, "fresh", Status.RUNNING, commit="a" * 40)
    web.ci.all_builds = [fresh, *web.ci.all_builds]
    web.follows(fresh)
    web.ends(Status.FAILED, "error", build_id="9")
    web.passes_time(20)
    assert web.states == ["ended failed"]
    assert web.verdict is None


def test_a_follow_gives_up_after_a_set_time_and_says_so_once(web: Followers) -> None:
    web.restarts()
    web.passes_time(30)
    web.clock.advance(3 * 3600)
    web.passes_time(600)
    assert web.states == ["running", "given up running"]
    assert web.open == []
    assert web.jobs.waiting == 0


def test_keep_following_continues_for_the_same_time_again(web: Followers) -> None:
    first = web.restarts()
    web.passes_time(30)
    web.clock.advance(3 * 3600)
    web.passes_time(60)
    again = web.world.ask(BuildCommand(Verb.FOLLOW, target(web.ci.all_builds[0], 2)))
    assert isinstance(again, Followed)
    assert again.run_number == first.run_number
    web.follows(again.build, run_number=again.run_number)
    web.clock.advance(2 * 3600)
    web.passes_time(60)
    web.ends()
    web.passes_time(20)
    assert web.states[2:] == ["running", "ended passed"]
    assert web.verdict_of(ADA) is Meaning.FLAKY
