"""Constants that fakes and contenders share. Nothing here is a secret: all of it stays on this machine."""

from __future__ import annotations

COMMAND = "/codeship"
BRANCH = "work"
"""The branch of all commands. A careful bot requires no confirmation for it."""

BOT_TOKEN = "xoxb-benchmark-0000"
APP_TOKEN = "xapp-1-benchmark-"
"""Followed by the contender's name, so that the fake knows whose connection it opens."""
SIGNING_SECRET = "0123456789abcdef0123456789abcdef"
API_KEY = "benchmark-key"

TEAM, BOT_USER, BOT = "T0BENCH", "U0BOT", "B0BOT"


def repository(number: int) -> str:
    """The name of project `number`, counted from 0."""
    return f"acme/{_WORDS[number % len(_WORDS)]}-{number:05d}"


_WORDS = ("web", "api", "billing", "search", "mobile", "reports", "gateway", "deploy")
