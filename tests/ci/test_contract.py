"""What every CI service has in common, on a simulated host: its plugin, its builds, its restarts.

A new service gets a sandbox in `tests/ci/sandboxes.py`, and must pass.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.ci import SERVICES, by_name
from bot.core.model.builds import Ability, Build, Project, Status
from bot.core.model.errors import CIError, NoResponse, NotFound, Unreachable
from bot.core.ports import CIProvider
from playground.http_host import faults as moods
from tests.ci.acting import restart
from tests.ci.contract import Play, failed
from tests.ci.sandboxes import STAGES
from tests.held_clock import HeldClock

# --- the row


def test_every_service_has_a_sandbox() -> None:
    assert {service.name for service in SERVICES} == {stage(HeldClock()).name for stage in STAGES.values()}


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_row_names_its_settings_and_shares_none(service: Any) -> None:
    names = [row.name for row in service.rows]
    others = [row.name for other in SERVICES if other is not service for row in other.rows]
    assert {service.key_setting, service.calls_setting} <= set(names)
    assert len(set(names)) == len(names)
    assert not set(names) & set(others)
    assert by_name(service.name) is service


def test_an_unknown_service_name_is_refused() -> None:
    assert by_name("jenkins") is None


def test_a_provider_has_its_rows_name(play: Play, provider: CIProvider) -> None:
    row = by_name(play.stage.name)
    assert row is not None
    assert (provider.service, provider.title) == (row.name, row.title)
    assert provider.abilities <= set(Ability)


# --- projects


def test_projects_are_listed_by_name_in_one_call(play: Play, provider: CIProvider) -> None:
    found = provider.projects()
    assert {project.name for project in found} == {"acme/web", "acme/api"}
    assert len({project.id for project in found}) == 2
    assert {project.service for project in found} == {provider.service}
    assert all(project.url is not None for project in found)
    assert [request.method for request in play.asked()] == ["GET"]


def test_projects_are_the_same_each_time(provider: CIProvider) -> None:
    assert provider.projects() == provider.projects()


# --- builds


def test_builds_of_a_branch_come_newest_first_in_one_list(play: Play, provider: CIProvider, web: Project) -> None:
    for message, branch in (("one", "main"), ("two", "dev"), ("three", "main")):
        play.stage.push("acme/web", branch, message=message)
        play.clock.advance(60)
    before = len(play.asked())
    assert [build.message for build in provider.builds(web, "main")] == ["three", "one"]
    lists = [request for request in play.asked()[before:] if "/branches/" not in request.path]
    assert len(lists) == 1
    assert [(build.message, build.branch) for build in provider.builds(web)] == [
        ("three", "main"),
        ("two", "dev"),
        ("one", "main"),
    ]


def test_an_unknown_branch_has_no_builds(play: Play, provider: CIProvider, web: Project) -> None:
    assert provider.builds(web, "main") == []
    play.stage.push("acme/web")
    assert provider.builds(web, "nowhere") == []


@pytest.mark.parametrize("branch", ["feature/a&b#c", "release 1.0+2", "größe/日本", "100%", "a?b=c"])
def test_a_branch_may_have_any_name(play: Play, provider: CIProvider, web: Project, branch: str) -> None:
    play.stage.push("acme/web", branch)
    play.stage.push("acme/web", "other")
    assert [build.branch for build in provider.builds(web, branch)] == [branch]


def test_a_build_names_its_project_branch_and_commit(play: Play, provider: CIProvider, web: Project) -> None:
    build, _ = failed(play, provider, web, message="Fix login\n\nFor good.", by="ada")
    assert (build.project, build.branch, build.author) == (web, "main", "ada")
    assert build.message == "Fix login\n\nFor good."
    assert len(build.commit or "") == 40
    assert build.url is not None
    assert (build.commit_url or "").endswith(f"/commit/{build.commit}")
    assert len(build.id) <= 100


def test_a_build_goes_from_waiting_over_running_to_its_end(play: Play, provider: CIProvider, web: Project) -> None:
    def now() -> Build:
        return provider.builds(web, "main")[0]

    pushed = play.stage.push("acme/web")
    waiting = now()
    assert (waiting.status, waiting.is_under_way, waiting.has_ended) == (Status.QUEUED, True, False)
    play.clock.advance(5)
    play.stage.start(pushed)
    running = now()
    assert (running.status, running.is_under_way, running.finished_at) == (Status.RUNNING, True, None)
    began = play.clock.now()
    play.clock.advance(60)
    play.stage.end(pushed, well=True)
    passed = now()
    assert (passed.status, passed.is_under_way, passed.has_ended) == (Status.PASSED, False, True)
    assert passed.finished_at == play.clock.now()
    assert passed.started_at is not None
    assert passed.started_at <= began
    assert {waiting.id, running.id, passed.id} == {passed.id}
    assert len({waiting.run, running.run, passed.run}) == 3


def test_an_unknown_status_word_is_kept_and_shown(play: Play, provider: CIProvider, web: Project) -> None:
    play.stage.say(play.stage.push("acme/web"), "levitating")
    [build] = provider.builds(web)
    assert (build.status, build.status_word) == (Status.UNKNOWN, "levitating")


# --- restarts


def test_a_restart_runs_the_same_commit_again(play: Play, provider: CIProvider, web: Project) -> None:
    build, _ = failed(play, provider, web)
    play.clock.advance(60)
    taken = restart(provider, build)
    assert len(play.asked("POST")) == 1
    assert taken.left == taken.refused == ()
    again = next(each for each in provider.builds(web, "main") if each.id == taken.build_id)
    assert again.is_under_way
    assert again.commit == build.commit
    assert again.run != build.run
    assert set(taken.done) == {workflow.name for workflow in build.workflows}


def test_a_build_that_passed_can_be_restarted(play: Play, provider: CIProvider, web: Project) -> None:
    play.stage.end(play.stage.push("acme/web"), well=True)
    restart(provider, provider.builds(web)[0])
    assert provider.builds(web)[0].is_under_way


def test_a_restart_without_a_response_may_have_been_accepted_and_is_sent_once(
    play: Play, provider: CIProvider, web: Project
) -> None:
    build, _ = failed(play, provider, web)
    play.stage.world.mood = moods.refuse(takes=True)
    with pytest.raises(NoResponse) as raised:
        restart(provider, build)
    assert raised.value.may_have_taken
    assert len(play.asked("POST")) == 1
    play.stage.world.mood = moods.FINE
    assert provider.builds(web)[0].is_under_way


@pytest.mark.parametrize("mood", [moods.down(502), moods.down(503)], ids=lambda mood: mood.canned.status)
def test_a_restart_that_the_service_was_too_busy_for_is_sent_once(
    play: Play, provider: CIProvider, web: Project, mood: moods.Fault
) -> None:
    build, _ = failed(play, provider, web)
    play.stage.world.mood = mood
    with pytest.raises(NoResponse):
        restart(provider, build)
    assert len(play.asked("POST")) == 1


def test_a_restart_that_could_not_be_sent_was_not_accepted(play: Play, provider: CIProvider, web: Project) -> None:
    build, _ = failed(play, provider, web)
    play.stage.stop_host()
    with pytest.raises(Unreachable) as raised:
        restart(provider, build)
    assert not raised.value.may_have_taken


def test_a_restart_follows_no_redirect(play: Play, provider: CIProvider, web: Project) -> None:
    build, _ = failed(play, provider, web)
    play.stage.world.mood = moods.redirect("", keeps_path=True)
    with pytest.raises(CIError) as raised:
        restart(provider, build)
    assert not raised.value.may_have_taken
    assert len(play.asked("POST")) == 1


def test_a_missing_build_cannot_be_restarted(play: Play, provider: CIProvider, web: Project) -> None:
    build, _ = failed(play, provider, web)
    gone = replace(build, id="404", workflows=tuple(replace(run, run_id="404") for run in build.workflows))
    with pytest.raises(NotFound):
        restart(provider, gone)
