"""The scenes and transcripts of the playground."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from playground.play.transcript import Step, settings_of, steps_of
from playground.sandbox import HALF_MOVED

TRANSCRIPTS = Path(__file__).parents[2] / "tests" / "transcripts"
"""The tests' transcripts. The folder exists in a checkout, but not if only the package is installed."""


@dataclass(frozen=True, slots=True)
class Script:
    """`name` is unique among its kind. A scene's steps expect nothing; a transcript's expect what it recorded."""

    name: str
    title: str
    steps: tuple[Step, ...]
    settings: Mapping[str, str] = field(default_factory=dict)


def _scene(name: str, title: str, *lines: str) -> Script:
    return Script(name, title, tuple(Step(line, ()) for line in lines), HALF_MOVED)


SCENES = (
    _scene(
        "A flaky test",
        "main failed. A restart of the same commit passes.",
        "ada> /codeship status acme/web main",
        "ada> [Restart]",
        "! acme/web main starts",
        "! acme/web main passes",
        "bob> @codeship builds acme/web main",
    ),
    _scene(
        "main is broken",
        "A push breaks main. Two people request a restart; it runs once and fails again.",
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
        "Broken and fixed",
        "#builds is subscribed to acme/api. It hears that main broke, who is on it, and that it is fixed.",
        "ada> /codeship subscriptions",
        "! bob pushes acme/api main “Sort by date”",
        "! acme/api main starts",
        "! 12 s later",
        "! acme/api main fails",
        "ada> [I’m on it]",
        "! ada pushes acme/api main “Sort by name again”",
        "! acme/api main starts",
        "! 12 s later",
        "! acme/api main passes",
        "bob> /codeship why acme/api main",
    ),
    _scene(
        "CodeShip is down",
        "The bot says so and shows the last known status. It recovers when CodeShip does.",
        "ada> /codeship status acme/web main",
        "! CodeShip is down",
        "ada> /codeship status acme/web main",
        "ada> /codeship restart acme/web main",
        "! CodeShip is fine",
        "ada> /codeship status acme/web main",
    ),
    _scene(
        "Moving to GitHub",
        "Some repositories are on CodeShip, some on GitHub, one on both. The commands are the same.",
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
        "Only the failed job runs again. One message follows it until it finishes.",
        "ada> /codeship status acme/shop main",
        "ada> [Re-run failed jobs]",
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
    """All transcripts of the tests; none if the folder does not exist."""
    return tuple(_transcript(path) for path in sorted(folder.glob("*.txt")))


def _transcript(path: Path) -> Script:
    text = path.read_text(encoding="utf-8")
    title = next((line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#")), "")
    return Script(path.stem, title, tuple(steps_of(text)), settings_of(text, path.parents[2]))
