"""One ask from what was heard to what is said: once a delivery, with rights, in time, and never without an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bot.core.asking import Ask
from bot.core.claims import Standing
from bot.core.commands import Command, ListProjects, RestartBuild, ShowBuild
from bot.core.errors import BotError, CIError, Mistake, NotAllowed
from bot.core.operations import Operations
from bot.core.outcomes import (
    BuildShown,
    CouldNotTell,
    Outcome,
    Restarted,
    RunAgainSince,
    StateNotKnown,
    StillRunning,
)
from bot.core.ports import Clock, Once
from bot.slack.answers import Answers
from bot.slack.heard import Heard, Home, Way
from bot.slack.messages import Message, Wording, draw, draw_bug, draw_error
from bot.slack.response_urls import NotDelivered

log = structlog.get_logger(__name__)

DELIVERY_KEPT_S = 3600.0
"""Longer than Slack redelivers: three times within about six minutes."""

FROM_ELSEWHERE = "Only people of the workspace that I belong to can ask me."


@dataclass(frozen=True, slots=True)
class Manners:
    """What a deployment decides about conversations."""

    command: str
    mention: str
    service: str
    others_may_ask: bool = False
    asking_s: float = 16.0
    """How long the CI service may take; what is left of twenty seconds is for Slack."""


class Conversation:
    """Answers asks. `observe(way, what, result, seconds)` is told of each one; `reference()` makes a new id."""

    def __init__(
        self,
        *,
        operations: Operations,
        answers: Answers,
        once: Once,
        clock: Clock,
        home: Home,
        manners: Manners,
        reference: Callable[[], str],
        observe: Callable[[str, str, str, float], None],
    ) -> None:
        self._operations = operations
        self._answers = answers
        self._once = once
        self._clock = clock
        self._home = home
        self._manners = manners
        self._reference = reference
        self._observe = observe

    def hear(self, heard: Heard, heard_at: float) -> None:
        """Answers one ask, which arrived at `heard_at` (seconds of the monotonic clock). Raises nothing."""
        reference = self._reference()
        with structlog.contextvars.bound_contextvars(ref=reference, way=heard.way.value, channel=heard.place.channel):
            command: Command | None = None
            try:
                if heard.delivery and not self._once.first_time(heard.delivery, keep_s=DELIVERY_KEPT_S):
                    log.info("delivered_again")
                    return
                command = self._allowed(heard)
                ask = Ask(heard.actor, heard.place, self._clock, heard_at + self._manners.asking_s)
                outcome = self._operations.carry_out(command, ask)
                self._tell(heard, command, outcome)
                result = type(outcome).__name__
            except BotError as error:
                result = type(error).__name__
                self._tell_error(heard, command, error, reference)
            except NotDelivered as failure:
                result = "NotDelivered"
                log.error("answer_not_delivered", why=str(failure))
            except Exception:  # the one place where a bug ends: the person gets a reference, the log the traceback
                result = "Bug"
                log.exception("bug")
                self._tell_bug(heard, command, reference)
            took_s = self._clock.monotonic() - heard_at
            what = type(command).__name__ if command is not None else "unread"
            self._observe(heard.way.value, what, result, took_s)
            log.info("answered", command=what, result=result, user=heard.actor.id, took_ms=round(took_s * 1000))

    def _allowed(self, heard: Heard) -> Command:
        if heard.from_elsewhere and not self._manners.others_may_ask:
            raise NotAllowed(FROM_ELSEWHERE)
        return heard.command(self._home)

    def _tell(self, heard: Heard, command: Command, outcome: Outcome) -> None:
        message = draw(outcome, words=self._wording())
        if heard.way is not Way.CLICK:
            self._answers.answer(heard, message)
            return
        match command:
            case ShowBuild() | ListProjects():
                self._answers.replace(heard, message)
            case RestartBuild():
                self._tell_restart(heard, outcome, message)
            case _:
                self._answers.answer(heard, message)
                if heard.pressed and heard.pressed.in_ephemeral:
                    self._tidy(lambda: self._answers.remove_pressed(heard))

    def _tell_restart(self, heard: Heard, outcome: Outcome, message: Message) -> None:
        """What a restart changed is news for all, and the pressed message no longer offers it.

        What it found instead is shown where the button was; that somebody was faster is for the asker alone.
        """
        match outcome:
            case Restarted() | CouldNotTell():
                self._answers.answer(heard, message)
                shown = outcome.build if isinstance(outcome, Restarted) else outcome.shown
                standing = Standing(outcome.claim.run_number, outcome.claim)
                left = draw(BuildShown(shown, standing, 0.0), words=self._wording())
                self._tidy(lambda: self._answers.replace(heard, left))
            case StillRunning() | RunAgainSince() | StateNotKnown():
                self._answers.replace(heard, message)
            case _:
                self._answers.to_asker(heard, message)

    def _tidy(self, pressed_message: Callable[[], None]) -> None:
        """After the answer: what the pressed message offers should fit, and no harm is done where it does not."""
        try:
            pressed_message()
        except NotDelivered as failure:
            log.info("pressed_message_left", why=str(failure))

    def _tell_error(self, heard: Heard, command: Command | None, error: BotError, reference: str) -> None:
        told = None if isinstance(error, Mistake) else reference
        if isinstance(error, CIError):
            log.warning("ci_failed", error=type(error).__name__, detail=error.detail)
        message = draw_error(error, command, words=self._wording(), reference=told)
        self._deliver_anyhow(heard, message)

    def _tell_bug(self, heard: Heard, command: Command | None, reference: str) -> None:
        self._deliver_anyhow(heard, draw_bug(reference, command, words=self._wording()))

    def _deliver_anyhow(self, heard: Heard, message: Message) -> None:
        try:
            self._answers.to_asker(heard, message)
        except NotDelivered as failure:
            log.error("answer_not_delivered", why=str(failure))

    def _wording(self) -> Wording:
        return Wording(
            command=self._manners.command,
            mention=self._manners.mention,
            service=self._manners.service,
            now=self._clock.now(),
        )
