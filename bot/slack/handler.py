"""One ask from what was heard to what is said: once a delivery, with rights, in time, and never without an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from bot.core.authorization import Rights
from bot.core.model.claims import Standing
from bot.core.model.commands import Command, FollowBuild, FollowOf, RestartBuild, RestartOf, StopBuild, StopOf
from bot.core.model.errors import BotError, CIError, Mistake, NotAllowed, NotUnderstood
from bot.core.model.follows import follow_of
from bot.core.model.outcomes import BuildShown, Followed, Outcome, Restarted
from bot.core.operations import Operations
from bot.core.polling.poller import Following
from bot.core.ports import Clock, Once, Step
from bot.core.request import Ask
from bot.slack.audit_recorder import Recorder
from bot.slack.blocks.context import ServiceWords, Wording
from bot.slack.incoming.payloads import Heard, Home, Way, heard_again
from bot.slack.incoming.recent_deliveries import Lately
from bot.slack.messages.live import not_followed
from bot.slack.messages.render import Message, draw, draw_bug, draw_error
from bot.slack.outgoing.replies import Answers, NotDelivered
from bot.slack.pressed_message import left_of, where_to
from bot.slack.stored_results import from_json, to_json

log = structlog.get_logger(__name__)

T = TypeVar("T")

ASK = "ask"
"""The kind of job that answers an ask which changes something."""

CHANGES = (RestartOf, RestartBuild, StopOf, StopBuild, FollowOf, FollowBuild)

ANSWERED_AGAIN_AFTER_S = (5.0, 30.0, 120.0, 600.0)
"""Pauses before an answer to something that was changed is given again, where Slack would not take it."""

TOO_LATE_AFTER_S = 600.0
"""What nobody could begin for so long is not done any more: a build that restarts the next morning helps nobody."""

COME_AGAIN = (Way.MENTION, Way.DIRECT)
"""What Slack sends again, minutes later and to any process. A command or a click comes again over a broken connection
of Socket Mode at most: this process remembers those that only ask, and the database is left out of it."""

DELIVERY_KEPT_S = 3600.0
"""Longer than Slack redelivers: three times within about six minutes."""

FROM_ELSEWHERE = "Only people of the workspace that I belong to can ask me."


@dataclass(frozen=True, slots=True)
class Manners:
    """What a deployment decides about conversations. `services` are by name, in the order in which they are set."""

    command: str
    mention: str
    services: Mapping[str, ServiceWords]
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
        recorder: Recorder,
        manners: Manners,
        rights: Rights,
        reference: Callable[[], str],
        observe: Callable[[str, str, str, float], None],
        following: Following,
        again: Callable[[str, Mapping[str, Any], float], None],
    ) -> None:
        self._operations = operations
        self._answers = answers
        self._once = once
        self._lately = Lately(clock)
        self._clock = clock
        self._home = home
        self._recorder = recorder
        self._manners = manners
        self._rights = rights
        self._reference = reference
        self._observe = observe
        self._following = following
        self._again = again

    def changes_something(self, heard: Heard) -> bool:
        """Whether the ask must not be lost once it is acknowledged, and can be told from a redelivery."""
        if not heard.delivery:
            return False
        try:
            return isinstance(heard.command(self._home), CHANGES)
        except NotUnderstood:
            return False

    def job_of(self, heard: Heard) -> dict[str, Any]:
        """The payload with which `job` answers the ask."""
        return {"heard": heard.as_json(), "ref": self._reference(), "at": self._clock.now().timestamp()}

    def job(self, payload: Mapping[str, Any], step: Step) -> None:
        """Answers an ask durably: what one process has begun, another ends. A `Job`; raises what `heard_again` does.

        An answer that Slack would not take is given again later: what was done is found by the ask's key, not redone.
        """
        heard, tries = heard_again(payload["heard"]), int(payload.get("tries", 0))
        key, age_s = heard.delivery or "", max(0.0, self._clock.now().timestamp() - float(payload["at"]))
        waited_s = age_s if age_s < self._manners.asking_s else 0.0  # after a crash, all the time there is
        heard_at = self._clock.monotonic() - waited_s
        is_late = age_s > TOO_LATE_AFTER_S
        answered = self._converse(heard, heard_at, str(payload["ref"]), step, key=key, is_late=is_late)
        if not answered and tries < len(ANSWERED_AGAIN_AFTER_S):
            self._again(f"{key}:{tries + 1}", {**payload, "tries": tries + 1}, ANSWERED_AGAIN_AFTER_S[tries])

    def hear(self, heard: Heard, heard_at: float) -> None:
        """Answers one ask, which arrived at `heard_at` (seconds of the monotonic clock). Raises nothing."""
        try:
            once = self._once if heard.way in COME_AGAIN else self._lately
            if heard.delivery and not once.first_time(heard.delivery, keep_s=DELIVERY_KEPT_S):
                log.info("delivered_again", way=heard.way.value, channel=heard.place.channel)
                return
        except Exception:  # the store's; whoever asked must not be left without an answer
            reference = self._reference()
            log.exception("bug", ref=reference, way=heard.way.value, channel=heard.place.channel)
            self._tell_bug(heard, None, reference)
            return
        self._converse(heard, heard_at, self._reference(), _at_once)

    def _converse(
        self, heard: Heard, heard_at: float, reference: str, step: Step, *, key: str = "", is_late: bool = False
    ) -> bool:
        """Whether somebody was told. Raises nothing."""
        with structlog.contextvars.bound_contextvars(ref=reference, way=heard.way.value, channel=heard.place.channel):
            command: Command | None = None
            try:
                ask = Ask(heard.actor, heard.place, self._clock, heard_at + self._manners.asking_s, key, is_late)
                command, came = from_json(step("carry out", lambda: to_json(*self._carried_out(heard, ask, reference))))
                result = type(came).__name__
                ts = _ts_of(step("answer", lambda: self._answered(heard, command, came, reference)))
                follow = follow_of(heard.actor, heard.place, key or reference, came, ts, self._clock.now())
                if follow is not None:
                    step("follow", lambda: self._following.begin(follow))
                step("tidy", lambda: self._tidy(heard, command, came))
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
            return result != "NotDelivered"

    def _carried_out(self, heard: Heard, ask: Ask, reference: str) -> tuple[Command | None, Outcome | BotError]:
        """What was asked, as far as it can be read, and what came of it."""
        command: Command | None = None
        try:
            with self._recorder.recording(heard, reference) as record:
                command = self._allowed(heard)
                outcome = self._operations.carry_out(command, ask)
                record(outcome)
        except BotError as error:
            return command, error
        return command, outcome

    def _allowed(self, heard: Heard) -> Command:
        if heard.from_elsewhere and not self._manners.others_may_ask:
            raise NotAllowed(FROM_ELSEWHERE)
        return heard.command(self._home)

    def _answered(
        self, heard: Heard, command: Command | None, came: Outcome | BotError, reference: str
    ) -> dict[str, str | None]:
        """`_answer`'s ts, or why Slack would not take the answer: plain, for a durable job to store."""
        try:
            return {"ts": self._answer(heard, command, came, reference)}
        except NotDelivered as failure:
            return {"not_delivered": str(failure)}

    def _answer(self, heard: Heard, command: Command | None, came: Outcome | BotError, reference: str) -> str | None:
        """Says what came of it. Returns the ts of a message that can be changed later."""
        if isinstance(came, BotError):
            self._tell_error(heard, command, came, reference)
            return None
        message = draw(came, words=self._wording(), asker=heard.actor)
        match heard.pressed and where_to(heard.pressed, command, came):
            case "in its place":
                self._replace(heard, message)
                return None
            case "to the asker":
                self._answers.to_asker(heard, message)
                return None
        if not isinstance(came, Restarted | Followed):
            return self._answers.answer(heard, message)
        ts = self._answers.answer(heard, message, elsewhere=_not_live(came, message, self._wording()))
        if ts is None:
            self._answers.to_asker(heard, not_followed())
        return ts

    def _tidy(self, heard: Heard, command: Command | None, came: Outcome | BotError) -> None:
        """After the answer: what the pressed message offers should fit, and no harm is done where it does not."""
        if heard.pressed is None or isinstance(came, BotError):
            return
        left = left_of(heard.pressed, command, came, heard.actor, self._wording())
        try:
            if left == "nothing":
                self._answers.remove_pressed(heard)
            elif left is not None:
                self._answers.replace(heard, left)
        except NotDelivered as failure:
            log.info("pressed_message_left", why=str(failure))

    def _replace(self, heard: Heard, message: Message) -> None:
        """Where the pressed message cannot be replaced, it may be gone: the asker is answered all the same."""
        try:
            self._answers.replace(heard, message)
        except NotDelivered as failure:
            log.info("pressed_message_left", why=str(failure))
            self._answers.to_asker(heard, message)

    def _tell_error(self, heard: Heard, command: Command | None, error: BotError, reference: str) -> None:
        told = None if isinstance(error, Mistake) else reference
        if isinstance(error, CIError):
            log.warning("ci_failed", error=type(error).__name__, detail=error.detail)
        self._answers.to_asker(heard, draw_error(error, command, words=self._wording(), reference=told))

    def _tell_bug(self, heard: Heard, command: Command | None, reference: str) -> None:
        try:
            self._answers.to_asker(heard, draw_bug(reference, command, words=self._wording()))
        except NotDelivered as failure:
            log.error("answer_not_delivered", why=str(failure))

    def _wording(self) -> Wording:
        return wording(self._manners, self._clock, self._rights)


def wording(manners: Manners, clock: Clock, rights: Rights) -> Wording:
    """The words of this deployment, at this moment."""
    return Wording(manners.command, manners.mention, manners.services, clock.now(), rights.needs_confirmation)


def _ts_of(answered: Mapping[str, str | None]) -> str | None:
    """Raises NotDelivered."""
    if "not_delivered" in answered:
        raise NotDelivered(answered["not_delivered"])
    return answered["ts"]


def _at_once(name: str, work: Callable[[], T]) -> T:  # noqa: ARG001 - a `Step`
    """The steps of an ask that need not be durable."""
    return work()


def _not_live(came: Restarted | Followed, message: Message, words: Wording) -> Message:
    """The same where the message cannot be changed later, and promises nothing."""
    if isinstance(came, Restarted):
        return message
    return draw(BuildShown(came.build, Standing(came.run_number)), words=words)
