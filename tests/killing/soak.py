"""The bot under load, while its processes are killed with SIGKILL at random steps and its database is stopped.

`make soak` runs it on SQLite with one process, then on PostgreSQL with three, for builds on CodeShip and on GitHub. It
prints what was requested and what was done. Its exit status is 1 if a request got no answer, or a restart or cancel was
wrong: sent twice, without a request, to another build or without an audit entry. A seed repeats the requests and the
points, but not the timing of the machine.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from bot.core.model.command_values import Verb
from bot.store.tables import audit, follows
from playground.sandbox import SIGNING_SECRET
from playground.slack.outgoing.delivery import Ack, Delivery, HttpTransport, Payload
from tests.killing.prepared import Databases
from tests.killing.scenes import NOT_DONE
from tests.killing.soak_builds import Builds, OnCodeShip, OnGitHub
from tests.killing.soak_report import Judged, Report
from tests.killing.theatre import BESIDE, Mould, Process, Theatre, wait_until
from tests.postgres import MISSING, Server, programs, running

REPLICAS = 3
STOPPED_EVERY = 8
"""PostgreSQL is stopped at each kill whose number is a multiple of this."""

MAX_STEPS = 40
STEP_WITHIN_S = 3.0
DELIVERED_WITHIN_S = 25.0
DECIDED_WITHIN_S = 20.0
SETTLED_WITHIN_S = 200.0
"""A chain of polls that a stop of the database has broken is restarted after two minutes."""

DEAD_AFTER_S = 2.0


@dataclass(frozen=True)
class Asked:
    """One request. `is_taken`: the bot acknowledged it. A mention has a thread of its own, a command a response URL.

    `is_told`: the acknowledgement itself was an answer.
    """

    person: str
    is_taken: bool
    is_told: bool
    thread: str | None
    response_url: str


@dataclass
class Case:
    """The requests about the build with this `number`, the only one on its branch."""

    builds: Builds
    number: int
    verb: Verb
    repository: str
    branch: str
    overtaken_after_s: float | None = None
    """Seconds after the only request about it, in which a newer build begins on its branch. That one is not meant."""
    newer: int | None = None
    asked: list[Asked] = field(default_factory=list)
    asked_s: float = 0.0
    """When the last request was sent, in seconds of the monotonic clock."""

    @property
    def name(self) -> str:
        return f"{self.verb} {self.repository} {self.branch}"

    def overtake(self) -> None:
        self.newer = self.builds.begin(self.repository, self.branch, has_failed=False, ago=timedelta(0))

    def end(self, *, well: bool) -> None:
        """Ends what still runs of it."""
        for number in (self.number, self.newer):
            if number is not None and self.builds.runs(number):
                self.builds.end(number, well=well)


class Front:
    """A `Transport`: a load balancer, and Slack behind it, which sends an event again until it is acknowledged."""

    def __init__(self) -> None:
        self.ports: list[int] = []

    def carry(self, parcel: Payload) -> Ack:
        until, tries, pause = time.monotonic() + DELIVERED_WITHIN_S, 0, threading.Event()
        while True:
            ack = self._carry(replace(parcel, retry_num=tries, retry_reason="http_error" if tries else ""))
            if ack.outcome == "acked" or parcel.kind != "events_api" or time.monotonic() > until:
                return ack
            tries += 1
            pause.wait(0.3)

    def _carry(self, parcel: Payload) -> Ack:
        ports, ack = list(self.ports), Ack("dispatch_failed")
        random.shuffle(ports)
        for port in ports:
            ack = HttpTransport(f"http://127.0.0.1:{port}/slack/events", SIGNING_SECRET, 5.0).carry(parcel)
            if ack.outcome != "dispatch_failed" or parcel.kind != "events_api":
                break
        return ack


class Fuse:
    """A `Watcher` that kills a process when so many steps were reached. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = 0
        self._process: Process | None = None
        self.burnt = threading.Event()

    def light(self, process: Process, steps: int) -> None:
        with self._lock:
            self._process, self._left = process, steps
            self.burnt.clear()

    def blow(self) -> None:
        """Kills now, if that has not happened yet."""
        with self._lock:
            self._blow()

    def reach(self, name: str, landmark: str | None = None) -> bool:
        del landmark
        if any(word in name for word in BESIDE):
            return False
        with self._lock:
            if self._process is not None:
                self._left -= 1
                if self._left <= 0:
                    self._blow()
        return False

    def _blow(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = None
            self.burnt.set()


class Soak:
    """One database, and the processes on it."""

    def __init__(self, title: str, mould: Mould, databases: Databases, folder: Path, seed: int, size: int) -> None:
        self._title = title
        self._mould = mould
        self._folder = folder
        self._random = random.Random(seed)
        self._fuse = Fuse()
        self._front = Front()
        self._url = databases.new(folder)
        # High, since what a dead process had reserved counts for a while.
        calls = {"CODESHIP_CALLS_PER_MINUTE": "6000", "GITHUB_CALLS_PER_MINUTE": "6000"}
        self._theatre = Theatre(self._url, self._fuse, OnGitHub.repositories, **calls)
        self._services: Sequence[Builds] = (OnCodeShip(self._theatre.codeship), OnGitHub(self._theatre.github))
        self._channel = self._theatre.workspace.channel("#builds").id
        self._database = sa.create_engine(self._url, poolclass=sa.NullPool)
        self._cases: list[Case] = []
        self._numbers = iter(range(1, 1_000_000))
        self._size = size

    def run(self, kills: int, server: Server | None, stopped_every: int) -> Report:
        stops = 0
        self._theatre.start()
        try:
            self._processes = [self._new() for _ in range(self._size)]
            self._open()
            self._theatre.workspace.deliver_through(self._front)
            with ThreadPoolExecutor(8) as people:
                for number in range(1, kills + 1):
                    stopping = server if server is not None and number % stopped_every == 0 else None
                    stops += stopping is not None
                    self._round(people, stopping)
            left = self._settle()
            cases = [self._judged(case) for case in self._cases]
        finally:
            for process in self._processes:
                process.end()
            self._theatre.stop()
        return Report(self._title, kills, stops, cases, left)

    def _new(self) -> Process:
        log = self._folder / f"{next(self._numbers)}.txt"
        timeouts = {"dead_after_s": DEAD_AFTER_S}
        return Process(self._mould, self._theatre.environ, log, self._fuse.reach, tells_commits=True, timeouts=timeouts)

    def _open(self) -> None:
        self._front.ports = [process.wait_ready() for process in self._processes]

    def _round(self, people: ThreadPoolExecutor, server: Server | None) -> None:
        """Some requests, one kill among them, and a new process."""
        victim = self._random.randrange(self._size)
        self._fuse.light(self._processes[victim], self._random.randint(1, MAX_STEPS))
        asks = [ask for _ in range(self._random.randint(1, 3)) for ask in self._case()]
        asking = [people.submit(self._ask, *ask) for ask in asks]
        if server is not None:
            self._fuse.burnt.wait(self._random.random())
            server.stop()
        self._fuse.burnt.wait(STEP_WITHIN_S)
        self._fuse.blow()
        self._processes[victim].end()
        if server is not None:
            server.start()
        self._processes[victim] = self._new()
        self._open()
        for asked in asking:
            asked.result()
        self._finish_some(0.5)

    def _case(self) -> list[tuple[Case, str, bool]]:
        """A build and who asks about it: the case, a person, and whether by a mention."""
        builds = self._random.choice(self._services)
        repository, verb = self._random.choice(builds.repositories), self._random.choice(builds.verbs)
        branch = f"soak-{len(self._cases) + 1}"
        case = Case(
            builds,
            builds.begin(repository, branch, has_failed=verb is Verb.RESTART),
            verb,
            repository,
            branch,
            self._random.random() if verb is Verb.CANCEL and self._random.random() < 0.5 else None,
        )
        self._cases.append(case)
        if self._random.random() < 0.25:
            return [(case, self._random.choice(("ada", "bob")), False)]
        several = (["ada"], ["bob"], *([["ada", "bob", "ada"]] if case.overtaken_after_s is None else []))
        return [(case, person, True) for person in self._random.choice(several)]

    def _ask(self, case: Case, person: str, mentions: bool) -> None:
        workspace, thread = self._theatre.workspace, None
        if mentions:  # in a thread: what only the asker sees would else not be linked to the mention
            said = workspace.conversations.add(self._channel, workspace.person(person).id, "typed", f"{case.name}?")
            thread = said.ts
        how = "@codeship" if mentions else "/codeship"
        case.asked_s = time.monotonic()
        overtaking = threading.Timer(case.overtaken_after_s or 0.0, case.overtake)
        if case.overtaken_after_s is not None:
            overtaking.start()
        delivery = workspace.types(person, "#builds", f"{how} {case.name}", thread)
        if case.overtaken_after_s is not None:
            overtaking.join()
        assert isinstance(delivery, Delivery)
        url = str(delivery.payload.get("response_url", "")).removeprefix(workspace.base_url)
        case.asked.append(Asked(person, delivery.is_acked, bool(delivery.ack.body.strip()), thread, url))

    def _finish_some(self, share: float) -> None:
        """Ends that share of the builds, so that a late repetition would start a run of its own.

        Not before the requests may no longer mean what is newest: a request is decided on within that time.
        """
        for case in self._cases:
            is_old = time.monotonic() - case.asked_s > DECIDED_WITHIN_S
            if is_old and self._random.random() < share:
                case.end(well=self._random.random() < 0.5)

    def _settle(self) -> int:
        """Ends all builds and waits for all answers. Returns the number of jobs and follows that are left."""

        def is_settled() -> bool:
            self._finish_some(1.0)
            return not self._left() and not any(self._unanswered(case) for case in self._cases)

        return 0 if wait_until(is_settled, SETTLED_WITHIN_S) else self._left()

    def _left(self) -> int:
        with self._database.connect() as connection:
            schema = "dbos." if connection.dialect.name == "postgresql" else ""
            left = sa.text(f"SELECT count(*) FROM {schema}workflow_status WHERE status IN {NOT_DONE}")
            followed = sa.select(sa.func.count()).where(follows.c.state == "open")
            return sum(int(connection.execute(each).scalar_one()) for each in (left, followed))

    def _judged(self, case: Case) -> Judged:
        with self._database.connect() as connection:
            entries = sa.select(sa.func.count()).where(audit.c.branch == case.branch, audit.c.action == case.verb.value)
            is_audited = connection.execute(entries).scalar_one() > 0
        return Judged(
            case.name,
            len(case.asked),
            sum(not asked.is_taken for asked in case.asked),
            case.builds.posts(case.number, case.verb),
            case.verb is not Verb.FOLLOW,
            is_audited,
            self._unanswered(case),
            0 if case.newer is None else case.builds.posts(case.newer, case.verb),
        )

    def _unanswered(self, case: Case) -> list[str]:
        return [asked.person for asked in case.asked if not self._is_answered(case, asked)]

    def _is_answered(self, case: Case, asked: Asked) -> bool:
        """Slack itself says that a command failed, and leaves a mention without an answer."""
        workspace = self._theatre.workspace
        said = [message for message in workspace.conversation("#builds", asked.person) if message.bot_id]
        if asked.thread is not None:
            return any(message.thread_ts == asked.thread for message in said)
        return (
            not asked.is_taken
            or asked.is_told
            or workspace.response_urls.uses(asked.response_url) > 0
            or any(f"{case.branch} " in f"{message.text} " for message in said)
        )


def soak(kills: int, seed: int, folder: Path, stopped_every: int = STOPPED_EVERY) -> list[Report]:
    """Half of the kills on SQLite, half on PostgreSQL. Raises RuntimeError without PostgreSQL."""
    found = programs()
    if found is None:
        raise RuntimeError(MISSING)
    reports: list[Report] = []
    with ExitStack() as stack:
        mould = Mould()
        stack.callback(mould.stop)
        # What was committed must be there after a crash, as in production.
        server = stack.enter_context(running(found, synchronous_commit="on"))
        for title, of, size in (
            ("SQLite, 1 process", None, 1),
            (f"PostgreSQL, {REPLICAS} processes", server, REPLICAS),
        ):
            place = Path(tempfile.mkdtemp(dir=folder))
            world = Soak(title, mould, Databases(mould, place, of), place, seed, size)
            reports.append(world.run(kills // 2, of, stopped_every))
            print(reports[-1].line(), flush=True)
    return reports


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # a process that is killed breaks its connections
    print(f"seed {options.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="bot-soak-"))
    problems = [problem for report in soak(options.kills, options.seed, folder) for problem in report.problems]
    for problem in problems:
        print(problem)
    print(f"The logs are in {folder}." if problems else "No problem found.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
