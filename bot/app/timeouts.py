"""Every timeout of the assembled bot, in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.notifications.sender import CLAIMED_FOR, LATE_AFTER
from bot.core.polling.poller import PACE, PollInterval
from bot.jobs.durable import TIMINGS, JobTimings


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds. A request is answered within `request_timeout_s`, plus what Slack takes for the reply.

    `watch_s` is the shortest pause between two rounds of polling for channels. A notification is sent again `claimed_s`
    after a process claimed it and died, and `late_s` after it was due and not claimed.
    """

    request_timeout_s: float = 16.0
    connect_s: float = 3.05
    read_s: float = 6.0
    call_s: float = 12.0
    slack_s: float = 4.0
    finish_s: float = 10.0
    jobs: JobTimings = TIMINGS
    pace: PollInterval = PACE
    maintenance_s: float = 5.0
    watch_s: float = 0.1
    claimed_s: float = CLAIMED_FOR.total_seconds()
    late_s: float = LATE_AFTER.total_seconds()


TIMEOUTS = Timeouts()
