"""A seeded day: builds happen, both services and the bot fail at random, and a small model knows what must be said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from bot.core.model.builds import Build, Project, Status
from bot.core.model.errors import CIError, InvalidResponse, OverLimit, Unreachable
from bot.core.model.follows import RetryLater
from bot.core.model.notifications.deliveries import Delivery, Digest
from bot.core.model.notifications.transitions import ENDS_A_PERIOD, Change
from bot.core.model.people.authors import CommitAuthor
from bot.core.notifications.sender import ANNOUNCE
from bot.core.polling.watch import LEASE_S
from tests.core.notifications.hearing import CHANNEL, Crash, Hearing, MemorySlack
from tests.core.world import LISTED, MemoryCI, project
from tests.held_clock import NOON, HeldClock

ENDS = [(Status.PASSED, 60), (Status.FAILED, 25), (Status.STOPPED, 10), (Status.INFRASTRUCTURE_FAILURE, 5)]
BRANCHES = [("main", 50), ("topic", 35), ("release/1", 15)]
WORDS = dict.fromkeys(ENDS_A_PERIOD, "fixed") | {Change.BROKE: "broke"}

Said = tuple[str, str, str]
"""Repository, `broke` or `fixed`, and the build."""


@dataclass
class Model:
    """What must be said of main of one project: its newest build by number that passed or failed, as it was seen."""

    ended: dict[int, Status] = field(default_factory=dict)
    was_bad: bool = False
    news: list[tuple[str, str]] = field(default_factory=list)

    def look(self, shown: dict[int, Status]) -> None:
        self.ended |= shown
        newest = max(self.ended)
        is_bad = self.ended[newest] is Status.FAILED
        if is_bad != self.was_bad:
            self.was_bad = is_bad
            self.news.append(("broke" if is_bad else "fixed", str(newest)))


class DayCI(MemoryCI):
    """Lists are in any order. What an answer showed and no call failed for, its model has seen, too."""

    def __init__(self, clock: HeldClock, random: Random) -> None:
        super().__init__(clock)
        self.lists_builds = True
        self.random = random
        self.elapsed_s = 0.0
        self.of_project: dict[str, list[Build]] = {}
        self.models: dict[str, Model] = {}
        self._changed: set[str] = set()
        self._shown: dict[str, dict[int, Status]] = {}

    def now(self) -> datetime:
        """By the service's own clock, which is never set back."""
        return NOON + timedelta(seconds=self.clock.monotonic())

    def put(self, build: Build) -> None:
        builds = self.of_project[build.project.id]
        self._changed.add(build.project.id)
        at = next((at for at, known in enumerate(builds) if known.id == build.id), None)
        if at is None:
            builds.insert(0, build)
        else:
            builds[at] = build

    def recent(self, wanted: Callable[[Project], bool]) -> list[tuple[Project, list[Build]]] | None:
        self.settle()
        self._called("recent")
        self._shown = {id_: self._ended(id_) for id_ in self._changed}
        self._changed = set()
        listed = [(one, self.of_project[one.id][:LISTED]) for one in self.account if wanted(one)]
        for _, builds in listed[:: self.random.randint(2, 9)]:
            self.random.shuffle(builds)
        self.random.shuffle(listed)
        return listed

    def builds(self, project: Project, branch: str | None = None) -> list[Build]:
        try:
            self._called("builds")
        except CIError:
            if self._shown.pop(project.id, None) is not None:
                self._changed.add(project.id)
            raise
        return [build for build in self.of_project[project.id] if branch in (None, build.branch)][:LISTED]

    def settle(self) -> None:
        """The bot has taken the last answer."""
        for id_, shown in self._shown.items():
            self.models[id_].look(shown)
        self._shown = {}

    def _ended(self, id_: str) -> dict[int, Status]:
        counted = (Status.PASSED, Status.FAILED)
        return {int(b.id): b.status for b in self.of_project[id_] if b.branch == "main" and b.status in counted}


