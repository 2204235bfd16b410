"""Golden messages: one text file for each subject in `golden/`, each message under a line with its name.

`pytest tests/slack/messages/test_golden.py --update` rewrites the files. The diff is the review.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import unified_diff
from pathlib import Path

from bot.slack.blocks.message import Message
from tests.slack.messages.message_text import message_text

GOLDEN = Path(__file__).parent / "golden"
_HEADING = re.compile(r"^## (.*)\n", re.MULTILINE)


def written(messages: Mapping[str, Message]) -> str:
    """What a subject's file holds, in the order of the messages."""
    return "\n".join(f"## {name}\n{message_text(message)}" for name, message in messages.items())


def differences(kept: str, messages: Mapping[str, Message]) -> list[str]:
    """A line for developers about each message that differs from `kept`; empty if the file is exactly right."""
    before, now = _by_name(kept), _by_name(written(messages))
    found = [f"{name} is not in the file" for name in now if name not in before]
    found += [f"{name} is in the file, but no test draws it" for name in before if name not in now]
    for name in before.keys() & now.keys():
        if before[name] != now[name]:
            lines = unified_diff(before[name].split("\n"), now[name].split("\n"), "kept", "drawn", n=1, lineterm="")
            found.append("\n".join([f"{name} differs:", *lines]))
    if not found and kept != written(messages):
        found.append("the file has other lines, another order or a name twice")
    return sorted(found)


def _by_name(text: str) -> dict[str, str]:
    _, *parts = _HEADING.split(text)
    return {name: body.strip("\n") for name, body in zip(parts[::2], parts[1::2], strict=True)}
