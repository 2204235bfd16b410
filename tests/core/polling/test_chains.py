"""Chains of polls: started once, restarted after any stop. No crash loses or doubles anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from bot.core.model.builds import Status
from bot.core.model.outcomes import Restarted
from bot.core.rate_limiter import RateLimiter
from tests.core.actions.ada_restarts import MAIN, WEB
from tests.core.polling.world import Crash, Followers
from tests.core.world import build, project


@pytest.fixture
def web() -> Iterator[Followers]:
    made = Followers()
    yield made
    made.close()


def test_a_follow_that_begins_twice_is_polled_once(web: Followers) -> None:
    follow = web.restarts()
    web.following.follow(follow)
    web.another_process().follow(follow)
    assert (len(web.open), web.jobs.waiting) == (1, 1)


def test_a_project_has_one_chain_however_many_messages(web: Followers) -> None:
    for number in range(8, 20):
        web.follows(build(number, WEB, f"b/{number}", Status.RUNNING))
        web.passes_time(1)
    assert web.jobs.waiting == 1


def test_a_new_follow_restarts_an_ended_chain(web: Followers) -> None:
    web.restarts()
    web.ends()
    web.passes_time(60)
    assert web.jobs.waiting == 0
    web.restarts()
    web.ends(Status.FAILED, "error")
    web.passes_time(60)
    assert web.states == ["ended passed", "ended failed"]


def test_a_poll_that_was_never_scheduled_is_made_soon(web: Followers) -> None:
    """The process died, or the database stopped, after the chain was started, but before its first job was stored."""
    web.restarts()
    web.jobs.lose_all()
    web.passes_time(12)
    web.following.restart_stalled()
    assert web.jobs.waiting == 0, "another process may be about to"
    web.passes_time(1)
    web.following.restart_stalled()
    web.another_process().restart_stalled()
    web.passes_time(0)
    assert web.states == ["running"]
    assert web.jobs.waiting == 1


def test_a_poll_that_is_only_late_is_not_replaced_for_two_minutes(web: Followers) -> None:
    """It waits for its turn: to put it at the end of the queue again helps no one."""
    web.restarts()
    web.clock.advance(120)
    web.following.restart_stalled()
    assert web.jobs.waiting == 1
    web.clock.advance(1)
    web.following.restart_stalled()
    assert web.jobs.waiting == 2
    web.passes_time(0)
    assert web.jobs.waiting == 1


def test_an_active_chain_is_not_restarted(web: Followers) -> None:
    web.restarts()
    for _ in range(20):
        web.passes_time(30)
        web.following.restart_stalled()
        assert web.jobs.waiting == 1


def test_a_poll_that_raises_is_reported_and_the_chain_continues(web: Followers) -> None:
    web.restarts()
    web.notifier.failures["show"] = [RuntimeError("a bug")]
    web.jobs.pass_time(5)
    assert [str(error) for error in web.jobs.errors] == ["a bug"]
    web.jobs.pass_time(15)
    assert web.states == ["running"]
    assert len(web.jobs.errors) == 1


def test_a_bug_with_one_message_costs_the_others_nothing(web: Followers) -> None:
    web.restarts()
    other = build(8, WEB, "feature/x", Status.RUNNING)
    web.ci.all_builds = [other, *web.ci.all_builds]
    web.follows(other)
    web.notifier.failures["show"] = [ValueError("a bug")]
    web.jobs.pass_time(5)
    assert [shown.build.id for shown in web.notifier.shown] == ["8"]


def test_a_permanent_bug_ends_after_a_while(web: Followers) -> None:
    web.restarts()
    web.notifier.failures["show"] = [RuntimeError("a bug") for _ in range(1000)]
    web.jobs.pass_time(600)
    assert len(web.jobs.errors) <= 41
    web.clock.advance(24 * 3600)
    web.jobs.pass_time(60)
    assert (web.open, web.jobs.waiting) == ([], 0)


# Crashes.


class Dying:
    """Wraps a part of the process. After a number of calls, the process dies before or after a call."""

    def __init__(self, real: object, death: Death) -> None:
        self._real = real
        self._death = death

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._real, name)

        def called(*given: Any, **named: Any) -> Any:
            self._death.is_near(f"before {name}")
            result = method(*given, **named)
            self._death.is_near(f"after {name}")
            return result

        return called


class Death:
    def __init__(self, at: int | None) -> None:
        self._at = at
        self.lines: list[str] = []

    def is_near(self, line: str) -> None:
        self.lines.append(line)
        if len(self.lines) == self._at:
            raise Crash(line)


def lives(at: int | None) -> tuple[Followers, list[str]]:
    """A build is restarted, runs and ends. The process dies at that line, and another takes over."""
    web, death = Followers(), Death(at)
    follows: Any = Dying(web.store.follows, death)
    notifier: Any = Dying(web.notifier, death)
    web.following = web.another_process(follows, notifier)

    def or_die(work: Callable[[], object]) -> None:
        try:
            work()
        except Crash:
            web.following = web.another_process()
            work()

    outcome = web.world.ask(MAIN)
    assert isinstance(outcome, Restarted)
    or_die(lambda: web.follows(outcome.build, outcome.claim, key="ask"))  # a step of the request, which runs again
    or_die(lambda: web.jobs.pass_time(20))
    web.ends()
    or_die(lambda: web.jobs.pass_time(30))
    for _ in range(2):
        web.clock.advance(121)
        or_die(lambda: web.following.restart_stalled())  # noqa: PLW0108 - of the process that lives then
        web.jobs.pass_time(60)
    return web, death.lines


@pytest.mark.slow
def test_a_crash_at_any_line_leaves_one_message_with_one_verdict() -> None:
    undisturbed, lines = lives(None)
    undisturbed.close()
    assert len(lines) > 20
    for at, line in enumerate(lines, start=1):
        web, _lines = lives(at)
        with closing(web):
            assert web.jobs.errors == [], (at, line)
            assert web.states[-1] == "ended passed", (at, line)
            assert len({shown.follow.message_ts for shown in web.notifier.shown}) == 1, (at, line)
            assert (web.open, web.jobs.waiting) == ([], 0), (at, line)
            # If the process died around the reply, it is unknown whether it was posted. It is not posted again.
            around = "reply" in line or "after move" in line
            assert len(web.notifier.replies) in ((0, 1) if around else (1,)), (at, line)


# The rate limit.


def pays(web: Followers) -> None:
    """Each poll costs one of sixty calls a minute, a quarter of which is only for people."""
    spending = RateLimiter(web.store.rate_limit("codeship", 60, lambda _priority, _result: None), "CodeShip")
    web.ci.before_builds = lambda: spending.before_request("builds")


def runs_on(web: Followers, projects: int, messages_each: int, timeout_s: float = 60.0) -> None:
    """Follows builds, one per project, that were started within `projects` seconds."""
    builds = [build(1000 + n, project(100 + n, f"acme/p{n}"), status=Status.RUNNING) for n in range(projects)]
    web.world.has(*builds)
    for each in builds:
        for _ in range(messages_each):
            web.follows(each)
        web.passes_time(timeout_s / projects)


def looks_in(web: Followers, seconds: float) -> Counter[str]:
    """How often each project was seen."""
    web.ci.seen.clear()
    web.passes_time(seconds)
    return Counter(web.ci.seen)


@pytest.mark.slow
def test_a_thousand_messages_on_a_hundred_projects_stay_within_the_calls_of_a_minute(web: Followers) -> None:
    pays(web)
    runs_on(web, projects=100, messages_each=10)
    assert 30 <= looks_in(web, 60).total() <= 45, "the rest of sixty is for people"
    assert web.jobs.waiting == 100


@pytest.mark.slow
def test_if_calls_are_scarce_projects_take_turns(web: Followers) -> None:
    pays(web)
    runs_on(web, projects=100, messages_each=1, timeout_s=0)
    seen = looks_in(web, 360)
    assert len(seen) == 100, "every project gets its turn"
    assert max(seen.values()) <= 3 * min(seen.values())


@pytest.mark.parametrize("projects", [1, *(pytest.param(many, marks=pytest.mark.slow) for many in (3, 6))])
def test_polls_within_the_rate_limit_keep_their_interval(web: Followers, projects: int) -> None:
    pays(web)
    runs_on(web, projects, messages_each=1)
    web.passes_time(120)
    assert min(looks_in(web, 100).values()) >= 9
    assert web.lag[-1] == 0


@pytest.mark.slow
def test_polls_slightly_above_the_rate_limit_are_slightly_less_frequent(web: Followers) -> None:
    """Twelve projects share forty-five calls: each is polled every sixteen seconds at best."""
    pays(web)
    runs_on(web, 12, messages_each=1)
    web.passes_time(300)
    assert min(looks_in(web, 300).values()) >= 10
    assert not any(shown.late_s for shown in web.notifier.shown)
