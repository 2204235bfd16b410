"""The sandbox with both services: GitHub's webhook, and what happens without it."""

from __future__ import annotations

import pytest

from bot.app.timeouts import Timeouts
from bot.core.polling.poller import PollInterval
from playground.play.world_events import trigger
from playground.sandbox import HALF_MOVED, Sandbox, Transport
from tests.held_clock import HeldClock

NEVER_S = 86_400.0
UNHURRIED = Timeouts(pace=PollInterval(NEVER_S, NEVER_S, NEVER_S), maintenance_s=NEVER_S)


def last_said(sandbox: Sandbox) -> str:
    assert sandbox.settle()
    return sandbox.workspace.conversation("#builds", "ada")[-1].text


@pytest.mark.parametrize("transport", ["http", "socket mode"])
def test_a_webhook_updates_messages_before_the_next_poll_even_after_a_restart(transport: Transport):
    clock = HeldClock()
    with Sandbox(clock, transport=transport, timeouts=UNHURRIED, ack_timeout_s=30.0, environ=HALF_MOVED) as stage:
        stage.workspace.types("ada", "#builds", "/codeship follow acme/mobile@github main")
        assert "running" in last_said(stage)
        trigger(stage, "GitHub’s webhooks are lost")
        clock.advance(10)
        trigger(stage, "the workflow CI of acme/mobile passes on main")
        assert "running" in last_said(stage)
        trigger(stage, "the bot is restarted")
        trigger(stage, "carol re-runs the workflow CI of acme/mobile on main")
        trigger(stage, "the workflow CI of acme/mobile fails on main")
        assert "failed" in last_said(stage)


def test_github_is_polled_once_time_has_passed():
    clock = HeldClock()
    with Sandbox(clock, timeouts=UNHURRIED, ack_timeout_s=30.0, environ=HALF_MOVED) as stage:
        stage.workspace.types("ada", "#builds", "/codeship follow acme/mobile@github main")
        assert "running" in last_said(stage)
        trigger(stage, "GitHub’s webhooks are lost")
        trigger(stage, "the workflow CI of acme/mobile passes on main")
        stage.poll()
        assert "running" in last_said(stage)
        clock.advance(10)
        stage.poll()
        assert "passed" in last_said(stage)


def test_a_given_github_is_used_instead():
    named = {"GITHUB_API_URL": "http://127.0.0.1:9", "GITHUB_TOKEN": "github_pat_of_somebody_else"}
    stage = Sandbox(HeldClock(), environ={**HALF_MOVED, **named})
    assert stage.github is None
    assert stage.settings().ci["github"]["GITHUB_API_URL"] == named["GITHUB_API_URL"]
    stage.stop()
