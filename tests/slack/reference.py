"""Slack's own reference of its methods: names of arguments, scopes and errors."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from playground.traffic import TrafficEntry

REFERENCE: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "schemas/slack-methods.json").read_text(encoding="utf-8")
)["methods"]

UNDOCUMENTED = {"chat.postMessage": {"client_msg_id"}}
"""Slack names it in two errors of the method, and nowhere else."""

_OF_EVERY_METHOD = {"token"}


def wrong_arguments(method: str, arguments: Iterable[str]) -> list[str]:
    """The arguments that the method does not have, and those that it requires and did not get."""
    known, given = REFERENCE[method], set(arguments) - _OF_EVERY_METHOD
    more = given - set(known["arguments"]) - UNDOCUMENTED.get(method, set())
    less = set(known["required"]) - given - _OF_EVERY_METHOD
    return [f"{method}: no argument {name}" for name in sorted(more)] + [f"{method}: {name} missing" for name in less]


def wrong_calls(traffic: Iterable[TrafficEntry]) -> list[str]:
    """What is wrong with the bot's calls of Slack's methods."""
    calls = [entry for entry in traffic if entry.way == "bot to slack" and entry.title != "response_url"]
    return [wrong for call in calls for wrong in wrong_arguments(call.title, call.sent)]
