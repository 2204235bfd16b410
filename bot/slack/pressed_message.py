"""What happens to a message after one of its buttons was pressed: it should offer what fits now. Pure."""

from __future__ import annotations

from typing import Literal

from bot.core.model.builds import Actor
from bot.core.model.claims import RestartState
from bot.core.model.command_entries import Command
from bot.core.model.command_values import BuildCommand, ListProjects, ShowHelp
from bot.core.model.outcomes import (
    AlreadyRestarted,
    BuildShown,
    Cancelled,
    CouldNotTell,
    Followed,
    HelpShown,
    NothingToCancel,
    NothingToFollow,
    Outcome,
    ProjectsShown,
    Restarted,
    RunAgainSince,
    StateNotKnown,
    StillRunning,
    WillNotify,
)
from bot.slack.blocks.context import RenderContext
from bot.slack.incoming.payloads import PressedButton
from bot.slack.messages.render import Message, being_cancelled, render

ReplyTarget = Literal["in its place", "to the asker", "new message"]


def reply_target(command: Command | None, outcome: Outcome) -> ReplyTarget:
    """Whether the reply to a press replaces the pressed message, goes only to the asker, or is a new message."""
    if not isinstance(command, BuildCommand | ListProjects | ShowHelp):
        return "new message"
    match outcome:
        case NothingToCancel() | NothingToFollow() if _in_live(command):
            return "to the asker"  # a live message and a list keep their text
        case BuildShown() | ProjectsShown() | HelpShown() | WillNotify():
            return "in its place"
        case StillRunning() | RunAgainSince() | StateNotKnown() | NothingToFollow() | NothingToCancel():
            return "in its place"  # the current state is shown where the button was
        case AlreadyRestarted():
            return "to the asker"  # only the asker needs to know that someone else was faster
        case _:
            return "new message"


def message_after_press(
    pressed: PressedButton, command: Command | None, outcome: Outcome, asker: Actor, context: RenderContext
) -> Message | Literal["nothing"] | None:
    """What replaces the pressed message; "nothing" removes it, None leaves it."""
    if not isinstance(command, BuildCommand | ListProjects | ShowHelp):
        return "nothing" if pressed.in_ephemeral else None
    if _in_live(command):
        return None
    match outcome:
        case Restarted() | CouldNotTell() | Cancelled() if pressed.in_ephemeral:
            return "nothing"  # it was only for the asker, and is no longer needed
        case Restarted(build, claim) | CouldNotTell(claim, build):
            return render(BuildShown(build, RestartState(claim.run_number, claim), 0.0), context=context)
        case Followed(build, run_number):  # it continues in a message of its own
            return render(BuildShown(build, RestartState(run_number)), context=context)
        case Cancelled(build):
            return being_cancelled(build, context, asker)
        case _:
            return None


def _in_live(command: BuildCommand | ListProjects | ShowHelp) -> bool:
    return isinstance(command, BuildCommand) and command.in_live
