"""The CodeShip client: what it sends, to which URL, and how it parses the responses."""

from __future__ import annotations

import json
import logging
import traceback
from typing import Any

import pytest
import responses
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ReadTimeout
from responses import matchers

from bot.ci.codeship.client import CodeShip
from bot.core.model.builds import Ability, ActionResult, Page
from bot.core.model.errors import CIError, InvalidResponse, NotConfirmed, NotPossible, Unreachable
from bot.core.ports import CIProvider
from tests.ci.acting import cancel, restart
from tests.ci.codeship.canned import API, LIST, PROJECT, RESTART, Clock, ask, surroundings
from tests.ci.http_client.faulty_hosts import BUILD, KEY, WEB


def test_it_is_a_ci_provider(codeship: CodeShip) -> None:
    provider: CIProvider = codeship
    assert (provider.service, provider.title) == ("codeship", "CodeShip")
    assert provider.parse_url("https://app.codeship.com/projects/33837/builds/1") == Page("33837", None, "1")


def test_the_list_is_requested_with_the_key(
    codeship: CodeShip, api: responses.RequestsMock, seen: list[tuple[str, str]]
) -> None:
    key_alone = matchers.query_param_matcher({"api_key": KEY})
    api.get(LIST, json={"projects": [{"id": 33837, "repository_name": "acme/web"}]}, match=[key_alone])
    assert [project.name for project in codeship.projects()] == ["acme/web"]
    assert seen == [("projects", "ok")]


def test_builds_are_requested_by_branch_and_come_newest_first(codeship: CodeShip, api: responses.RequestsMock) -> None:
    match = matchers.query_param_matcher({"api_key": KEY, "branch": "feature/a&b#c"})
    api.get(PROJECT, json={"id": 33837, "builds": [{"id": 9}, {"id": 11}, {"id": 10}]}, match=[match])
    assert [build.id for build in codeship.builds(WEB, "feature/a&b#c")] == ["11", "10", "9"]
    assert "branch=feature%2Fa%26b%23c" in (api.calls[0].request.url or "")


def test_without_a_branch_none_is_named(codeship: CodeShip, api: responses.RequestsMock) -> None:
    api.get(PROJECT, json={"id": 33837, "builds": []}, match=[matchers.query_param_matcher({"api_key": KEY})])
    assert codeship.builds(WEB) == []


@pytest.mark.parametrize(
    ("answer", "id_"),
    [
        ({"json": {"id": 3277309, "uuid": "u"}}, "3277309"),
        ({"json": {"id": 3277310, "uuid": "u"}}, "3277310"),
    ],
)
def test_a_restart_returns_the_id_of_the_build_that_runs(
    codeship: CodeShip,
    api: responses.RequestsMock,
    seen: list[tuple[str, str]],
    answer: dict[str, Any],
    id_: str,
) -> None:
    api.post(RESTART, **answer)
    assert restart(codeship, BUILD) == ActionResult(id_)
    assert seen == [("restart", "ok")]


