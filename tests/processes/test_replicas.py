"""Three processes of the bot on one PostgreSQL: the same guarantees as one, and one rate limit for all of them."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.store.tables import audit, claims, follows
from playground.codeship import faults as moods
from playground.sandbox import APP_TOKEN, SIGNING_SECRET
from playground.slack.outgoing.delivery import Ack, HttpTransport, Payload
from tests.killing.prepared import Databases
from tests.killing.theatre import Mould, Process, Steps, Theatre, wait_until
from tests.postgres import Server

pytestmark = pytest.mark.serial

REPLICAS = 3
RESTART = "/codeship restart acme/web main"
FLAKY = "(flaky)"


class Balancer:
    """One address for all replicas. Sends each request to the next one, or to another if that cannot be reached.

    A `Transport`, instead of a load balancer.
    """

    def __init__(self, ports: list[int]) -> None:
        self._carriers = [
            HttpTransport(f"http://127.0.0.1:{port}/slack/events", SIGNING_SECRET, 15.0) for port in ports
        ]
        self._turns = itertools.count()

    def carry(self, parcel: Payload) -> Ack:
        turn, ack = next(self._turns), Ack("dispatch_failed")
        for more in range(len(self._carriers)):
            ack = self._carriers[(turn + more) % len(self._carriers)].carry(parcel)
            if ack.outcome != "dispatch_failed":
                break
        return ack


class Replicas:
    """Three processes and what they live in."""

    def __init__(self, mould: Mould, url: str, folder: Path, ahead_s: Sequence[float] = (), **settings: str) -> None:
        """`ahead_s`: how wrong the clock of each process is."""
        self.url = url
        self.theatre = Theatre(url, Steps(), **settings)
        self.workspace, self.codeship = self.theatre.workspace, self.theatre.codeship
        self.theatre.start()
        with ThreadPoolExecutor(REPLICAS) as pool:
            environ = self.theatre.environ
            orders = [{"ahead_s": wrong} for wrong in ahead_s] or [{}] * REPLICAS
            logs = [folder / f"{number}.txt" for number in range(REPLICAS)]
            self.processes = list(
                pool.map(lambda log, order: Process(mould, environ, log, lambda _: False, **order), logs, orders)
            )
        self.ports = [process.wait_ready() for process in self.processes]
        if "SLACK_APP_TOKEN" not in settings:
            self.workspace.deliver_through(Balancer(self.ports))
        else:
            assert self.theatre.sockets.wait_for_links(REPLICAS, 20)

    def stop(self) -> None:
        for process in self.processes:
            process.end()
        self.theatre.stop()

    def rows(self, table: sa.Table) -> int:
        with sa.create_engine(self.url, poolclass=sa.NullPool).connect() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()

    def sees(self, words: str, times: int = 1) -> bool:
        return wait_until(lambda: self.count(words) >= times)

    def count(self, words: str) -> int:
        return sum(words in text for text in self.theatre.texts())

    @property
    def log(self) -> str:
        return "\n".join(process.log[-3000:] for process in self.processes)


@pytest.fixture(scope="module")
def mould() -> Iterator[Mould]:
    made = Mould()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def databases(mould: Mould, postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    return Databases(mould, tmp_path_factory.mktemp("prepared"), postgres)


Open = Callable[..., Replicas]


@pytest.fixture
def replicas(mould: Mould, databases: Databases, tmp_path: Path) -> Iterator[Open]:
    with ExitStack() as stack:

        def opened(url: str | None = None, ahead_s: Sequence[float] = (), **settings: str) -> Replicas:
            made = Replicas(mould, url or databases.new(tmp_path), tmp_path, ahead_s, **settings)
            stack.callback(made.stop)
            return made

        yield opened


@pytest.mark.parametrize("settings", [{}, {"SLACK_APP_TOKEN": APP_TOKEN}], ids=["http", "socket mode"])
def test_a_request_to_all_replicas_at_once_is_carried_out_once(replicas: Open, settings: dict[str, str]) -> None:
    bots = replicas(**settings)
    build = bots.codeship.newest("acme/web", "main")
    with ThreadPoolExecutor(6) as pool:
        asked = list(pool.map(lambda who: bots.workspace.types(who, "#builds", RESTART), ["ada", "bob"] * 3))
    assert all(delivery is not None and delivery.is_acked for delivery in asked), bots.log
    assert wait_until(lambda: bots.rows(audit) == 6), bots.log
    assert bots.codeship.restarts_asked(build) == 1
    assert wait_until(lambda: bots.rows(follows) == 1), bots.log  # a step after the action is on record
    assert bots.rows(claims) == 1
    again = bots.workspace.deliver_again(REPLICAS)
    assert [delivery.is_acked for delivery in again] == [True] * REPLICAS
    bots.codeship.finish(build, "success")
    assert bots.sees(FLAKY, 2), bots.log
    assert bots.rows(audit) == 6, "a redelivery to any replica is not a new request"
    assert bots.count(FLAKY) == 2, "in the message and in its thread"


def test_another_replica_finishes_a_dead_replicas_work(replicas: Open) -> None:
    bots = replicas()
    build = bots.codeship.newest("acme/web", "main")
    bots.codeship.mood = moods.hang(on="restart")
    assert bots.workspace.types("ada", "#builds", RESTART)
    assert bots.codeship.wait_until(lambda: bots.codeship.held == 1, 20), bots.log
    bots.processes[0].kill()  # the first request went there
    bots.codeship.release()
    bots.codeship.mood = moods.FINE
    assert bots.sees("restarted"), bots.log
    assert wait_until(lambda: bots.rows(follows) == 1), bots.log
    bots.processes[1].kill()  # while the build is followed, by whichever is left
    bots.codeship.finish(build, "success")
    assert bots.sees(FLAKY, 2), bots.log
    assert bots.count(FLAKY) == 2, "in the message and in its thread"
    assert bots.codeship.restarts_asked(build) == 1
    assert bots.rows(audit) == 1


def test_replicas_that_start_together_on_an_empty_database_are_all_ready(replicas: Open, postgres: Server) -> None:
    bots = replicas(postgres.new_database())
    assert len(set(bots.ports)) == REPLICAS
    for _ in range(REPLICAS):
        assert bots.workspace.types("ada", "#builds", "/codeship status acme/web main")
    assert bots.sees("failed", REPLICAS), bots.log


@pytest.mark.parametrize("ahead_s", [(0, 3600, -3600), (240, 240, 240)], ids=["an hour apart", "set back"])
def test_clocks_that_are_wrong_delay_nothing_by_more_than_30_s(replicas: Open, ahead_s: Sequence[float]) -> None:
    """In Socket Mode, since over HTTP a signature is valid for five minutes only."""
    bots = replicas(ahead_s=ahead_s, SLACK_APP_TOKEN=APP_TOKEN)
    builds = [bots.codeship.newest("acme/web", "main"), bots.codeship.newest("acme/web", "feature/login")]
    for word, build in zip(("restart", "follow"), builds, strict=True):
        assert bots.workspace.types("ada", "#builds", f"/codeship {word} acme/web {build.branch}")
    assert wait_until(lambda: bots.rows(follows) == 2), bots.log
    if len(set(ahead_s)) == 1:
        for process in bots.processes:
            os.kill(process.pid, signal.SIGUSR1)
    for build in builds:
        bots.codeship.finish(build, "success")
    began_s, calls = time.monotonic(), len(bots.codeship.requests)
    assert bots.sees(FLAKY, 4), bots.log
    took_s = time.monotonic() - began_s
    assert took_s < 30, "both messages and their replies"
    assert len(bots.codeship.requests) - calls < 20 + 2 * took_s, "no poll begins before it is due"


def test_all_replicas_share_one_rate_limit(replicas: Open) -> None:
    """Within much less than a minute, no more calls than the limit reach CodeShip."""
    limit = 12
    bots = replicas(CODESHIP_CALLS_PER_MINUTE=str(limit))
    with ThreadPoolExecutor(6) as pool:
        names = ["acme/web", "acme/api", "acme/mobile", "other-org/web", "acme/infrastructure", "acme/legacy"] * 5
        list(pool.map(lambda name: bots.workspace.types("ada", "#builds", f"/codeship status {name}"), names))
    assert wait_until(lambda: len(bots.theatre.texts("ada")) >= len(names)), bots.log
    requests = sorted(request.at for request in bots.codeship.requests)
    fullest = max(sum(0 <= (other - at).total_seconds() < 60 for other in requests) for at in requests)
    assert limit // 3 < fullest <= limit
