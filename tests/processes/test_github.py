"""`python -m bot` with both services, as operators run it: with a token or a GitHub App, and without
leaking a secret.
"""

from __future__ import annotations

import hashlib
import hmac
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from playground.http_host import faults as moods
from tests.app.both_services import GITHUB_TOKEN, WEBHOOK_SECRET, BothServices, both_services
from tests.processes.bot_process import SECRETS, BotProcess, Runs

pytestmark = pytest.mark.serial

JWT_BEGINS = "eyJhbGciOiJSUzI1NiI"  # {"alg":"RS256", in base64
CHOSEN = {"CI_PROVIDERS": "codeship,github", "GITHUB_WEBHOOK_SECRET": WEBHOOK_SECRET, "LOG_LEVEL": "DEBUG"}


@pytest.fixture(params=["http", "socket mode"])
def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BothServices]:
    with both_services(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def runs(sandbox: BothServices, tmp_path: Path) -> Iterator[Runs]:
    runs = Runs(sandbox, tmp_path)
    yield runs
    runs.stop()


def an_app(sandbox: BothServices) -> tuple[dict[str, str], str]:
    """What makes the bot an App that is installed at acme, and the key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    (sandbox.folder / "app.pem").write_text(pem)
    app = sandbox.github.accounts.add_app(public.decode())
    installation = sandbox.github.accounts.install(app, "acme")
    settings = {
        "GITHUB_TOKEN": "",
        "GITHUB_APP_ID": str(app.id),
        "GITHUB_APP_INSTALLATION_ID": str(installation.id),
        "GITHUB_APP_PRIVATE_KEY_FILE": "app.pem",
    }
    return settings, pem


def told_and_stored(bot: BotProcess, sandbox: BothServices) -> str:
    """All that can be seen of a run that has ended: messages, stored rows, the log."""
    stored = "".join(path.read_bytes().decode("latin-1") for path in sandbox.folder.glob("bot.sqlite3*"))
    return repr(sandbox.workspace.conversations.everything()) + stored + bot.text


def live_through(sandbox: BothServices, runs: Runs, **settings: str) -> tuple[str, str]:
    """A run with questions, a restart and all kinds of failures. Returns its command line, and all it logged and
    stored.
    """
    bot = runs.ready(runs.start(**(CHOSEN | settings)))
    command_line = bot.command_line
    sandbox.says("/codeship status acme/shop main")
    assert sandbox.sees("*acme/shop main")
    sandbox.says("/codeship restart acme/billing main")
    assert sandbox.sees("acme/billing main restarted")
    for mood in (moods.garbage("[" + GITHUB_TOKEN), moods.redirect("http://127.0.0.1:9/"), moods.refuse()):
        sandbox.github.mood = mood
        sandbox.says("/codeship status acme/shop main", "bob")
    wrong = moods.says("wrong key", moods.CannedResponse(401, '{"message":"Bad credentials"}'), None, None)
    sandbox.github.mood = wrong
    sandbox.says("/codeship status acme/shop main", "bob")
    assert bot.logged("ci_key_rejected")["service"] == "GitHub"
    bot.signal(signal.SIGTERM)
    assert bot.ended() == 0
    return command_line, told_and_stored(bot, sandbox)


def test_with_a_token_no_output_has_a_secret(sandbox: BothServices, runs: Runs) -> None:
    command_line, told = live_through(sandbox, runs)
    for secret in (*SECRETS, GITHUB_TOKEN, WEBHOOK_SECRET):
        assert secret not in command_line
        assert secret not in told


def test_as_an_app_no_output_has_its_key_or_a_token(sandbox: BothServices, runs: Runs) -> None:
    settings, pem = an_app(sandbox)
    command_line, told = live_through(sandbox, runs, **settings)
    assert "put a valid key into GITHUB_APP_PRIVATE_KEY_FILE" in told
    for secret in (*SECRETS, WEBHOOK_SECRET, *pem.splitlines()[1:-1], "ghs_", JWT_BEGINS):
        assert secret not in command_line
        assert secret not in told


def test_the_webhook_is_served_wherever_http_is(sandbox: BothServices, runs: Runs) -> None:
    bot = runs.ready(runs.start(**CHOSEN, PORT="0"))
    address, body = f"http://127.0.0.1:{bot.logged('ready')['port']}/github/webhook", b'{"zen": "Design for failure."}'
    signature = f"sha256={hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()}"
    headers = {"X-GitHub-Event": "ping", "Content-Type": "application/json", "X-Hub-Signature-256": signature}
    assert requests.post(address, data=body, headers=headers, timeout=5).status_code == 200
    assert requests.post(address, data=body + b" ", headers=headers, timeout=5).status_code == 401
