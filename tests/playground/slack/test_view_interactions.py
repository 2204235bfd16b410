"""What Slack does with shortcuts, typeahead, presses in views, and Homes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from playground.slack.model import CannotDo
from playground.slack.view_interactions import acts, opens_home, submits, suggestions, uses_shortcut
from playground.slack.workspace import Workspace
from tests.playground.slack.ends import Ear, SettableClock

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def field(block_id: str, kind: str, **more: Any) -> Json:
    element = {"type": kind, "action_id": block_id, **more}
    return {"type": "input", "block_id": block_id, "label": plain(block_id), "element": element}


FORM = {
    "type": "modal",
    "title": plain("Form"),
    "submit": plain("Go"),
    "private_metadata": "mine",
    "blocks": [
        field("repo", "external_select", min_query_length=2),
        field("place", "conversations_select", response_url_enabled=True),
    ],
}
HOME = {"type": "home", "blocks": [{"type": "section", "text": plain("Hello.")}]}


def opened(workspace: Workspace, client: WebClient, view: Json = FORM) -> str:
    trigger = uses_shortcut(workspace, "ada", "Check or restart a build").payload["trigger_id"]
    client.views_open(trigger_id=trigger, view=view)
    return workspace.modals.open[-1].id


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as refusal:
        call(**arguments)
    return str(refusal.value.response["error"])


def test_a_global_shortcut_has_no_channel_and_one_on_a_message_has_its_message(workspace: Workspace, ear: Ear) -> None:
    uses_shortcut(workspace, "ada", "Check or restart a build")
    assert "channel" not in ear.heard[-1].action
    workspace.types("ada", "#random", "look")
    message = workspace.conversation("#random", "ada")[-1]
    uses_shortcut(workspace, "bob", "Restart this build", message)
    heard = ear.heard[-1].action
    assert (heard["type"], heard["callback_id"]) == ("message_action", "restart")
    assert (heard["channel"]["id"], heard["message"]["text"], heard["user"]["name"]) == ("C0RANDOM", "look", "bob")


@pytest.mark.parametrize("name", ["Restart this build", "Dance"])
def test_there_is_no_other_shortcut(workspace: Workspace, ear: Ear, name: str) -> None:
    with pytest.raises(CannotDo):
        uses_shortcut(workspace, "ada", name)


def test_a_view_that_comes_too_late_is_refused(
    workspace: Workspace, client: WebClient, ear: Ear, clock: SettableClock
) -> None:
    trigger = uses_shortcut(workspace, "ada", "Check or restart a build").payload["trigger_id"]
    clock.passes(3.1)
    assert refused(client.views_open, trigger_id=trigger, view=FORM) == "expired_trigger_id"


def test_typeahead_does_not_tell_what_was_chosen_elsewhere(workspace: Workspace, client: WebClient, ear: Ear) -> None:
    view_id = opened(workspace, client)
    ear.answer = (200, json.dumps({"options": [{"text": plain("acme/web"), "value": "1"}]}))
    assert suggestions(workspace, "ada", view_id, "repo", "w") == []  # too short to be asked for
    (option,) = suggestions(workspace, "ada", view_id, "repo", "we")
    heard = ear.heard[-1].action
    assert option["value"] == "1"
    assert (heard["type"], heard["value"], heard["view"]["private_metadata"]) == ("block_suggestion", "we", "mine")
    assert heard["view"]["state"] == {"values": {}}


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "{}",
        '{"options": 7}',
        json.dumps({"options": [{"text": plain("x" * 76), "value": "1"}]}),
        json.dumps({"options": [{"text": plain("x"), "value": "1" * 151}]}),
        json.dumps({"options": [{"text": plain("x"), "value": str(n)} for n in range(101)]}),
        json.dumps({"options": [{"text": "x", "value": "1"}]}),
    ],
)
def test_options_that_slack_would_not_take_are_refused(
    workspace: Workspace, client: WebClient, ear: Ear, answer: str
) -> None:
    view_id = opened(workspace, client)
    ear.answer = (200, answer)
    with pytest.raises(CannotDo):
        suggestions(workspace, "ada", view_id, "repo", "we")


def test_a_sent_form_has_a_response_url_for_the_chosen_conversation(
    workspace: Workspace, client: WebClient, ear: Ear
) -> None:
    view_id = opened(workspace, client)
    values = {
        "repo": {"repo": {"type": "external_select", "selected_option": {"value": "1"}}},
        "place": {"place": {"type": "conversations_select", "selected_conversation": "C0RANDOM"}},
    }
    submits(workspace, "ada", view_id, values)
    (url,) = ear.heard[-1].action["response_urls"]
    assert (url["block_id"], url["channel_id"]) == ("place", "C0RANDOM")
    assert workspace.respond(url["response_url"].removeprefix(workspace.base_url), {"text": "Hi."}) == (200, "ok")
    assert workspace.conversation("#random", "ada")[-1].text == "Hi."


def test_an_open_view_is_changed_in_place_and_a_closed_one_is_not_found(
    workspace: Workspace, client: WebClient, ear: Ear
) -> None:
    view_id = opened(workspace, client)
    client.views_update(view_id=view_id, view={**FORM, "title": plain("Other")})
    assert [(it.id, it.view["title"]["text"]) for it in workspace.modals.open] == [(view_id, "Other")]
    assert refused(client.views_update, view_id="V9", view=FORM) == "not_found"


def test_the_home_is_each_persons_own_and_comes_with_the_next_opening(
    workspace: Workspace, client: WebClient, ear: Ear
) -> None:
    opens_home(workspace, "ada")
    assert "view" not in ear.heard[-1].event["event"]
    client.views_publish(user_id="U0ADA", view=HOME)
    opens_home(workspace, "ada")
    event = ear.heard[-1].event["event"]
    assert (event["tab"], event["user"], event["view"]["type"]) == ("home", "U0ADA", "home")
    assert workspace.modals.home("U0BOB") is None
    block = {"type": "button", "action_id": "a", "block_id": "b"}
    acts(workspace, "ada", event["view"]["id"], block, {})
    heard = ear.heard[-1].action
    assert heard["container"]["type"] == "view"
    assert "channel" not in heard
    assert "response_url" not in heard
    with pytest.raises(CannotDo):
        acts(workspace, "bob", event["view"]["id"], block, {})


@pytest.mark.parametrize(
    ("view", "error"),
    [
        (FORM, "invalid_arguments"),
        ({**HOME, "blocks": HOME["blocks"] * 101}, "invalid_arguments"),
        ({**HOME, "blocks": [{"type": "section", "text": plain("x" * 3000)}] * 90}, "view_too_large"),
        ({"type": "home", "blocks": [{"type": "dance"}]}, "invalid_arguments"),
    ],
)
def test_a_home_that_slack_would_not_take_is_refused(
    workspace: Workspace, client: WebClient, ear: Ear, view: Json, error: str
) -> None:
    assert refused(client.views_publish, user_id="U0ADA", view=view) == error
