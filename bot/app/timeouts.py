"""Every timeout of the assembled bot, in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.polling.poller import PACE, PollInterval
from bot.jobs.durable import TIMINGS, JobTimings


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds. A request is answered within `request_timeout_s`, plus what Slack takes for the reply.

    `watch_s` is the shortest pause between two rounds of polling for channels.
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


TIMEOUTS = Timeouts()
