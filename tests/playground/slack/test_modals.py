"""What an app's ack to a submitted modal does, as in Slack."""

from __future__ import annotations

import json
from typing import Any

import pytest

from playground.slack.modals import TROUBLE, Modals, missing
from playground.slack.model import CannotDo
from playground.slack.outgoing.delivery import Ack

Json = dict[str, Any]


def text_input(block_id: str, **more: Any) -> Json:
    element = {"type": "plain_text_input", "action_id": "a"}
    label = {"type": "plain_text", "text": block_id}
    return {"type": "input", "block_id": block_id, "label": label, "element": element, **more}


def view(title: str, *blocks: Json) -> Json:
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": title},
        "submit": {"type": "plain_text", "text": "Go"},
        "blocks": list(blocks or (text_input("name"),)),
    }


def titles(modals: Modals) -> list[str]:
    return [modal.view["title"]["text"] for modal in modals.open]


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("", []),
        ("{}", []),
        ('{"response_action": "clear"}', []),
        (json.dumps({"response_action": "update", "view": view("Second")}), ["Second"]),
        (json.dumps({"response_action": "push", "view": view("Second")}), ["First", "Second"]),
    ],
)
def test_an_ack_decides_what_happens_to_the_modal(said, left):
    modals = Modals()
    modals.show("U0ADA", "T0ACME", view("First"))
    modals.take(modals.open[-1], Ack("acked", 200, said))
    assert titles(modals) == left


def test_errors_are_shown_at_their_inputs_until_a_valid_submission():
    modals = Modals()
    modals.show("U0ADA", "T0ACME", view("First"))
    modals.take(modals.open[-1], Ack("acked", 200, '{"response_action": "errors", "errors": {"name": "No."}}'))
    assert modals.open[-1].errors == {"name": "No."}
    modals.take(modals.open[-1], Ack("acked", 200))
    assert titles(modals) == []


@pytest.mark.parametrize(
    "ack",
    [
        Ack("operation_timeout"),
        Ack("dispatch_failed", 404, "{}"),
        Ack("acked", 200, "not JSON"),
        Ack("acked", 200, "[1]"),
        Ack("acked", 200, '{"response_action": "dance"}'),
        Ack("acked", 200, '{"response_action": "errors", "errors": {}}'),
        Ack("acked", 200, '{"response_action": "errors", "errors": {"elsewhere": "No."}}'),
        Ack("acked", 200, '{"response_action": "update", "view": {"type": "modal"}}'),
        Ack("acked", 200, '{"response_action": "push"}'),
    ],
)
def test_an_invalid_ack_leaves_the_modal_open_with_an_error(ack):
    modals = Modals()
    modals.show("U0ADA", "T0ACME", view("First"))
    modals.take(modals.open[-1], ack)
    assert [(modal.trouble, modal.errors) for modal in modals.open] == [(TROUBLE, {})]


def test_a_modal_is_found_only_for_its_person():
    modals = Modals()
    opened = modals.show("U0ADA", "T0ACME", view("First"))
    assert modals.find(opened["id"], "U0ADA").view == opened
    with pytest.raises(CannotDo):
        modals.find(opened["id"], "U0BOB")


def test_clear_closes_the_modals_of_one_person_only():
    modals = Modals()
    modals.show("U0BOB", "T0ACME", view("Bob's"))
    modals.show("U0ADA", "T0ACME", view("First"))
    modals.show("U0ADA", "T0ACME", view("Second"))
    modals.take(modals.open[-1], Ack("acked", 200, '{"response_action": "clear"}'))
    assert titles(modals) == ["Bob's"]


@pytest.mark.parametrize(
    ("state", "is_missing"),
    [
        ({}, True),
        ({"type": "plain_text_input", "value": None}, True),
        ({"type": "plain_text_input", "value": ""}, True),
        ({"type": "checkboxes", "selected_options": []}, True),
        ({"type": "plain_text_input", "value": "x"}, False),
        ({"type": "static_select", "selected_option": {"value": "x"}}, False),
    ],
)
def test_a_required_input_that_is_empty_is_missing(state, is_missing):
    shown = view("First", text_input("name"), text_input("more", optional=True))
    assert list(missing(shown, {"name": {"a": state}})) == (["name"] if is_missing else [])
