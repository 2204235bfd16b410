"""What people may not do, and what they must confirm first, in words and buttons. Pure."""

from __future__ import annotations

from dataclasses import replace

from bot.core.commands import Command, RestartBuild, RestartOf
from bot.core.errors import NeedsConfirmation, NotAllowed
from bot.slack.builds_told import branch_named, commit, repository, target_of
from bot.slack.buttons import RESTART, TRY_AGAIN
from bot.slack.dialogs import asked, dialog
from bot.slack.drawing import Choice, Message, Wording, button, message
from bot.slack.pieces import Line, dotted, emoji, line, whom

_ASK = 100


def whom_to_ask(error: NotAllowed) -> list[Line]:
    """What is said below the reason."""
    lines = []
    if error.group_unknown:
        lines.append(line("It is for a user group, and Slack does not tell me now who is in it."))
    asked_for = whom(error.ask, _ASK) if error.ask else None
    if asked_for is not None:
        lines.append(line("Whom to ask: ", asked_for))
    return lines


def confirmation_told(error: NeedsConfirmation) -> Message:
    """The one button that restarts what was asked for, whose dialog confirms it. To the asker alone."""
    build, again = error.build, error.instead_of is not None
    label, action_id = ("Try again", TRY_AGAIN) if again else ("Restart", RESTART)
    command = RestartBuild(target_of(build, error.run_number), error.instead_of, confirmed=True)
    what = dotted(repository(build.project), branch_named(build.branch))
    lines = [
        line(emoji("point_right"), " Restart ", what, "?"),
        commit(build),
        line("Nothing has been restarted yet: this branch is confirmed first."),
    ]
    asks = asked(label, build.project.name, build.branch)
    return message(lines, [button(label, command, action_id, asks)], in_public=False)


def restarting(label: str, command: Command, words: Wording) -> Choice:
    """A choice; one that restarts a branch asks first where the policy wants that."""
    if not isinstance(command, RestartOf) or command.branch is None:
        return Choice(label, command)
    asks = dialog("Restart", command.repo.exact, command.branch.cleanest, words)
    return Choice(label, replace(command, confirmed=asks is not None), asks)
