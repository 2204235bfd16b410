"""A message's text shows every part of it, and refuses what it does not know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.slack.blocks.message import Message
from playground.slack.block_rules import message_faults
from tests.slack.messages.every_message import EVERY_MESSAGE
from tests.slack.messages.message_text import UnknownPart, message_text


def plain(text: str, *, emoji: bool = False) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": emoji}


DIALOG = {
    "title": plain("Stop it?"),
    "text": plain("It stops."),
    "confirm": plain("Stop"),
    "deny": plain("No"),
    "style": "danger",
}
OPTIONS = [
    {"text": plain("Ann"), "value": "1", "description": plain("main")},
    {"text": plain("Bob"), "value": "2"},
]
SELECT = {
    "type": "static_select",
    "action_id": "pick",
    "placeholder": plain("Pick"),
    "options": OPTIONS,
    "initial_option": OPTIONS[0],
    "confirm": DIALOG,
}
BUTTON = {
    "type": "button",
    "action_id": "stop",
    "text": plain("Stop"),
    "style": "danger",
    "url": "https://ci.example/7",
    "accessibility_label": "Stop build 7",
    "value": '{"i":"7"}',
    "confirm": DIALOG,
}
PIECES: list[dict[str, Any]] = [
    {"type": "emoji", "name": "x"},
    {"type": "text", "text": " Hi \n"},
    {"type": "text", "text": "loud", "style": {"bold": True, "italic": True, "strike": True}},
    {"type": "text", "text": "a`b", "style": {"code": True}},
    {"type": "link", "url": "https://ci.example/(7)", "text": "seven", "style": {"bold": True}},
    {"type": "link", "url": "https://ci.example"},
    {"type": "user", "user_id": "U0ADA"},
    {"type": "channel", "channel_id": "C0DEV"},
    {"type": "usergroup", "usergroup_id": "S0OPS"},
    {"type": "broadcast", "range": "here"},
    {"type": "date", "timestamp": 1418738592, "format": "{time}", "fallback": "14:03"},
]


def section(*pieces: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": [*pieces]}


FULL = Message(
    "Hi",
    (
        {"type": "rich_text", "block_id": "b1", "elements": [section(*PIECES)]},
        {
            "type": "rich_text",
            "elements": [
                {"type": "rich_text_quote", "elements": PIECES[:1]},
                {"type": "rich_text_preformatted", "elements": PIECES[1:2]},
                {"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [section(PIECES[0])]},
            ],
        },
        {"type": "header", "text": plain("Builds :x:", emoji=True)},
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "*One*\ntwo", "verbatim": True},
            "fields": [{"type": "mrkdwn", "text": "branch"}, plain("main")],
            "accessory": SELECT,
        },
        {"type": "divider"},
        {"type": "actions", "elements": [BUTTON, SELECT]},
        {"type": "context", "elements": [plain("ref k3"), {"type": "mrkdwn", "text": "by _Ada_"}]},
    ),
    in_public=True,
)
SHOWN = """\
rich_text block_id=b1
  :x: Hi\\u0020
  *_~loud~_*`a\\`b`[*seven*](https://ci.example/\\(7\\))<https://ci.example><@U0ADA><#C0DEV><!subteam^S0OPS><!here>\
<!date^1418738592^{time}|14:03>
rich_text
  elements:
    rich_text_quote
      :x:
    rich_text_preformatted
       Hi\\u0020

    rich_text_list bullet indent=1
      rich_text_section
        :x:
header
  emoji "Builds :x:"
section
  mrkdwn verbatim=true
    *One*
    two
  field
    mrkdwn
      branch
  field
    "main"
  accessory
    static_select pick
      placeholder "Pick"
      option "Ann" described "main" value=1
      option "Bob" value=2
      chosen "Ann" described "main" value=1
      asks "Stop it?" "It stops." yes "Stop" danger no "No"
divider
actions
  "Stop" stop danger url=https://ci.example/7 read as "Stop build 7" value={"i":"7"}
    asks "Stop it?" "It stops." yes "Stop" danger no "No"
  static_select pick
    placeholder "Pick"
    option "Ann" described "main" value=1
    option "Bob" value=2
    chosen "Ann" described "main" value=1
    asks "Stop it?" "It stops." yes "Stop" danger no "No"
context
  "ref k3"
  mrkdwn
    by _Ada_
text, in public
  Hi
"""


def test_every_part_is_written() -> None:
    assert message_text(FULL) == SHOWN


def test_slack_knows_every_part_that_can_be_written() -> None:
    once = [block for block in FULL.blocks if block["type"] != "actions"]
    assert message_faults("Hi", once) == []
    assert message_faults("Hi", [{"type": "actions", "elements": [BUTTON, SELECT]}]) == []


def places(node: object) -> Iterator[tuple[Any, ...]]:
    """The way to every part and value of a document."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield (key,)
        yield from ((key, *rest) for rest in places(value))


def changes(blocks: object) -> Iterator[tuple[tuple[Any, ...], list[Any]]]:
    """The blocks with one value changed, one part left out, or one part too many."""
    source = json.dumps(blocks)
    for *way, key in places(json.loads(source)):
        for change in ("value", "left out", "added"):
            new = json.loads(source)
            holder: Any = new
            for step in way:
                holder = holder[step]
            old = holder[key]
            if change == "left out":
                del holder[key]
            elif change == "added" and isinstance(old, dict):
                old["new"] = "x"
            elif change == "value" and not isinstance(old, dict | list):
                holder[key] = not old if isinstance(old, bool) else old + 1 if isinstance(old, int) else f"{old}."
            else:
                continue
            yield (change, *way, key), new


def test_every_change_to_a_block_changes_its_text_or_is_refused() -> None:
    """Each block once: a message's text is that of its blocks, one after the other."""
    drawn = {
        json.dumps(block, sort_keys=True): block for each in [FULL, *EVERY_MESSAGE.values()] for block in each.blocks
    }
    for block in drawn.values():
        shown = alone(block)
        for change, changed in changes([block]):
            try:
                assert alone(*changed) != shown, (change, block)
            except UnknownPart:
                continue


def alone(*blocks: dict[str, Any]) -> str:
    return message_text(Message("x", blocks, in_public=True))


def test_every_change_to_a_message_changes_its_text() -> None:
    for name, drawn in {"full": FULL, **EVERY_MESSAGE}.items():
        less = (replace(drawn, blocks=(*drawn.blocks[:at], *drawn.blocks[at + 1 :])) for at in range(len(drawn.blocks)))
        for changed in (*less, replace(drawn, text=f"{drawn.text} "), replace(drawn, in_public=not drawn.in_public)):
            assert message_text(changed) != message_text(drawn), name


def rich(*pieces: dict[str, Any]) -> Message:
    return Message("x", ({"type": "rich_text", "elements": [section(*pieces)]},), in_public=True)


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ({"type": "image", "image_url": "https://x.io", "alt_text": "x"}, "'image'"),
        ({"type": "divider", "color": "red"}, "divider has color"),
        ({"type": "actions"}, "actions has no 'elements'"),
        ({"type": "actions", "elements": [{"type": "timepicker"}]}, "'timepicker'"),
        ({"type": "actions", "elements": [{**BUTTON, "shape": "round"}]}, "button has shape"),
        ({"type": "actions", "elements": [{**BUTTON, "confirm": {**DIALOG, "icon": "x"}}]}, "has icon"),
        ({"type": "actions", "elements": [{**SELECT, "option_groups": []}]}, "static_select has option_groups"),
        ({"type": "context", "elements": [{"type": "plain_text", "text": "x"}]}, "plain_text has no 'emoji'"),
        ({"type": "context", "elements": [{"type": "image"}]}, "'image' is not plain_text"),
        ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, "'mrkdwn' is not plain_text"),
        ({"elements": []}, "has no 'type'"),
    ],
)
def test_an_unknown_block_element_or_key_is_refused(block: dict[str, Any], told: str) -> None:
    with pytest.raises(UnknownPart, match=told):
        message_text(Message("x", (block,), in_public=True))


@pytest.mark.parametrize(
    ("piece", "told"),
    [
        ({"type": "color", "value": "#fff"}, "'color'"),
        ({"type": "text", "text": "x", "style": {"underline": True}}, "style underline"),
        ({"type": "text", "text": "x", "style": {"bold": False}}, "style {'bold': False}"),
        ({"type": "user", "user_id": "U0ADA", "style": {"bold": True}}, "no style"),
        ({"type": "emoji", "name": "x", "unicode": "274c"}, "emoji has unicode"),
        ({"type": "date", "timestamp": "1", "format": "{time}"}, "no whole number"),
        ({"type": "link", "url": None}, "None is no text"),
    ],
)
def test_an_unknown_piece_of_rich_text_is_refused(piece: dict[str, Any], told: str) -> None:
    with pytest.raises(UnknownPart, match=told):
        message_text(rich(piece))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*bold* _it_ ~no~ `rm`", r"\*bold\* \_it\_ \~no\~ \`rm\`"),
        ("[a](https://x.io) <@U0EVE>", r"\[a\](https://x.io) \<@U0EVE>"),
        (":x: 14:07: ", r"\:x: 14\:07:\u0020"),
        ("a\\u200bb\u200bc\u00a0", r"a\\u200bb\u200bc\u00a0"),
        ("one\n  two", "one\n    two"),
    ],
)
def test_text_cannot_be_taken_for_a_mark_and_what_is_invisible_shows(text: str, shown: str) -> None:
    assert message_text(rich({"type": "text", "text": text})) == f"rich_text\n  {shown}\ntext, in public\n  x\n"
