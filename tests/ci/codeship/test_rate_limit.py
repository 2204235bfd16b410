"""Every request is charged before it is sent, including retries and redirects. A refusal ends the retries."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses

from bot.ci.codeship.client import CodeShip
from bot.core.model.errors import NoResponse, OverLimit, RateLimitExhausted, RateLimitPaused
from tests.ci.acting import restart
from tests.ci.codeship.canned import API, LIST, PROJECT, RESTART, Clock, Gate, ask, surroundings
from tests.ci.http_client.faulty_hosts import BUILD, KEY, WEB


@pytest.fixture
def metered(clock: Clock, gate: Gate, seen: list[tuple[str, str]]) -> Iterator[CodeShip]:
    provider = CodeShip(
        API,
        KEY,
        surroundings(
            clock,
            observe=lambda call, result, seconds: seen.append((call, result)),
            before_request=gate.before_request,
            after_request=gate.after_request,
        ),
    )
    yield provider
    provider.close()


def test_each_attempt_is_charged_and_reported(metered: CodeShip, gate: Gate, api: responses.RequestsMock) -> None:
    api.get(LIST, status=503)
    api.get(LIST, status=429)
    api.get(LIST, json={"projects": []})
    assert metered.projects() == []
    assert (gate.asked, gate.told) == (["projects"] * 3, [NoResponse, OverLimit, None])


def test_a_restart_is_reported_under_its_name(metered: CodeShip, gate: Gate, api: responses.RequestsMock) -> None:
    api.post(RESTART, json={"id": 3277309, "uuid": "u"})
    restart(metered, BUILD)
    assert (gate.asked, gate.told) == (["restart"], [None])


def test_a_followed_redirect_counts_as_another_request(
    metered: CodeShip, gate: Gate, api: responses.RequestsMock
) -> None:
    api.get(LIST, status=301, headers={"Location": f"{API}/all.json"})
    api.get(f"{API}/all.json", json={"projects": []})
    assert metered.projects() == []
    assert (gate.asked, gate.told) == (["projects"] * 2, [None])


@pytest.mark.parametrize("call", ["projects", "builds", "restart"])
def test_a_refused_request_is_not_sent(
    metered: CodeShip, gate: Gate, api: responses.RequestsMock, seen: list[tuple[str, str]], call: str
) -> None:
    gate.lets = 0
    with pytest.raises(RateLimitExhausted) as raised:
        ask(metered, call)
    assert raised.value.may_have_taken is False
    assert (len(api.calls), seen, gate.told) == (0, [], [])


def test_a_redirect_refused_by_the_rate_limit_is_not_followed(
    metered: CodeShip, gate: Gate, api: responses.RequestsMock
) -> None:
    gate.lets = 1
    api.get(LIST, status=301, headers={"Location": f"{API}/all.json"})
    with pytest.raises(RateLimitExhausted):
        metered.projects()
    assert len(api.calls) == 1


def test_if_no_further_attempt_is_allowed_the_last_error_is_raised(
    metered: CodeShip, gate: Gate, api: responses.RequestsMock
) -> None:
    gate.lets = 1
    api.get(PROJECT, status=503)
    with pytest.raises(NoResponse, match="answered 503"):
        metered.builds(WEB)
    assert len(api.calls) == 1


def test_after_a_refusal_by_codeship_the_pause_reports_for_how_long(
    metered: CodeShip, gate: Gate, api: responses.RequestsMock
) -> None:
    gate.lets, gate.refusal = 1, RateLimitPaused("CodeShip", retry_after_s=30)
    api.get(PROJECT, status=429)
    with pytest.raises(RateLimitPaused) as raised:
        metered.builds(WEB)
    assert (len(api.calls), raised.value.retry_after_s) == (1, 30)
