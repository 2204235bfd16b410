"""What every CI service does on a bad day: refusals, limits, broken responses, no host."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from bot.core.model.builds import Project, Status
from bot.core.model.errors import (
    InvalidResponse,
    NoResponse,
    NotFound,
    NotPossible,
    OverLimit,
    RateLimitExhausted,
    Unauthorized,
    Unreachable,
)
from bot.core.ports import CIProvider
from playground.http_host import faults as moods
from tests.ci.acting import cancel, restart
from tests.ci.contract import Play, failed
from tests.ci.sandboxes import WRONG_KEY

NOWHERE = "acme/nowhere"


# --- what goes wrong


def ask(provider: CIProvider, web: Project, call: str) -> object:
    match call:
        case "projects":
            return provider.projects()
        case "builds":
            return provider.builds(web, "main")
    [*runs] = provider.builds(web, "main")
    return restart(provider, runs[0])


READINGS = ["projects", "builds"]


def test_an_invalid_key_is_refused(play: Play, web: Project, provider: CIProvider) -> None:
    build, _ = failed(play, provider, web)
    stranger = play.client(key=WRONG_KEY)
    for call in (stranger.projects, lambda: stranger.builds(web), lambda: restart(stranger, build)):
        with pytest.raises(Unauthorized):
            call()


def test_a_missing_repository_is_reported(provider: CIProvider) -> None:
    with pytest.raises(NotFound):
        provider.builds(Project("404", NOWHERE, provider.service))


@pytest.mark.parametrize("call", READINGS)
def test_the_error_for_a_rate_limit_says_for_how_long(
    play: Play, provider: CIProvider, web: Project, call: str
) -> None:
    before = len(play.asked())
    play.stage.world.mood = play.stage.over_the_limit
    with pytest.raises(OverLimit) as raised:
        ask(provider, web, call)
    assert (raised.value.retry_after_s, len(play.asked()) - before) == (30.0, 1)


@pytest.mark.parametrize("call", READINGS)
def test_a_fetch_is_tried_three_times(play: Play, provider: CIProvider, web: Project, call: str) -> None:
    before = len(play.asked())
    play.stage.world.mood = moods.down(503)
    with pytest.raises(NoResponse):
        ask(provider, web, call)
    assert len(play.asked()) - before == 3
    play.stage.world.mood = moods.down(502, times=2)
    ask(provider, web, call)


@pytest.mark.parametrize("call", READINGS)
@pytest.mark.parametrize(
    "mood",
    [moods.garbage('{"x": ['), moods.garbage("[7]"), moods.garbage('{"message": "?"}'), moods.html(), moods.empty()],
    ids=["broken", "a list", "an object", "a page", "nothing"],
)
def test_an_invalid_response_is_reported_after_one_attempt(
    play: Play, provider: CIProvider, web: Project, call: str, mood: moods.Fault
) -> None:
    before = len(play.asked())
    play.stage.world.mood = mood
    with pytest.raises(InvalidResponse):
        ask(provider, web, call)
    assert len(play.asked()) - before == 1


@pytest.mark.parametrize("call", READINGS)
def test_an_unreachable_host_is_reported(play: Play, provider: CIProvider, web: Project, call: str) -> None:
    play.stage.stop_host()
    with pytest.raises(Unreachable):
        ask(provider, web, call)


def test_a_request_refused_by_the_rate_limit_is_not_sent(play: Play, provider: CIProvider, web: Project) -> None:
    build, _ = failed(play, provider, web)
    running = replace(build, workflows=tuple(replace(run, status=Status.RUNNING) for run in build.workflows))
    before = len(play.asked())
    play.gate.lets = 0
    for call in (provider.projects, lambda: provider.builds(web), lambda: restart(provider, build)):
        with pytest.raises(RateLimitExhausted):
            call()
    with suppress(NotPossible, RateLimitExhausted):
        cancel(provider, running)
    assert provider.with_details(build) == build
    assert len(play.asked()) == before


def test_each_request_is_charged_and_reported(play: Play, provider: CIProvider, web: Project) -> None:
    build, _ = failed(play, provider, web)
    restart(provider, build)
    own = [(call, result) for call, result in play.seen if call not in ("token", "branches")]
    assert own == [("projects", "ok"), ("builds", "ok"), ("restart", "ok")]
    assert len(play.gate.asked) == len(play.gate.told) == len(play.seen) == len(play.stage.world.requests)
