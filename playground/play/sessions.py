"""The playground's sessions: one sandbox after another, used by hand, by a scene or by a transcript. No HTTP here."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from bot.core.model.builds import Actor
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notifications.subscriptions import Filters, Subscription
from playground.clock import SandboxClock
from playground.pace import BuildPace
from playground.play.scenes import SCENES, TRANSCRIPTS, Script, transcripts
from playground.play.transcript import Play
from playground.play.world_events import trigger
from playground.sandbox import HALF_MOVED, Sandbox
from playground.slack.model import CannotDo

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""When every transcript begins."""

SUBSCRIBED = "acme/api"
WATCHABLE = BuildPace(waits_s=4, runs_s=20)
PAUSE_S = 1.8
"""Seconds between the steps of a scene."""


@dataclass(frozen=True, slots=True)
class RealCodeShip:
    """A real host of CodeShip's v1 API, instead of the simulated one."""

    url: str
    key: str


@dataclass(frozen=True, slots=True)
class Playing:
    """A script that is being played, and what each step so far has shown. `fault`: why it cannot continue."""

    kind: Literal["scene", "transcript"]
    script: Script
    seen: tuple[tuple[str, ...], ...] = ()
    fault: str = ""

    @property
    def has_ended(self) -> bool:
        return bool(self.fault) or len(self.seen) == len(self.script.steps)


class Session:
    """One sandbox, from its start to its end."""

    def __init__(self, number: int, clock: SandboxClock, sandbox: Sandbox, playing: Playing | None) -> None:
        self.number = number
        self.clock = clock
        self.stage = sandbox
        self.playing = playing
        self._halted = threading.Event()
        self._turn = threading.Lock()
        self._play = Play(sandbox, clock.advance)
        self._scene: threading.Thread | None = None

    def trigger(self, words: str) -> None:
        """Triggers an event. Raises CannotDo."""
        trigger(self.stage, words)
        self._look()

    def pass_time(self, seconds: float) -> None:
        """Moves time forward at once, and advances builds that are then due."""
        self.clock.advance(seconds)
        self.stage.tick()
        self._look()

    def step(self) -> None:
        """Plays the next step of the script, if there is one left."""
        with self._turn:
            playing = self.playing
            if playing is None or playing.has_ended or self._halted.is_set():
                return
            try:
                seen = self._play.step(playing.script.steps[len(playing.seen)].line)
                self.playing = replace(playing, seen=(*playing.seen, seen))
            except (CannotDo, TimeoutError) as why:
                self.playing = replace(playing, fault=str(why))

    def play_by_itself(self, pause_s: float) -> None:
        self._scene = threading.Thread(target=self._play_all, args=(pause_s,), name="scene", daemon=True)
        self._scene.start()

    def wait_for_the_scene(self) -> None:
        """Waits until the scene has ended, or the session was closed."""
        if self._scene is not None:
            self._scene.join()

    def tick(self) -> None:
        """Advances builds as time passes. If time is fixed, only steps advance them."""
        if not self.clock.is_held:
            self.stage.tick()

    def close(self) -> None:
        """Ends the script and the bot. Messages can still be read. Does nothing on a second call."""
        is_closed = self._halted.is_set()
        self._halted.set()
        self.wait_for_the_scene()
        with self._turn:
            if not is_closed:
                self.stage.stop()

    def _look(self) -> None:
        """Polls now if time is fixed, since the bot then never does. Else the bot polls soon, as after a webhook."""
        if not self.clock.is_held:
            self.stage.poll_soon()
        elif self.stage.settle():
            self.stage.poll()

    def _play_all(self, pause_s: float) -> None:
        while self.playing is not None and not self.playing.has_ended:
            self.step()
            if self._halted.wait(pause_s):
                return


class Sessions:
    """`held_at`: a fixed time, so that what is shown repeats exactly. Thread-safe."""

    def __init__(
        self,
        *,
        held_at: datetime | None = None,
        codeship: RealCodeShip | None = None,
        pause_s: float = PAUSE_S,
        folder: Path = TRANSCRIPTS,
    ) -> None:
        self._held_at = held_at
        self._pause_s = pause_s
        self._lock = threading.Lock()
        self._number = 0
        self._current: Session | None = None
        self.codeship = codeship
        # Scenes and transcripts need the repositories of the simulated CodeShip.
        self.scenes = () if codeship else SCENES
        self.transcripts = () if codeship else transcripts(folder)

    @property
    def current(self) -> Session:
        """The current session. Only valid between `start` and `stop`."""
        if self._current is None:
            raise RuntimeError("the playground has not been started")
        return self._current

    def start(self) -> Sessions:
        self._begin(self._held_at, None)
        return self

    def stop(self) -> None:
        with self._lock:
            if self._current is not None:
                self._current.close()

    def start_over(self) -> None:
        """Replaces the current sandbox by a new one."""
        self._begin(self._held_at, None)

    def show_scene(self, name: str) -> None:
        """Plays a scene from its start, slowly enough to watch. Raises CannotDo."""
        session = self._begin(self._held_at, Playing("scene", _found(self.scenes, name)))
        session.play_by_itself(self._pause_s)

    def replay(self, name: str) -> None:
        """Starts a transcript with a fixed time; `Session.step` plays each step. Raises CannotDo."""
        self._begin(NOON, Playing("transcript", _found(self.transcripts, name)))

    def _settings(self, playing: Playing | None) -> Mapping[str, str]:
        """A team with both services, unless a script says otherwise. A real CodeShip is used without GitHub."""
        if self.codeship is not None:
            return {"CODESHIP_API_URL": self.codeship.url, "CODESHIP_API_KEY": self.codeship.key}
        return playing.script.settings if playing else HALF_MOVED

    def _begin(self, held_at: datetime | None, playing: Playing | None) -> Session:
        with self._lock:
            if self._current is not None:
                self._current.close()  # first: a process has one bot at a time
            clock = SandboxClock(held_at)
            stage = Sandbox(clock, environ=self._settings(playing))
            if not clock.is_held:
                stage.codeship.pace = WATCHABLE
                if stage.github is not None:
                    stage.github.pace = WATCHABLE
            try:
                stage.start()
            except BaseException:  # raised again, after closing the sandbox's servers
                stage.stop()
                raise
            if self.codeship is None and (playing is None or playing.kind == "scene"):
                _subscribe_builds(stage, clock.now())
            self._number += 1
            self._current = session = Session(self._number, clock, stage, playing)
            return session


def _subscribe_builds(stage: Sandbox, now: datetime) -> None:
    """Subscribes #builds to acme/api main, so that its first failure is posted."""
    channel, ada = stage.workspace.channel("#builds", "ada").id, Actor(stage.workspace.person("ada").id)
    if stage.bot is not None:
        stage.bot.store.subscriptions.add(Subscription(channel, Filters(NamePattern((SUBSCRIBED,))), ada, now))


def _found(scripts: Iterable[Script], name: str) -> Script:
    for script in scripts:
        if script.name == name:
            return script
    raise CannotDo(f"there is no “{name}”")
