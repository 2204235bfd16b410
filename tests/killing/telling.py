"""A channel that is to be told of a build by a bot that is killed, with or without a second replica."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.app.clock import SystemClock
from bot.core.model.builds import Actor
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notifications.subscriptions import Filters, Subscription
from bot.store import open_store
from bot.store.notifications.tables import deliveries, watched_projects
from playground.slack.model import Message
from tests.killing.scenes import NOT_DONE, NeverReached
from tests.killing.theatre import Mould, Process, Steps, Theatre, wait_until

REPO, CHANNEL = "acme/api", "C0BUILDS"
LITTLE = {"claimed_s": 3.0, "late_s": 2.0}
POSTED = "chat.postMessage not answered yet"
UNSENT = ("due", "sending", "paused")


@dataclass(frozen=True)
class News:
    """What happens while the steps are counted: each status ends a build of its own."""

    name: str
    before: tuple[str, ...]
    then: str
    word: str


BROKE = News("a broken branch", (), "error", "broke")
FIXED = News("a fixed branch", ("error",), "success", "fixed")
ALL_NEWS = (BROKE, FIXED)


def prepare(mould: Mould, url: str, folder: Path) -> None:
    """The channel listens, and the bot has seen that the branch is good."""
    theatre = Theatre(url, Steps())
    theatre.start()
    store = open_store(url, SystemClock())
    filters = Filters(NamePattern((REPO,)))
    store.subscriptions.add(Subscription(CHANNEL, filters, Actor("U0ADA"), SystemClock().now()))
    process = Process(mould, theatre.environ, folder / "preparing.txt", lambda _: False)
    process.wait_ready()
    number = str(theatre.codeship.project(REPO).id)
    assert wait_until(lambda: store.watching.project("codeship", number).branches), process.log
    store.close()
    process.terminate()
    theatre.stop()


@dataclass
class Telling:
    """One piece of news, with at most one kill. A second replica stays alive, or the bot is started again."""

    news: News
    mould: Mould
    database_url: str
    folder: Path
    kill_at: str | None = None
    has_second: bool = False
    processes: list[Process] = field(default_factory=list)

    def play(self) -> list[str]:
        """Returns the steps that were reached. Raises AssertionError if the channel was told wrongly."""
        self.steps = Steps(self.kill_at, lambda: self.processes[0].kill())  # noqa: PLW0108 - it has not started yet
        self.theatre = Theatre(self.database_url, self.steps)
        self.database = sa.create_engine(self.database_url, poolclass=sa.NullPool)
        self.theatre.start()
        try:
            self._play()
        finally:
            for process in self.processes:
                process.end()
            self.theatre.stop()
        return self.steps.reached

    def _play(self) -> None:
        before = self._looked_at()
        self._start(tells_commits=True)
        assert wait_until(lambda: self._looked_at() != before), self._told()
        if self.has_second:
            self._start()
        for status in self.news.before:
            self._ends(status)
            assert wait_until(lambda: self._messages() and self._is_over()), self._told()
        self.steps.begin()
        self._ends(self.news.then)
        if self.kill_at is not None:
            assert wait_until(lambda: self.steps.killed.is_set() or self._is_told()), self._told()
            if not self.steps.killed.wait(1.0):
                raise NeverReached(self.kill_at)
            self.steps.stop()
            self.processes[0].end()
            if not self.has_second:
                self._start()
        assert wait_until(self._is_told), self._told()
        # On PostgreSQL, DBOS ends a job with one statement outside of a transaction, which is no step here.
        if self.kill_at is None and self.database.dialect.name == "sqlite":
            assert wait_until(lambda: "workflow_output" in self.steps.reached[-1]), self._told()
        self._judge()

    def _judge(self) -> None:
        heard = [message for message in self._messages() if self.news.word in message.text]
        top = [message for message in heard if not message.is_reply]
        replies = [message for message in heard if message.is_reply]
        may_double = self.kill_at is not None and self.kill_at.endswith(POSTED)
        said = replies if self.news is FIXED else top
        assert 1 <= len(said) <= 1 + may_double, self._told()
        assert len(top) >= 1, self._told()
        assert len(self._messages()) - len(said) == len(self.news.before), self._told()

    def _start(self, **more: Any) -> None:
        log = self.folder / f"log-{len(self.processes)}.txt"
        reach: Callable[[str], bool] = self.steps.reach if more else lambda _: False
        process = Process(self.mould, self.theatre.environ, log, reach, timeouts=LITTLE, **more)
        self.processes.append(process)
        process.wait_ready()

    def _ends(self, status: str) -> None:
        """A build of main ends. A bot has pushed it, so that no author is looked for."""
        codeship = self.theatre.codeship
        codeship.finish(codeship.push(REPO, message="Sort by date", by="dependabot[bot]"), status)

    def _messages(self) -> list[Message]:
        return [message for message in self.theatre.workspace.conversation("#builds", "ada") if message.bot_id]

    def _is_told(self) -> bool:
        return any(self.news.word in message.text for message in self._messages()) and self._is_over()

    def _is_over(self) -> bool:
        """Whether all that is due was told, and no work is left."""
        with self.database.connect() as connection:
            unsent = sa.select(sa.func.count()).where(deliveries.c.state.in_(UNSENT))
            schema = "dbos." if connection.dialect.name == "postgresql" else ""
            left = sa.text(f"SELECT count(*) FROM {schema}workflow_status WHERE status IN {NOT_DONE}")
            return connection.execute(unsent).scalar_one() == 0 and connection.execute(left).scalar_one() == 0

    def _looked_at(self) -> list[Any]:
        with self.database.connect() as connection:
            return list(connection.execute(sa.select(watched_projects.c.polled_at)).scalars())

    def _told(self) -> str:
        texts = "\n".join(f"  {message.text!r} reply={message.is_reply}" for message in self._messages())
        logs = "\n".join(process.log[-3000:] for process in self.processes)
        return f"killed {self.kill_at}\n{texts}\n{self.steps.reached}\n{logs}"
