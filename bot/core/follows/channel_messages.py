"""The live messages that a channel has, so that it gets one per build. Knows neither Slack nor HTTP."""

from __future__ import annotations

from dataclasses import replace

from bot.core.model.builds import Actor, Build
from bot.core.model.errors import BotError
from bot.core.model.follows import Follow, ReplyState, run_of
from bot.core.model.outcomes import AlreadyCancelling, AlreadyRestarted, Cancelled, Followed, Outcome, StillRunning
from bot.core.ports import FollowStore

MAX_NOTIFIED = 20
"""People whom one reply mentions."""

TRIES = 5
"""The message may change at the same moment."""


class ChannelMessages:
    """Thread-safe. Raises what the store raises."""

    def __init__(self, follows: FollowStore) -> None:
        self._follows = follows

    def showing(self, outcome: Outcome | BotError, channel: str, key: str) -> Follow | None:
        """The live message in the channel of the run that the outcome is about, unless the request `key` made it.

        None for outcomes that a live message does not show better.
        """
        if not isinstance(outcome, AlreadyCancelling | AlreadyRestarted | Cancelled | Followed | StillRunning):
            return None
        run = run_of(outcome)
        if run is None:
            return None
        found = self._of(outcome.build, run[0], run[1], channel)
        return found if found is not None and found.key != key else None

    def at(self, build: Build, channel: str, message_ts: str) -> Follow | None:
        """The open follow of the build's project whose live message this is."""
        project = build.project
        for follow in self._follows.open_of(project.service, project.id):
            if follow.location.channel == channel and follow.message_ts == message_ts:
                return follow
        return None

    def notify(self, actor: Actor, build: Build, run_number: int, channel: str) -> bool:
        """Notifies the person, too, at the end of the run. False if the channel has no such live message any more."""
        for _ in range(TRIES):
            follow = self._of(build, build.id, run_number, channel)
            if follow is None or follow.reply is not ReplyState.NOT_YET:
                return False
            if actor in follow.notified:
                return True
            if len(follow.notified) >= MAX_NOTIFIED:
                return False
            if self._follows.move(follow, replace(follow, others=(*follow.others, actor))):
                return True
        return False

    def _of(self, build: Build, build_id: str, run_number: int | None, channel: str) -> Follow | None:
        """The newest one."""
        project = build.project
        found = [
            follow
            for follow in self._follows.open_of(project.service, project.id)
            if follow.build_id == build_id and follow.location.channel == channel
        ]
        if run_number is not None:
            found = [follow for follow in found if follow.run_number == run_number]
        return found[-1] if found else None
