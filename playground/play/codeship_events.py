"""Simulated events at CodeShip: builds that start and finish, and faults of the service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from playground.codeship import faults as moods
from playground.codeship.faults import Fault
from playground.codeship.model import SandboxBuild
from playground.play.event_table import Said, gesture, one_of
from playground.sandbox import Sandbox

_ENDINGS = {
    "passes": "success",
    "fails": "error",
    "is stopped": "stopped",
    "is ignored": "ignored",
    "is blocked": "blocked",
    "breaks down": "infrastructure_failure",
}
_MOODS: dict[str, Callable[[], Fault]] = {
    "is fine": lambda: moods.FINE,
    "is slow": lambda: moods.slow(2),
    "is down": moods.down,
    "refuses the key": moods.wrong_key,
    "gives no rights": moods.no_rights,
    "is over its limit": lambda: moods.over_the_limit(429, retry_after="30"),
    "answers with a web page": moods.html,
    "loses the answer to a restart": lambda: moods.refuse(on="restart", takes=True),
    "loses a restart": lambda: moods.refuse(on="restart"),
}
_BUILD = r"(?P<repo>\S+) (?P<branch>\S+)"


def _build(sandbox: Sandbox, said: Said) -> SandboxBuild:
    return sandbox.codeship.newest(said["repo"], said["branch"])


def _ends(sandbox: Sandbox, said: Said) -> None:
    sandbox.codeship.finish(_build(sandbox, said), _ENDINGS[said["how"]])


def _starts(sandbox: Sandbox, said: Said) -> None:
    sandbox.codeship.start(_build(sandbox, said))


def _says(sandbox: Sandbox, said: Said) -> None:
    sandbox.codeship.change(_build(sandbox, said), status=said["word"])


def _mood(sandbox: Sandbox, said: Said) -> None:
    sandbox.codeship.mood = _MOODS[said["mood"]]()


def _stale(sandbox: Sandbox, said: Said) -> None:
    sandbox.codeship.stale_calls_after_restart = int(said["calls"])


def _new_ids(sandbox: Sandbox, _said: Said) -> None:
    sandbox.codeship.restarts_make_new_builds = True


def _long(sandbox: Sandbox, said: Said) -> None:
    sandbox.codeship.pace = replace(sandbox.codeship.pace, runs_s=int(said["hours"]) * 3600)


WORLD_EVENTS = (
    gesture("REPO BRANCH starts", rf"{_BUILD} starts", _starts),
    gesture(f"REPO BRANCH {'|'.join(_ENDINGS)}", rf"{_BUILD} (?P<how>{one_of(_ENDINGS)})", _ends),
    gesture("REPO BRANCH is WORD", rf"{_BUILD} is “(?P<word>[^”]*)”", _says),
    gesture(f"CodeShip {'|'.join(_MOODS)}", rf"CodeShip (?P<mood>{one_of(_MOODS)})", _mood),
    gesture("CodeShip shows the old run for N calls", r"CodeShip shows the old run for (?P<calls>\d+) calls", _stale),
    gesture("CodeShip gives restarts new ids", r"CodeShip gives restarts new ids", _new_ids),
    gesture("builds take N hours", r"builds take (?P<hours>\d+) hours", _long),
)
