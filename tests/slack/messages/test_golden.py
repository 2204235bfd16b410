"""Compares every message with its golden text and with Slack's own types and limits."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.slack.blocks.message import Message
from playground.slack.block_rules import message_faults
from tests.slack.messages.every_message import EVERY_MESSAGE, SUBJECTS
from tests.slack.messages.golden_text import GOLDEN, differences, written
from tests.slack.messages.message_text import message_text


@pytest.mark.parametrize("subject", SUBJECTS)
def test_messages_equal_their_golden_files(subject: str, update: bool) -> None:
    file, messages = GOLDEN / f"{subject}.txt", SUBJECTS[subject]
    if update:
        file.write_text(written(messages), encoding="utf-8")
    found = differences(file.read_text(encoding="utf-8") if file.exists() else "", messages)
    assert not found, "\n".join([f"{file.name}, which --update rewrites:", *found])


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{subject}.txt" for subject in SUBJECTS}


def test_slack_takes_every_message() -> None:
    faults = {
        name: message_faults(drawn.text, json.loads(json.dumps(drawn.blocks))) for name, drawn in EVERY_MESSAGE.items()
    }
    assert {name: each for name, each in faults.items() if each} == {}


A, B = SUBJECTS["status"]["build_failed"], SUBJECTS["status"]["build_running"]
KEPT = written({"a": A, "b": B})


@pytest.mark.parametrize(
    ("drawn", "told"),
    [
        ({"a": A, "b": B}, []),
        ({"a": A}, ["b is in the file, but no test draws it"]),
        ({"a": A, "b": B, "c": A}, ["c is not in the file"]),
        ({"b": B, "a": A}, ["the file has other lines, another order or a name twice"]),
    ],
)
def test_a_name_too_few_or_too_many_and_another_order_are_differences(
    drawn: dict[str, Message], told: list[str]
) -> None:
    assert differences(KEPT, drawn) == told


@pytest.mark.parametrize("kept", [f"A line on top.\n{KEPT}", f"{KEPT}\n", f"{KEPT}\n## a\n{message_text(A)}"])
def test_lines_that_no_message_has_are_a_difference(kept: str) -> None:
    assert differences(kept, {"a": A, "b": B}) == ["the file has other lines, another order or a name twice"]


def test_a_difference_shows_the_lines_that_changed() -> None:
    (told,) = differences(KEPT, {"a": replace(A, in_public=False), "b": B})
    assert told.startswith("a differs:")
    assert "-text, in public\n+text, to one person" in told
