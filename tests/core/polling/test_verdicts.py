"""What the end of a followed run means, from the bot's own records: the CI service has forgotten the run before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.core.model.builds import Status
from bot.core.model.verdicts import Meaning, Verdict
from tests.core.actions.ada_restarts import OLD, WEB
from tests.core.polling.world import Followers
from tests.core.world import ADA, build

P, F, STOPPED = Status.PASSED, Status.FAILED, Status.STOPPED
COMMIT = OLD.commit or ""
WORDS = {P: "success", F: "error", STOPPED: "stopped"}


@pytest.fixture
def web() -> Iterator[Followers]:
    made = Followers()
    yield made
    made.close()


def ends_as(web: Followers, status: Status) -> None:
    web.clock.advance(60)
    web.ends(status, WORDS.get(status, status.value))
    web.passes_time(15)


def run_again(web: Followers, first: Status, *then: Status) -> Verdict:
    """Ends the build's first run, then restarts and follows it for each status. Returns the last verdict."""
    web.world.has(replace(OLD, status=first, status_word=WORDS.get(first, first.value)))
    for status in then:
        web.restarts()
        ends_as(web, status)
    assert web.open == []
    assert len(web.notifier.replies) == len(then)
    verdict = web.notifier.replies[-1].verdict
    assert verdict is not None
    return verdict


@pytest.mark.parametrize(
    ("runs", "verdict"),
    [
        ([F, P], Verdict(Meaning.FLAKY, F, P, 2, 1)),
        ([P, F], Verdict(Meaning.FLAKY, P, F, 2, 1)),
        ([F, F], Verdict(Meaning.REAL, F, F, 2, 2)),
        ([F, F, F, F], Verdict(Meaning.REAL, F, F, 4, 4)),
        ([F, F, P], Verdict(Meaning.FLAKY, F, P, 3, 1)),
        ([P, P], Verdict(Meaning.STEADY, P, P, 2, 2)),
        ([F, STOPPED, P], Verdict(Meaning.NONE, STOPPED, P, 3, 1)),
        ([STOPPED, F, F], Verdict(Meaning.REAL, F, F, 3, 2)),
    ],
)
def test_the_verdict_counts_all_runs_that_the_bot_saw(web: Followers, runs: list[Status], verdict: Verdict) -> None:
    assert run_again(web, *runs) == verdict


ENDS_THAT_PROVE_NOTHING = [
    Status.STOPPED,
    Status.SKIPPED,
    Status.IGNORED,
    Status.BLOCKED,
    Status.INFRASTRUCTURE_FAILURE,
    Status.UNKNOWN,
]


@pytest.mark.parametrize("odd", ENDS_THAT_PROVE_NOTHING)
@pytest.mark.parametrize("other", [P, F])
def test_a_run_that_proves_nothing_ends_without_a_verdict(web: Followers, odd: Status, other: Status) -> None:
    assert run_again(web, odd, other).meaning is Meaning.NONE


@pytest.mark.parametrize("odd", ENDS_THAT_PROVE_NOTHING)
def test_an_inconclusive_run_ends_without_a_verdict(web: Followers, odd: Status) -> None:
    assert run_again(web, F, odd) == Verdict(Meaning.NONE, F, odd, 2, 1)


def test_runs_of_another_commit_do_not_count(web: Followers) -> None:
    run_again(web, F, F, F)
    web.world.has(replace(OLD, id="9", commit="b" * 40))
    web.restarts()
    web.ends(build_id="9")
    web.passes_time(15)
    assert web.notifier.replies[-1].verdict == Verdict(Meaning.FLAKY, F, P, 2, 1)


def test_runs_of_one_commit_count_together_even_of_different_builds(web: Followers) -> None:
    """A service may give the same commit a build of its own, pushed again."""
    run_again(web, F, F)
    again = build(9, WEB, status=Status.RUNNING, started_at=web.clock.now())
    web.ci.all_builds = [again, *web.ci.all_builds]
    web.follows(again)
    web.clock.advance(60)
    web.ends(build_id="9")
    web.passes_time(15)
    assert web.notifier.replies[-1].verdict == Verdict(Meaning.FLAKY, F, P, 3, 1)


def test_a_build_without_a_commit_is_compared_with_the_run_before(web: Followers) -> None:
    web.world.has(replace(OLD, commit=None))
    web.restarts()
    ends_as(web, P)
    assert web.verdict == Verdict(Meaning.FLAKY, F, P, 2, 1)


def test_an_unknown_previous_run_is_mentioned(web: Followers) -> None:
    web.world.has(replace(OLD, commit=None))
    outcome = web.restarts()
    (stored,) = web.open
    assert web.store.follows.move(stored, replace(stored, before_status=None, before=None))
    assert outcome.restarted
    ends_as(web, P)
    assert web.verdict == Verdict(Meaning.NONE, None, P, 1, 1)


def test_a_run_that_was_started_elsewhere_is_not_counted_as_the_previous_one(web: Followers) -> None:
    """The bot's count says that it is the second run, whose end it has seen: it is the third."""
    run_again(web, F, P)
    web.ci.all_builds = [
        replace(OLD, status=Status.RUNNING, status_word="testing", started_at=web.clock.now(), finished_at=None)
    ]
    web.follows(web.ci.all_builds[0], run_number=2)
    ends_as(web, F)
    assert web.notifier.replies[-1].verdict == Verdict(Meaning.FLAKY, P, F, 3, 1)


def test_the_same_end_seen_twice_counts_once(web: Followers) -> None:
    web.restarts()
    web.clock.advance(60)
    web.ends(F, "error")
    stored = web.open
    web.following.poll("codeship", WEB.id)
    assert web.store.history.of_commit(WEB, COMMIT, "main") == [F, F]
    for follow in stored:
        web.store.follows.add(replace(follow, key="another message"))
    web.following.poll("codeship", WEB.id)
    assert web.store.history.of_commit(WEB, COMMIT, "main") == [F, F]
    assert [reply.verdict for reply in web.notifier.replies] == [Verdict(Meaning.REAL, F, F, 2, 2)] * 2
    assert web.notifier.replies[0].follow.asker == ADA
