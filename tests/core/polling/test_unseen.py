"""Followed builds that cannot be fetched: the message says so after a while, recovers, and is given up in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bot.core.model.builds import Status
from bot.core.model.errors import (
    CIError,
    NoResponse,
    NotFound,
    OverLimit,
    RateLimitExhausted,
    RateLimitPaused,
    Unauthorized,
    Unreachable,
)
from bot.core.model.follows import FollowState
from tests.core.actions.ada_restarts import WEB
from tests.core.polling.world import Followers
from tests.core.world import build


@pytest.fixture
def web() -> Iterator[Followers]:
    made = Followers()
    yield made
    made.close()


def looks(web: Followers) -> int:
    return web.ci.calls.count("builds")


FAILURES: list[Callable[[], CIError]] = [
    lambda: Unreachable("CodeShip"),
    lambda: NoResponse("CodeShip", "503"),
    lambda: Unauthorized("CodeShip"),
    lambda: OverLimit("CodeShip", retry_after_s=20),
    lambda: RateLimitExhausted("CodeShip", retry_after_s=20),
    lambda: RateLimitPaused("CodeShip", retry_after_s=300),
]


@pytest.mark.parametrize("failure", FAILURES)
def test_a_ci_service_that_cannot_be_fetched_for_long_is_shown_once_with_its_age_and_recovers(
    web: Followers, failure: Callable[[], CIError]
) -> None:
    web.restarts()
    web.passes_time(60)
    web.is_down(failure)
    web.passes_time(100)
    assert web.states == ["running"], "not at every hiccup"
    web.passes_time(600)
    assert web.states == ["running", "late running"]
    late = web.notifier.shown[-1]
    assert late.late_s is not None
    long_s = 300 if isinstance(failure(), RateLimitExhausted) else 120
    assert long_s < late.late_s < long_s + 100
    assert type(late.late_because) is type(failure())
    web.is_up()
    web.passes_time(90)
    assert web.states == ["running", "late running", "running"]
    web.ends()
    web.passes_time(15)
    assert web.states[3:] == ["ended passed"]


@pytest.mark.parametrize("failure", FAILURES)
def test_a_ci_service_that_is_down_is_polled_less_often(web: Followers, failure: Callable[[], CIError]) -> None:
    web.restarts()
    web.is_down(failure)
    before = looks(web)
    web.passes_time(600)
    assert 6 <= looks(web) - before <= 41


def test_retry_after_is_respected_up_to_the_time_at_which_a_chain_counts_as_stalled(
    web: Followers,
) -> None:
    web.restarts()
    web.is_down(lambda: OverLimit("CodeShip", retry_after_s=30), calls=1)
    web.passes_time(5)
    before = looks(web)
    web.passes_time(29)
    assert looks(web) == before
    web.is_down(lambda: RateLimitPaused("CodeShip", retry_after_s=3600), calls=1)
    web.passes_time(1)
    web.passes_time(91)
    assert looks(web) == before + 2


def test_the_time_without_a_successful_poll_is_reported_as_lag(web: Followers) -> None:
    web.restarts()
    web.passes_time(5)
    web.is_down(lambda: Unreachable("CodeShip"))
    web.passes_time(100)
    assert 80 < max(web.lag) < 110
    web.is_up()
    web.passes_time(30)
    assert web.lag[-1] == 0


def test_a_message_after_a_start_without_cached_builds_names_the_build(web: Followers) -> None:
    follow = web.follows(build(99, WEB, "main", Status.RUNNING))
    web.is_down(lambda: Unreachable("CodeShip"))
    web.passes_time(300)
    (shown,) = web.notifier.shown
    assert shown.late_s is not None
    assert (shown.build.id, shown.build.project.name, shown.build.branch) == ("99", "acme/web", "main")
    assert (shown.build.status, shown.build.status_word) == (Status.UNKNOWN, "")
    assert shown.follow.key == follow.key


def test_a_follow_gives_up_in_time_even_if_every_poll_fails(web: Followers) -> None:
    web.restarts()
    web.passes_time(30)
    web.is_down(lambda: Unauthorized("CodeShip"))
    web.passes_time(300)
    web.clock.advance(3 * 3600)
    web.passes_time(60)
    assert web.states == ["running", "late running", "given up late running"]
    assert isinstance(web.notifier.shown[-1].late_because, Unauthorized)
    assert web.open == []


@pytest.mark.parametrize("where", ["fell out of the list", "the service knows it no more", "not in the directory"])
def test_a_missing_build_is_given_up_after_minutes(web: Followers, where: str) -> None:
    web.restarts()
    web.passes_time(30)
    match where:
        case "fell out of the list":
            web.ci.all_builds = [build(100 + n, WEB) for n in range(10)]
        case "the service knows it no more":
            web.is_down(lambda: NotFound("CodeShip"))
        case _:
            web.ci.account.clear()
            web.world.directory.refresh()
    web.passes_time(90)
    assert len(web.open) == 1, "a list may lag"
    web.passes_time(90)
    assert web.open == []
    assert isinstance(web.notifier.shown[-1].late_because, NotFound)
    assert web.notifier.shown[-1].follow.state is FollowState.GIVEN_UP
    assert web.jobs.waiting <= 1


def test_a_missing_build_does_not_affect_another_of_its_project(web: Followers) -> None:
    other = build(8, WEB, "feature/x", Status.RUNNING)
    web.ci.all_builds = [other, *web.ci.all_builds]
    web.restarts()
    web.follows(other)
    web.passes_time(10)
    web.ci.all_builds = [b for b in web.ci.all_builds if b.id == "7"]
    web.passes_time(200)
    assert [follow.build_id for follow in web.open] == ["7"]
    web.ends()
    web.passes_time(20)
    assert web.states[-1] == "ended passed"
