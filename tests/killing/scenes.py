"""What is requested from a bot that is killed, and how it must end, whenever that happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.store.tables import audit, follows
from playground.slack.model import CannotDo, Message
from tests.killing.theatre import Mould, Process, Steps, Theatre, wait_until

UNKNOWN = "restart not confirmed"
VERDICT = "(flaky)"
NOT_DONE = ("PENDING", "ENQUEUED", "DELAYED")


@dataclass(frozen=True)
class Scene:
    """`ask` returns whether the bot acknowledged it.

    `own_until`: what comes after such a landmark is also in other scenes, and is killed there.
    """

    name: str
    branch: str
    ask: Callable[[Theatre], bool]
    is_restart: bool = True
    own_until: str = ""

    def own(self, steps: list[str]) -> list[str]:
        """Those to be killed at."""
        after = [at for at, step in enumerate(steps) if self.own_until and step.startswith(f"after {self.own_until}:")]
        return steps[: after[0]] if after else steps


def _types(text: str) -> Callable[[Theatre], bool]:
    def ask(theatre: Theatre) -> bool:
        delivery = theatre.workspace.types("ada", "#builds", text)
        return delivery is not None and delivery.is_acked

    return ask


def _presses_restart(theatre: Theatre) -> bool:
    shown = theatre.workspace.conversation("#builds", "ada")[0]
    try:
        return theatre.workspace.presses("ada", shown, "Restart", confirm=True).is_acked
    except CannotDo:  # it was not acknowledged, and done all the same: what is shown now offers no restart
        return True


SCENES = (
    Scene("a restart by command", "main", _types("/codeship restart acme/web main")),
    Scene("a restart by button", "main", _presses_restart, own_until="chat.update"),
    Scene("a following", "feature/login", _types("/codeship follow acme/web feature/login"), is_restart=False),
)


class NeverReached(Exception):
    """The scene came to its end without the step."""


@dataclass
class Performance:
    """One scene, with at most one kill. `problems` describes each broken rule."""

    scene: Scene
    mould: Mould
    database_url: str
    folder: Path
    kill_at: str | None = None
    asks: int = 1
    sent: int = 0
    """POSTs of a restart with an unknown result, before a person tried again."""

    def play(self) -> list[str]:
        """Returns the steps that were reached. Raises AssertionError if the end is not as promised."""
        self.pressed: set[str] = set()
        self.steps = Steps(self.kill_at, self._kill)
        self.theatre = Theatre(self.database_url, self.steps)
        self.database = sa.create_engine(self.database_url, poolclass=sa.NullPool)
        self.theatre.start()
        try:
            self._play()
        finally:
            self.process.end()
            self.theatre.stop()
        return self.steps.reached

    def _play(self) -> None:
        theatre, codeship = self.theatre, self.theatre.codeship
        self.build = codeship.newest("acme/web", self.scene.branch)
        self._start(tells_commits=True)
        if self.scene.ask is _presses_restart:
            _types("/codeship status acme/web main")(theatre)
            assert wait_until(theatre.texts), "nothing was shown to press"
            self.pressed.add(theatre.workspace.conversation("#builds", "ada")[0].ts)
            assert wait_until(lambda: "answered" in self.process.log), "the question is not done with"
        self.steps.begin()
        acked = self.scene.ask(theatre)
        if self.kill_at is not None:
            assert wait_until(lambda: self._moved_on() or self.steps.killed.is_set() or self._is_over())
            if not self.steps.killed.wait(1.0):
                raise NeverReached(self.kill_at)
            self.steps.stop()
            self.process.end()
            self._start()
            if not acked:
                # Without its response URL, the first request was not stored either: only the second one counts.
                self.asks = 1 if self.kill_at.endswith("commit insert response_urls") else 2
                # A person who is told that it failed asks again. A busy machine may take too long to store that, too.
                assert any(self.scene.ask(theatre) for _ in range(5)), self._told()
        self._end()

    def _kill(self) -> None:
        self.process.kill()

    def _start(self, **more: Any) -> None:
        log = self.folder / "log.txt"
        self.process = Process(self.mould, self.theatre.environ, log, self.steps.reach, **more)
        self.theatre.deliver_to(self.process.wait_ready())

    def _moved_on(self) -> bool:
        """Lets CI end the build as soon as possible: when it was restarted, or is shown as running."""
        codeship = self.theatre.codeship
        build = codeship.build(self.build)
        if self.scene.is_restart and self.asks == 2 and self._asks_on_record() < 2:
            return False  # else the second request would be for another run
        shown = not self.scene.is_restart and any(len(message.versions) > 1 for message in self._answers())
        if build.is_running and (self.scene.is_restart or shown):
            codeship.finish(build, "success")
        return False

    def _end(self) -> None:
        assert wait_until(lambda: self._moved_on() or self._is_over()), self._told()
        if not self._verdicts():
            assert self.scene.is_restart, self._told()
            assert self.kill_at is not None, self._told()
            assert any(UNKNOWN in text for text in self.theatre.texts()), self._told()
            self.sent = self.theatre.codeship.restarts_asked(self.build)
            self._try_again()
            assert wait_until(lambda: self._moved_on() or (self._verdicts() and self._is_over())), self._told()
        self._judge()

    def _try_again(self) -> None:
        [*_, message] = [m for m in self.theatre.workspace.conversation("#builds", "ada") if UNKNOWN in m.text]
        assert self.theatre.codeship.restarts_asked(self.build) <= 1, self._told()
        assert not self.theatre.codeship.build(self.build).is_running
        self.pressed.add(message.ts)
        self.theatre.workspace.presses("ada", message, "Try again", confirm=True)

    def _judge(self) -> None:
        told = self._told()
        if self.scene.is_restart:
            asked = self.theatre.codeship.restarts_asked(self.build)
            assert asked == 1 + self.sent, f"{asked} POSTs: {told}"
        followed = len(self._verdicts())
        # A second request finds the live message of the first, if it is there already.
        assert 1 <= followed <= (1 if self.scene.is_restart else self.asks), told
        in_doubt = self.kill_at is not None and "after chat.update" in self.kill_at
        is_unclear = self.kill_at is not None and self.kill_at.endswith("chat.postMessage not answered yet")
        is_first = is_unclear and not in_doubt
        live = [m for m in self._answers() if UNKNOWN not in m.text]
        assert len(live) <= (self.asks + 1 if is_first else self.asks), told
        assert len(self._replies()) <= followed, told
        assert len(self._replies()) == followed or in_doubt, told
        with self.database.connect() as connection:
            rows = connection.execute(sa.select(audit.c.request_hash)).scalars().all()
            states = connection.execute(sa.select(follows.c.state)).scalars().all()
        assert states == ["ended"] * followed, f"{states} {told}"
        assert len(rows) == len(set(rows)), f"{rows} {told}"

    def _answers(self) -> list[Message]:
        """The bot's public messages. One that was pressed counts if it has become the live message."""
        said = self.theatre.workspace.conversation("#builds", "ada")
        public = [m for m in said if m.bot_id and not m.is_reply and not m.ephemeral_to]
        return [m for m in public if m.ts not in self.pressed or VERDICT in m.text]

    def _verdicts(self) -> list[Message]:
        return [message for message in self._answers() if VERDICT in message.text]

    def _replies(self) -> list[Message]:
        return [m for m in self.theatre.workspace.conversation("#builds", "ada") if m.is_reply and VERDICT in m.text]

    def _is_over(self) -> bool:
        """Whether no work is left and the person got a reply."""
        if not self._verdicts() and not any(UNKNOWN in text for text in self.theatre.texts()):
            return False
        with self.database.connect() as connection:
            schema = "dbos." if connection.dialect.name == "postgresql" else ""
            left = sa.text(f"SELECT count(*) FROM {schema}workflow_status WHERE status IN {NOT_DONE}")
            return bool(connection.execute(left).scalar_one() == 0)

    def _asks_on_record(self) -> int:
        with self.database.connect() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(audit)).scalar_one())

    def _told(self) -> str:
        texts = "\n".join(
            f"  {m.text!r} reply={m.is_reply}" for m in self.theatre.workspace.conversation("#builds", "ada")
        )
        log = "\n".join(
            line[:1500] for line in self.process.log.splitlines() if '"error"' in line or "Traceback" in line
        )
        return f"killed {self.kill_at}\n{texts}\n{self.steps.reached}\n{log}"
