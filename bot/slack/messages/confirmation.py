"""What a person may not do, and what they must confirm first. Pure."""

from __future__ import annotations

from dataclasses import replace

from bot.core.model.actions.plans import restart_plan
from bot.core.model.builds import Build
from bot.core.model.command_entries import Command
from bot.core.model.command_values import BranchCommand, BuildCommand, Verb
from bot.core.model.commands import entry_for
from bot.core.model.errors import NeedsConfirmation, NotAllowed
from bot.slack.blocks.confirm_dialog import DEBUG_LABEL, Restarting, asked, cancelling_named, dialog
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Choice, Message, button, message
from bot.slack.blocks.rich_text import Line, emoji, join, line, mention_or_text, untrusted
from bot.slack.messages.builds import at_service, commit, subject, target_of

_ASK = 100


def whom_to_ask(error: NotAllowed) -> list[Line]:
    """The line below the reason of a refusal."""
    lines = []
    if error.group_unknown:
        lines.append(
            line("This is limited to some people, and Slack doesn’t say right now whether you are one of them.")
        )
    asked_for = mention_or_text(error.ask, _ASK) if error.ask else None
    if asked_for is not None:
        lines.append(line("Who to ask: ", asked_for))
    return lines


def render_confirmation(error: NeedsConfirmation, command: Command | None, context: RenderContext) -> Message:
    """A button that restarts what was requested; its dialog is the confirmation. To the asker alone."""
    build, again = error.build, error.instead_of is not None
    only = isinstance(command, BuildCommand) and command.failed_jobs_only
    debug = isinstance(command, BuildCommand) and command.debug_logs
    label = "Try again" if again else DEBUG_LABEL if debug else "Re-run failed jobs" if only else "Restart"
    target = target_of(build, error.run_number)
    restart = BuildCommand(
        Verb.RESTART, target, error.instead_of, confirmed=True, failed_jobs_only=only, debug_logs=debug
    )
    does = "Re-run the failed jobs of " if only else "Restart "
    lines = [
        line(emoji("point_right"), " ", does, subject(build), at_service(build.project, context), "?"),
        line("Nothing has been restarted yet: this needs a confirmation."),
        _runs_to_send(build),
    ]
    asks = asked(Restarting.of(build, failed_jobs_only=only, debug_logs=debug))
    pressed = button(label, restart, asks, style="primary")
    return message(lines, [pressed], facts=[commit(build)], in_public=False)


def _runs_to_send(build: Build) -> Line:
    """The workflows that a restart runs again, each with its trigger unless that was a push."""
    runs = restart_plan(build).runs if build.workflows else ()
    named = [untrusted(run.full_name + (f" ({run.trigger})" if run.trigger else ""), _ASK) for run in runs]
    return line("This re-runs ", join(", ", *(name for name in named if name)), ".") if named else ()


def choice(label: str, command: Command, repository: str, context: RenderContext) -> Choice:
    """A restart of a branch of the repository asks first if the policy wants that. A cancel always asks."""
    match command:
        case BranchCommand(Verb.RESTART, branch=branch) if branch is not None:
            asks = dialog(Restarting(repository, branch.cleanest), context)
            return Choice(label, replace(command, confirmed=asks is not None), asks)
        case BranchCommand(verb, branch=branch) if entry_for(verb).always_asks:
            return Choice(label, command, cancelling_named(repository, branch.cleanest if branch else None))
        case _:
            return Choice(label, command)
