"""The log of a followed build that failed: who is told it, and that it holds up no reply."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.core.follows.failure_logs import FailureLogs
from bot.core.model.builds import FailedJob, FailureLog, Status
from bot.core.model.errors import NoResponse
from bot.core.model.follows import ToldLog
from bot.core.model.policy import Policy, Rule, Subjects
from tests.core.polling.test_workflows import Followed
from tests.core.world import ADA, BOB, BUILDS

LOG = FailureLog(FailedJob("test", "Run the tests"), ("E assert 3 == 4", "Process completed with exit code 1."))


@pytest.fixture
def followed() -> Iterator[Followed]:
    result = Followed()
    build = result.restarts()
    result.github.logs[build.id] = LOG
    yield result
    result.team.close()


def the_reply(followed: Followed, status: Status = Status.FAILED) -> ToldLog | None:
    followed.ends(status, status.value)
    followed.passes_time(30)
    [reply] = followed.notifier.replies
    return reply.log


def test_all_in_the_channel_are_told_if_they_may_read_it_and_no_other_workspace_is_there(followed: Followed) -> None:
    assert the_reply(followed) == ToldLog(LOG, to_all=True)


@pytest.mark.parametrize("shared", [{BUILDS.channel: True}, {}])
def test_only_the_asker_is_told_if_another_workspace_is_or_may_be_there(
    followed: Followed, shared: dict[str, bool]
) -> None:
    followed.shared.clear()
    followed.shared.update(shared)
    assert the_reply(followed) == ToldLog(LOG, to_all=False)


def test_only_the_asker_is_told_if_the_policy_lets_only_some_read_logs(followed: Followed) -> None:
    only_ada = Rule(Subjects(people=frozenset({ADA.id})), ("logs",))
    followed.rights.set_policy(Policy((only_ada, Rule(Subjects(everyone=True)))))
    assert the_reply(followed) == ToldLog(LOG, to_all=False)


def test_nobody_is_told_if_the_asker_may_not_read_logs(followed: Followed) -> None:
    only_bob = Rule(Subjects(people=frozenset({BOB.id})), ("logs",))
    followed.rights.set_policy(Policy((only_bob, Rule(Subjects(everyone=True)))))
    assert the_reply(followed) is None
    assert "log" not in followed.github.calls


def test_a_channel_that_hears_of_a_failure_gets_the_log_only_if_everyone_there_may_read_it(followed: Followed) -> None:
    followed.ends(Status.FAILED, "failed")
    [build] = [each for each in followed.github.all_builds if each.id in followed.github.logs]
    logs = FailureLogs(followed.team.services, followed.rights, followed.shared.get)
    assert logs.of_notification(BUILDS.channel, build) == LOG
    assert logs.of_notification("C0UNKNOWN", build) is None
    assert logs.of_notification(BUILDS.channel, replace(build, status=Status.PASSED)) is None
    followed.github.failures["log"] = [NoResponse("GitHub")]
    assert logs.of_notification(BUILDS.channel, build) is None
    followed.rights.set_policy(Policy((Rule(Subjects(people=frozenset({ADA.id})), ("logs",)),)))
    assert logs.of_notification(BUILDS.channel, build) is None


def test_no_log_is_read_of_a_build_that_passed(followed: Followed) -> None:
    assert the_reply(followed, Status.PASSED) is None
    assert "log" not in followed.github.calls


def test_no_log_is_read_if_the_service_has_none(followed: Followed) -> None:
    followed.github.abilities = frozenset()
    assert the_reply(followed) is None
    assert "log" not in followed.github.calls


def test_the_reply_comes_without_a_log_that_cannot_be_read(followed: Followed) -> None:
    followed.github.failures["log"] = [NoResponse("GitHub")]
    assert the_reply(followed) is None


def test_everyone_in_a_channel_that_the_policy_names_may_read_it() -> None:
    of_channel = Rule(Subjects(channels=frozenset({BUILDS.channel})), ("logs",))
    policy = Policy((of_channel, Rule(Subjects(people=frozenset({ADA.id})))))
    assert policy.lets_everyone(BUILDS, "logs", "acme/web", "main")
    assert not policy.lets_everyone(replace(BUILDS, channel="C0OTHER"), "logs", "acme/web", "main")
