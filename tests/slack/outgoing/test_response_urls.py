"""Response URLs: used only on Slack's own hosts, never followed elsewhere, never revealed."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping

import pytest
from aiohttp import web

from bot.slack.blocks.message import Message
from bot.slack.client.api_errors import CallFailed
from bot.slack.client.connections import Connections, Response
from bot.slack.client.response_urls import ResponseUrls
from bot.slack.outgoing.bodies import response
from playground.http_host.server import Loopback

HI = Message("Hi.", ({"type": "divider"},), in_public=False)
IN_PUBLIC = Message("Hi.", ({"type": "divider"},), in_public=True)
SECRET = "T0ACME/1/kSq2Vb9Xq"
SLACKS = "https://slack.com/api/"


class Answering:
    """A host that records what is posted to it, and gives the configured response."""

    def __init__(self) -> None:
        self.bodies: list[object] = []
        self.status, self.text = 200, "ok"
        self.headers: dict[str, str] = {}
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self.server = Loopback(app)

    async def _answer(self, request: web.Request) -> web.Response:
        self.bodies.append(json.loads(await request.text() or "null"))
        return web.Response(status=self.status, text=self.text, headers=self.headers)


@pytest.fixture
def host() -> Iterator[Answering]:
    host = Answering()
    host.server.start()
    yield host
    host.server.stop()


@pytest.fixture
def connections() -> Iterator[Connections]:
    connections = Connections(5.0)
    yield connections
    connections.close()


class NothingIsSent(Connections):
    """Replaces the network and records each request."""

    def __init__(self) -> None:
        super().__init__(5.0)
        self.sent: list[str] = []

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        self.sent.append(url)
        return Response(200, {}, b"ok")


@pytest.fixture
def edge() -> Iterator[NothingIsSent]:
    edge = NothingIsSent()
    yield edge
    edge.close()


@pytest.mark.parametrize(
    ("api_url", "url"),
    [
        (SLACKS, "https://hooks.slack.com/commands/T/1/s"),
        (SLACKS, "https://hooks.slack.com:443/actions/T/1/s"),
        (SLACKS, "HTTPS://HOOKS.SLACK.COM/actions/T/1/s"),
        (SLACKS, "https://hooks.slack-gov.com/actions/T/1/s"),
        (SLACKS, "https://slack.com/actions/T/1/s"),
        ("http://127.0.0.1:8080/api/", "http://127.0.0.1:8080/commands/T/1/s"),
        ("http://127.0.0.1:8080/api/", "https://hooks.slack.com/commands/T/1/s"),
        ("http://[::1]:8080/api/", "http://[::1]:8080/commands/T/1/s"),
        ("https://proxy.acme.io/slack/api/", "https://proxy.acme.io:443/commands/T/1/s"),
    ],
)
def test_slacks_own_hosts_and_that_of_the_api_are_used(edge: NothingIsSent, api_url: str, url: str) -> None:
    ResponseUrls(api_url, edge).post(url, response(HI))
    assert len(edge.sent) == 1


OTHERS = [
    "https://hooks.slack.com.evil.io/x",
    "https://hooks.slack.com@evil.io/x",
    "https://hooks.slack.com:x@evil.io/x",
    "https://user@hooks.slack.com/x",
    "https://evil.io/hooks.slack.com",
    "https://evil.io#@hooks.slack.com/x",
    "https://evil.io?@hooks.slack.com/x",
    "https://evil.io\\@hooks.slack.com/x",
    "https://hooks.slack.com\\@evil.io/x",
    "https://hooks.slack.com\\.evil.io/x",
    "https:\\\\hooks.slack.com\\x",
    "https:/hooks.slack.com/x",
    "https:hooks.slack.com/x",
    "//hooks.slack.com/x",
    "hooks.slack.com/x",
    "http://hooks.slack.com/x",
    "http://hooks.slack.com:443/x",
    "https://hooks.slack.com:80/x",
    "https://hooks.slack.com:8443/x",
    "https://hooks.slack.com:0/x",
    "https://hooks.slack.com:99999/x",
    "https://hooks.slack.com:x/x",
    "https://hooks.slack.com.:443/x",
    "https://evilhooks.slack.com/x",
    "https://slack.com.evil.io/x",
    "https://hooks.slack.co/x",
    "https://[::1]/x",
    "https://[::ffff:127.0.0.1]:8080/x",
    "https://[hooks.slack.com]/x",
    "http://127.0.0.1:8081/x",
    "http://localhost:8080/x",
    "http://127.1:8080/x",
    "https://127.0.0.1:8080/x",
    "http://0:8080/x",
    "https://hooks.slack.\u217dom/x",
    "https://hoo\u212as.slack.com/x",  # the Kelvin sign, which becomes a k in lower case
    "https://hooks\u3002slack\u3002com/x",
    "https://h\u043e\u043eks.slack.com/x",
    "https://hooks.slack.com/\ud83d",
    "https://hooks.slack.com/a b",
    "https://hooks.slack.com\t/x",
    "https://hooks.sl\nack.com/x",
    " https://hooks.slack.com/x",
    "https://hooks.slack.com/x\r\nHost: evil.io",
    "https://hooks.slack.com/" + "x" * 3000,
    "file:///etc/passwd",
    "gopher://hooks.slack.com/x",
    "javascript:alert(1)",
    "https://",
    "",
]


@pytest.mark.parametrize("api_url", [SLACKS, "http://127.0.0.1:8080/api/"])
def test_no_other_address_is_used(edge: NothingIsSent, api_url: str) -> None:
    urls = ResponseUrls(api_url, edge)
    for url in OTHERS:
        for body in (response(IN_PUBLIC), {"delete_original": True}):
            with pytest.raises(CallFailed) as refused:
                urls.post(url, body)
            assert str(refused.value) == "the response URL is not one of Slack's", ascii(url)
            assert edge.sent == [], ascii(url)


def test_a_message_is_posted_in_slacks_format(connections: Connections, host: Answering) -> None:
    urls, url = ResponseUrls(f"{host.server.url}/api/", connections), f"{host.server.url}/commands/{SECRET}"
    urls.post(url, response(IN_PUBLIC, thread="1.1"))
    urls.post(url, response(HI, replace=True))
    urls.post(url, {"delete_original": True})
    message = {"text": "Hi.", "blocks": [{"type": "divider"}]}
    assert host.bodies == [
        {**message, "response_type": "in_channel", "replace_original": False, "thread_ts": "1.1"},
        {**message, "response_type": "ephemeral", "replace_original": True},
        {"delete_original": True},
    ]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(connections: Connections, host: Answering, status: int) -> None:
    elsewhere = Answering()
    elsewhere.server.start()
    try:
        host.status, host.headers = status, {"Location": f"{elsewhere.server.url}/commands/{SECRET}"}
        with pytest.raises(CallFailed, match=f"answered {status}: ok$"):
            ResponseUrls(host.server.url, connections).post(f"{host.server.url}/{SECRET}", response(IN_PUBLIC))
        assert len(host.bodies) == 1
        assert elsewhere.bodies == []
    finally:
        elsewhere.server.stop()


@pytest.mark.parametrize(
    ("status", "text", "told"),
    [
        (404, "used_url", "404: used_url"),
        (404, '{"ok":false,"error":"expired_url"}', "404: expired_url"),
        (400, '{"ok":false,"error":"invalid_blocks"}', "400: invalid_blocks"),
        (404, f"<p>The requested URL /commands/{SECRET} was not found on this server.", "404"),
        (404, f"/commands/{SECRET}", "404"),
        (404, json.dumps({"error": f"no {SECRET}"}), "404"),
        (404, json.dumps({"error": ["used_url"]}), "404"),
        (500, "", "500"),
        (500, "[" * 100_000, "500"),
    ],
)
def test_a_refusal_is_reported_with_slacks_error_code_only(
    connections: Connections, host: Answering, status: int, text: str, told: str
) -> None:
    host.status, host.text = status, text
    with pytest.raises(CallFailed) as refusal:
        ResponseUrls(host.server.url, connections).post(f"{host.server.url}/commands/{SECRET}", response(IN_PUBLIC))
    assert str(refusal.value) == f"the response URL answered {told}"


def test_if_nothing_listens_no_part_of_the_url_is_reported(connections: Connections) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(CallFailed) as failure:
        ResponseUrls(f"http://127.0.0.1:{port}/", connections).post(
            f"http://127.0.0.1:{port}/{SECRET}", response(IN_PUBLIC)
        )
    assert str(failure.value) == "the response URL could not be reached: NewConnectionError"
    assert failure.value.__cause__ is None
    assert failure.value.__suppress_context__, "a traceback would show the address"


def test_a_response_has_a_timeout() -> None:
    impatient = Connections(0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        base = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(CallFailed, match="did not answer: TimeoutError"):
            ResponseUrls(base, impatient).post(f"{base}/{SECRET}", response(IN_PUBLIC))
    impatient.close()


def test_if_slack_refuses_the_message_its_text_is_sent_alone(connections: Connections, host: Answering) -> None:
    host.status, host.text = 400, '{"ok":false,"error":"invalid_blocks"}'
    with pytest.raises(CallFailed, match=r"400: invalid_blocks$") as refusal:
        ResponseUrls(host.server.url, connections).post(f"{host.server.url}/commands/{SECRET}", response(HI))
    alone = {"text": "Hi.", "response_type": "ephemeral", "replace_original": False}
    assert host.bodies == [{**alone, "blocks": [{"type": "divider"}]}, alone]
    assert not refusal.value.may_be_there


@pytest.mark.parametrize("status", [500, 502, 503])
def test_after_a_server_error_the_result_is_unknown(connections: Connections, host: Answering, status: int) -> None:
    host.status = status
    with pytest.raises(CallFailed) as failure:
        ResponseUrls(host.server.url, connections).post(f"{host.server.url}/commands/{SECRET}", response(HI))
    assert failure.value.may_be_there
    assert len(host.bodies) == 1
