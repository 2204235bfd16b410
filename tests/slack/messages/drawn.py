"""The buttons and dialogs of a rendered message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.core.model.command_entries import Command
from bot.slack.blocks.button_values import command_of
from bot.slack.blocks.message import Message


def parts(node: object) -> Iterator[dict[str, Any]]:
    """All objects in a document, at any depth."""
    if isinstance(node, dict):
        yield node
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list | tuple) else ():
        yield from parts(value)


def buttons(drawn: Message) -> list[dict[str, Any]]:
    return [part for part in parts(drawn.blocks) if part.get("type") == "button"]


def labels(drawn: Message) -> list[str]:
    return [button["text"]["text"] for button in buttons(drawn)]


def pressed(drawn: Message, label: str) -> Command:
    """The command of the first button with this label."""
    button = next(button for button in buttons(drawn) if button["text"]["text"] == label)
    return command_of(button["action_id"], button["value"])


def dialogs(drawn: Message) -> dict[str, dict[str, str]]:
    """The texts of each button's confirmation dialog, by its label; only of buttons that have one."""
    return {
        button["text"]["text"]: {name: words["text"] for name, words in button["confirm"].items() if name != "style"}
        for button in buttons(drawn)
        if "confirm" in button
    }
