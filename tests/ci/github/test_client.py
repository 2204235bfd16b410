"""The GitHub client: what it sends, what it remembers, what it makes of several answers."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import Any

import pytest
import responses
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ReadTimeout
from responses import matchers

from bot.ci.github.client import GitHub
from bot.config.parsers import Secret
from bot.core.model.builds import Ability, Page, Status
from bot.core.model.errors import CIError, InvalidResponse, NotFound, NotPossible, OverLimit
from bot.core.ports import CIProvider
from tests.ci.acting import cancel, restart
from tests.ci.codeship.canned import Clock, Gate, surroundings
from tests.ci.github.canned import API, COMMIT, OLDER, RUNS, TOKEN, WEB, run, runs_json, seen_build, workflow

USER_REPOS = f"{API}/user/repos"
CI = workflow(1, "CI")
Seen = list[tuple[str, str]]


def test_it_is_a_ci_provider(github: GitHub) -> None:
    provider: CIProvider = github
    assert (provider.service, provider.title) == ("github", "GitHub")
    assert provider.abilities == set(Ability)
    assert provider.parse_url("https://github.com/acme/web/actions/runs/7") == Page(None, "acme/web", "7")


def test_pages_of_an_enterprise_server_are_recognised(clock: Clock) -> None:
    github = GitHub("https://git.acme.test/api/v3", Secret(TOKEN), surroundings(clock))
    assert github.parse_url("https://git.acme.test/acme/web/actions") == Page(name="acme/web")
    github.close()


# --- what is sent


def test_every_request_is_signed_and_names_the_version_and_the_bot(github: GitHub, api: responses.RequestsMock) -> None:
    wanted = matchers.header_matcher(
        {
            "Authorization": f"Bearer {TOKEN}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "codeship-bot",
        }
    )
    api.get(USER_REPOS, json=[], match=[wanted])
    api.get(RUNS, runs_json(), match=[wanted])
    api.post(f"{RUNS}/19440221001/rerun", status=201, match=[wanted])
    api.post(f"{RUNS}/19440221001/cancel", status=202, match=[wanted])
    github.projects()
    github.builds(WEB)
    restart(github, seen_build(CI))
    cancel(github, seen_build(replace(CI, status=Status.RUNNING)))
    assert [call.request.body for call in api.calls] == [None] * 4


def test_a_branch_is_percent_encoded(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(RUNS, runs_json())
    github.builds(WEB, "feature/a&b#c +é")
    assert "&branch=feature%2Fa%26b%23c+%2B%C3%A9" in str(api.calls[0].request.url)


def test_a_redirect_to_if_a_renamed_repository_is_takes_the_token_along(
    github: GitHub, api: responses.RequestsMock, gate: Gate
) -> None:
    onward = f"{API}/repositories/731204001/actions/runs"
    renamed = {"id": 731204001, "full_name": "acme/shop", "html_url": "https://github.com/acme/shop"}
    api.get(RUNS, status=301, headers={"Location": f"{onward}?branch=main"})
    match = [matchers.header_matcher({"Authorization": f"Bearer {TOKEN}"})]
    api.get(onward, runs_json(run(repository=renamed, head_repository=renamed)), match=match)
    [seen] = github.builds(WEB)
    assert (seen.project.name, gate.asked) == ("acme/shop", ["builds", "builds"])
    api.post(f"{API}/repos/acme/shop/actions/runs/19440221001/rerun", status=201)
    restart(github, seen)


@pytest.mark.parametrize("location", ["https://evil.test/", "http://api.github.com/", "https://api.github.com:444/"])
def test_the_token_goes_to_no_other_origin(github: GitHub, api: responses.RequestsMock, location: str) -> None:
    api.get(RUNS, status=301, headers={"Location": location})
    with pytest.raises(InvalidResponse, match="check GITHUB_API_URL"):
        github.builds(WEB)
    assert len(api.calls) == 1


# --- repositories, page by page


def repositories(first: int, count: int) -> list[dict[str, object]]:
    return [{"id": number, "full_name": f"acme/r{number}"} for number in range(first, first + count)]


def test_all_pages_are_read_and_a_repository_is_reported_once(
    github: GitHub, api: responses.RequestsMock, gate: Gate
) -> None:
    api.get(USER_REPOS, json=repositories(1, 2), headers={"Link": f'<{USER_REPOS}?page=2>; rel="next"'})
    api.get(f"{USER_REPOS}?page=2", json=repositories(2, 2))
    assert [project.id for project in github.projects()] == ["1", "2", "3"]
    assert gate.asked == ["projects", "projects"]


def test_pages_in_a_circle_end(github: GitHub, api: responses.RequestsMock, gate: Gate) -> None:
    gate.lets = 1000
    api.get(USER_REPOS, json=repositories(1, 1), headers={"Link": f'<{USER_REPOS}?page=2>; rel="next"'})
    assert len(github.projects()) == 1
    assert len(api.calls) == 100


def test_a_page_that_fails_fails_the_whole_list(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(USER_REPOS, json=repositories(1, 2), headers={"Link": f'<{USER_REPOS}?page=2>; rel="next"'})
    api.get(f"{USER_REPOS}?page=2", status=404)
    with pytest.raises(NotFound):
        github.projects()


# --- the end of a page


def test_of_a_full_page_the_build_that_may_go_on_after_it_is_left_out(
    github: GitHub, api: responses.RequestsMock
) -> None:
    older = {"head_sha": OLDER, "created_at": "2026-03-01T10:00:00Z"}
    listed = [run(number, workflow_id=number) for number in range(60)]
    listed += [run(number, workflow_id=number, **older) for number in range(40)]
    api.get(RUNS, runs_json(*listed))
    assert [build.commit for build in github.builds(WEB)] == [COMMIT]
    api.replace("GET", RUNS, runs_json(*listed[1:]))
    assert [build.commit for build in github.builds(WEB)] == [COMMIT, OLDER]


# --- tries, limits, secrets


@pytest.mark.parametrize("status", [500, 503])
def test_what_may_pass_is_requested_again(
    github: GitHub, api: responses.RequestsMock, clock: Clock, seen: Seen, status: int
) -> None:
    api.get(RUNS, status=status)
    api.get(RUNS, runs_json(run()))
    assert len(github.builds(WEB)) == 1
    assert (clock.waits, seen) == ([0.25], [("builds", "NoResponse"), ("builds", "ok")])


def test_a_short_limit_is_waited_for_and_a_long_one_is_reported(
    github: GitHub, api: responses.RequestsMock, clock: Clock
) -> None:
    api.get(RUNS, status=403, headers={"Retry-After": "2"}, json={"message": "secondary rate limit"})
    api.get(RUNS, runs_json())
    github.builds(WEB)
    assert clock.waits == [2.0]
    spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1772366490", "Date": "Sun, 01 Mar 2026 12:00:00 GMT"}
    api.replace("GET", RUNS, status=403, headers=spent, json={"message": "API rate limit exceeded"})
    with pytest.raises(OverLimit) as raised:
        github.builds(WEB)
    assert (raised.value.retry_after_s, clock.waits) == (90.0, [2.0])


@pytest.mark.parametrize("status", [401, 404])
def test_what_will_not_pass_is_asked_once(github: GitHub, api: responses.RequestsMock, status: int) -> None:
    api.get(RUNS, status=status)
    with pytest.raises(CIError):
        github.builds(WEB)
    assert len(api.calls) == 1


@contextmanager
def keeping(errors: list[CIError]) -> Iterator[None]:
    try:
        yield
    except CIError as error:
        errors.append(error)
        raise


@pytest.mark.parametrize("call", ["projects", "builds", "restart", "cancel"])
@pytest.mark.parametrize(
    "answer",
    [
        {"status": 401, "body": json.dumps({"message": f"No token {TOKEN}"})},
        {"status": 403, "body": f"No {TOKEN}"},
        {"status": 200, "body": json.dumps({"message": f"odd {TOKEN}"})},
        {"status": 302, "headers": {"Location": f"https://evil.test/?t={TOKEN}"}},
        {"status": 302, "headers": {"Location": f"https://{TOKEN}.evil.test/"}},
        {"body": NoConnection(f"Authorization: Bearer {TOKEN}")},
        {"body": ReadTimeout(f"Authorization: Bearer {TOKEN}")},
    ],
)
def test_the_token_stands_in_no_error_no_log_and_no_repr(
    github: GitHub, api: responses.RequestsMock, caplog: pytest.LogCaptureFixture, call: str, answer: dict[str, Any]
) -> None:
    caplog.set_level(logging.DEBUG)
    api.assert_all_requests_are_fired = False
    for method, url in (
        ("GET", USER_REPOS),
        ("GET", RUNS),
        ("POST", f"{RUNS}/19440221001/rerun"),
        ("POST", f"{RUNS}/19440221001/cancel"),
    ):
        api.add(method, url, **answer)
    told = repr(github)
    errors: list[CIError] = []
    with suppress(CIError), keeping(errors):
        match call:
            case "projects":
                github.projects()
            case "builds":
                github.builds(WEB)
            case "restart":
                restart(github, seen_build(CI))
            case _:
                cancel(github, seen_build(replace(CI, status=Status.RUNNING)))
    for error in errors:
        assert (error.__context__, error.__cause__) == (None, None)
        told += "".join(traceback.format_exception(error)) + repr(error)
    assert "s3cret" not in told + caplog.text
    assert errors or (call, answer.get("status")) in {("restart", 200), ("cancel", 200)}


# --- what the token may


REPO = f"{API}/repos/acme/web"
READABLE = {"json": {"workflow_runs": []}}
LACKS = {"status": 403, "json": {"message": "Resource not accessible by personal access token"}}


@pytest.mark.parametrize(
    ("repo", "branches", "pulls", "has"),
    [
        ({"json": {"permissions": {"push": True}}}, {"json": []}, {"json": []}, [True, None, True, True]),
        ({"json": {"permissions": {"push": False}}}, {"json": []}, LACKS, [True, False, True, False]),
        ({"json": {}, "headers": {"X-OAuth-Scopes": "repo, gist"}}, LACKS, {"json": []}, [True, True, False, True]),
        ({"json": {}, "headers": {"X-OAuth-Scopes": "gist"}}, {"status": 404}, LACKS, [True, False, None, False]),
        ({"status": 500}, {"status": 404}, {"status": 404}, [True, None, None, None]),
    ],
)
def test_it_is_told_what_the_token_may_and_what_cannot_be_told(
    github: GitHub,
    api: responses.RequestsMock,
    repo: dict[str, Any],
    branches: dict[str, Any],
    pulls: dict[str, Any],
    has: list[bool | None],
) -> None:
    api.get(REPO, **repo)
    api.get(RUNS, **READABLE)
    api.get(f"{REPO}/branches", **branches)
    api.get(f"{REPO}/pulls", **pulls)
    permissions = github.permissions(WEB)
    assert [each.has for each in permissions] == has
    assert [each.name for each in permissions if each.is_required] == ["Actions: read", "Actions: write"]


@pytest.mark.parametrize(("status", "has"), [(404, False), (403, False), (500, None)])
def test_actions_that_are_not_there_are_not_readable(
    github: GitHub, api: responses.RequestsMock, status: int, has: bool | None
) -> None:
    api.get(RUNS, status=status, json={"message": "Not Found"})
    for path in ("", "/branches", "/pulls"):
        api.get(f"{REPO}{path}", json={} if path == "" else [])
    read = github.permissions(WEB)[0]
    assert (read.name, read.has, read.is_required) == ("Actions: read", has, True)


def test_in_read_only_mode_nothing_that_changes_something_is_offered_or_needed(
    clock: Clock, api: responses.RequestsMock
) -> None:
    github = GitHub(API, Secret(TOKEN), surroundings(clock), read_only=True)
    assert github.abilities == {Ability.LOGS}
    api.get(RUNS, **READABLE)
    for path in ("branches", "pulls"):
        api.get(f"{REPO}/{path}", json=[])
    assert [each.name for each in github.permissions(WEB) if each.is_required] == ["Actions: read"]
    github.close()


@pytest.mark.parametrize(
    ("scopes", "may_write"),
    [("repo, gist", True), ("public_repo", True), ("gist, read:org", False), ("", True), (None, True)],
)
def test_a_classic_token_whose_scopes_allow_no_rerun_offers_none(
    github: GitHub, api: responses.RequestsMock, scopes: str | None, may_write: bool
) -> None:
    api.get(USER_REPOS, json=[], headers={} if scopes is None else {"X-OAuth-Scopes": scopes})
    github.projects()
    assert (Ability.RESTART in github.abilities) is may_write
    assert (Ability.CANCEL in github.abilities) is may_write


def test_organizations_without_sign_on_are_remembered_from_the_list(
    github: GitHub, api: responses.RequestsMock
) -> None:
    api.get(USER_REPOS, json=[], headers={"X-GitHub-SSO": "partial-results; organizations=21955855"})
    github.projects()
    assert github.hidden_organizations == ("21955855",)


def test_a_repository_whose_runs_test_no_branch_is_not_called_never_built(
    github: GitHub, api: responses.RequestsMock
) -> None:
    api.get(RUNS, runs_json(run(1, event="release"), run(2, event="issue_comment")))
    with pytest.raises(NotPossible, match="none of the last 2 runs of acme/web tests a branch") as raised:
        github.builds(WEB)
    assert raised.value.detail.endswith("issue_comment, release")


# --- pasted pages


PULL = Page(name="acme/web", pull_request=12)
OURS, EVES = {"id": 731204001, "full_name": "acme/web"}, {"id": 900, "full_name": "eve/web"}


@pytest.mark.parametrize(
    ("repo", "branch"), [(OURS, "fix"), (EVES, "eve:fix"), (None, "unknown:fix")], ids=["ours", "a fork's", "gone"]
)
def test_a_pull_request_is_on_its_head_branch(
    github: GitHub, api: responses.RequestsMock, repo: dict[str, Any] | None, branch: str
) -> None:
    api.get(f"{REPO}/pulls/12", json={"head": {"ref": "fix", "repo": repo}})
    assert github.locate(WEB, PULL) == replace(PULL, branch=branch)


@pytest.mark.parametrize("refused", [LACKS, {"status": 404}])
def test_without_the_right_to_read_it_the_runs_that_name_a_pull_request_tell_its_branch(
    github: GitHub, api: responses.RequestsMock, refused: dict[str, Any]
) -> None:
    api.get(f"{REPO}/pulls/12", **refused)
    of_12 = run(1, event="pull_request", head_branch="fix", pull_requests=[{"number": 12}])
    api.get(RUNS, runs_json(of_12, run(2, event="pull_request", pull_requests=[{"number": 13}])))
    assert github.locate(WEB, PULL) == replace(PULL, branch="fix")


@pytest.mark.parametrize(("refused", "is_missing"), [({"status": 404}, True), (LACKS, False)])
def test_a_pull_request_that_no_run_names_does_not_exist_if_it_may_be_read(
    github: GitHub, api: responses.RequestsMock, refused: dict[str, Any], is_missing: bool
) -> None:
    api.get(f"{REPO}/pulls/12", **refused)
    api.get(RUNS, runs_json(run(1, event="pull_request", pull_requests=[{"number": 13}])))
    with pytest.raises(NotFound) if is_missing else nullcontext():
        assert github.locate(WEB, PULL) is None


def test_a_run_and_a_commit_are_on_the_branch_that_github_names(github: GitHub, api: responses.RequestsMock) -> None:
    of_run, of_commit = Page(name="acme/web", build_id="19440221001"), Page(name="acme/web", commit=COMMIT)
    api.get(f"{RUNS}/19440221001", json=run(1, head_branch="dev"))
    api.get(RUNS, runs_json(run(1, head_branch="dev")))
    assert github.locate(WEB, of_run) == replace(of_run, branch="dev")
    assert github.locate(WEB, of_commit) == replace(of_commit, branch="dev")


def test_a_commit_of_several_branches_and_the_beginning_of_one_are_on_none(
    github: GitHub, api: responses.RequestsMock
) -> None:
    api.get(RUNS, runs_json(run(1, head_branch="dev"), run(2)))
    assert github.locate(WEB, Page(name="acme/web", commit=COMMIT)) is None
    assert github.locate(WEB, Page(name="acme/web", commit=COMMIT[:7])) is None


def test_a_run_of_another_repository_is_on_no_branch(github: GitHub, api: responses.RequestsMock) -> None:
    api.get(f"{RUNS}/19440221001", json=run(1, repository=EVES))
    assert github.locate(WEB, Page(name="acme/web", build_id="19440221001")) is None


@pytest.mark.parametrize(
    ("status", "body", "exists"),
    [
        (200, {"commit": {"sha": COMMIT}}, True),
        (404, {"message": "Branch not found"}, False),
        (404, {"message": "Not Found"}, None),
        (403, {}, None),
    ],
)
def test_whether_a_branch_exists(
    github: GitHub, api: responses.RequestsMock, status: int, body: dict[str, object], exists: bool | None
) -> None:
    api.get(f"{REPO}/branches/topic", status=status, json=body)
    assert github.has_branch(WEB, "topic") is exists


def test_branches_of_forks_and_merge_queues_are_not_asked_for(github: GitHub) -> None:
    assert github.has_branch(WEB, "mallory:topic") is None
    assert github.has_branch(WEB, "gh-readonly-queue/main/pr-12-4f2c1e9") is None
