"""Messages to Slack: the same rules for repeats, waits and proxies as slack_sdk's client has here."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiohttp import web

from bot.slack.client.api_errors import CallFailed
from bot.slack.client.chat_client import POST, UPDATE, ChatClient
from bot.slack.client.connections import Connections
from playground.http_host.server import Loopback

BODY = {"channel": "C1", "text": "x"}


class Slack:
    def __init__(self) -> None:
        self.answers: list[web.Response] = []
        self.asked: list[str] = []
        self.bodies: list[Any] = []
        self.headers: list[Any] = []
        self.slept: list[float] = []
        app = web.Application()
        app.router.add_post("/api/{method}", self._answer)
        self.host = Loopback(app)
        self.connections = Connections(5.0)

    @property
    def client(self) -> ChatClient:
        return self.client_of(f"{self.host.url}/api/")

    def client_of(self, url: str, mask: Callable[[str], str] = lambda text: text) -> ChatClient:
        return ChatClient("xoxb-1", url, self.connections, sleep=self.slept.append, mask=mask)

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.match_info["method"])
        self.headers.append(request.headers)
        self.bodies.append(await request.json())
        return self.answers.pop(0) if self.answers else web.json_response({"ok": True, "ts": "1.1"})


@pytest.fixture
def slack() -> Iterator[Slack]:
    slack = Slack()
    slack.host.start()
    yield slack
    slack.connections.close()
    slack.host.stop()


def limited(retry_after: str | None) -> web.Response:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)


def test_a_message_is_sent_as_json_with_the_token_in_a_header_and_secrets_masked(slack: Slack) -> None:
    client = slack.client_of(f"{slack.host.url}/api/", mask=lambda text: text.replace("secret", "***"))
    answer = client.call(POST, {**BODY, "blocks": [{"text": "a secret — ü"}]})
    assert answer["ts"] == "1.1"
    assert slack.bodies == [{**BODY, "blocks": [{"text": "a *** — ü"}]}]
    (headers,) = slack.headers
    assert headers["Authorization"] == "Bearer xoxb-1"
    assert headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize(("retry_after", "from_s", "to_s"), [("1", 1, 2), ("4", 4, 5), (None, 1, 2), ("0", 0, 1)])
def test_a_short_rate_limit_is_waited_for_also_before_a_new_message(
    slack: Slack, retry_after: str | None, from_s: float, to_s: float
) -> None:
    slack.answers = [limited(retry_after)]
    assert slack.client.call(POST, BODY)["ok"]
    assert slack.asked == [POST] * 2
    assert [from_s <= seconds <= to_s for seconds in slack.slept] == [True]


@pytest.mark.parametrize("retry_after", ["5", "600", "soon", "²", "-1", ""])
def test_a_long_or_unreadable_rate_limit_is_reported_instead_of_waited_for(slack: Slack, retry_after: str) -> None:
    slack.answers = [limited(retry_after)]
    with pytest.raises(CallFailed, match="ratelimited"):
        slack.client.call(UPDATE, BODY)
    assert slack.asked == [UPDATE]
    assert slack.slept == []


def test_a_rate_limit_is_waited_for_once(slack: Slack) -> None:
    slack.answers = [limited("1"), limited("1")]
    with pytest.raises(CallFailed) as failure:
        slack.client.call(POST, BODY)
    assert len(slack.asked) == 2
    assert (failure.value.retry_after_s, failure.value.may_be_there) == (1.0, False)


@pytest.mark.parametrize(("method", "times"), [(POST, 1), ("chat.postEphemeral", 1), (UPDATE, 2)])
@pytest.mark.parametrize("status", [500, 503])
def test_a_message_with_an_unknown_result_is_not_posted_again_but_a_change_is(
    slack: Slack, status: int, method: str, times: int
) -> None:
    slack.answers = [web.json_response({"ok": False, "error": "internal_error"}, status=status) for _ in range(2)]
    with pytest.raises(CallFailed) as failure:
        slack.client.call(method, BODY)
    assert slack.asked == [method] * times
    assert failure.value.may_be_there


@pytest.mark.parametrize("body", [b'{"ok": tr', b"<html>Sign in", b"[]", b"\xff{", b"[" * 100_000])
def test_a_response_that_is_not_slacks_is_a_failure(slack: Slack, body: bytes) -> None:
    slack.answers = [web.Response(body=body, content_type="application/json")]
    with pytest.raises(CallFailed, match=r"^chat\.postMessage was refused: HTTP 200$") as failure:
        slack.client.call(POST, BODY)
    assert failure.value.may_be_there


def test_an_endless_answer_is_not_read(slack: Slack) -> None:
    slack.answers = [web.Response(body=b"x" * 3_000_000)]
    with pytest.raises(CallFailed) as failure:
        slack.client.call(POST, BODY)
    assert failure.value.may_be_there


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirect_is_not_followed(slack: Slack, status: int) -> None:
    slack.answers = [web.Response(status=status, headers={"Location": f"{slack.host.url}/api/{POST}"})]
    with pytest.raises(CallFailed, match=f"HTTP {status}"):
        slack.client.call(POST, BODY)
    assert slack.asked == [POST]


@pytest.mark.parametrize(("method", "times"), [(POST, 1), (UPDATE, 2)])
def test_after_a_cut_connection_only_idempotent_calls_are_repeated(slack: Slack, method: str, times: int) -> None:
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def cut_off() -> None:
            for _ in range(times):
                connection, _ = server.accept()
                with connection:
                    heard.append(connection.recv(65536))

        thread = threading.Thread(target=cut_off)
        thread.start()
        with pytest.raises(CallFailed, match="did not answer") as failure:
            slack.client_of(f"http://127.0.0.1:{server.getsockname()[1]}/").call(method, BODY)
        thread.join()
    assert failure.value.may_be_there
    assert len(heard) == times


@pytest.mark.parametrize("method", [POST, UPDATE])
def test_after_a_timeout_the_result_is_unknown_and_nothing_is_repeated(slack: Slack, method: str) -> None:
    impatient = Connections(0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        client = ChatClient("xoxb-1", url, impatient, sleep=slack.slept.append)
        with pytest.raises(CallFailed, match="did not answer: TimeoutError") as failure:
            client.call(method, BODY)
    impatient.close()
    assert failure.value.may_be_there
    assert slack.slept == []


@pytest.mark.parametrize("method", [POST, UPDATE])
def test_if_nothing_listens_nothing_was_sent_and_the_call_is_tried_twice(slack: Slack, method: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(CallFailed) as failure:
        slack.client_of(f"http://127.0.0.1:{port}/").call(method, BODY)
    assert str(failure.value) == f"{method} could not be reached: NewConnectionError"
    assert (failure.value.may_be_there, failure.value.word) == (False, "")
    assert len(slack.slept) == 1


@pytest.mark.parametrize("word", ["invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"])
def test_if_slack_refuses_the_blocks_the_text_is_sent_alone(slack: Slack, word: str) -> None:
    slack.answers = [web.json_response({"ok": False, "error": word})]
    assert slack.client.call(POST, {**BODY, "blocks": [{"type": "divider"}]})["ok"]
    assert slack.bodies[1] == BODY


def test_a_proxy_of_the_environment_is_used_with_its_exceptions(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    async def forward(request: web.Request) -> web.Response:
        seen.append(f"{request.headers.get('Proxy-Authorization')} {request.raw_path}")
        return web.json_response({"ok": True})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", forward)
    proxy = Loopback(app).start()
    try:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("http://", "http://ada:pw@"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert slack.client.call(POST, BODY)["ok"]
        assert slack.asked == [POST]
        slack.client_of("http://slack.test/api/").call(POST, BODY)
        assert seen == ["Basic YWRhOnB3 http://slack.test/api/chat.postMessage"]
    finally:
        proxy.stop()


def test_no_secret_is_in_an_error(slack: Slack) -> None:
    slack.answers = [web.json_response({"ok": False, "error": "xoxb-1 is bad"}, status=400)]
    with pytest.raises(CallFailed) as failure:
        slack.client.call(POST, BODY)
    assert "xoxb" not in str(failure.value)
    assert json.dumps(BODY) not in str(failure.value)
