"""The log of a job as GitHub writes it. Pure.

Each line begins with its time. A step begins with a group that names its command, and `##[error]` says why it failed.
After a failure the job cleans up, so that the last lines of a log are never the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from playground.github.model import SandboxJob, SandboxStep

BYTE_ORDER_MARK = "\ufeff"
"""How every log begins."""

_SET_UP = (
    "Current runner version: '2.331.0'",
    "##[group]Runner Image",
    "Image: ubuntu-24.04",
    "##[endgroup]",
    "Secret source: Actions",
    "Prepare all required actions",
)
_CLEAN_UP = (
    "Post job cleanup.",
    "[command]/usr/bin/git version",
    "git version 2.53.0",
    "[command]/usr/bin/git config --local --unset-all http.https://github.com/.extraheader",
    "Cleaning up orphan processes",
)
_PASSED = ("\x1b[32m212 passed\x1b[0m in 14.02s",)
_FAILED = (
    "tests/test_basket.py::test_total \x1b[31mFAILED\x1b[0m",
    "\x1b[1m\x1b[31mE       assert 3 == 4\x1b[0m",
    "\x1b[31mFAILED\x1b[0m tests/test_basket.py::test_total - assert 3 == 4",
    "\x1b[31m1 failed\x1b[0m, 211 passed in 14.02s",
)
_ERRORS = {
    "failure": ("##[error]Process completed with exit code 1.",),
    "cancelled": ("##[error]The operation was canceled.",),
    "timed_out": (
        "##[error]The job has exceeded the maximum execution time of 6h0m0s",
        "##[error]The operation was canceled.",
    ),
}


def job_log(job: SandboxJob, outputs: Mapping[str, Sequence[str]], *, debug: bool = False) -> str:
    """`outputs` has the lines that a step printed, by its name; a step without them prints some of its own."""
    lines = [line for step in job.steps for line in _of_step(step, job, outputs.get(step.name), debug)]
    return BYTE_ORDER_MARK + "".join(f"{line}\n" for line in lines)


def _of_step(step: SandboxStep, job: SandboxJob, output: Sequence[str] | None, debug: bool) -> list[str]:
    start, end = step.started_at, step.completed_at
    if start is None or end is None or step.conclusion == "skipped":
        return []
    is_failed = step.conclusion not in ("success", "neutral")
    if output is None:
        output = _FAILED if is_failed else _PASSED
    if step.number == 1 and not is_failed:
        text = [*_SET_UP, f"Complete job name: {job.name}"]
    elif step.number == len(job.plan.steps) and not is_failed:
        text = list(_CLEAN_UP)
    else:
        command = step.name.lower().replace(" ", "-")
        begin = [f"##[group]Run make {command}", f"\x1b[36;1mmake {command}\x1b[0m", "shell: /usr/bin/bash -e {0}"]
        word = "timed_out" if job.conclusion == "timed_out" else step.conclusion
        text = [*begin, "##[endgroup]", *output, *(_ERRORS.get(word or "", ()) if is_failed else ())]
    if debug:
        text = [f"##[debug]Evaluating condition for step: '{step.name}'", *text, f"##[debug]Finishing: {step.name}"]
    return [f"{_time(start + (end - start) * index / len(text))} {line}" for index, line in enumerate(text)]


def _time(moment: datetime) -> str:
    """To a ten-millionth of a second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
