"""GitHub's words for the state of a run, and which of several states is the worst. Pure.

https://docs.github.com/en/rest/checks/runs and /actions/workflow-runs: `status` until a run is over, then `conclusion`.
"""

from __future__ import annotations

from bot.core.model.builds import Status

_COMPLETED = "completed"

_STATUSES = {
    "queued": Status.QUEUED,
    "requested": Status.QUEUED,
    "pending": Status.QUEUED,  # its concurrency group is busy
    "waiting": Status.WAITING,  # for a person's approval
    "in_progress": Status.RUNNING,
}
_CONCLUSIONS = {
    "success": Status.PASSED,
    "neutral": Status.PASSED,
    "failure": Status.FAILED,
    "timed_out": Status.FAILED,
    "startup_failure": Status.FAILED,
    "cancelled": Status.STOPPED,
    "stale": Status.STOPPED,  # GitHub gave it up after a fortnight
    "skipped": Status.SKIPPED,
    "action_required": Status.BLOCKED,
}


def is_over(status: str | None, conclusion: str | None) -> bool:
    return status == _COMPLETED or (status is None and conclusion is not None)


def read(status: str | None, conclusion: str | None) -> tuple[Status, str]:
    """What a run's two words mean, and the one of them that tells: the conclusion once it is over."""
    if is_over(status, conclusion):
        word = conclusion or _COMPLETED
        return _CONCLUSIONS.get(word, Status.UNKNOWN), word
    return _STATUSES.get(status or "", Status.UNKNOWN), status or ""
