"""What all scenes share: the two fakes, a folder for what goes away again, the samples, and a voice."""

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
    """For one run."""

    plan: Plan
    contenders: Sequence[Contender]
    slack: Fake
    codeship: Fake
    folder: Path
    samples: Samples
    say: Callable[[str], None]

    def start(self, contender: Contender, **settings: str) -> Process:
        """In a folder that is the same for each of its starts, so that the bot finds its database again."""
        return contender.start(self.folder / contender.name, self.slack.port, self.codeship.port, **settings)

    def set_delay(self, ms: int) -> None:
        self.slack.tell("set", delay_ms=ms)
        self.codeship.tell("set", delay_ms=ms)

    def set_account(self, projects: int, *, running: bool = False) -> None:
        self.codeship.tell("set", delay_ms=0, projects=projects, running=running)

    def under(self, load: Load) -> dict[str, Any]:
        """Statuses of all projects in turn, each over before the same comes round again."""
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
    """What people type about these projects."""
    return [f"{verb} {repository(number)} {BRANCH}" for number in numbers]
