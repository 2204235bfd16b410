"""What becomes of the message whose button was pressed, once the press is answered: it should offer what fits. Pure."""

from __future__ import annotations

from typing import Literal

from bot.core.model.builds import Actor
from bot.core.model.claims import Standing
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
from bot.slack.blocks.context import Wording
from bot.slack.incoming.payloads import Pressed
from bot.slack.messages.render import Message, being_stopped, draw

Goes = Literal["in its place", "to the asker", "anew"]


def where_to(pressed: Pressed, command: Command | None, came: Outcome) -> Goes:
    """Where the answer to a press goes: in the place of the pressed message, to the asker alone, or out anew."""
    match command, came:
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


def left_of(
    pressed: Pressed, command: Command | None, came: Outcome, asker: Actor, words: Wording
) -> Message | Literal["nothing"] | None:
    """What stands in the place of the pressed message from now on; "nothing" takes it away, None leaves it."""
    match command, came:
        case RestartBuild(in_live=True), _:
            return None  # what a live message says at its end stays
        case StopBuild(), _ if pressed.action_id == STOP_IN_LIVE:
            return None
        case (RestartBuild(), (Restarted() | CouldNotTell())) | (StopBuild(), Stopped()) if pressed.in_ephemeral:
            return "nothing"  # what only the asker saw has served its purpose
        case RestartBuild(), Restarted(build, claim) | CouldNotTell(claim, build):
            return draw(BuildShown(build, Standing(claim.run_number, claim), 0.0), words=words)
        case FollowBuild(), Followed(build, run_number):  # it goes on in a message of its own
            return draw(BuildShown(build, Standing(run_number)), words=words)
        case StopBuild(), Stopped(build):
            return being_stopped(build, words, asker)
        case ((ShowBuild() | ListProjects() | RestartBuild() | FollowBuild() | StopBuild()), _):
            return None
        case _ if pressed.in_ephemeral:
            return "nothing"
        case _:
            return None
