"""CodeShip's addresses, what it may refuse, and a clock: for tests in which `responses` answers in its place."""

from __future__ import annotations

from bot.core.errors import BadAnswer, KeyRefused, NoAnswer, NoRights, NotThere, OverLimit
from bot.core.ports import CIProvider
from tests.ci.wires import BUILD, WEB

API = "https://codeship.com/api/v1"
LIST, PROJECT, RESTART = f"{API}/projects.json", f"{API}/projects/33837.json", f"{API}/builds/3277309/restart.json"


FOR_GOOD = [
    (401, '{"errors":["Invalid API key"]}', KeyRefused),
    (403, "Forbidden", NoRights),
    (404, "", NotThere),
    (302, "", BadAnswer),
    (422, "", BadAnswer),
]
IN_PASSING = [
    (403, "Rate Limit Exceeded", OverLimit),
    (429, "", OverLimit),
    (500, "", NoAnswer),
    (503, "<html>", NoAnswer),
]


class Clock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


def ask(provider: CIProvider, call: str) -> object:
    match call:
        case "projects":
            return provider.projects()
        case "builds":
            return provider.builds(WEB, "main")
    return provider.restart(BUILD)
