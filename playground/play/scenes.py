"""What the playground can show by itself: a few scenes, and the conversations that the tests keep. Plays nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from playground.play.transcript import Step, settings_of, steps_of
from playground.sandbox import HALF_MOVED

TRANSCRIPTS = Path(__file__).parents[2] / "tests" / "transcripts"
"""Where the tests keep them: there in a checkout, absent where the package alone is installed."""


@dataclass(frozen=True, slots=True)
class Script:
    """`name` is unique among its kind; a scene's steps expect nothing, a transcript's what was once seen."""

    name: str
    title: str
    steps: tuple[Step, ...]
    settings: Mapping[str, str] = field(default_factory=dict)


def _scene(name: str, title: str, *lines: str) -> Script:
    return Script(name, title, tuple(Step(line, ()) for line in lines), HALF_MOVED)


SCENES = (
    _scene(
        "A flaky test",
        "main failed. The same commit is run again, and passes.",
        "ada> /codeship status acme/web main",
        "ada> [Restart]",
        "! acme/web main starts",
        "! acme/web main passes",
        "bob> @codeship builds acme/web main",
    ),
    _scene(
        "main is broken",
        "A push breaks main. A restart, asked for by two people, runs once, and fails again.",
        "! bob pushes acme/api main “Round prices in the database”",
        "! acme/api main starts",
        "! acme/api main fails",
        "ada> /codeship status acme/api main",
        "ada> [Restart]",
        "bob> /codeship restart acme/api main",
        "! acme/api main starts",
        "! acme/api main fails",
    ),
    _scene(
        "CodeShip is down",
        "The bot says so, says what it saw last, and answers again when CodeShip does.",
        "ada> /codeship status acme/web main",
        "! CodeShip is down",
        "ada> /codeship status acme/web main",
        "ada> /codeship restart acme/web main",
        "! CodeShip is fine",
        "ada> /codeship status acme/web main",
    ),
    _scene(
        "A team half moved",
        "Some repositories are at CodeShip, some on GitHub, one on both. The words are the same.",
        "ada> /codeship projects",
        "ada> /codeship status acme/web main",
        "ada> /codeship status acme/shop main",
        "bob> /codeship status acme/mobile main",
        "bob> [acme/mobile@github]",
        "! GitHub is down",
        "ada> /codeship status acme/shop main",
        "ada> /codeship status acme/web main",
    ),
    _scene(
        "A failed job on GitHub",
        "Only the job that failed runs again, and one message follows it to its end.",
        "ada> /codeship status acme/shop main",
        "ada> [Failed jobs only]",
        "! 4 s later",
        "! the workflow CI of acme/shop starts on main",
        "! 4 s later",
        "! the workflow Nightly of acme/shop passes on main",
        "! the workflow CI of acme/shop passes on main",
        "! 4 s later",
        "bob> @codeship builds acme/shop main",
    ),
)


def transcripts(folder: Path = TRANSCRIPTS) -> tuple[Script, ...]:
    """Every conversation of the tests; none where they are not there."""
    return tuple(_transcript(path) for path in sorted(folder.glob("*.txt")))


def _transcript(path: Path) -> Script:
    text = path.read_text(encoding="utf-8")
    title = next((line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#")), "")
    return Script(path.stem, title, tuple(steps_of(text)), settings_of(text, path.parents[2]))
