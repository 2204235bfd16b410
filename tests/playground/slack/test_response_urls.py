"""Response URLs over real HTTP: five uses, thirty minutes, and what each use does."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from slack_sdk import WebClient

from playground.slack.server import SlackApi
from playground.slack.workspace import Workspace
from tests.playground.slack.ends import Ear, SettableClock

BAD = {"type": "header", "text": {"type": "mrkdwn", "text": "hello"}}


@pytest.fixture
def response_url(workspace: Workspace, ear: Ear) -> str:
    workspace.types("ada", "#random", "/codeship help")
    return ear.heard[-1].form["response_url"]


def said(url: str, **body: Any) -> requests.Response:
    return requests.post(url, json=body, timeout=5)


@pytest.mark.parametrize(("response_type", "seen_by_bob"), [(None, 0), ("ephemeral", 0), ("in_channel", 1)])
def test_a_response_url_posts_without_membership_to_the_asker_or_to_all(
    workspace: Workspace, response_url: str, response_type: str | None, seen_by_bob: int
) -> None:
    answer = said(response_url, text="hello", **({"response_type": response_type} if response_type else {}))
    assert (answer.status_code, answer.text) == (200, "ok")
    assert len(workspace.conversation("#random", "ada")) == 1
    assert len(workspace.conversation("#random", "bob")) == seen_by_bob


def test_a_response_url_works_five_times(workspace: Workspace, response_url: str) -> None:
    answers = [said(response_url, text=f"{number}") for number in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert answers[-1].json() == {"ok": False, "error": "used_url"}
    assert len(workspace.conversation("#random", "ada")) == 5


@pytest.mark.parametrize(("seconds", "status"), [(1800, 200), (1801, 404)])
def test_a_response_url_works_for_thirty_minutes(
    clock: SettableClock, response_url: str, seconds: int, status: int
) -> None:
    clock.passes(seconds)
    answer = said(response_url, text="hello")
    assert answer.status_code == status
    if status != 200:
        assert answer.json()["error"] == "expired_url"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"text": "x", "blocks": [BAD]}, "invalid_blocks"),
        ({}, "no_text"),
        ({"text": 5}, "invalid_payload"),
        ({"delete_original": True}, "message_not_found"),
    ],
)
def test_a_response_url_refuses_what_slack_refuses(
    workspace: Workspace, response_url: str, body: dict[str, Any], error: str
) -> None:
    answer = said(response_url, **body)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert workspace.conversation("#random", "ada") == []


def test_an_unknown_response_url_or_a_body_that_is_not_json_is_refused(slack: SlackApi, response_url: str) -> None:
    assert said(response_url + "x", text="hello").status_code == 404
    assert requests.post(response_url, data="[1", timeout=5).status_code == 400


def test_a_response_url_can_be_made_to_fail(workspace: Workspace, response_url: str) -> None:
    workspace.refuse("response_url", "down", status=500)
    assert [said(response_url, text="x").status_code for _ in range(2)] == [500, 200]


@pytest.mark.parametrize("ephemeral", [True, False])
def test_the_response_url_of_a_press_replaces_or_deletes_its_message(
    workspace: Workspace, ear: Ear, client: WebClient, ephemeral: bool
) -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go"}
    message: dict[str, Any] = {"text": "sure?", "blocks": [{"type": "actions", "elements": [button]}]}
    if ephemeral:
        client.chat_postEphemeral(channel="C0BUILDS", user="U0ADA", **message)
    else:
        client.chat_postMessage(channel="C0BUILDS", **message)
    workspace.presses("ada", workspace.conversation("#builds", "ada")[-1], "Go")
    url = ear.heard[-1].action["response_url"]
    assert said(url, text="new").json() == {"ok": True}
    assert said(url, text="done", replace_original=True).status_code == 200
    assert [seen.text for seen in workspace.conversation("#builds", "ada")] == ["done", "new"]
    assert said(url, delete_original=True).status_code == 200
    assert [seen.text for seen in workspace.conversation("#builds", "ada")] == ["new"]


def test_a_response_url_posts_in_a_thread_only_if_the_message_names_it(
    workspace: Workspace, ear: Ear, client: WebClient
) -> None:
    workspace.types("ada", "#builds", "it broke")
    root = workspace.conversation("#builds", "ada")[0]
    button = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go"}
    client.chat_postMessage(
        channel="C0BUILDS", text="x", thread_ts=root.ts, blocks=[{"type": "actions", "elements": [button]}]
    )
    workspace.presses("ada", workspace.conversation("#builds", "ada")[-1], "Go")
    action = ear.heard[-1].action
    assert action["container"]["thread_ts"] == action["message"]["thread_ts"] == root.ts
    said(action["response_url"], text="outside")
    said(action["response_url"], text="inside", thread_ts=root.ts)
    assert [seen.is_reply for seen in workspace.conversation("#builds", "ada")[-2:]] == [False, True]
