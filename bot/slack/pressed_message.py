"""What becomes of the message whose button was pressed, once the press is answered: it should offer what fits. Pure."""

from __future__ import annotations

from typing import Literal

from bot.core.model.builds import Actor
from bot.core.model.claims import RestartState
from bot.core.model.commands import Command, FollowBuild, ListProjects, RestartBuild, ShowBuild, StopBuild
from bot.core.model.outcomes import (
    AlreadyRestarted,
    BuildShown,
    CouldNotTell,
    Followed,
    NothingToFollow,
    NothingToStop,
    Outcome,
    Restarted,
    RunAgainSince,
    StateNotKnown,
    StillRunning,
    Stopped,
)
from bot.slack.blocks.button_values import STOP_IN_LIVE
from bot.slack.blocks.context import RenderContext
from bot.slack.incoming.payloads import PressedButton
from bot.slack.messages.render import Message, being_stopped, render

ReplyTarget = Literal["in its place", "to the asker", "anew"]


def reply_target(pressed: PressedButton, command: Command | None, outcome: Outcome) -> ReplyTarget:
    """Where the answer to a press goes: in the place of the pressed message, to the asker alone, or out anew."""
    match command, outcome:
        case StopBuild(), NothingToStop() if pressed.action_id == STOP_IN_LIVE:
            return "to the asker"  # what a live message says stays
        case (
            ((ShowBuild() | ListProjects()), _)
            | (RestartBuild(), (StillRunning() | RunAgainSince() | StateNotKnown()))
            | (FollowBuild(), NothingToFollow())
            | (StopBuild(), NothingToStop())
        ):
            return "in its place"  # what was found stands where the button was
        case RestartBuild(), AlreadyRestarted():
            return "to the asker"  # that somebody was faster is news for the asker alone
        case _:
            return "anew"


def message_after_press(
    pressed: PressedButton, command: Command | None, outcome: Outcome, asker: Actor, context: RenderContext
) -> Message | Literal["nothing"] | None:
    """What stands in the place of the pressed message from now on; "nothing" takes it away, None leaves it."""
    match command, outcome:
        case RestartBuild(in_live=True), _:
            return None  # what a live message says at its end stays
        case StopBuild(), _ if pressed.action_id == STOP_IN_LIVE:
            return None
        case (RestartBuild(), (Restarted() | CouldNotTell())) | (StopBuild(), Stopped()) if pressed.in_ephemeral:
            return "nothing"  # what only the asker saw has served its purpose
        case RestartBuild(), Restarted(build, claim) | CouldNotTell(claim, build):
            return render(BuildShown(build, RestartState(claim.run_number, claim), 0.0), context=context)
        case FollowBuild(), Followed(build, run_number):  # it goes on in a message of its own
            return render(BuildShown(build, RestartState(run_number)), context=context)
        case StopBuild(), Stopped(build):
            return being_stopped(build, context, asker)
        case ((ShowBuild() | ListProjects() | RestartBuild() | FollowBuild() | StopBuild()), _):
            return None
        case _ if pressed.in_ephemeral:
            return "nothing"
        case _:
            return None
