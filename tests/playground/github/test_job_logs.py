"""The sandbox GitHub's job logs: behind a redirect to another host, with the failure before the clean-up."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
import requests

from playground.github import faults
from playground.github.model import SandboxRun
from playground.github.state import GitHubWorld
from tests.playground.github.client import WEB, Client, SettableClock

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z .*")


@pytest.fixture
def failed(world: GitHubWorld, clock: SettableClock) -> SandboxRun:
    run = world.start(world.push("acme/web")[0])
    clock.passes(90)
    return world.fail(run, "test", "Run the tests")


def location(client: Client, run: SandboxRun, job: int = -1) -> str:
    answer = client.get(f"{WEB}/actions/jobs/{run.jobs[job].id}/logs")
    assert answer.status_code == 302
    return answer.headers["Location"]


def log(client: Client, run: SandboxRun, job: int = -1) -> list[str]:
    """Its lines, fetched without the token."""
    with requests.get(location(client, run, job), timeout=5) as answer:
        assert answer.status_code == 200
        assert answer.content.startswith("\ufeff".encode())
        return answer.content.decode("utf-8-sig").splitlines()


def test_a_log_is_on_another_host_which_refuses_the_token(client: Client, failed: SandboxRun) -> None:
    url = location(client, failed)
    assert urlsplit(url).hostname != urlsplit(client.url).hostname
    with client.session.get(url, timeout=5) as with_token:
        assert with_token.status_code == 400
    assert "test_total" in "\n".join(log(client, failed))


def test_the_address_of_a_log_expires_and_cannot_be_made_up(
    client: Client, failed: SandboxRun, clock: SettableClock
) -> None:
    url = location(client, failed)
    for wrong in (url.replace("sig=", "sig=0"), url.partition("?")[0]):
        assert requests.get(wrong, timeout=5).status_code == 403
    clock.passes(61)
    assert requests.get(url, timeout=5).status_code == 403


def test_the_failure_is_in_the_time_of_its_step_and_clean_up_comes_after(client: Client, failed: SandboxRun) -> None:
    lines = log(client, failed)
    assert all(LINE.fullmatch(line) for line in lines)
    assert lines == sorted(lines, key=lambda line: line[:28])
    [error] = [line for line in lines if "##[error]" in line]
    step = next(step for step in failed.jobs[-1].steps if step.conclusion == "failure")
    assert step.started_at
    assert step.completed_at
    assert f"{step.started_at:%H:%M:%S}" <= error[11:19] < f"{step.completed_at:%H:%M:%S}"
    assert lines.index(error) < len(lines) - 3
    assert "##[error]" not in lines[-1]
    assert any("\x1b[31m" in line for line in lines)
    assert any("##[group]Run" in line for line in lines)


def test_a_test_can_say_what_a_step_prints(client: Client, world: GitHubWorld, failed: SandboxRun) -> None:
    world.write_output(failed, "test", "Run the tests", "<!channel> & `x`\n=== 3 failed ===")
    lines = [line[29:] for line in log(client, failed)]
    at = lines.index("##[error]Process completed with exit code 1.")
    assert lines[at - 2 : at] == ["<!channel> & `x`", "=== 3 failed ==="]


def test_debug_logs_are_recorded_and_shown(client: Client, world: GitHubWorld, failed: SandboxRun) -> None:
    url = f"{client.url}{WEB}/actions/runs/{failed.id}/rerun"
    assert client.session.post(url, json={"enable_debug_logging": True}, timeout=5).status_code == 201
    assert world.run(failed).debug_logging
    world.fail(failed)
    assert any("##[debug]" in line for line in log(client, world.run(failed)))
    assert client.session.post(url, json={"enable_debug_logging": "yes"}, timeout=5).status_code == 422
    assert client.session.post(url, data=b"null", timeout=5).status_code == 201
    assert not world.run(failed).debug_logging


def test_a_job_that_runs_or_is_of_another_repository_has_no_log(client: Client, world: GitHubWorld) -> None:
    world.add_repo("acme/other")
    run, other = world.start(world.push("acme/web")[0]), world.fail(world.push("acme/other")[0])
    for job in (run.jobs[0], other.jobs[0]):
        assert client.get(f"{WEB}/actions/jobs/{job.id}/logs").status_code == 404


def test_a_log_may_be_gone_huge_or_cut(client: Client, world: GitHubWorld, failed: SandboxRun) -> None:
    url = location(client, failed)
    world.mood = faults.gone(on="job log")
    gone = client.get(f"{WEB}/actions/jobs/{failed.jobs[-1].id}/logs")
    assert (gone.status_code, "have expired" in gone.json()["message"]) == (410, True)
    world.mood = faults.huge(1_000_000, on="log file")
    assert len(requests.get(url, timeout=5).content) > 1_000_000
    world.mood = faults.cut(on="log file")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.get(url, timeout=5)


@pytest.mark.parametrize(
    ("conclusion", "words"), [("cancelled", "was canceled"), ("timed_out", "maximum execution time")]
)
def test_a_log_says_why_a_job_was_ended(client: Client, world: GitHubWorld, conclusion: str, words: str) -> None:
    run = world.finish(world.start(world.push("acme/web")[0]), conclusion)
    assert words in "\n".join(log(client, run))
