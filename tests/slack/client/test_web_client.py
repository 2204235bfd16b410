"""Calls to Slack: one TLS context, retries only if safe, and no long waits."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http.client import RemoteDisconnected
from urllib.error import URLError

import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState

from bot.slack.client.web_client import web_client
from playground.http_host.server import Loopback


class Slack:
    def __init__(self) -> None:
        self.answers: list[web.Response] = []
        self.asked: list[str] = []
        app = web.Application()
        app.router.add_post("/api/{method}", self._answer)
        self.host = Loopback(app)

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.match_info["method"])
        return self.answers.pop(0) if self.answers else web.json_response({"ok": True})


@pytest.fixture
def slack() -> Iterator[Slack]:
    slack = Slack()
    slack.host.start()
    yield slack
    slack.host.stop()


def limited(retry_after: str | None) -> web.Response:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)


@pytest.mark.parametrize(("retry_after", "from_s", "to_s"), [("1", 1, 2), ("4", 4, 5), (None, 1, 2), ("0", 0, 1)])
def test_a_short_rate_limit_is_waited_for_also_before_a_new_message(
    slack: Slack, retry_after: str | None, from_s: float, to_s: float
) -> None:
    slept: list[float] = []
    slack.answers = [limited(retry_after)]
    client = web_client("xoxb-1", f"{slack.host.url}/api/", 5, sleep=slept.append)
    assert client.chat_postMessage(channel="C1", text="x")["ok"]
    assert slack.asked == ["chat.postMessage"] * 2
    assert [from_s <= seconds <= to_s for seconds in slept] == [True]


@pytest.mark.parametrize("retry_after", ["5", "600", "soon", "²", "-1", ""])
def test_a_long_or_unreadable_rate_limit_raises_instead_of_waiting(slack: Slack, retry_after: str) -> None:
    slack.answers = [limited(retry_after)]
    client = web_client("xoxb-1", f"{slack.host.url}/api/", 5, sleep=lambda seconds: pytest.fail("waited"))
    with pytest.raises(SlackApiError, match="ratelimited"):
        client.chat_update(channel="C1", ts="1", text="x")
    assert slack.asked == ["chat.update"]


def test_a_rate_limit_is_waited_for_once(slack: Slack) -> None:
    slack.answers = [limited("1"), limited("1")]
    client = web_client("xoxb-1", f"{slack.host.url}/api/", 5, sleep=lambda seconds: None)
    with pytest.raises(SlackApiError):
        client.auth_test()
    assert len(slack.asked) == 2


@pytest.mark.parametrize("status", [500, 503])
def test_a_message_with_an_unknown_result_is_not_posted_again(slack: Slack, status: int) -> None:
    slack.answers = [web.json_response({"ok": False, "error": "internal_error"}, status=status)]
    client = web_client("xoxb-1", f"{slack.host.url}/api/", 5)
    with pytest.raises(SlackApiError):
        client.chat_postMessage(channel="C1", text="x")
    assert slack.asked == ["chat.postMessage"]


@pytest.mark.parametrize(
    ("trouble", "again"),
    [
        (URLError(ConnectionRefusedError()), {"auth.test", "chat.update", "chat.postMessage", "views.open"}),
        (URLError(TimeoutError()), {"auth.test", "chat.update", "chat.postMessage", "views.open"}),
        (RemoteDisconnected(""), {"auth.test", "chat.update"}),
        (ConnectionResetError(), {"auth.test", "chat.update"}),
        (500, {"auth.test", "chat.update"}),
        (503, {"auth.test", "chat.update"}),
        (404, set()),
        (TimeoutError(), set()),
    ],
)
def test_only_unsent_and_idempotent_calls_are_repeated(trouble: Exception | int, again: set[str]) -> None:
    client = web_client("xoxb-1", "https://slack.test/api/", 5)
    response = HttpResponse(status_code=trouble, headers={}) if isinstance(trouble, int) else None
    error = None if isinstance(trouble, int) else trouble

    def is_repeated(method: str) -> bool:
        request = HttpRequest(method="POST", url=f"https://slack.test/api/{method}", headers={})
        return any(
            handler.can_retry(state=RetryState(), request=request, response=response, error=error)
            for handler in client.retry_handlers
        )

    assert {
        method for method in ("auth.test", "chat.update", "chat.postMessage", "views.open") if is_repeated(method)
    } == again


def test_every_call_shares_one_tls_context_which_may_be_given() -> None:
    own = web_client("xoxb-1", "https://slack.test/api/", 5).ssl
    given = ssl.create_default_context()
    assert isinstance(own, ssl.SSLContext)
    assert own.verify_mode is ssl.CERT_REQUIRED
    assert web_client("xoxb-1", "https://slack.test/api/", 5, tls=given).ssl is given


def test_a_proxy_of_the_environment_is_used_with_its_exceptions(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert web_client("xoxb-1", f"{slack.host.url}/api/", 5).auth_test()["ok"]
    monkeypatch.delenv("NO_PROXY")
    with pytest.raises(URLError):
        web_client("xoxb-1", f"{slack.host.url}/api/", 5).chat_postMessage(channel="C1", text="x")
