"""Builds of several workflows are followed to their end: every change is shown, and the end says which job failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.core.authorization import Authorizer
from bot.core.follows.failure_logs import FailureLogs
from bot.core.follows.live_messages import LiveMessages
from bot.core.model.builds import Build, FailedJob, Status, Workflow
from bot.core.model.follows import Follow
from bot.core.model.outcomes import Restarted
from bot.core.model.policy import OPEN
from bot.core.model.verdicts import Meaning, Verdict
from bot.core.polling.poller import POLL, Poller
from tests.core.half_moved import HalfMoved, of_workflows, on_github, run
from tests.core.polling.world import HeldJobs, MemoryNotifier
from tests.core.world import ADA, BUILDS, MemoryGroups, restart

WEB = on_github(1, "acme/web")
CI, DOCS = run(11, "CI", Status.FAILED), run(12, "Docs", Status.PASSED)


class Followed:
    """Two services; restarts of acme/web are followed."""

    def __init__(self) -> None:
        self.team = HalfMoved()
        self.team.has(of_workflows("b1", WEB, CI, DOCS))
        self.github, self.clock, self.notifier = self.team.github, self.team.clock, MemoryNotifier(self.team.clock)
        self.jobs = HeldJobs(self.clock)
        self.rights = Authorizer(OPEN, MemoryGroups())
        self.shared = {BUILDS.channel: False}
        store = self.team.store
        messages = LiveMessages(
            services=self.team.services,
            follows=store.follows,
            history=store.history,
            notifier=self.notifier,
            logs=FailureLogs(self.team.services, self.rights, self.shared.get),
            clock=self.clock,
        )
        self.following = Poller(
            services=self.team.services,
            follows=store.follows,
            messages=messages,
            jobs=self.jobs,
            clock=self.clock,
            late=lambda _seconds: None,
        )
        self.jobs.kinds[POLL] = self.following.job

    def restarts(self) -> Build:
        """The build as it runs after the restart."""
        done = self.team.ask(restart("acme/web", "main"))
        assert isinstance(done, Restarted)
        self.following.follow(
            Follow(
                key="ask 1",
                service="github",
                project_id=WEB.id,
                build_id="b1",
                run_number=done.claim.run_number + 1,
                branch="main",
                asker=ADA,
                location=BUILDS,
                message_ts="1700000000.000001",
                began_at=self.clock.now(),
                restarted=True,
                before=done.claim.replaced,
                before_status=done.build.status,
            )
        )
        return self.github.all_builds[0]

    def ends(self, status: Status, word: str, *others: Workflow) -> Build:
        """The workflow CI ends with this conclusion in its second attempt."""
        ended = replace(
            CI, status=status, status_word=word, attempt=2, started_at=self.clock.now(), finished_at=self.clock.now()
        )
        self.github.shows(of_workflows("b1", WEB, ended, *(others or (DOCS,))))
        return self.github.all_builds[0]

    def passes_time(self, seconds: float) -> None:
        self.jobs.pass_time(seconds)
        assert self.jobs.errors == []


@pytest.fixture
def web() -> Iterator[Followed]:
    made = Followed()
    yield made
    made.team.close()


def test_a_restart_is_followed_to_the_end_of_its_last_workflow(web: Followed) -> None:
    web.restarts()
    web.passes_time(10)
    web.ends(
        Status.PASSED, "success", replace(DOCS, status=Status.RUNNING, status_word="in_progress", finished_at=None)
    )
    web.passes_time(10)
    assert web.notifier.replies == []
    web.ends(Status.PASSED, "success")
    web.passes_time(10)
    assert [shown.build.is_under_way for shown in web.notifier.shown] == [True, True, False]
    assert len(web.notifier.replies) == 1


def test_each_change_of_a_workflow_is_shown_once(web: Followed) -> None:
    running = replace(DOCS, status=Status.RUNNING, status_word="in_progress", finished_at=None)
    web.restarts()
    web.passes_time(30)
    assert len(web.notifier.shown) == 1
    web.github.shows(
        of_workflows("b1", WEB, replace(CI, status=Status.RUNNING, status_word="in_progress", attempt=2), running)
    )
    web.passes_time(30)
    assert len(web.notifier.shown) == 2


def test_the_end_names_the_job_that_failed(web: Followed) -> None:
    web.restarts()
    web.passes_time(10)
    ended = web.ends(Status.FAILED, "failure")
    told = replace(ended, workflows=(replace(ended.workflows[0], failed_jobs=(FailedJob("test"),)), DOCS))
    web.github.details["b1"] = told
    web.passes_time(10)
    assert web.notifier.shown[-1].build == told


def test_attempts_that_the_service_remembers_decide_the_verdict(web: Followed) -> None:
    web.restarts()
    web.passes_time(10)
    ended = web.ends(Status.PASSED, "success")
    web.github.details["b1"] = replace(ended, earlier=(Status.FAILED,))
    web.passes_time(10)
    (reply,) = web.notifier.replies
    assert reply.verdict == Verdict(Meaning.FLAKY, Status.FAILED, Status.PASSED, 2, 1)


def test_a_list_that_still_shows_the_previous_attempt_does_not_end_the_follow(web: Followed) -> None:
    web.github.restart_shows = False
    web.restarts()
    web.passes_time(30)
    assert web.notifier.replies == []


def test_a_webhook_causes_a_poll_at_once(web: Followed) -> None:
    web.restarts()
    web.passes_time(10)
    web.ends(Status.PASSED, "success")
    web.clock.advance(1)
    looks = web.github.calls.count("builds")
    web.following.poll_now("github", WEB.id, "delivery 1")
    web.passes_time(0)
    assert len(web.notifier.replies) == 1
    assert web.github.calls.count("builds") == looks + 1


def test_a_webhook_about_an_unfollowed_build_costs_no_call(web: Followed) -> None:
    web.following.poll_now("github", WEB.id, "delivery 1")
    assert web.jobs.waiting == 0


def test_a_webhook_that_is_delivered_twice_causes_one_poll(web: Followed) -> None:
    web.restarts()
    before = web.jobs.waiting
    web.following.poll_now("github", WEB.id, "delivery 1")
    web.following.poll_now("github", WEB.id, "delivery 1")
    assert web.jobs.waiting == before + 1


def test_while_only_one_branch_is_followed_only_that_branch_is_polled(web: Followed) -> None:
    web.restarts()
    web.github.branches_asked.clear()
    web.passes_time(20)
    assert set(web.github.branches_asked) == {"main"}


def test_a_workflow_with_one_failed_attempt_has_failed_once(web: Followed) -> None:
    web.restarts()
    web.passes_time(10)
    web.ends(Status.PASSED, "success", replace(DOCS, status=Status.FAILED, status_word="failure"))
    web.passes_time(10)
    (reply,) = web.notifier.replies
    assert reply.verdict is None


def test_a_follow_at_a_service_that_is_no_longer_configured_is_given_up(web: Followed) -> None:
    web.restarts()
    del web.team.services._services["github"]
    web.passes_time(600)
    assert web.team.store.follows.open_of("github", WEB.id) == []
    assert web.notifier.shown[-1].late_because is not None
