"""CodeShip's addresses, its refusals, a clock and a context, for clients with responses from `responses`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.ci.codeship.api import projects_in
from bot.ci.codeship.project_list import ListReader
from bot.ci.service import ClientContext
from bot.core.model.builds import Project
from bot.core.model.errors import (
    CIError,
    Forbidden,
    InvalidResponse,
    NoResponse,
    NotFound,
    OverLimit,
    RateLimitExhausted,
    Unauthorized,
)
from bot.core.ports import CIProvider
from tests.ci.acting import restart
from tests.ci.http_client.faulty_hosts import BUILD, WEB
from tests.held_clock import HeldClock

API = "https://codeship.com/api/v1"
LIST, PROJECT, RESTART = f"{API}/projects.json", f"{API}/projects/33837.json", f"{API}/builds/3277309/restart.json"


FOR_GOOD = [
    (401, '{"errors":["Invalid API key"]}', Unauthorized),
    (403, "Forbidden", Forbidden),
    (404, "", NotFound),
    (302, "", InvalidResponse),
    (422, "", InvalidResponse),
]
IN_PASSING = [
    (403, "Rate Limit Exceeded", OverLimit),
    (429, "", OverLimit),
    (500, "", NoResponse),
    (503, "<html>", NoResponse),
]


class Clock:
    """Time that passes only by waiting, but no two readings are equal, as with a real clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []
        self._readings = 0

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        self._readings += 1
        return self.now + self._readings * 1e-9


class Gate:
    """Allows `lets` requests. `told` has the error of each, `free` whether it was not counted."""

    def __init__(self) -> None:
        self.lets = 100
        self.asked: list[str] = []
        self.told: list[type[CIError] | None] = []
        self.free: list[bool] = []
        self.refusal: OverLimit = RateLimitExhausted("CodeShip", retry_after_s=40)

    def before_request(self, call: str) -> None:
        if len(self.asked) >= self.lets:
            raise self.refusal
        self.asked.append(call)

    def after_request(self, failure: CIError | None, is_free: bool) -> None:
        self.told.append(None if failure is None else type(failure))
        self.free.append(is_free)


def surroundings(clock: Clock | HeldClock, **others: Any) -> ClientContext:
    """A context for tests: no environment, a quarter of a second before the second attempt, no observers."""
    quiet = ClientContext(
        wait=clock.wait,
        monotonic=clock.monotonic,
        now=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC),
        random=lambda: 0.5,
        environ={},
        observe=lambda call, result, seconds: None,
        before_request=lambda call: None,
        after_request=lambda failure, is_free: None,
    )
    return replace(quiet, **others)


def ask(provider: CIProvider, call: str) -> object:
    match call:
        case "projects":
            return provider.projects()
        case "builds":
            return provider.builds(WEB, "main")
    return restart(provider, BUILD)


def parse_projects(
    status: int, headers: Mapping[str, str], body: bytes, *, key: str = "", max_bytes: int = 4 * 1024 * 1024
) -> list[Project]:
    """The projects of the list, which arrives a byte at a time if it is short."""
    reader = ListReader(projects_in, key, max_bytes)
    if not 200 <= status < 300:
        return reader.read(status, headers, body)
    step = max(len(body) // 100, 1)
    for at in range(0, len(body), step):
        reader.feed(body[at : at + step])
    return reader.read(status, headers, b"")
