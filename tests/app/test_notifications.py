"""A subscribed channel hears that a branch broke and that it is fixed: the real bot on simulated services."""

from __future__ import annotations

from bot.core.model.builds import Actor
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notifications.subscriptions import DEFAULT_EVENTS, Event, Filters, Subscription
from playground.play.transcript import Play
from playground.sandbox import Sandbox
from tests.held_clock import HeldClock
from tests.test_transcripts import UNHURRIED

ADA = Actor("U0ADA")

BROKE = """\
:x: *acme/api main broke: failed in 3s*
  b33b6c4 “Sort by date” by bob · finished 2026-03-02 12:00 UTC
  last passed: build 3277312 2026-03-02 11:20 UTC
  [Restart] [I’m on it] [Open build] [Mute acme/api for 2h] [⋯ Why was I told? | Show subscriptions]
↳ *acme/api main: is bob you?*
  If so, link the account and hear when you break a branch: `/codeship link github bob`"""
FIXED = """\
(changed) :white_check_mark: *acme/api main fixed after 5m 8s*
  8af805d “Sort by name” by bob · finished 2026-03-02 12:05 UTC
  broken by b33b6c4 “Sort by date” by bob
  [Open build]
↳ (also in the channel) :white_check_mark: *acme/api main fixed after 5m 8s*
  8af805d “Sort by name” by bob · finished 2026-03-02 12:05 UTC
  [Open build]"""


def subscribe(stage: Sandbox, clock: HeldClock, repo: str, *events: Event) -> None:
    assert stage.bot is not None
    filters = Filters(NamePattern((repo,)), events=frozenset(events) or DEFAULT_EVENTS)
    stage.bot.store.subscriptions.add(Subscription("C0BUILDS", filters, ADA, clock.now()))


def test_a_channel_hears_that_a_branch_broke_and_is_fixed():
    clock = HeldClock()
    with Sandbox(clock, timeouts=UNHURRIED, ack_timeout_s=30.0) as stage:
        subscribe(stage, clock, "acme/api")
        play = Play(stage, clock.advance)

        def does(*lines: str) -> str:
            return "\n".join(line for step in lines for line in play.step(step))

        assert does("! bob pushes acme/api main “Sort by date”", "! 8 s later") == ""
        assert does("! acme/api main fails") == BROKE
        later = ["! 5 min later", "! bob pushes acme/api main “Sort by name”", "! 8 s later"]
        assert does(*later) == ""
        assert does("! acme/api main passes") == FIXED
        assert does("! 1 min later") == ""
