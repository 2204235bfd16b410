"""What a person presses or chooses reaches the bot as Slack would send it. What they cannot do does not."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk import WebClient

from playground.slack.model import CannotDo, Message
from playground.slack.workspace import Workspace
from tests.playground.slack.ends import Ear

CONFIRM = {
    "title": {"type": "plain_text", "text": "Restart?"},
    "text": {"type": "plain_text", "text": "Runs the same commit again."},
    "confirm": {"type": "plain_text", "text": "Restart"},
    "deny": {"type": "plain_text", "text": "Cancel"},
}


def button(text: str, action_id: str, **more: Any) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": text}, "action_id": action_id, **more}


def row(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "actions", "block_id": "row", "elements": list(elements)}]


def posted(workspace: Workspace, client: WebClient, *elements: dict[str, Any], channel: str = "#builds") -> Message:
    client.chat_postMessage(channel=workspace.channel(channel).id, text="here", blocks=row(*elements))
    return workspace.conversation(channel, "ada")[-1]


def test_a_press_names_the_person_message_and_action(workspace: Workspace, ear: Ear, client: WebClient) -> None:
    message = posted(workspace, client, button("Restart", "restart", value="acme/web"), button("Open", "open"))
    assert workspace.presses("bob", message, "Restart").is_acked
    action = ear.heard[0].action
    assert action["type"] == "block_actions"
    assert action["user"] == {"id": "U0BOB", "username": "bob", "name": "bob", "team_id": "T0ACME"}
    assert action["team"]["id"] == "T0ACME"
    assert action["channel"] == {"id": "C0BUILDS", "name": "builds"}
    assert action["container"] == {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": "C0BUILDS",
        "is_ephemeral": False,
    }
    assert action["message"]["blocks"] == [dict(block) for block in message.blocks]
    assert action["response_url"].startswith(f"{workspace.base_url}/actions/T0ACME/")
    (pressed,) = action["actions"]
    assert (pressed["action_id"], pressed["block_id"], pressed["value"]) == ("restart", "row", "acme/web")
    assert float(pressed["action_ts"]) > float(message.ts)


def test_every_press_has_its_own_trigger_response_url_and_time(
    workspace: Workspace, ear: Ear, client: WebClient
) -> None:
    message = posted(workspace, client, button("Refresh", "refresh", url="https://x.io"))
    for _ in range(2):
        workspace.presses("ada", message, "refresh")
    one, two = (heard.action for heard in ear.heard)
    assert one["trigger_id"] != two["trigger_id"]
    assert one["response_url"] != two["response_url"]
    assert one["actions"][0]["action_ts"] != two["actions"][0]["action_ts"]


def test_a_press_on_an_ephemeral_message_does_not_include_the_message(
    workspace: Workspace, ear: Ear, client: WebClient
) -> None:
    client.chat_postEphemeral(channel="C0BUILDS", user="U0ADA", text="psst", blocks=row(button("Yes", "yes")))
    message = workspace.conversation("#builds", "ada")[-1]
    workspace.presses("ada", message, "Yes")
    action = ear.heard[0].action
    assert "message" not in action
    assert action["container"]["is_ephemeral"] is True
    with pytest.raises(CannotDo):
        workspace.presses("bob", message, "Yes")


def test_a_press_by_a_guest_names_their_team(workspace: Workspace, ear: Ear, client: WebClient) -> None:
    workspace.presses("guest", posted(workspace, client, button("Restart", "restart")), "Restart")
    action = ear.heard[0].action
    assert (action["user"]["team_id"], action["team"]["id"]) == ("T0OTHER", "T0ACME")


def test_a_button_with_a_dialog_sends_nothing_until_it_is_confirmed(
    workspace: Workspace, ear: Ear, client: WebClient
) -> None:
    message = posted(workspace, client, button("Restart", "restart", confirm=CONFIRM))
    with pytest.raises(CannotDo, match=r"Restart\?"):
        workspace.presses("ada", message, "Restart")
    assert ear.heard == []
    workspace.presses("ada", message, "Restart", confirm=True)
    assert len(ear.heard) == 1


def test_a_menu_sends_the_chosen_option(workspace: Workspace, ear: Ear, client: WebClient) -> None:
    options = [{"text": {"type": "plain_text", "text": name}, "value": f"b:{name}"} for name in ("main", "dev")]
    menu = {"type": "static_select", "action_id": "pick", "options": options}
    workspace.chooses("ada", posted(workspace, client, menu), "dev")
    (chosen,) = ear.heard[0].action["actions"]
    assert (chosen["type"], chosen["selected_option"]["value"]) == ("static_select", "b:dev")


def test_people_cannot_do_what_slack_forbids(workspace: Workspace, ear: Ear, client: WebClient, slack: object) -> None:
    message = posted(workspace, client, button("One", "one"), button("Two", "two"))
    client.chat_delete(channel="C0BUILDS", ts=message.ts)
    workspace.archive("#random")
    for attempt in (
        lambda: workspace.presses("ada", message, "One"),
        lambda: workspace.types("ada", "#random", "hello"),
        lambda: workspace.types("guest", "#secret", "hello"),
        lambda: workspace.types("nobody", "#builds", "hello"),
        lambda: workspace.types("ada", "#nowhere", "hello"),
        lambda: workspace.conversation("#secret", "guest"),
        workspace.deliver_again,
    ):
        with pytest.raises(CannotDo):
            attempt()
    assert ear.heard == []
