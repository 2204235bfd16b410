"""Requests of the same second, with the whole bot and a clock that moves: the channel gets one live message."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.app.clock import SystemClock
from playground.sandbox import Sandbox

pytestmark = pytest.mark.slow

FOLLOW = "/codeship follow acme/web feature/login"


def test_six_follows_at_once_give_one_live_message() -> None:
    with Sandbox(SystemClock(), ack_timeout_s=30.0) as stage, ThreadPoolExecutor(6) as crowd:
        assert stage.settle()
        list(crowd.map(lambda who: stage.workspace.types(who, "#builds", FOLLOW), ["ada", "bob"] * 3))
        assert stage.settle()
        said = [message for message in stage.workspace.conversations.everything() if message.bot_id]
    assert sum(message.ephemeral_to is None for message in said) == 1
    pointed = [message.text for message in said if message.ephemeral_to is not None]
    assert len(pointed) == 5
    assert all("The live message shows it until it finishes" in text for text in pointed), pointed
