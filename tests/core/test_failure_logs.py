"""The command `logs`: which build it is about, who may ask, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.core.model.builds import FailedJob, FailureLog, Status
from bot.core.model.command_values import BranchCommand, BuildCommand, Verb, Word
from bot.core.model.errors import BranchRequired, NotAllowed, NotSupported, Unreachable
from bot.core.model.outcomes import LogShown
from bot.core.model.policy import OPEN, Policy, Rule, Subjects
from tests.core.half_moved import HalfMoved, of_workflows, on_github, run
from tests.core.world import project, target

WEB, OLD = on_github(1, "acme/web"), project(2, "acme/old")
LOG = FailureLog(FailedJob("test", "Run the tests"), ("E assert 3 == 4",))
BROKEN = of_workflows("b1", WEB, run(11, "CI", Status.FAILED))
FINE = of_workflows("b2", WEB, run(12, "CI", Status.PASSED), branch="dev")


def logs(repo: str, branch: str | None = None) -> BranchCommand:
    return BranchCommand(Verb.LOGS, Word.of(repo), Word.of(branch) if branch else None)


@pytest.fixture
def team() -> Iterator[HalfMoved]:
    result = HalfMoved()
    result.has(BROKEN, FINE)
    result.knows(OLD)
    result.github.logs["b1"] = LOG
    yield result
    result.close()


def test_the_log_of_a_branch_is_shown(team: HalfMoved) -> None:
    assert team.ask(logs("acme/web", "main")) == LogShown(BROKEN, LOG)


def test_a_branch_that_did_not_fail_has_no_log(team: HalfMoved) -> None:
    assert team.ask(logs("acme/web", "dev")) == LogShown(FINE, None)


def test_without_a_branch_the_only_build_that_failed_is_meant(team: HalfMoved) -> None:
    assert team.ask(logs("acme/web")) == LogShown(BROKEN, LOG)


def test_without_a_branch_and_with_several_that_failed_it_asks_which(team: HalfMoved) -> None:
    team.github.all_builds = [BROKEN, of_workflows("b2", WEB, run(12, "CI", Status.FAILED), branch="dev")]
    with pytest.raises(BranchRequired) as caught:
        team.ask(logs("acme/web"))
    assert caught.value.branches == ("main", "dev")


def test_a_service_without_logs_is_asked_nothing(team: HalfMoved) -> None:
    with pytest.raises(NotSupported) as caught:
        team.ask(logs("acme/old", "main"))
    assert str(caught.value) == "CodeShip’s API can’t show logs."
    assert "builds" not in team.codeship.calls


def test_a_button_means_its_build(team: HalfMoved) -> None:
    assert team.ask(BuildCommand(Verb.LOGS, replace(target(BROKEN), service="github"))) == LogShown(BROKEN, LOG)


def test_a_policy_says_who_may_read_logs(team: HalfMoved) -> None:
    nobody = Rule(Subjects(), ("logs",), reason="Logs are for the build team.")
    team.rights.set_policy(Policy((nobody, *OPEN.rules)))
    with pytest.raises(NotAllowed, match="build team"):
        team.ask(logs("acme/web", "main"))
    assert "log" not in team.github.calls


def test_a_log_that_cannot_be_read_is_an_error_about_its_build(team: HalfMoved) -> None:
    team.github.failures["log"] = [Unreachable("GitHub")]
    with pytest.raises(Unreachable) as caught:
        team.ask(logs("acme/web", "main"))
    assert caught.value.about == BROKEN
