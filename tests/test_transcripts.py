"""Conversations with the real bot, played again: what people then saw is the specification (`pytest --update`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.playground.stage import Stage
from bot.playground.transcript import Play, rewritten, steps_of
from tests.held_clock import HeldClock

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


def played(text: str) -> str:
    clock = HeldClock()
    with Stage(clock) as stage:
        play = Play(stage, clock.advance)
        return rewritten(text, [play.step(step.line) for step in steps_of(text)])


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_the_conversation_goes_as_written(path: Path, update: bool) -> None:
    written = path.read_text()
    seen = played(written)
    if update:
        path.write_text(seen)
    assert seen == written or update


def test_there_are_transcripts_to_play() -> None:
    assert TRANSCRIPTS
