"""What was decided about a build for a channel, so that every message and every silence can be explained. Values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SeenBy(StrEnum):
    """How the bot came to know a build."""

    LIST = "list"
    POLL = "poll"
    WEBHOOK = "webhook"


class Reason(StrEnum):
    """Why a channel was notified of a build or not; what people should look at first comes first."""

    PAUSED = "paused"
    UNCERTAIN = "not confirmed by Slack"
    WAITING = "waiting"
    MAY_BE_FLAKY = "may be flaky"
    CI_UNREADABLE = "CI not readable"
    MUTED = "muted"
    BRANCH = "branch does not match"
    WORKFLOW = "workflow does not match"
    EVENT = "not subscribed to this"
    YOUNGER = "subscription is younger"
    BASELINE = "first sight"
    OLDER = "older than the newest"
    NEUTRAL = "neutral status"
    FLAKY = "flaky"
    NO_TRANSITION = "no transition"
    NOT_LINKED = "author not linked"
    DIGEST = "told in digest"
    CHANGED = "changed in place"
    TOLD = "told"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about one build for one channel, or for every channel if `channel` is None.

    `number` is the build's number as people know it, if the service has one. `detail` completes the reason:
    - `told`: Slack's ts of the message
    - `neutral status`: the status
    - `older than the newest`: the newer build
    - `muted`, `waiting`, `may be flaky`: the time of its end
    - `author not linked`: a GitHub login
    - `paused`: Slack's error or `PAUSED_BY_PERSON`
    - `no transition`: an earlier failure

    `subscription_id` is None if no subscription was needed to decide.
    """

    at: datetime
    service: str
    project_id: str
    branch: str | None
    build_id: str
    seen_by: SeenBy
    reason: Reason
    detail: str = ""
    number: str | None = None
    workflow: str | None = None
    channel: str | None = None
    subscription_id: int | None = None
