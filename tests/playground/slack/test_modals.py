"""What an app's ack to a submitted modal does, as in Slack."""

from __future__ import annotations

import json
from typing import Any

import pytest

from playground.slack.delivery import Ack
from playground.slack.modals import TROUBLE, Modals, missing
from playground.slack.model import CannotDo

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
def test_an_ack_says_what_becomes_of_the_dialog(said, left):
    modals = Modals()
    modals.show("U0ADA", "T0ACME", view("First"))
    modals.take(modals.open[-1], Ack("acked", 200, said))
    assert titles(modals) == left


def test_errors_stand_at_their_inputs_and_go_with_the_next_submission_that_is_right():
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
def test_an_ack_that_slack_would_not_take_leaves_the_dialog_open_and_says_so(ack):
    modals = Modals()
    modals.show("U0ADA", "T0ACME", view("First"))
    modals.take(modals.open[-1], ack)
    assert [(modal.trouble, modal.errors) for modal in modals.open] == [(TROUBLE, {})]


def test_a_dialog_is_found_only_for_the_person_who_has_it_open():
    modals = Modals()
    opened = modals.show("U0ADA", "T0ACME", view("First"))
    assert modals.find(opened["id"], "U0ADA").view == opened
    with pytest.raises(CannotDo):
        modals.find(opened["id"], "U0BOB")


def test_clearing_closes_the_dialogs_of_one_person_alone():
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
