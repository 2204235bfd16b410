"""The dialog with which Slack itself asks before a button restarts or cancels something. Pure.

Limits: https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.model.actions.plans import RestartCase, cancel_plan, restart_plan
from bot.core.model.builds import Build
from bot.slack.blocks.context import RenderContext, listed
from bot.slack.blocks.message import Block, Style, plain
from bot.slack.blocks.rich_text import sanitize

MAX_TITLE, MAX_TEXT, MAX_BUTTON = 100, 300, 30
_BRANCH_IN_TITLE, _NAME, _BRANCH, _WORKFLOW, _COMMIT = 60, 60, 60, 38, 40
_WORKFLOWS_NAMED = 3
DEBUG_LABEL = "Re-run with debug logs"


@dataclass(frozen=True, slots=True)
class Restarting:
    """What a button will restart. `workflows` are the names of those that will run, if they are known."""

    repository: str
    branch: str | None
    commit: str | None = None
    workflows: tuple[str, ...] = ()
    has_failed: bool = False
    failed_jobs_only: bool = False
    debug_logs: bool = False

    @classmethod
    def of(cls, build: Build, *, failed_jobs_only: bool = False, debug_logs: bool = False) -> Restarting:
        """What `restart_plan` sends."""
        plan = restart_plan(build)
        names = tuple(run.full_name for run in plan.runs)
        has_failed = plan.case is RestartCase.FAILED
        return cls(build.project.name, build.branch, build.commit, names, has_failed, failed_jobs_only, debug_logs)


def dialog(restarting: Restarting, context: RenderContext) -> Block | None:
    """None if the policy wants nothing confirmed."""
    if not context.needs_confirmation(restarting.repository, restarting.branch):
        return None
    return asked(restarting)


def asked(restarting: Restarting) -> Block:
    """The dialog, even if the policy wants nothing confirmed."""
    of = _of(restarting.repository, restarting.branch)
    short = sanitize(restarting.commit, _COMMIT)[:7]
    at = f" at {short}" if short else ""
    named = _workflows(restarting.workflows)
    if restarting.failed_jobs_only:
        jobs = f"the failed jobs in {named}" if named else "the failed jobs"
        label, how = (DEBUG_LABEL, " with debug logs") if restarting.debug_logs else ("Re-run failed jobs", "")
        return _dialog(f"{label}?", f"Re-run {jobs} of {of}{at}{how}?", label, "Don’t re-run")
    failed = "failed " if restarting.has_failed else ""
    several = "workflow" if len(restarting.workflows) == 1 else "workflows"
    what = f"the {failed}{several} {named} of {of}" if named else f"the build of {of}"
    title = f"Restart {sanitize(restarting.branch, _BRANCH_IN_TITLE)}".strip()
    yes = f"Restart {len(restarting.workflows)} {several}" if restarting.workflows else "Restart build"
    return _dialog(f"{title}?", f"Restart {what}{at}?", yes, "Don’t restart")


def cancelling(build: Build) -> Block:
    """Every cancel asks: a cancelled run can't be resumed. Names what `cancel_plan` cancels."""
    names = tuple(run.full_name for run in cancel_plan(build))
    return cancelling_named(build.project.name, build.branch, names)


def cancelling_named(repository: str, branch: str | None, workflows: tuple[str, ...] = ()) -> Block:
    """The same by the workflows' names, if the build itself is not available."""
    of, named = _of(repository, branch), _workflows(workflows)
    title = f"Cancel {sanitize(branch, _BRANCH_IN_TITLE)}".strip()
    several = "workflow" if len(workflows) == 1 else "workflows"
    text = f"Cancel {named} of {of}?" if named else f"Cancel the build of {of}?"
    yes = f"Cancel {len(workflows)} {several}" if workflows else "Cancel build"
    return _dialog(f"{title}?", text, yes, "Keep running", style="danger")


def _of(repository: str, branch: str | None) -> str:
    names = (sanitize(repository, _NAME), sanitize(branch, _BRANCH))
    return " ".join(name for name in names if name) or "this repository"


def _workflows(names: Sequence[str]) -> str:
    """`CI and Lint`; `CI, Lint, Docs and 4 more`. Empty for none."""
    shown = [sanitize(name, _WORKFLOW) or "one without a name" for name in names[:_WORKFLOWS_NAMED]]
    more = len(names) - _WORKFLOWS_NAMED
    return listed([*shown, f"{more} more"] if more > 0 else shown) if shown else ""


def _dialog(title: str, text: str, yes: str, no: str, *, style: Style = "primary") -> Block:
    return {"title": plain(title), "text": plain(text), "confirm": plain(yes), "deny": plain(no), "style": style}
