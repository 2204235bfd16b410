"""HAProxy and the Ingress let through every path at which the bot takes POSTs, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from bot.app.bot import SLACK_EVENTS
from bot.app.clients import connected
from bot.app.clock import SystemClock
from bot.app.settings import Settings
from bot.ci import SERVICES

DEPLOY = Path(__file__).parents[2] / "deploy"
EVERY_WEBHOOK = {
    "SLACK_BOT_TOKEN": "xoxb-11111111-22222222-AbCdEfGhIjKl",
    "SLACK_SIGNING_SECRET": "8f742231b10e8888abcd99aabbcc85a5",
    "CI_PROVIDERS": "codeship,github",
    "CODESHIP_API_KEY": "5a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "GITHUB_TOKEN": "github_pat_11AAAAAAA0_0123456789abcdef",
    "GITHUB_WEBHOOK_SECRET": "a-long-random-word-of-the-hook",
}
PRIVATE = ["/", "/healthz", "/readyz", "/metrics", "/slack", "/slack/eventsx", "/github/webhook2"]


def served() -> list[str]:
    """The paths of the bot with every service and webhook that there is."""
    settings = Settings.read(EVERY_WEBHOOK)
    webhooks = []
    for service in SERVICES:
        values = settings.ci[service.name]
        client = connected(service, values, SystemClock(), {})
        webhooks.append(service.webhook(values, client, lambda _project_id, _key: None))
        client.close()
    return [SLACK_EVENTS, *(webhook[0] for webhook in webhooks if webhook is not None)]


def haproxy_lets_in(path: str) -> bool:
    text = (DEPLOY / "haproxy.cfg").read_text(encoding="utf-8")
    exact = re.findall(r"^    acl from_\w+ path (\S+)$", text, flags=re.MULTILINE)
    patterns = re.findall(r"^    acl from_\w+ path_reg (\S+)$", text, flags=re.MULTILINE)
    return path in exact or any(re.search(pattern, path) for pattern in patterns)


def ingress_lets_in(path: str) -> bool:
    ingress = yaml.safe_load((DEPLOY / "kubernetes" / "ingress.yaml").read_text(encoding="utf-8"))
    (rule,) = ingress["spec"]["rules"]
    return any(
        path == entry["path"] or (entry["pathType"] == "Prefix" and path.startswith(f"{entry['path']}/"))
        for entry in rule["http"]["paths"]
    )


@pytest.mark.parametrize("path", [*served(), "/codeship/webhook/a-Token_1"])
def test_a_path_that_the_bot_serves_is_let_through(path: str) -> None:
    assert haproxy_lets_in(path)
    assert ingress_lets_in(path)


@pytest.mark.parametrize("path", PRIVATE)
def test_any_other_path_is_blocked(path: str) -> None:
    assert not haproxy_lets_in(path)
    assert not ingress_lets_in(path)
