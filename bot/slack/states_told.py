"""How a build or a workflow stands: a sign and words for each state. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.model import Build, Status, Workflow
from bot.slack.durations import length
from bot.slack.pieces import Line, foreign, line
from bot.slack.wording import Wording

SIGNS = {
    Status.QUEUED: "hourglass",
    Status.RUNNING: "hourglass_flowing_sand",
    Status.PASSED: "white_check_mark",
    Status.FAILED: "x",
    Status.STOPPED: "octagonal_sign",
    Status.SKIPPED: "fast_forward",
    Status.IGNORED: "no_entry_sign",
    Status.BLOCKED: "no_entry",
    Status.INFRASTRUCTURE_FAILURE: "warning",
    Status.UNKNOWN: "grey_question",
}
WORDS = {
    Status.QUEUED: "queued",
    Status.RUNNING: "running",
    Status.PASSED: "passed",
    Status.FAILED: "failed",
    Status.STOPPED: "stopped",
    Status.SKIPPED: "skipped",
    Status.IGNORED: "ignored (over the plan’s build limit)",
    Status.BLOCKED: "blocked (used too many resources)",
    Status.INFRASTRUCTURE_FAILURE: "infrastructure failure",
}
OF_WORKFLOWS = {
    "timed_out": "timed out",
    "startup_failure": "could not start",
    "action_required": "waits for somebody’s approval",
    "waiting": "waits for a protection rule",
    "neutral": "neutral",
    "stale": "stale",
}
"""What services with workflows say, where the status alone would say it wrongly:
https://docs.github.com/en/rest/checks/runs and https://docs.github.com/en/rest/actions/workflow-runs."""

_PLAIN = {Status.IGNORED: "ignored", Status.BLOCKED: "blocked"}
"""The reasons in `WORDS` are those of a service that builds in one piece."""
_NO_LENGTH = frozenset(OF_WORKFLOWS) - {"timed_out"}
_WORD = 60


def state(build: Build, words: Wording, at: datetime | None = None) -> Line:
    """`failed after 4 min 07 s`, `running for 3 min 12 s`; as it was at `at` (now, where None).

    `CI failed, 1 of 3 workflows still running` where the worst of them has ended and another has not.
    """
    said = _of_build(build, words)
    if build.is_under_way and not build.status.is_under_way:
        return line(_deciding(build), said, f", {_still(build.workflows)}")
    if build.took is not None and not (build.workflows and _has_no_length(build.status, build.status_word)):
        return line(said, f" after {length(build.took.total_seconds())}")
    if build.status is Status.RUNNING and build.started_at is not None:
        running = (at or words.now) - build.started_at
        return line(said, f" for {length(running.total_seconds())}") if running >= timedelta(0) else said
    return said


def state_of_workflow(run: Workflow) -> Line:
    """`failed after 2 min 03 s`. Without a running time, which would be old at once in a message that stays."""
    said = _of_workflow(run.status, run.status_word)
    if not run.has_ended or _has_no_length(run.status, run.status_word):
        return said
    if run.started_at is None or run.finished_at is None:
        return said
    took = (run.finished_at - run.started_at).total_seconds()
    return line(said, f" after {length(took)}") if took >= 0 else said


def has_failed_jobs(run: Workflow) -> bool:
    """One that could not even start has none."""
    return run.status is Status.FAILED and run.status_word != "startup_failure"


def short_word(status: Status) -> str:
    """The state in one word or two, without its reason."""
    return WORDS.get(status, "in a state that I do not know").partition(" (")[0]


def _of_build(build: Build, words: Wording) -> Line:
    if build.workflows and (build.status is not Status.UNKNOWN or build.status_word in OF_WORKFLOWS):
        return _of_workflow(build.status, build.status_word)
    if build.status is not Status.UNKNOWN:
        return line(WORDS[build.status])
    word = foreign(build.status_word, _WORD)
    if word is None:
        return line("no state named")
    return line(words.title_of(build.project.service), " says “", word, "”, a word I do not know")


def _of_workflow(status: Status, status_word: str) -> Line:
    if status_word in OF_WORKFLOWS:
        return line(OF_WORKFLOWS[status_word])
    if status is not Status.UNKNOWN:
        return line(_PLAIN.get(status) or WORDS[status])
    word = foreign(status_word, _WORD)
    return line("“", word, "”, a word I do not know") if word else line("no state named")


def _has_no_length(status: Status, status_word: str) -> bool:
    """Whether `after 4 min` would make no sense behind what is said of a workflow."""
    return status_word in _NO_LENGTH or (status is Status.UNKNOWN and status_word not in OF_WORKFLOWS)


def _deciding(build: Build) -> Line:
    """The name of the workflow that decides, where there are others."""
    worst = next((run for run in build.workflows if run.status_word == build.status_word and run.has_ended), None)
    name = foreign(worst.name, _WORD) if worst and len(build.workflows) > 1 else None
    return line(name, " ") if name else ()


def _still(workflows: tuple[Workflow, ...]) -> str:
    left = [run.status for run in workflows if run.status.is_under_way]
    doing = "queued" if all(status is Status.QUEUED for status in left) else "running"
    return f"{len(left)} of {len(workflows)} workflows still {doing}" if len(workflows) > 1 else f"still {doing}"
