"""Slack's limits on messages: a table of what is accepted, what is refused, and the faulty path."""

from __future__ import annotations

from typing import Any

import pytest

from playground.slack.block_rules import faults, message_faults, view_judged

Block = dict[str, Any]


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def section(text: str = "x", **more: Any) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(**more: Any) -> Block:
    return {"type": "button", "text": plain("Go"), **more}


def actions(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


def confirm(**changed: Block) -> Block:
    return {"title": plain("a"), "text": plain("b"), "confirm": plain("c"), "deny": plain("d")} | changed


def menu(options: list[Block], kind: str = "static_select", **more: Any) -> Block:
    return {"type": kind, "action_id": "m", "options": options, **more}


def options(count: int, text: str = "a", value: str = "b") -> list[Block]:
    return [{"text": plain(text), "value": value}] * count


def rich(*elements: Block) -> Block:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


TAKEN: list[tuple[str, list[Block]]] = [
    ("nothing", []),
    ("a section of 3,000", [section("x" * 3000)]),
    ("a header of 150", [{"type": "header", "text": plain("x" * 150)}]),
    ("50 blocks", [section()] * 50),
    ("25 buttons", [actions(*(button(action_id=str(number)) for number in range(25)))]),
    ("the same action_id in two blocks", [actions(button(action_id="a")), actions(button(action_id="a"))]),
    ("a button with everything", [actions(button(value="v", url="https://x.io", style="danger", confirm=confirm()))]),
    ("an accessory", [section(accessory=button(action_id="a"))]),
    ("a menu of 100", [actions(menu(options(100)))]),
    ("a long option", [actions(menu(options(1, "x" * 75, "x" * 150)))]),
    ("a context", [{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 10}]),
    ("rich text", [rich({"type": "text", "text": "x", "style": {"bold": True}}, {"type": "user", "user_id": "U1"})]),
    ("a date", [rich({"type": "date", "timestamp": 1, "format": "{ago}", "fallback": "noon"})]),
    ("a kind that the types do not know yet", [{"type": "data_visualization", "title": "t"}]),
]


@pytest.mark.parametrize("blocks", [blocks for _, blocks in TAKEN], ids=[name for name, _ in TAKEN])
def test_valid_blocks_are_accepted(blocks: list[Block]) -> None:
    assert faults(blocks) == []


REFUSED: list[tuple[str, Any, str]] = [
    ("not a list", {"type": "divider"}, "/blocks"),
    ("not an object", [1], "/blocks/0"),
    ("no type", [{}], "/blocks/0"),
    ("an unknown kind", [{"type": "foo"}], "unsupported type: foo [json-pointer:/blocks/0/type]"),
    ("an unknown field", [{"type": "divider", "x": 1}], "invalid additional property: x [json-pointer:/blocks/0]"),
    ("a header in mrkdwn", [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "/blocks/0/text/type"),
    ("a long header", [{"type": "header", "text": plain("x" * 151)}], "must be less than 151 characters"),
    ("a long section", [section(), section("x" * 3001)], "characters [json-pointer:/blocks/1/text/text]"),
    ("an empty section", [{"type": "section"}], "/blocks/0"),
    ("an empty text", [section("")], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    ("11 fields", [{"type": "section", "fields": [plain("x")] * 11}], "/blocks/0/fields"),
    ("a long field", [{"type": "section", "fields": [plain("x" * 2001)]}], "/blocks/0/fields/0/text"),
    ("51 blocks", [section()] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    ("a block_id twice", [section(block_id="a"), section(block_id="a")], "block_id 'a' already exists"),
    ("an action_id twice", [actions(button(action_id="a"), button(action_id="a"))], "action_id 'a' already exists"),
    ("a long block_id", [section(block_id="x" * 256)], "/blocks/0/block_id"),
    ("a long action_id", [actions(button(action_id="x" * 256))], "/blocks/0/elements/0/action_id"),
    ("26 buttons", [actions(*(button(action_id=str(n)) for n in range(26)))], "/blocks/0/elements"),
    ("no buttons", [actions()], "/blocks/0/elements"),
    ("a long button", [actions({**button(), "text": plain("x" * 76)})], "/blocks/0/elements/0/text/text"),
    ("a long value", [actions(button(value="x" * 2001))], "/blocks/0/elements/0/value"),
    ("a long title of a dialog", [actions(button(confirm=confirm(title=plain("x" * 101))))], "/confirm/title/text"),
    ("a long text of a dialog", [actions(button(confirm=confirm(text=plain("x" * 301))))], "/confirm/text/text"),
    ("a long yes of a dialog", [actions(button(confirm=confirm(confirm=plain("x" * 31))))], "/confirm/confirm/text"),
    ("a long no of a dialog", [actions(button(confirm=confirm(deny=plain("x" * 31))))], "/confirm/deny/text"),
    ("11 in a context", [{"type": "context", "elements": [plain("x")] * 11}], "/blocks/0/elements"),
    ("a menu of 101", [actions(menu(options(101)))], "/blocks/0/elements/0/options"),
    ("a long option", [actions(menu(options(1, "x" * 76)))], "/options/0/text/text"),
    ("a long option's value", [actions(menu(options(1, value="x" * 151)))], "/options/0/value"),
    ("six in an overflow", [actions(menu(options(6), "overflow"))], "/blocks/0/elements/0/options"),
    ("a long placeholder", [actions(menu(options(1), placeholder=plain("x" * 151)))], "/placeholder/text"),
    ("a bad style", [rich({"type": "text", "text": "x", "style": {"bold": 1}})], "/elements/0/elements/0/style/bold"),
    ("a bad part of rich text", [rich({"type": "texx"})], "unsupported type: texx"),
    ("an alert outside a modal", [{"type": "alert", "text": plain("x")}], "for modals only"),
    ("three charts", [{"type": "data_visualization"}] * 3, "no more than 2 data_visualization"),
    ("too much markdown", [{"type": "markdown", "text": "x" * 6001}] * 2, "less than 12001"),
    ("too much in all", [section("x" * 3000) for _ in range(5)], "less than 13201"),
]


@pytest.mark.parametrize(
    ("blocks", "words"), [(blocks, words) for _, blocks, words in REFUSED], ids=[name for name, _, _ in REFUSED]
)
def test_invalid_blocks_are_refused_with_the_place(blocks: Any, words: str) -> None:
    assert any(words in fault for fault in faults(blocks)), faults(blocks)


@pytest.mark.parametrize(
    ("text", "blocks", "count"),
    [("x", None, 0), ("x", [section()], 0), ("", [section()], 1), (None, None, 1), (" ", [{"type": "foo"}], 2)],
)
def test_a_message_needs_text_in_addition_to_blocks(text: str | None, blocks: Any, count: int) -> None:
    assert len(message_faults(text, blocks)) == count


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({}, None),
        ({"title": plain("x" * 25)}, "/title/text"),
        ({"submit": plain("x" * 25)}, "/submit/text"),
        ({"private_metadata": "x" * 3001}, "/private_metadata"),
        ({"blocks": [{"type": "divider"}] * 101}, "/blocks"),
        ({"blocks": [{"type": "foo"}]}, "/blocks/0/type"),
    ],
)
def test_views_have_their_own_limits(changed: Block, pointer: str | None) -> None:
    view = {"type": "modal", "title": plain("Ask"), "blocks": [{"type": "divider"}] * 60} | changed
    assert [fault.pointer for fault in view_judged(view)] == ([pointer] if pointer else [])
