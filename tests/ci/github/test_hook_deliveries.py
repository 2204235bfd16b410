"""Failed deliveries of the webhook are asked for again: each once, few at a time, and only recent ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import responses

from bot.ci.github.client import GitHub
from bot.ci.github.hook_deliveries import ASKED_EVERY_S, MAX_AT_ONCE
from bot.config.parsers import Secret
from bot.core.model.errors import Forbidden, InvalidResponse
from tests.ci.codeship.canned import Clock, surroundings
from tests.ci.github.canned import API, NOON, TOKEN

HOOK = "repos/acme/web/hooks/7"
DELIVERIES = f"{API}/{HOOK}/deliveries"


def delivery(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "guid": f"guid-{number}",
        "delivered_at": "2026-03-01T11:50:00Z",
        "redelivery": False,
        "event": "workflow_run",
        "status_code": 502,
        **changes,
    }


@pytest.fixture
def hooked(clock: Clock) -> Iterator[GitHub]:
    made = GitHub(API, Secret(TOKEN), surroundings(clock, now=lambda: NOON), hook=HOOK)
    yield made
    made.close()


def asked_again(api: responses.RequestsMock) -> list[str]:
    return [str(call.request.url).split("/")[-2] for call in api.calls if call.request.method == "POST"]


def test_what_failed_is_asked_for_once(hooked: GitHub, api: responses.RequestsMock, clock: Clock) -> None:
    api.get(DELIVERIES, json=[delivery(2), delivery(1)])
    for number in (1, 2):
        api.post(f"{DELIVERIES}/{number}/attempts", status=202, json={})
    assert [hooked.redeliver_failed(), hooked.redeliver_failed()] == [2, 0]
    assert len(api.calls) == 3, "the list is read every five minutes"
    clock.now += ASKED_EVERY_S
    assert hooked.redeliver_failed() == 0
    assert asked_again(api) == ["2", "1"]


@pytest.mark.parametrize(
    "listed",
    [
        [delivery(1, delivered_at="2026-03-01T10:59:00Z")],
        [delivery(1, event="push")],
        [delivery(1, event=["workflow_run"])],
        [delivery(1, guid=None)],
        [delivery(2, guid="g", redelivery=True), delivery(1, guid="g")],
        [None, {}],
        [],
    ],
    ids=[
        "long ago",
        "another event",
        "an odd event",
        "unreadable",
        "its second try failed",
        "nothing",
        "none",
    ],
)
def test_nothing_else_is_asked_for(hooked: GitHub, api: responses.RequestsMock, listed: list[Any]) -> None:
    api.get(DELIVERIES, json=listed)
    assert hooked.redeliver_failed() == 0


def test_few_are_asked_for_at_once(hooked: GitHub, api: responses.RequestsMock, clock: Clock) -> None:
    api.get(DELIVERIES, json=[delivery(number) for number in range(1, MAX_AT_ONCE + 3)])
    for number in range(1, MAX_AT_ONCE + 3):
        api.post(f"{DELIVERIES}/{number}/attempts", status=202, json={})
    assert hooked.redeliver_failed() == MAX_AT_ONCE
    clock.now += ASKED_EVERY_S
    assert hooked.redeliver_failed() == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [({"status": 403, "json": {"message": "Resource not accessible"}}, Forbidden), ({"body": "{}"}, InvalidResponse)],
)
def test_a_list_that_cannot_be_read_raises(
    hooked: GitHub, api: responses.RequestsMock, answer: dict[str, Any], error: type[Exception]
) -> None:
    api.get(DELIVERIES, **answer)
    with pytest.raises(error):
        hooked.redeliver_failed()


def test_without_a_webhook_of_its_own_nothing_is_asked(github: GitHub) -> None:
    assert github.redeliver_failed() == 0
