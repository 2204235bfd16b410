"""The contenders: their names and how each is started. `bench.installs` installs what they need."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.names import API_KEY, APP_TOKEN, BOT_TOKEN, SIGNING_SECRET
from bench.processes import ROOT, Process

Transport = Literal["http", "socket"]
MAX_CALLS = "100000"
"""CODESHIP_CALLS_PER_MINUTE, so high that it limits nothing."""


@dataclass(frozen=True, slots=True)
class Services:
    """Where Slack and CodeShip are, and the file with the certificate to trust; empty without TLS."""

    slack: str
    codeship: str
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class Contender:
    """`kind` is the program, `name` is that and its transport; `command` runs it."""

    kind: str
    transport: Transport
    command: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.transport}"

    def start(self, folder: Path, services: Services, **settings: str) -> Process:
        """Starts it in `folder`, where the bot has its database, with the additional `settings`."""
        folder.mkdir(parents=True, exist_ok=True)
        return Process(self.command, {**self._environ(services), **settings}, folder, self.name)

    def _environ(self, services: Services) -> Mapping[str, str]:
        environ = {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_API_URL": f"{services.slack}/api/",
            "CODESHIP_API_KEY": API_KEY,
            "CODESHIP_API_URL": f"{services.codeship}/api/v1",
        }
        if services.certificate:
            environ |= {"SSL_CERT_FILE": services.certificate, "NODE_EXTRA_CA_CERTS": services.certificate}
        if self.kind == "bot":
            environ |= {"CODESHIP_CALLS_PER_MINUTE": MAX_CALLS, "HOST": "127.0.0.1", "LOG_FORMAT": "json"}
        if self.kind == "bolt-js":
            environ |= {"NODE_ENV": "production"}
        if self.transport == "socket":
            return environ | {"SLACK_APP_TOKEN": APP_TOKEN + self.name}
        return environ | {"SLACK_SIGNING_SECRET": SIGNING_SECRET, "PORT": "0"}


def of_python() -> list[Contender]:
    """The contenders that need only what the bot needs."""
    transports: tuple[Transport, ...] = ("http", "socket")
    python = sys.executable
    return [
        *(Contender("bot", transport, (python, "-m", "bot")) for transport in transports),
        *(Contender("floor", transport, (python, "-m", "bench.contenders.floor")) for transport in transports),
        *(Contender("lean", transport, (python, "-m", "bench.contenders.floor", "lean")) for transport in transports),
    ]


def of_node(node: str) -> list[Contender]:
    """Bolt for JavaScript, on the Node at this path."""
    transports: tuple[Transport, ...] = ("http", "socket")
    program = str(ROOT / "bench/node/program.js")
    return [Contender("bolt-js", transport, (node, program)) for transport in transports]


def of_slack_machine(python: str) -> list[Contender]:
    """slack-machine, on the Python of its own environment."""
    return [Contender("slack-machine", "socket", (python, str(ROOT / "bench/slack_machine/program.py")))]
