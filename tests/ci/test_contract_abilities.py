"""Every CI service does what its abilities say; which details it has, and which pages are its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.model.builds import Ability, ActionResult, Page, Project, Status
from bot.core.model.errors import NotPossible
from bot.core.ports import CIProvider
from playground.http_host import faults as moods
from tests.ci.acting import cancel, restart
from tests.ci.contract import Play, failed

# --- abilities


def test_a_running_build_is_cancelled_if_the_service_can(play: Play, provider: CIProvider, web: Project) -> None:
    play.stage.start(play.stage.push("acme/web"))
    [build] = provider.builds(web)
    before = len(play.asked())
    if Ability.CANCEL not in provider.abilities:
        with pytest.raises(NotPossible):
            cancel(provider, build)
        assert len(play.asked()) == before
        return
    taken = cancel(provider, build)
    assert (taken.build_id, len(play.asked("POST"))) == (build.id, 1)
    assert set(taken.done) == {workflow.name for workflow in build.workflows}
    assert provider.builds(web)[0].status is Status.STOPPED


def test_an_ended_build_is_not_cancelled_if_the_service_can(play: Play, provider: CIProvider, web: Project) -> None:
    pushed = play.stage.push("acme/web")
    [running] = provider.builds(web)
    play.stage.end(pushed, well=False)
    [over] = provider.builds(web)
    for build in (running, over):  # as it was a moment ago, and as it is now
        with pytest.raises(NotPossible):
            cancel(provider, build)
    assert provider.builds(web) == [over]


def test_only_the_failed_jobs_run_again_if_the_service_can(play: Play, provider: CIProvider, web: Project) -> None:
    build, _ = failed(play, provider, web)
    if Ability.RESTART_FAILED_JOBS in provider.abilities:
        assert isinstance(restart(provider, build, failed_jobs_only=True), ActionResult)
        assert len(play.asked("POST")) == 1
        assert provider.builds(web)[0].is_under_way


def test_the_failed_jobs_run_again_with_debug_logs_if_the_service_can(
    play: Play, provider: CIProvider, web: Project
) -> None:
    build, _ = failed(play, provider, web)
    if Ability.DEBUG_LOGS not in provider.abilities:
        return
    restart(provider, build, failed_jobs_only=True, debug_logs=True)
    [again] = play.stage.world.runs("acme/web")
    assert (again.attempt, again.debug_logging) == (2, True)


def test_the_log_of_a_failed_build_is_read_if_the_service_can(play: Play, provider: CIProvider, web: Project) -> None:
    build, _ = failed(play, provider, web)
    log = provider.failure_log(build)
    assert (log is not None) is (Ability.LOGS in provider.abilities)
    if log is not None:
        assert log.job.name
        assert log.lines[-1] == "Process completed with exit code 1."


def test_a_build_that_passed_has_no_log_of_a_failure(play: Play, provider: CIProvider, web: Project) -> None:
    pushed = play.stage.push("acme/web")
    play.stage.end(pushed, well=True)
    assert provider.failure_log(provider.builds(web)[0]) is None


# --- details


def test_details_change_no_other_field_and_cost_few_calls_once(play: Play, provider: CIProvider, web: Project) -> None:
    first, pushed = failed(play, provider, web)
    restart(provider, first)
    play.stage.end(pushed, well=False)
    [build] = provider.builds(web)
    before = len(play.asked())
    detailed = provider.with_details(build)
    asked = len(play.asked()) - before
    assert asked <= 5
    bare = replace(detailed, earlier=(), workflows=tuple(replace(run, failed_jobs=()) for run in detailed.workflows))
    assert bare == build
    assert detailed.earlier in ((), (Status.FAILED,))
    for run in detailed.workflows:
        assert run.failed_jobs
        assert all(job.name for job in run.failed_jobs)
    assert provider.with_details(build) == detailed
    assert len(play.asked()) == before + asked


def test_unavailable_details_are_left_out(play: Play, provider: CIProvider, web: Project) -> None:
    build, _ = failed(play, provider, web)
    play.stage.world.mood = moods.down()
    assert provider.with_details(build) == build
    play.stage.stop_host()
    assert provider.with_details(build) == build


# --- pages


def test_the_pages_that_a_build_links_are_recognised(play: Play, provider: CIProvider, web: Project) -> None:
    build, _ = failed(play, provider, web)
    for url in filter(None, [build.url, *(run.url for run in build.workflows)]):
        page = provider.parse_url(url)
        assert isinstance(page, Page)
        assert page.project_id == web.id or page.name == web.name
        assert build.is_named(page.build_id)


@pytest.mark.parametrize("url", ["https://example.test/acme/web", "acme/web", "", "https://", "\x00", "https://[::1/x"])
def test_other_pages_are_not_recognised(provider: CIProvider, url: str) -> None:
    assert provider.parse_url(url) is None
