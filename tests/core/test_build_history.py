"""Which branches are flaky, and which are slow: from sequences of ended builds, and through the commands."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.core.build_history import PERIOD, flaky_branches, slow_branches
from bot.core.model.builds import Project, Status
from bot.core.model.command_values import BranchCommand, ShowHistory, Verb, Word
from bot.core.model.ended_builds import EndedBuild, FlakyShown, SlowShown, ended
from tests.core.world import World, build, project
from tests.held_clock import NOON

WEB = project(3, "acme/web")
API = project(4, "acme/api")
PROJECTS: dict[tuple[str, str], Project] = {("codeship", "3"): WEB, ("codeship", "4"): API}
STATUSES = {"p": Status.PASSED, "f": Status.FAILED, "s": Status.STOPPED, "i": Status.INFRASTRUCTURE_FAILURE}


def ends(text: str, branch: str = "main", of: Project = WEB) -> list[EndedBuild]:
    """Ends a minute apart: `a:f a:p` is a commit `a` that failed and then passed."""
    found = []
    for minute, (commit, _, sign) in enumerate(word.partition(":") for word in text.split()):
        at = NOON + timedelta(minutes=minute)
        found.append(EndedBuild(of.service, of.id, branch, f"{branch}-{minute}", commit, STATUSES[sign], None, at))
    return found


@pytest.mark.parametrize(
    ("text", "flaky"),
    [
        ("a:p b:p", None),
        ("a:f b:p", None),  # another commit fixed it
        ("a:f a:f", None),
        ("a:p a:f", None),  # nothing says that it was a retry that passed
        ("a:s a:p", None),
        ("a:i a:p", None),
        ("a:f a:p", (1, 1, "a")),
        ("a:f a:s a:f a:p", (1, 1, "a")),
        ("a:f b:p a:p c:f c:p d:p", (2, 4, "c")),
    ],
)
def test_a_commit_that_failed_and_then_passed_is_flaky(text: str, flaky: tuple[int, int, str] | None) -> None:
    found = flaky_branches(ends(text), PROJECTS)
    assert [(one.flaky, one.commits, one.commit) for one in found] == ([] if flaky is None else [flaky])


def test_branches_with_the_largest_share_of_flaky_commits_come_first() -> None:
    builds = [*ends("a:f a:p b:p c:p"), *ends("a:f a:p b:p", "develop"), *ends("a:f a:p", of=API)]
    found = flaky_branches(builds, PROJECTS)
    assert [(one.project.name, one.branch) for one in found] == [
        ("acme/api", "main"),
        ("acme/web", "develop"),
        ("acme/web", "main"),
    ]


def lasting(branch: str, *seconds: float, at: datetime = NOON, status: Status = Status.PASSED) -> list[EndedBuild]:
    return [
        EndedBuild("codeship", "3", branch, f"{branch}{n}", "a", status, at - timedelta(seconds=s), at)
        for n, s in enumerate(seconds)
    ]


def test_branches_are_compared_by_the_median_of_their_passed_builds() -> None:
    before = NOON - PERIOD
    builds = [
        *lasting("main", 60, 70, 600),
        *lasting("main", 30, 30, 30, at=before - timedelta(days=1)),
        *lasting("main", 9999, 9999, 9999, status=Status.FAILED),
        *lasting("develop", 100, 200, 300, 400),
        *lasting("rare", 1000, 1000),
    ]
    found = slow_branches(builds, PROJECTS, before)
    assert [(one.branch, one.builds, one.median_s, one.before_s) for one in found] == [
        ("develop", 4, 250.0, None),
        ("main", 3, 70.0, 30.0),
    ]


def test_only_ended_builds_of_branches_are_recorded() -> None:
    passed = build(7, WEB, status=Status.PASSED)
    assert [one.build_id for one in ended([passed])] == ["7"]
    assert ended([build(8, WEB, status=Status.RUNNING)]) == []
    for changed in (replace(passed, branch=None), replace(passed, is_tag=True), replace(passed, finished_at=None)):
        assert ended([changed]) == []


def test_a_repository_is_judged_by_the_record_and_by_what_its_service_lists(world: World) -> None:
    failed = build(7, WEB, status=Status.FAILED)
    passed = replace(failed, id="8", status=Status.PASSED, finished_at=NOON)
    world.has(passed)
    world.store.build_history.add(ended([failed, passed]))
    shown = world.ask(BranchCommand(Verb.FLAKY, Word.of("acme/web")))
    assert isinstance(shown, FlakyShown)
    assert (shown.project, shown.builds, shown.total) == (WEB, 2, 1)
    slow = world.ask(BranchCommand(Verb.SLOW, Word.of("acme/web")))
    assert isinstance(slow, SlowShown)
    assert (slow.builds, slow.entries) == (2, ())


def test_without_a_repository_all_that_are_known_are_judged(world: World) -> None:
    failed = build(7, WEB, status=Status.FAILED)
    passed = replace(failed, id="8", status=Status.PASSED, finished_at=NOON)
    world.has(passed)
    gone = project(99, "acme/gone")
    world.store.build_history.add(ended([failed, passed, replace(passed, id="9", project=gone)]))
    shown = world.ask(ShowHistory(Verb.FLAKY))
    assert isinstance(shown, FlakyShown)
    assert (shown.project, shown.builds, [one.project for one in shown.entries]) == (None, 2, [WEB])
