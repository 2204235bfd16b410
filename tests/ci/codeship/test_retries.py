"""What the CodeShip client retries, how often and after how long; never a restart."""

from __future__ import annotations

from typing import Any

import pytest
import responses
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ReadTimeout

from bot.ci.codeship.client import CodeShip
from bot.core.model.errors import CIError, NoResponse, OverLimit, Unreachable
from tests.ci.acting import restart
from tests.ci.codeship.canned import FOR_GOOD, IN_PASSING, LIST, PROJECT, RESTART, Clock, ask
from tests.ci.http_client.faulty_hosts import BUILD, WEB


@pytest.mark.parametrize(("status", "body", "kind"), FOR_GOOD)
@pytest.mark.parametrize(("method", "url", "call"), [("GET", LIST, "projects"), ("GET", PROJECT, "builds")])
def test_a_permanent_error_is_not_retried(
    codeship: CodeShip,
    api: responses.RequestsMock,
    clock: Clock,
    seen: list[tuple[str, str]],
    method: str,
    url: str,
    call: str,
    status: int,
    body: str,
    kind: type[CIError],
) -> None:
    api.add(method, url, body, status=status)
    with pytest.raises(kind):
        ask(codeship, call)
    assert (len(api.calls), clock.waits, seen) == (1, [], [(call, kind.__name__)])


@pytest.mark.parametrize(("status", "body", "kind"), IN_PASSING)
def test_a_temporary_error_is_retried_twice_with_growing_pauses(
    codeship: CodeShip,
    api: responses.RequestsMock,
    clock: Clock,
    seen: list[tuple[str, str]],
    status: int,
    body: str,
    kind: type[CIError],
) -> None:
    api.get(PROJECT, body, status=status)
    with pytest.raises(kind):
        codeship.builds(WEB)
    assert clock.waits == [0.25, 0.5]
    assert seen == [("builds", kind.__name__)] * 3


@pytest.mark.parametrize("failure", [{"status": 503}, {"body": NoConnection("gone")}, {"body": ReadTimeout("late")}])
def test_a_single_failure_is_hidden_by_a_retry(
    codeship: CodeShip,
    api: responses.RequestsMock,
    seen: list[tuple[str, str]],
    failure: dict[str, Any],
) -> None:
    api.get(PROJECT, **failure)
    api.get(PROJECT, json={"id": 33837, "builds": [{"id": 1}]})
    assert [build.id for build in codeship.builds(WEB)] == ["1"]
    assert [result for _, result in seen][1:] == ["ok"]


@pytest.mark.parametrize(("status", "body", "kind"), [*FOR_GOOD, *IN_PASSING])
def test_a_restart_is_never_sent_twice(
    codeship: CodeShip,
    api: responses.RequestsMock,
    clock: Clock,
    seen: list[tuple[str, str]],
    status: int,
    body: str,
    kind: type[CIError],
) -> None:
    api.post(RESTART, body, status=status)
    with pytest.raises(kind) as raised:
        restart(codeship, BUILD)
    assert raised.value.may_have_taken is (kind is NoResponse)
    assert (len(api.calls), clock.waits, seen) == (1, [], [("restart", kind.__name__)])


@pytest.mark.parametrize(("error", "kind"), [(NoConnection("x"), Unreachable), (ReadTimeout("x"), NoResponse)])
def test_a_failed_restart_is_not_sent_again(
    codeship: CodeShip, api: responses.RequestsMock, error: Exception, kind: type[CIError]
) -> None:
    api.post(RESTART, body=error)
    with pytest.raises(kind):
        restart(codeship, BUILD)
    assert len(api.calls) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_for_if_the_time_allows(
    codeship: CodeShip, api: responses.RequestsMock, clock: Clock, status: int
) -> None:
    api.get(LIST, status=status, headers={"Retry-After": "7"})
    api.get(LIST, json={"projects": []})
    assert codeship.projects() == []
    assert clock.waits == [7.0]


def test_retry_after_as_a_date_counts_from_the_date_of_the_answer(
    codeship: CodeShip, api: responses.RequestsMock, clock: Clock
) -> None:
    dates = {"Retry-After": "Wed, 21 Oct 2015 07:28:05 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    api.get(LIST, status=429, headers=dates)
    api.get(LIST, json={"projects": []})
    assert codeship.projects() == []
    assert clock.waits == [5.0]


def test_retry_after_as_a_date_is_parsed_if_the_response_has_no_date(
    codeship: CodeShip, api: responses.RequestsMock
) -> None:
    api.get(LIST, status=429, headers={"Retry-After": "Fri, 31 Dec 2199 23:59:59 GMT"})
    with pytest.raises(OverLimit) as raised:
        codeship.projects()
    assert raised.value.retry_after_s == 3600.0


@pytest.mark.parametrize(("status", "body"), [(429, ""), (403, "Rate Limit Exceeded")])
def test_a_retry_after_beyond_the_deadline_is_raised_at_once(
    codeship: CodeShip, api: responses.RequestsMock, clock: Clock, status: int, body: str
) -> None:
    api.get(LIST, body, status=status, headers={"Retry-After": "30"})
    with pytest.raises(OverLimit) as raised:
        codeship.projects()
    assert raised.value.retry_after_s == 30.0
    assert (len(api.calls), clock.waits) == (1, [])


def test_over_the_limit_without_retry_after_names_no_time(codeship: CodeShip, api: responses.RequestsMock) -> None:
    api.get(LIST, status=429)
    with pytest.raises(OverLimit) as raised:
        codeship.projects()
    assert raised.value.retry_after_s is None


def test_retries_end_at_the_deadline(codeship: CodeShip, api: responses.RequestsMock, clock: Clock) -> None:
    def slow(_: object) -> tuple[int, dict[str, str], str]:
        clock.now += 7
        return 503, {}, ""

    api.add_callback("GET", LIST, slow)
    with pytest.raises(NoResponse):
        codeship.projects()
    assert len(api.calls) == 2
