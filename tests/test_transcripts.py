"""Replays conversations with the real bot. What people saw is the specification (`pytest --update`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.app.timeouts import Timeouts
from bot.core.polling.poller import PollInterval
from playground.play.transcript import Play, rewritten, settings_of, steps_of
from playground.sandbox import Sandbox
from tests.held_clock import HeldClock
from tests.slack.reference import wrong_calls

ROOT = Path(__file__).parent.parent
TRANSCRIPTS = sorted((ROOT / "tests/transcripts").glob("*.txt"))
QUICK = frozenset(
    {
        *("status", "why", "restart", "cancel", "follow", "who_may", "mentions", "redelivery"),
        *("subscribe", "notifications", "github_restart", "home"),
    }
)
"""One of each capability, for `make test`. The others are slow."""

NEVER_S = 86400.0
UNHURRIED = Timeouts(
    connect_s=30.0,
    read_s=30.0,
    slack_s=30.0,
    pace=PollInterval(NEVER_S, NEVER_S, NEVER_S),
    maintenance_s=NEVER_S,
    watch_s=NEVER_S,
)
"""Transcripts show what people see, with a fixed clock; the machine's speed must not matter.

Followed builds are polled after each step, and at no other time.
"""


def played(text: str) -> str:
    clock = HeldClock()
    with Sandbox(clock, timeouts=UNHURRIED, ack_timeout_s=30.0, environ=settings_of(text, ROOT)) as stage:
        play = Play(stage, clock.advance)
        seen = [play.step(step.line) for step in steps_of(text)]
        assert wrong_calls(stage.workspace.wires.since(0)) == []
        return rewritten(text, seen)


@pytest.mark.parametrize(
    "path",
    [pytest.param(it, id=it.stem, marks=[] if it.stem in QUICK else [pytest.mark.slow]) for it in TRANSCRIPTS],
)
def test_the_conversation_matches_its_transcript(path: Path, update: bool) -> None:
    written = path.read_text()
    seen = played(written)
    if update:
        path.write_text(seen)
    assert seen == written or update


def test_there_are_transcripts_to_play() -> None:
    assert {path.stem for path in TRANSCRIPTS} > QUICK
