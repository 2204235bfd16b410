"""What all scenes share: the fakes, the way to them, a folder for each scene, the samples, and an output function."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.contenders.table import Contender, Services
from bench.fakes.network import CERTIFICATE
from bench.names import BRANCH, repository
from bench.plan import Plan
from bench.processes import Fake, NotReady, Process
from bench.samples import Samples

INSIDE_S = 120.0
"""The longest that a measurement inside the bot's process may take."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The shared parts of one run. `folder` is the scene's own: each scene begins without a database."""

    plan: Plan
    contenders: Sequence[Contender]
    slack: Fake
    codeship: Fake
    network: Fake
    near: Services
    """The fakes on loopback."""
    far: Services
    """The same through TLS, a round trip away."""
    folder: Path
    samples: Samples
    say: Callable[[str], None]

    def set_account(self, projects: int, *, running: bool = False) -> None:
        self.codeship.tell("set", delay_ms=0, projects=projects, running=running)

    @contextmanager
    def running(
        self, contenders: Sequence[Contender], services: Services | None = None
    ) -> Iterator[dict[Contender, tuple[Process, int]]]:
        """All of them with their ports, warmed up, until the end of the block."""
        with ExitStack() as ends:
            running = {}
            for contender in contenders:
                process = contender.start(self.folder / contender.name, services or self.near)
                ends.callback(process.stop)
                running[contender] = process, process.ready()[0]
            for contender, (_, port) in running.items():
                self.aim(contender, port)
                self.slack.tell("closed", clients=16, seconds=0.6, texts=self.statuses())
            yield running

    def inside(self, measure: str, folder: str, **settings: str) -> dict[str, Any]:
        """What `bench.inside` measures in a process of its own. Raises NotReady if there is no result."""
        contender = Contender("bot", "http", (sys.executable, "-m", "bench.inside", measure))
        process = contender.start(self.folder / folder, self.near, **settings)
        process.wait(INSIDE_S)
        try:
            found: dict[str, Any] = json.loads(process.text.strip().splitlines()[-1])
        except (IndexError, ValueError):
            raise NotReady(f"bench.inside said no result:\n{process.text}") from None
        return found

    def aim(self, contender: Contender, port: int) -> None:
        self.slack.tell("aim", port=port, name=contender.name)

    def ask(self, texts: list[str]) -> dict[str, list[int | None]]:
        """Sends them at once and waits for the replies."""
        self.slack.tell("say", texts=texts)
        report: dict[str, list[int | None]] = self.slack.tell("replies")
        return report

    def statuses(self) -> list[str]:
        """One of each project, so that each is answered before its next one."""
        return asking("status", range(self.plan.projects))


@contextmanager
def stage(plan: Plan, contenders: Sequence[Contender], samples: Samples, say: Callable[[str], None]) -> Iterator[Stage]:
    """The fakes run until the end of the block."""
    with TemporaryDirectory(prefix="bench-") as made, ExitStack() as ends:
        folder = Path(made)
        slack = ends.enter_context(Fake("bench.fakes.slack"))
        codeship = ends.enter_context(Fake("bench.fakes.codeship"))
        network = ends.enter_context(Fake("bench.fakes.network", str(folder)))
        network.tell("set", rtt_ms=plan.rtt_ms)
        near = Services(f"http://127.0.0.1:{slack.port}", f"http://127.0.0.1:{codeship.port}")
        to_slack = network.tell("route", name="Slack", port=slack.port)
        to_codeship = network.tell("route", name="CodeShip", port=codeship.port)
        trusted = str(folder / CERTIFICATE)
        far = Services(f"https://127.0.0.1:{to_slack}", f"https://127.0.0.1:{to_codeship}", trusted)
        yield Stage(plan, contenders, slack, codeship, network, near, far, folder, samples, say)


def asking(verb: str, numbers: Sequence[int]) -> list[str]:
    """Commands for these projects."""
    return [f"{verb} {repository(number)} {BRANCH}" for number in numbers]
