"""The workflows of a build, a line each, the worst first, with its failed jobs below it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bot.core.model.builds import ActionResult, Build, FailedJob, Status, Workflow
from bot.slack.blocks.rich_text import Line, counted, emoji, join, join_dots, line, link, literal, sanitize, untrusted
from bot.slack.messages.builds import joint, short_word, sign_of, state_of_workflow

MAX_WORKFLOWS, MAX_JOBS, MAX_NAMES = 10, 5, 10
_NAME, _COMMIT, _REASON = 60, 40, 100


def workflow_lines(build: Build) -> list[Line]:
    """Empty if the build's own lines say as much. A build that is a single run, under the run's id, is named."""
    is_one_run = any(run.run_id == build.id for run in build.workflows)
    if len(build.workflows) < 2 and not is_one_run and not any(map(_tells_more, build.workflows)):
        return []
    runs = sorted(build.workflows, key=_severity)
    lines = [part for run in runs[:MAX_WORKFLOWS] for part in (_line(run), *_job_lines(run.failed_jobs))]
    return [*lines, _rest(runs[MAX_WORKFLOWS:])]


def restarted_line(taken: ActionResult | None) -> Line:
    """`Restarted CI and Lint. Still running: Deploy. Not restarted: Docs (“too old”).`; empty without workflows."""
    if taken is None:
        return ()
    return join(
        " ",
        line("Restarted ", _listed(taken.done), ".") if taken.done else None,
        line("Still running: ", _listed(taken.left), ".") if taken.left else None,
        line("Not restarted: ", _refused(taken.refused), ".") if taken.refused else None,
    )


def cancelling_line(taken: ActionResult) -> Line:
    """`Cancelling CI. Not cancelled: Nightly (runs on 8b3e2f2).`"""
    left = [*([_listed(taken.left)] if taken.left else []), *([_refused(taken.refused)] if taken.refused else [])]
    return join(
        " ",
        line("Cancelling ", _listed(taken.done), ".") if taken.done else None,
        line("Not cancelled: ", join(", ", *left), ".") if left else None,
    )


def left_line(names: Sequence[str]) -> Line:
    """`Not part of it, and still running: Nightly (runs on 8b3e2f2).`; empty without names."""
    return line("Not part of it, and still running: ", _listed(names), ".") if names else ()


def _line(run: Workflow) -> Line:
    """`:x: CI failed in 2m 3s · attempt 2 · on 4f2c1e9`."""
    on = sanitize(run.commit, _COMMIT)[:7]
    name = link(sanitize(run.name, _NAME) or "a workflow without a name", run.url)
    return line(
        emoji(sign_of(run)),
        " ",
        join_dots(
            line(name, joint(run.status), state_of_workflow(run), waits_for(run)),
            f"attempt {run.attempt}" if run.attempt > 1 else None,
            f"on {on}" if on else None,
            untrusted(run.trigger, _COMMIT),
        ),
    )


def waits_for(run: Workflow) -> Line:
    """` to deploy to production`, linked to the run's page, on which it is approved."""
    names = [link(name, run.url) for name in (sanitize(each, _NAME) for each in run.waits_for[:MAX_JOBS]) if name]
    return line(" to deploy to ", join(", ", *names)) if names else ()


def _job_lines(jobs: Sequence[FailedJob]) -> list[Line]:
    """`    • build / test, step “Run pytest”`."""
    more = len(jobs) - MAX_JOBS
    named = [line("    • ", job_line(job)) for job in jobs[:MAX_JOBS]]
    return [*named, line(f"    • and {counted(more, 'more job')}") if more > 0 else ()]


def job_line(job: FailedJob) -> Line:
    """`build / test, step “Run pytest”`; the job's name leads to its page."""
    step = untrusted(job.step, _NAME)
    name = link(sanitize(job.name, _NAME) or "a job without a name", job.url)
    return line(name, *((", step “", step, "”") if step else ()))


def _rest(runs: Sequence[Workflow]) -> Line:
    """`and 7 more workflows: 5 passed, 2 skipped`."""
    if not runs:
        return ()
    by_word = Counter(short_word(run.status) for run in runs)
    return line(f"and {counted(len(runs), 'more workflow')}: {', '.join(f'{n} {word}' for word, n in by_word.items())}")


def _listed(names: Sequence[str]) -> Line:
    """`CI and Lint`; `CI, Lint and 3 more`."""
    shown = [untrusted(name, _NAME) or literal("one without a name") for name in names[:MAX_NAMES]]
    more = len(names) - MAX_NAMES
    *before, last = [*shown, literal(f"{more} more")] if more > 0 else shown
    return line(join(", ", *before), " and " if before else "", last)


def _refused(refused: Sequence[tuple[str, str]]) -> Line:
    more = len(refused) - MAX_JOBS
    text = join(", ", *(_with_reason(name, why) for name, why in refused[:MAX_JOBS]))
    return line(text, f" and {more} more" if more > 0 else "")


def _with_reason(name: str, why: str) -> Line:
    reason = untrusted(why, _REASON)
    return line(untrusted(name, _NAME) or "one without a name", *((" (“", reason, "”)") if reason else ()))


def _tells_more(run: Workflow) -> bool:
    return run.attempt > 1 or bool(run.failed_jobs or run.commit or run.trigger or run.waits_for)


def _severity(run: Workflow) -> int:
    """The severity for sorting. All that went well rank the same, so that they keep their order."""
    return min(run.status.severity, Status.PASSED.severity)