@pytest.mark.parametrize("answer", [{"body": "<html>"}, {"status": 204}, {"body": b"x" * (5 * 1024 * 1024)}])
def test_a_success_that_breaks_the_contract_does_not_confirm_a_restart(
    codeship: CodeShip, api: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    api.post(RESTART, **answer)
    with pytest.raises(NotConfirmed):
        restart(codeship, BUILD)
    assert len(api.calls) == 1


def test_it_cannot_cancel_and_has_no_details_and_sends_nothing_for_either(
    codeship: CodeShip, api: responses.RequestsMock
) -> None:
    assert codeship.abilities == {Ability.RESTART}
    with pytest.raises(NotPossible):
        cancel(codeship, BUILD)
    assert codeship.with_details(BUILD) is BUILD
    assert len(api.calls) == 0


@pytest.mark.parametrize("body", ["<!DOCTYPE html><html>Sign in</html>", '{"projects": [{"id": ', "", "[]"])
def test_a_success_that_breaks_the_contract_is_not_retried(
    codeship: CodeShip, api: responses.RequestsMock, body: str
) -> None:
    api.get(LIST, body)
    with pytest.raises(InvalidResponse):
        codeship.projects()
    assert len(api.calls) == 1


def test_a_redirect_on_the_same_host_is_followed(codeship: CodeShip, api: responses.RequestsMock) -> None:
    api.get(LIST, status=301, headers={"Location": "/api/v1/all.json?api_key=k"})
    api.get(f"{API}/all.json", json={"projects": []}, match=[matchers.query_param_matcher({"api_key": "k"})])
    assert codeship.projects() == []


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.test/api/v1/projects.json",
        "//evil.test/",
        "http://codeship.com/api/v1/projects.json",
        "https://codeship.com:8443/api/v1/projects.json",
        "https://codeship.com:x/",
        "https://codeship.com@evil.test/",
    ],
)
def test_a_redirect_to_anywhere_else_is_not(codeship: CodeShip, api: responses.RequestsMock, location: str) -> None:
    api.get(LIST, status=301, headers={"Location": location})
    with pytest.raises(InvalidResponse, match="check CODESHIP_API_URL"):
        codeship.projects()
    assert len(api.calls) == 1


def test_redirects_in_a_circle_end(codeship: CodeShip, api: responses.RequestsMock) -> None:
    api.get(LIST, status=302, headers={"Location": LIST})
    with pytest.raises(InvalidResponse, match=r"redirect to host codeship\.com"):
        codeship.projects()
    assert len(api.calls) == 4


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_restart_follows_no_redirect(codeship: CodeShip, api: responses.RequestsMock, status: int) -> None:
    api.post(RESTART, status=status, headers={"Location": RESTART})
    with pytest.raises(InvalidResponse) as raised:
        restart(codeship, BUILD)
    assert not raised.value.may_have_taken
    assert len(api.calls) == 1


def test_a_list_may_be_larger_than_a_project(clock: Clock, api: responses.RequestsMock) -> None:
    codeship = CodeShip(API, KEY, surroundings(clock), max_bytes=1000)
    entries = [{"id": number, "repository_name": f"acme/{number}", "builds": [{"id": 1}]} for number in range(100)]
    api.get(LIST, json.dumps({"projects": entries}))
    api.get(PROJECT, '{"id": 33837, "builds": []}' + " " * 1500)
    assert len(codeship.projects()) == 100
    with pytest.raises(InvalidResponse, match="more than 1,000 bytes"):
        codeship.builds(WEB)
    assert len(api.calls) == 2


@pytest.mark.parametrize("address", ["https://", "https://a..b/api", "https://\ud800/", "localhost:80/api", ""])
def test_an_invalid_address_cannot_be_reached(address: str, clock: Clock) -> None:
    codeship = CodeShip(address, KEY, surroundings(clock))
    with pytest.raises(Unreachable):
        restart(codeship, BUILD)


@pytest.mark.parametrize("call", ["projects", "builds", "restart"])
@pytest.mark.parametrize(
    "answer",
    [
        {"status": 401, "body": f"No key {KEY}"},
        {"status": 302, "headers": {"Location": f"https://evil.test/?api_key={KEY}"}},
        {"body": NoConnection(f"https://codeship.com/?api_key={KEY}")},
        {"body": ReadTimeout(f"https://codeship.com/?api_key={KEY}")},
    ],
)
def test_no_error_has_the_key_or_the_librarys_own_error(
    codeship: CodeShip,
    api: responses.RequestsMock,
    caplog: pytest.LogCaptureFixture,
    call: str,
    answer: dict[str, Any],
) -> None:
    caplog.set_level(logging.DEBUG)
    for method, url in (("GET", LIST), ("GET", PROJECT), ("POST", RESTART)):
        api.add(method, url, **answer)
    api.assert_all_requests_are_fired = False
    with pytest.raises(CIError) as raised:
        ask(codeship, call)
    assert (raised.value.__context__, raised.value.__cause__) == (None, None)
    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + repr(codeship) + caplog.text
    assert "s3cret" not in told