class DaySlack(MemorySlack):
    """Counts what was said, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[Said] = []
        self.again = 0
        self._keys: set[str] = set()
        self._in_digest: set[tuple[str, str]] = set()

    def post(self, delivery: Delivery) -> str | None:
        self._begin()
        ts = self._shown(delivery.channel)
        self._says([delivery])
        self._end()
        return ts

    def change(self, delivery: Delivery, head_ts: str) -> None:
        self._begin()
        self._end()

    def reply(self, delivery: Delivery, head_ts: str, *, broadcast: bool) -> str | None:
        self._begin()
        if broadcast:
            self._says([delivery])
        self._end()
        return f"{head_ts}.1"

    def post_digest(self, digest: Digest) -> str | None:
        self._begin()
        ts = self._shown(digest.channel)
        self._lists(digest, ts)
        self._end()
        return ts

    def change_digest(self, digest: Digest, ts: str) -> None:
        self._begin()
        self._lists(digest, ts)
        self._end()

    def ask_author(self, delivery: Delivery, head_ts: str, login: str) -> None:
        self._begin()

    def _shown(self, channel: str) -> str:
        self.posts.append(channel)
        return f"{len(self.posts)}.0"

    def _lists(self, digest: Digest, ts: str) -> None:
        new = [each for each in digest.deliveries if (ts, each.key) not in self._in_digest]
        self._in_digest |= {(ts, each.key) for each in new}
        self._says(new)

    def _says(self, deliveries: Sequence[Delivery]) -> None:
        """One message says these. `again` counts the messages that say what was said before.

        What a person alone is told is not counted.
        """
        deliveries = [each for each in deliveries if not each.is_direct]
        self.again += any(each.key in self._keys for each in deliveries)
        for each in deliveries:
            word, build = WORDS.get(each.transition.change), each.transition.build
            if word is not None and each.key not in self._keys:
                self.said.append((build.project.id, word, build.id))
            self._keys.add(each.key)


class Day:
    """`count` projects are good at the start. Two replicas watch and send for one channel.

    `authors` make the commits, at random; without any, the service names none.
    """

    def __init__(
        self, seed: int, count: int, *, slack: DaySlack | None = None, authors: Sequence[CommitAuthor | None] = ()
    ) -> None:
        self.random = Random(seed)
        self.authors = authors
        self.slack = slack or DaySlack()
        self.hearing = Hearing(ci=lambda clock: DayCI(clock, self.random), slack=self.slack)
        assert isinstance(self.hearing.ci, DayCI)
        self.ci = self.hearing.ci
        self.projects = [project(number, f"acme/repo{number}") for number in range(100, 100 + count)]
        self.number = 1000
        for one in self.projects:
            self.ci.models[one.id] = Model()
            self.ci.of_project[one.id] = []
            self._starts(one, "main")
            self._ends(self.ci.of_project[one.id][0], Status.PASSED)
        self.ci.account.clear()
        self.hearing.world.knows(*self.projects)
        self.replicas = [self.hearing.process(f"replica {number}") for number in (1, 2)]
        self.processes = 2
        self.lost_answers = 0
        self.kills = 0
        self.hearing.jobs.kinds[ANNOUNCE] = lambda *job: self.random.choice(self.replicas)[1].job(*job)  # noqa: PLW0108 - a new choice each time
        self.hearing.subscribe(repo="acme/*")
        self.passes(20)

    def goes_on(self, builds: int) -> None:
        """Until so many builds have started."""
        last = self.number + builds
        while self.number < last:
            self._happens()
            self._troubles()
            self.passes(self.random.choice([1, 3, 9]))

    def ends_calmly(self) -> None:
        """Everything is back, for long enough to catch up."""
        for failures in (*self.ci.failures.values(), self.slack.failures, self.slack.after):
            failures.clear()
        self.passes(1200)
        self.ci.settle()

    def passes(self, seconds: float, *, each: float = 9.0) -> None:
        until = self.hearing.clock.monotonic() + seconds
        while self.hearing.clock.monotonic() < until:
            for watch, _ in self.random.sample(self.replicas, 2):
                watch.tick("codeship")
            try:
                self.hearing.jobs.pass_time(min(each, seconds))
            except Crash:
                self._dies()
            if self.random.random() < 0.3:
                self.random.choice(self.replicas)[1].restart_late()

    def _dies(self) -> None:
        """A process is killed, and another one starts in its place."""
        self.kills += 1
        self.processes += 1
        self.replicas[self.random.randrange(2)] = self.hearing.process(f"replica {self.processes}")

    def _happens(self) -> None:
        """A build starts, or one ends, or an older one is restarted."""
        of = self.random.choice(self.projects[:20] if self.random.random() < 0.5 else self.projects)
        builds = self.ci.of_project[of.id]
        running = [build for build in builds if build.status is Status.RUNNING]
        if running and self.random.random() < 0.7:
            self._ends(self.random.choice(running), self.random.choices(*zip(*ENDS, strict=True))[0])
        elif self.random.random() < 0.1:
            again = self.random.choice(builds[:10])
            if again.status is not Status.RUNNING:
                self._runs(again)
        else:
            self._starts(of, self.random.choices(*zip(*BRANCHES, strict=True))[0])
        self._webhook(of)

    def _starts(self, of: Project, branch: str) -> None:
        self.number += 1
        build = Build(str(self.number), of, Status.RUNNING, "testing", branch=branch, commit=f"c{self.number}")
        self._runs(replace(build, made_by=self.random.choice(self.authors)) if self.authors else build)

    def _runs(self, build: Build) -> None:
        new = replace(build, status=Status.RUNNING, status_word="testing", started_at=self.ci.now(), finished_at=None)
        self.ci.put(new)

    def _ends(self, build: Build, status: Status) -> None:
        self.ci.put(replace(build, status=status, status_word=status.value, finished_at=self.ci.now()))

    def _webhook(self, of: Project) -> None:
        """It arrives, is lost, comes twice, or tells of another project that changed earlier."""
        watch = self.random.choice(self.replicas)[0]
        late = self.random.choice(self.projects)
        for hinted in self.random.choice([(of,), (of,), (), (of, of), (late,)]):
            watch.poll_soon("codeship", hinted.id)

    def _troubles(self) -> None:
        chance, ci, slack = self.random.random, self.ci, self.slack
        if chance() < 0.02:
            ci.failures["recent"] += [Unreachable("CodeShip", "no connection")] * self.random.randint(1, 40)
        if chance() < 0.02:
            ci.failures["recent"] += [InvalidResponse("CodeShip", "the answer is cut")]
        if chance() < 0.03:
            ci.failures["builds"] += [OverLimit("CodeShip", retry_after_s=20)]
        if chance() < 0.02:
            slack.failures += [RetryLater("ratelimited", retry_after_s=30)] * self.random.randint(1, 5)
        if chance() < 0.01:
            slack.after += [RetryLater("no answer", may_have_happened=True)]
            self.lost_answers += 1
        if chance() < 0.01:
            getattr(slack, self.random.choice(["failures", "after"])).append(Crash())
        if chance() < 0.01:
            self.hearing.jobs.lose_all()
        if chance() < 0.01:
            self.hearing.clock.advance(LEASE_S + 1)  # every process hangs
        if chance() < 0.003:
            self.hearing.clock.set_back(self.random.choice([20, 600]))
        if chance() < 0.001:
            self.hearing.clock.advance(2 * 3600)  # all are down


def faults(day: Day) -> tuple[list[str], list[str]]:
    """What was missed and what was wrong, in words.

    A change may be left out if a newer one was said in its place: in a digest, or because it was not yet sent.
    """
    missed: list[str] = []
    wrong: list[str] = []
    told: dict[str, list[tuple[str, str]]] = {id_: [] for id_ in day.ci.models}
    for id_, word, build in day.slack.said:
        told[id_].append((word, build))
    in_digests = Counter(
        (each.transition.build.project.id, WORDS.get(each.transition.change), each.transition.build.id)
        for each in day.hearing.store.outbox.told(CHANNEL, NOON - timedelta(days=1))
        if each.digest_ts is not None
    )
    left_out = 0
    for id_, model in day.ci.models.items():
        said = list(told[id_])
        for at, one in enumerate(model.news):
            if said and said[0] == one:
                said.pop(0)
            elif at + 1 == len(model.news):
                missed.append(f"{id_}: {one} of {model.news}, but {told[id_]}")
            elif not in_digests[(id_, *one)]:
                left_out += 1
        wrong += [f"{id_}: {one}, when {model.news}" for one in said]
    results = Counter((kind, result) for kind, result, _ in day.hearing.observed)
    if left_out > results["broke", "dropped"] + results["broke", "uncertain"] + results["fixed", "uncertain"]:
        wrong.append(f"{left_out} changes were not told: {results}")
    return missed, wrong
