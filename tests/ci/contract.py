"""A simulated CI service and the bot's client for it, for the tests that every service must pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bot.ci.service import CIClient
from bot.core.model.builds import Build, Project
from bot.core.ports import CIProvider
from playground.http_host.request_log import Request
from tests.ci.codeship.canned import Gate, surroundings
from tests.ci.sandboxes import Stage
from tests.held_clock import HeldClock


@dataclass
class Play:
    """A simulated service, and the bot's client for it."""

    stage: Stage
    clock: HeldClock
    gate: Gate = field(default_factory=Gate)
    seen: list[tuple[str, str]] = field(default_factory=list)
    clients: list[CIClient] = field(default_factory=list)

    def client(self, **options: Any) -> CIProvider:
        around = surroundings(
            self.clock,
            now=self.clock.now,
            observe=lambda call, result, seconds: self.seen.append((call, result)),
            before_request=self.gate.before_request,
            after_request=self.gate.after_request,
            read_s=2.0,
        )
        made = self.stage.client(around, **options)
        self.clients.append(made)
        return made

    def asked(self, method: str | None = None) -> list[Request]:
        """The requests that reached the service, without those for an App's tokens."""
        reached = [request for request in self.stage.world.requests if request.call != "access token"]
        return [request for request in reached if method in (None, request.method)]


def failed(play: Play, provider: CIProvider, web: Project, **commit: Any) -> tuple[Build, Any]:
    """A build that has failed, as the bot sees it, and as its service has it."""
    pushed = play.stage.push("acme/web", **commit)
    play.clock.advance(5)
    play.stage.start(pushed)
    play.clock.advance(60)
    play.stage.end(pushed, well=False)
    return provider.builds(web, commit.get("branch", "main"))[0], pushed
