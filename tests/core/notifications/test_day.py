"""A seeded day of builds, with outages on both sides, against a small model of what a channel should show."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest

from bot.core.model.builds import Build, Project, Status
from bot.core.model.errors import OverLimit, Unreachable
from bot.core.model.follows import RetryLater
from bot.core.polling.watch import LEASE_S
from tests.core.notifications.hearing import CHANNEL, Hearing
from tests.core.world import project

PROJECTS, BUILDS = 30, 1500
ENDS = [(Status.PASSED, 60), (Status.FAILED, 25), (Status.STOPPED, 10), (Status.INFRASTRUCTURE_FAILURE, 5)]
BRANCHES = [("main", 60), ("topic", 40)]


@dataclass
class Model:
    """What main of one project is, by the rules in words: its newest build by number that passed or failed."""

    ended: dict[int, Status] = field(default_factory=dict)

    def end(self, number: int, status: Status) -> None:
        if status in (Status.PASSED, Status.FAILED):
            self.ended[number] = status

    @property
    def is_bad(self) -> bool:
        return bool(self.ended) and self.ended[max(self.ended)] is Status.FAILED


class Day:
    """Builds start, end and are restarted at random; the service and Slack fail at random."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.hearing = Hearing()
        self.projects = [project(number, f"acme/repo{number}") for number in range(100, 100 + PROJECTS)]
        self.hearing.world.knows(*self.projects)
        self.models = {one.id: Model() for one in self.projects}
        self.watches = [self.hearing.watch, self.hearing.process("replica 2")[0]]
        self.number = 1000

    def happens(self) -> None:
        """A build starts, or one ends, or the newest of a branch is restarted."""
        ci, now = self.hearing.ci, self.hearing.clock.now()
        running = [build for build in ci.all_builds if build.status is Status.RUNNING]
        if running and self.random.random() < 0.6:
            build = self.random.choice(running)
            status = self.random.choices(*zip(*ENDS, strict=True))[0]
            ci.ends(build.id, status, status.value)
            if build.branch == "main":
                self.models[build.project.id].end(int(build.id), status)
        elif self.random.random() < 0.15:
            ended = [build for build in ci.all_builds if build.status is not Status.RUNNING]
            if ended:
                build = self.random.choice(ended[:40])
                ci.becomes(build.id, Status.RUNNING, "testing")
        else:
            self.number += 1
            of, branch = self.random.choice(self.projects), self.random.choices(*zip(*BRANCHES, strict=True))[0]
            new = Build(str(self.number), of, Status.RUNNING, "testing", branch=branch, commit=f"c{self.number}")
            ci.all_builds = [Build(**{**_fields(new), "started_at": now}), *ci.all_builds]

    def troubles(self) -> None:
        """At random: CodeShip is down or over its limit, Slack refuses for now, jobs are lost, a process hangs."""
        ci, slack = self.hearing.ci, self.hearing.slack
        if self.random.random() < 0.05:
            ci.failures["recent"] += [Unreachable("CodeShip", "no connection")] * self.random.randint(1, 4)
        if self.random.random() < 0.03:
            ci.failures["builds"] += [OverLimit("CodeShip", retry_after_s=20)]
        if self.random.random() < 0.05:
            slack.failures += [RetryLater("ratelimited", retry_after_s=30)] * self.random.randint(1, 3)
        if self.random.random() < 0.02:
            self.hearing.jobs.lose_all()
        if self.random.random() < 0.02:
            self.hearing.clock.advance(LEASE_S + 1)

    def passes(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.random.choice(self.watches).tick("codeship")
            self.hearing.jobs.pass_time(1)
            if self.random.random() < 0.1:
                self.hearing.sender.restart_late()

    def shown(self, of: Project) -> str | None:
        """The change that the newest message about main of the project shows; None without one."""
        texts = [m.says for m in self.hearing.slack.messages.values() if m.says.startswith(f"{of.name} main ")]
        return texts[-1].split(" ", 2)[2].rsplit(" ", 1)[0] if texts else None


def _fields(build: Build) -> dict[str, object]:
    return {name: getattr(build, name) for name in Build.__dataclass_fields__}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_at_the_end_of_a_day_every_channel_shows_what_is_true(seed: int) -> None:
    day = Day(seed)
    day.hearing.subscribe(repo="acme/*")
    day.passes(20)
    for _ in range(BUILDS):
        day.happens()
        day.troubles()
        day.passes(day.random.choice([1, 5, 20]))
    day.hearing.ci.failures["recent"].clear()
    day.hearing.ci.failures["builds"].clear()
    day.hearing.slack.failures.clear()
    day.passes(300)
    bad = {"broke", "still", "joined", "failed again"}
    wrong = {
        one.name: (day.shown(one), day.models[one.id].ended)
        for one in day.projects
        if (day.shown(one) in bad) != day.models[one.id].is_bad
    }
    heard = [m for m in day.hearing.slack.messages.values() if m.channel == CHANNEL]
    assert day.hearing.jobs.errors == []
    assert wrong == {}
    assert len(heard) > PROJECTS
    day.hearing.close()
