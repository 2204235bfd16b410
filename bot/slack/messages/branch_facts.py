"""What a message says of a branch besides its build: runs that do not decide, and the newest commit. Pure."""

from __future__ import annotations

from bot.core.model.actions.plans import RestartPlan
from bot.core.model.actions.values import PostState
from bot.core.model.builds import Ability, Build, BuildRef, Workflow
from bot.core.model.claims import Claim
from bot.core.model.command_values import BuildCommand, Verb
from bot.slack.blocks.confirm_dialog import Restarting, dialog
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block, button
from bot.slack.blocks.rich_text import Line, join, line, link, sanitize, since, untrusted
from bot.slack.messages.builds import cancel_run_button, state_of_workflow
from bot.slack.messages.workflows import waits_for

MAX_BESIDE, MAX_RERUNS = 5, 2
_NAME, _COMMIT, _TRIGGER = 60, 40, 40


def branch_lines(build: Build) -> list[Line]:
    """`the newest commit 96943dc has no runs; last tested: 8b3e2f2`, `also: Nightly failed`."""
    return [each for each in (_newest_commit(build), _beside(build)) if each]


def rerun_buttons(build: Build, plan: RestartPlan, context: RenderContext) -> list[Block | None]:
    """`Re-run Backend on 8b3e2f2`: one for each older commit's run that keeps the branch from passing."""
    runs = [run for run in plan.older if run.can_rerun]
    return [_rerun(build, run, context, place) for place, run in enumerate(runs[:MAX_RERUNS], start=1)]


def rest_buttons(build: Build, claim: Claim, context: RenderContext) -> list[Block | None]:
    """`Re-run Docs`: one for each run that a restart was to send and certainly did not."""
    unsent = {post.target.run_id for post in claim.posts if post.state is PostState.NOT_SENT}
    runs = [run for run in build.workflows if run.run_id in unsent and run.has_ended]
    return [_rerun(build, run, context, place) for place, run in enumerate(runs[:MAX_RERUNS], start=1)]


def beside_buttons(build: Build, context: RenderContext) -> list[Block | None]:
    """`Re-run Nightly`, `Cancel Nightly`: for runs that failed, or run, and do not count for the build's status."""
    failed = [run for run in build.beside if run.has_ended and run.status.is_bad and run.can_rerun]
    running = [run for run in build.beside if run.status.is_under_way]
    return [
        *(_rerun(build, run, context, place) for place, run in enumerate(failed[:MAX_RERUNS], start=1)),
        *(
            cancel_run_button(build, run, f"Cancel {_named(run)}", context, place)
            for place, run in enumerate(running[:MAX_RERUNS], start=1)
        ),
    ]


def _rerun(build: Build, run: Workflow, context: RenderContext, place: int) -> Block | None:
    if not context.can(Ability.RESTART, build):
        return None
    asks = dialog(Restarting(build.project.name, build.branch, run.commit or build.commit, (run.name,)), context)
    command = BuildCommand(Verb.RESTART, _target(build, run), confirmed=asks is not None)
    return button(f"Re-run {_named(run)}", command, asks, number=place)


def _target(build: Build, run: Workflow) -> BuildRef:
    return BuildRef(build.project.service, build.project.id, build.branch, run.run_id)


def _named(run: Workflow) -> str:
    """`Nightly on 8b3e2f2`."""
    name, at = sanitize(run.name, _NAME), sanitize(run.commit, _COMMIT)[:7]
    return f"{name} on {at}" if at else name


def _newest_commit(build: Build) -> Line:
    newest, tested = sanitize(build.newest_commit, _COMMIT)[:7], sanitize(build.commit, _COMMIT)[:7]
    return line(f"the newest commit {newest} has no runs; last tested: {tested}") if newest and tested else ()


def _beside(build: Build) -> Line:
    shown = build.beside[:MAX_BESIDE]
    more = len(build.beside) - len(shown)
    runs = join(", ", *map(_one_beside, shown))
    return line("also: ", runs, f" and {more} more" if more > 0 else "") if shown else ()


def _one_beside(run: Workflow) -> Line:
    trigger = untrusted(run.trigger, _TRIGGER)
    began = since(run.started_at)
    why = join(", ", line(trigger) if trigger else None, line(began) if began else None)
    name = link(sanitize(run.name, _NAME) or "a workflow without a name", run.url)
    return line(name, " ", state_of_workflow(run), waits_for(run), *((" (", why, ")") if why else ()))
