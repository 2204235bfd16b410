"""The simulated Socket Mode over a real WebSocket on loopback."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from playground.slack.outgoing.socket_mode import MAX_LINKS, SocketMode
from playground.slack.server import SlackApi
from playground.slack.workspace import Workspace
from tests.playground.slack.ends import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, SettableClock, SocketModeClient


def link_url(slack: SlackApi) -> str:
    headers = {"Authorization": f"Bearer {APP_TOKEN}"}
    answer = requests.post(slack.api_url + "apps.connections.open", headers=headers, timeout=5).json()
    return str(answer["url"])


def types(workspace: Workspace, text: str = "/codeship help") -> Any:
    delivery = workspace.types("ada", "#builds", text)
    assert delivery is not None
    return delivery


def test_a_connection_is_greeted(slack: SlackApi) -> None:
    with SocketModeClient(link_url(slack)) as wire:
        hello = wire.frames[0]
    assert (hello["type"], hello["num_connections"]) == ("hello", 1)
    assert hello["connection_info"] == {"app_id": "A0CODESHIP"}


def test_an_address_admits_one_connection(slack: SlackApi) -> None:
    url = link_url(slack)
    with SocketModeClient(url):
        assert requests.get(url.replace("ws:", "http:"), timeout=5).status_code == 408


@pytest.mark.parametrize(
    ("text", "kind", "accepts", "retry_attempt"),
    [("/codeship help", "slash_commands", True, None), ("@codeship help", "events_api", False, 0)],
)
def test_a_payload_comes_in_an_envelope_and_the_ack_ends_it(
    workspace: Workspace, slack: SlackApi, text: str, kind: str, accepts: bool, retry_attempt: int | None
) -> None:
    with SocketModeClient(link_url(slack)) as wire:
        delivery = types(workspace, text)
    envelope = wire.frames[1]
    assert delivery.is_acked
    assert (envelope["type"], envelope["accepts_response_payload"]) == (kind, accepts)
    assert envelope.get("retry_attempt") == retry_attempt
    assert envelope["payload"] == delivery.payload


def test_the_payload_of_a_commands_ack_is_shown(workspace: Workspace, slack: SlackApi) -> None:
    with SocketModeClient(link_url(slack), {"text": "hello"}):
        types(workspace)
    assert [message.text for message in workspace.conversation("#builds", "ada")] == ["hello"]


def test_a_redelivery_has_the_same_payload_in_another_envelope(workspace: Workspace, slack: SlackApi) -> None:
    with SocketModeClient(link_url(slack)) as wire:
        types(workspace, "@codeship help")
        workspace.deliver_again(2)
    envelopes = wire.frames[1:]
    assert len({envelope["envelope_id"] for envelope in envelopes}) == 3
    assert len({envelope["payload"]["event_id"] for envelope in envelopes}) == 1
    assert [envelope["retry_attempt"] for envelope in envelopes] == [0, 1, 2]


def test_each_payload_goes_to_one_of_the_connections(workspace: Workspace, slack: SlackApi) -> None:
    with SocketModeClient(link_url(slack)) as one, SocketModeClient(link_url(slack)) as two:
        assert slack.sockets.wait_for_links(2)
        for _ in range(4):
            types(workspace)
        assert [len(one.frames), len(two.frames)] == [3, 3]


def test_without_a_connection_nothing_is_delivered(workspace: Workspace, slack: SlackApi) -> None:
    assert types(workspace).ack.outcome == "dispatch_failed"


def test_a_connection_lost_before_the_ack_is_a_failed_delivery(workspace: Workspace, slack: SlackApi) -> None:
    with SocketModeClient(link_url(slack), acks=False) as wire:
        wire.close_at_next_frame = True
        assert types(workspace).ack.outcome == "dispatch_failed"


def test_pings_are_answered_with_their_content(slack: SlackApi) -> None:
    with SocketModeClient(link_url(slack)) as wire:
        wire.ping(b"sdk-ping-pong:1")
        assert wire.waits_for(lambda: wire.pongs == [b"sdk-ping-pong:1"])


def test_a_connection_asked_to_reconnect_gets_no_payload_once_there_is_another(
    workspace: Workspace, slack: SlackApi
) -> None:
    with SocketModeClient(link_url(slack)) as old:
        slack.sockets.ask_to_reconnect()
        assert old.waits_for(lambda: old.frames[-1].get("reason") == "refresh_requested")
        assert types(workspace).is_acked
        with SocketModeClient(link_url(slack)) as new:
            assert slack.sockets.wait_for_links(1)
            assert all(types(workspace).is_acked for _ in range(3))
        assert [len(old.frames), len(new.frames)] == [3, 4]


def test_a_silent_connection_seems_alive_and_delivers_nothing(clock: SettableClock) -> None:
    workspace = Workspace(clock, BOT_TOKEN, APP_TOKEN, SIGNING_SECRET)
    slack = SlackApi(workspace, sockets=SocketMode(workspace.app.id, ack_timeout_s=0.05)).start()
    try:
        with SocketModeClient(link_url(slack)) as wire:
            assert slack.sockets.wait_for_links(1)
            slack.sockets.go_silent()
            wire.ping(b"anybody there")
            assert types(workspace).ack.outcome == "operation_timeout"
            assert (slack.sockets.links, wire.pongs, len(wire.frames)) == (1, [], 1)
            with SocketModeClient(link_url(slack)):
                assert slack.sockets.wait_for_links(1)
                assert types(workspace).is_acked
    finally:
        slack.stop()


def test_an_eleventh_connection_is_refused(slack: SlackApi) -> None:
    wires = [SocketModeClient(link_url(slack)).__enter__() for _ in range(MAX_LINKS)]
    try:
        assert slack.sockets.wait_for_links(MAX_LINKS)
        with SocketModeClient(link_url(slack)) as one_more:
            assert one_more.frames == [{"type": "disconnect", "reason": "too_many_websockets"}]
    finally:
        for wire in wires:
            wire.__exit__()
