"""What the bot sends to Slack, and what it makes of the errors, held to Slack's own reference of its methods."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from bot.slack.blocks.message import Message
from bot.slack.client.api_errors import BLOCKS_REFUSED, KINDS, METHODS, Kind, refused
from bot.slack.outgoing.bodies import new_message
from playground.play.transcript import Play
from playground.sandbox import Sandbox
from tests.held_clock import HeldClock
from tests.slack.reference import REFERENCE, wrong_calls
from tests.test_transcripts import UNHURRIED

ROOT = Path(__file__).parents[3]
HI = Message("Hi.", ({"type": "divider"},), in_public=True)

NOT_NEEDED = {"conversations.info": {"im:read", "mpim:read"}}
"""Each scope is for one kind of conversation, and the bot calls the method for channels only."""

_NAMED = re.compile(r'"((?:api|apps|auth|chat|conversations|team|usergroups|users|views)\.[a-zA-Z.]+)"')
_CALLED = re.compile(r"\.((?:apps|auth|chat|conversations|usergroups|users|views)_[a-zA-Z_]+)\(")


def test_the_methods_in_use_are_those_that_the_source_names() -> None:
    modules = [path for path in sorted((ROOT / "bot").rglob("*.py")) if path.name != "api_errors.py"]
    source = "\n".join(path.read_text() for path in modules)
    by_call = {method.replace(".", "_"): method for method in REFERENCE}
    called = {by_call[name] for name in _CALLED.findall(source) if name in by_call}
    named = {name for name in _NAMED.findall(source) if name in REFERENCE}
    assert called | named == set(METHODS)


@pytest.mark.parametrize("method", METHODS)
def test_every_error_of_a_method_in_use_is_classified(method: str) -> None:
    assert set(REFERENCE[method]["errors"]) <= set(KINDS)


@pytest.mark.parametrize("method", METHODS)
def test_a_method_in_use_needs_no_scope_that_the_manifest_does_not_name(method: str) -> None:
    text = (ROOT / "manifest.yml").read_text()
    granted = set(yaml.safe_load(text)["oauth_config"]["scopes"]["bot"])
    optional = set(re.findall(r"# - ([a-z.]+:[a-z.]+) ", text))
    assert set(REFERENCE[method]["scope"].get("bot", [])) - NOT_NEEDED.get(method, set()) <= granted | optional


CALLS = """
ada> @codeship status acme/web main
ada> [Refresh]
ada> /codeship restart acme/web main
bob> /codeship restart acme/web main
bob> @codeship status nothing/like-it
! acme/web main starts
! acme/web main fails
! 8 s later
ada> {opens the Home}
ada> /codeship
ada> {chooses Repository “acme/api”}
ada> [Send]
! the app previews links of app.codeship.com
bob in #random> https://app.codeship.com/projects/33801/builds/3277307
"""


@pytest.mark.slow
def test_every_call_has_the_arguments_that_its_method_takes() -> None:
    """The transcripts hold the calls that they cause to the same."""
    clock = HeldClock()
    with Sandbox(clock, timeouts=UNHURRIED, ack_timeout_s=30.0) as stage:
        play = Play(stage, clock.advance)
        for line in CALLS.strip().splitlines():
            play.step(line)
        traffic = stage.workspace.wires.since(0)
    assert wrong_calls(traffic) == []
    called = {entry.title for entry in traffic if entry.way == "bot to slack"}
    elsewhere = {
        *("apps.connections.open", "conversations.info"),
        *("usergroups.users.list", "users.info", "users.lookupByEmail"),
    }
    assert set(METHODS) - elsewhere <= called


def test_the_same_message_has_the_same_id_and_another_has_another() -> None:
    ids = [
        new_message(HI, channel, key=key)["client_msg_id"]
        for channel, key in [("C1", "1"), ("C1", "1"), ("C2", "1"), ("C1", "2")]
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


@pytest.mark.parametrize("word", sorted(BLOCKS_REFUSED))
def test_refused_blocks_are_a_bug_of_the_bot(word: str) -> None:
    assert KINDS[word] is Kind.BUG


@pytest.mark.parametrize(
    ("status", "word", "may_be_there"),
    [
        (200, "not_in_channel", False),
        (200, "a_word_never_met", False),
        (200, "internal_error", True),
        (200, None, True),
        (429, None, False),
        (429, "ratelimited", False),
        (407, None, True),
        (503, None, True),
        (503, "a_word_never_met", True),
        (503, "ratelimited", False),
    ],
)
def test_a_refusal_is_certain_if_slack_says_why(status: int, word: str | None, may_be_there: bool) -> None:
    assert refused("chat.postMessage", status, word).may_be_there is may_be_there
