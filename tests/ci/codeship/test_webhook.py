"""CodeShip's webhook: with the right token in its address it is a hint, with any other it is nothing."""

from __future__ import annotations

import io
import json
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from structlog.testing import capture_logs

from bot.ci.codeship.webhook import PATH, CodeShipWebhook
from bot.cli.webhook import webhook
from bot.config.parsers import Secret

TOKEN = "tOk-en_of_the_hook_1234567890"
BUILD = {
    "build_url": "https://app.codeship.com/projects/10213/builds/973711",
    "commit_url": "https://github.com/acme/web/commit/96943dc",
    "project_id": 10213,
    "build_id": 973711,
    "status": "testing",
    "project_full_name": "acme/web",
    "project_name": "acme/web",
    "commit_id": "96943dc5269634c211b6fbb18896ecdcbd40a047",
    "short_commit_id": "96943",
    "message": "Fix login",
    "committer": "ada",
    "branch": "main",
}


class Posted:
    def __init__(self) -> None:
        self.now = 1000.0
        self.hints: list[tuple[str, str]] = []
        self._app = CodeShipWebhook(Secret(TOKEN), lambda *hint: self.hints.append(hint), now=lambda: self.now)

    def __call__(self, body: bytes, token: str = TOKEN) -> int:
        environ: dict[str, Any] = {}
        setup_testing_defaults(environ)
        environ |= {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": f"{PATH}{token}",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        statuses: list[str] = []
        list(self._app(environ, lambda status, headers, exc_info=None: statuses.append(status)))  # type: ignore[arg-type,func-returns-value]
        return int(statuses[0].split()[0])


@pytest.fixture
def post() -> Posted:
    return Posted()


def body(**changes: Any) -> bytes:
    return json.dumps({"build": BUILD | changes}).encode()


def test_it_hints_at_the_project(post):
    assert post(body()) == 202
    assert [project for project, _ in post.hints] == ["10213"]


def test_a_repeated_one_is_the_same_hint_for_a_moment(post):
    post(body())
    post(body())
    post(body(status="success"))
    post.now += 5
    post(body())
    assert len(post.hints) == 4
    assert len({key for _, key in post.hints}) == 3


@pytest.mark.parametrize("token", ["", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), "ü"])
def test_a_wrong_token_is_no_page_and_is_not_logged(post, token):
    with capture_logs() as logs:
        assert [post(body(), token) for _ in range(3)] == [404] * 3
    assert post.hints == []
    assert [(line["event"], line["so_far"]) for line in logs] == [("codeship_webhook_rejected", 1)]
    assert not token or token not in str(logs)


@pytest.mark.parametrize("bad", [b"", b"{}", b"[1]", b'{"build": 7}', b'{"build": {}}', b"\xff", b"[" * 100_000])
def test_a_body_without_a_project_is_refused(post, bad):
    assert post(bad) == 400
    assert post.hints == []


def told(environ: dict[str, str], *, new: bool = False) -> str:
    lines: list[str] = []
    webhook(environ, lines.append, new=new)
    return "\n".join(lines)


def test_the_command_shows_the_address_with_the_token_that_is_set():
    shown = told({"CODESHIP_WEBHOOK_TOKEN": TOKEN})
    assert f"https://your-host{PATH}{TOKEN}" in shown
    assert "CODESHIP_WEBHOOK_TOKEN=" not in shown


@pytest.mark.parametrize(("environ", "new"), [({}, False), ({"CODESHIP_WEBHOOK_TOKEN": TOKEN}, True)])
def test_it_makes_a_new_token_each_time(environ, new):
    first, second = told(environ, new=new), told(environ, new=new)
    assert first != second
    assert "CODESHIP_WEBHOOK_TOKEN=" in first
    assert TOKEN not in first


def test_it_says_that_socket_mode_needs_a_port():
    socket_mode = {"SLACK_APP_TOKEN": "xapp-1"}
    assert "PORT is not set" in told(socket_mode)
    assert "PORT is not set" not in told(socket_mode | {"PORT": "3000"})
