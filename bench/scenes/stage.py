"""What all scenes share: the two fakes, a temporary folder, the samples, and an output function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.contenders.table import Contender
from bench.names import BRANCH, repository
from bench.plan import Load, Plan
from bench.processes import Fake, Process
from bench.samples import Samples


@dataclass(frozen=True, slots=True)
class Stage:
    """The shared parts of one run."""

    plan: Plan
    contenders: Sequence[Contender]
    slack: Fake
    codeship: Fake
    folder: Path
    samples: Samples
    say: Callable[[str], None]

    def start(self, contender: Contender, **settings: str) -> Process:
        """Starts it in the same folder each time, so that the bot finds its database again."""
        return contender.start(self.folder / contender.name, self.slack.port, self.codeship.port, **settings)

    def set_delay(self, ms: int) -> None:
        self.slack.tell("set", delay_ms=ms)
        self.codeship.tell("set", delay_ms=ms)

    def set_account(self, projects: int, *, running: bool = False) -> None:
        self.codeship.tell("set", delay_ms=0, projects=projects, running=running)

    def under(self, load: Load) -> dict[str, Any]:
        """Requests the status of all projects in turn. Each request is answered before its project's next one."""
        texts = asking("status", range(self.plan.projects))
        if load.kind == "closed":
            report = self.slack.tell("closed", clients=load.number, seconds=load.seconds, texts=texts)
        else:
            report = self.slack.tell("open", rate=load.number, seconds=load.seconds, texts=texts)
        return dict(report)


@contextmanager
def stage(plan: Plan, contenders: Sequence[Contender], samples: Samples, say: Callable[[str], None]) -> Iterator[Stage]:
    """Both fakes run until the end of the block."""
    with (
        TemporaryDirectory(prefix="bench-") as folder,
        Fake("bench.fakes.slack") as slack,
        Fake("bench.fakes.codeship") as codeship,
    ):
        yield Stage(plan, contenders, slack, codeship, Path(folder), samples, say)


def asking(verb: str, numbers: Sequence[int]) -> list[str]:
    """Commands for these projects."""
    return [f"{verb} {repository(number)} {BRANCH}" for number in numbers]
