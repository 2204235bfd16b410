"""The live messages that a channel has, so that it gets one per build. Knows neither Slack nor HTTP."""

from __future__ import annotations

from dataclasses import replace

from bot.core.model.builds import Actor, Build
from bot.core.model.errors import BotError
from bot.core.model.follows import Follow, LiveRun, ReplyState, run_of
from bot.core.model.outcomes import (
    AlreadyCancelling,
    AlreadyRestarted,
    BuildShown,
    Cancelled,
    Followed,
    Outcome,
    Restarted,
    StillRunning,
)
from bot.core.ports import Clock, FollowStore

MAX_NOTIFIED = 20
"""People whom one reply mentions."""

TRIES = 5
"""The message may change at the same moment."""

SHOWN = Restarted | AlreadyRestarted | AlreadyCancelling | BuildShown | Cancelled | Followed | StillRunning
"""Outcomes that are about a run that goes on."""

POSTED_WITHIN_S = (0.1, 0.2, 0.4, 0.8, 1.5)
"""Seconds between polls for a message that another request is about to post."""


class ChannelMessages:
    """Thread-safe. Raises what the store raises."""

    def __init__(self, follows: FollowStore, clock: Clock) -> None:
        self._follows = follows
        self._clock = clock

    def showing(self, outcome: Outcome | BotError, actor: Actor, channel: str, key: str) -> Follow | None:
        """The live message in the channel of the run that the outcome is about, unless the request `key` made it.

        None for outcomes that a live message does not show better, such as the status for a person whom it notifies.
        Waits if another request is about to post it. If this request is to post one, it has the claim to that when this
        returns None, until `not_live` is called.
        """
        run = run_of(outcome)
        if run is None or not isinstance(outcome, SHOWN):
            return None
        build_id, run_number = run
        wanted = LiveRun(channel, outcome.build.project.service, build_id, run_number)
        if isinstance(outcome, Restarted):  # everyone hears of a restart; others wait for its message
            self._follows.claim(wanted, key)
            return None
        is_new = isinstance(outcome, Followed | Cancelled)
        found = self._found(wanted, key, is_new=is_new)
        if found is None or found.key == key:
            return None
        return None if isinstance(outcome, BuildShown) and actor in found.notified else found

    def not_live(self, key: str) -> None:
        """The request's message cannot be changed later, so another request may post a live one."""
        self._follows.release(key)

    def _found(self, run: LiveRun, key: str, *, is_new: bool) -> Follow | None:
        """Claims before it polls: of two requests, the later one sees the claim or the follow."""
        for pause_s in (*POSTED_WITHIN_S, None):
            if is_new:
                is_free = self._follows.claim(replace(run, run_number=run.run_number or 1), key)
            else:
                is_free = not self._follows.is_claimed(run, but_by=key)
            found = self._of(run)
            if found is not None or is_free or pause_s is None:
                return found
            self._clock.wait(pause_s)
        return None

    def at(self, channel: str, message_ts: str) -> Follow | None:
        """The open follow whose live message this is."""
        return self._follows.open_at(channel, message_ts)

    def notify(self, actor: Actor, build: Build, run_number: int, channel: str) -> bool:
        """Notifies the person, too, at the end of the run. False if the channel has no such live message any more."""
        run = LiveRun(channel, build.project.service, build.id, run_number)
        for _ in range(TRIES):
            follow = self._of(run)
            if follow is None or follow.reply is not ReplyState.NOT_YET:
                return False
            if actor in follow.notified:
                return True
            if len(follow.notified) >= MAX_NOTIFIED:
                return False
            if self._follows.move(follow, replace(follow, others=(*follow.others, actor))):
                return True
        return False

    def _of(self, run: LiveRun) -> Follow | None:
        """The newest one."""
        found = self._follows.open_in(run.channel, run.service, run.build_id)
        if run.run_number is not None:
            found = [follow for follow in found if follow.run_number == run.run_number]
        return found[-1] if found else None
