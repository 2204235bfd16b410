"""A sandbox with both CI services: the demo accounts of CodeShip and GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.app.clock import SystemClock
from playground.github.api.server import GitHubHost
from playground.github.demo_data import seed
from playground.github.sandbox import GITHUB_TOKEN, WEBHOOK_SECRET
from playground.github.state import GitHubWorld
from playground.sandbox import Transport
from tests.processes.bot_process import Sandbox

__all__ = ["GITHUB_TOKEN", "WEBHOOK_SECRET", "BothServices", "both_services"]


class BothServices(Sandbox):
    """`environ` has the keys of both, and chooses neither."""

    def __init__(self, transport: Transport, folder: Path) -> None:
        super().__init__(transport, folder)
        self.folder = folder
        self.github = GitHubWorld(SystemClock().now, GITHUB_TOKEN)
        seed(self.github)
        self.github_host = GitHubHost(self.github)

    @property
    def environ(self) -> dict[str, str]:
        return super().environ | {"GITHUB_TOKEN": GITHUB_TOKEN, "GITHUB_API_URL": self.github_host.url}


@contextmanager
def both_services(transport: Transport, folder: Path) -> Iterator[BothServices]:
    sandbox = BothServices(transport, folder)
    sandbox.start_codeship()
    sandbox.start_slack()
    sandbox.github_host.start()
    try:
        yield sandbox
    finally:
        sandbox.github.release()
        sandbox.github_host.stop()
        sandbox.stop()
