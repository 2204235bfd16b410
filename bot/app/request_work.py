"""What answers requests and follows builds, as one thing to stop."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bot.app.notifications import Notifications
from bot.app.threads import PeriodicTask
from bot.core.polling.poller import Poller
from bot.jobs import DurableJobs
from bot.slack.handler import RequestHandler
from bot.slack.incoming.workers import JobSubmitter


@dataclass(frozen=True, slots=True)
class RequestWork:
    """What answers requests and follows builds, from `start` to `stop`: the durable jobs, and what runs on them."""

    jobs: DurableJobs
    submitter: JobSubmitter
    handler: RequestHandler
    poller: Poller
    restart_stalled: PeriodicTask
    notifications: Notifications

    def poll_soon(self, service: str, project_id: str, key: str) -> None:
        """A webhook says that the project has changed."""
        self.notifications.poll_soon(service, project_id, key)
        self.poller.poll_now(service, project_id, key)

    def stop(self, deadline: float) -> None:
        """Stops within `deadline`, in seconds of `time.monotonic()`. Other replicas, or the next process, take over the
        rest.
        """
        self.restart_stalled.stop()
        self.notifications.stop(deadline)
        self.submitter.close()
        self.jobs.stop(max(0.0, deadline - time.monotonic()))
