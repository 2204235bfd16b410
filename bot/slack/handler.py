"""One ask from what was heard to what is said: once a delivery, with rights, in time, and never without an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import structlog

from bot.core.authorization import Authorizer
from bot.core.model.claims import RestartState
from bot.core.model.commands import Command, entry_for
from bot.core.model.errors import BotError, CIError, NotAllowed, NotUnderstood, UserError
from bot.core.model.follows import follow_of
from bot.core.model.outcomes import BuildShown, Followed, Outcome, Restarted
from bot.core.operations import Operations
from bot.core.polling.poller import Poller
from bot.core.ports import Clock, IdempotencyKeys, Step
from bot.core.request import UserRequest
from bot.slack.answer_log import answered_fields
from bot.slack.audit_recorder import AuditRecorder
from bot.slack.blocks.context import RenderContext, ServiceInfo
from bot.slack.incoming.payloads import SlackRequest, Source, request_from_json
from bot.slack.incoming.recent_deliveries import RecentDeliveries
from bot.slack.messages.errors import render_bug, render_error
from bot.slack.messages.live import not_followed
from bot.slack.messages.render import Message, render
from bot.slack.outgoing.replies import DeliveryFailed, Replies
from bot.slack.pressed_message import message_after_press, reply_target
from bot.slack.stored_results import from_json, to_json

log = structlog.get_logger(__name__)

T = TypeVar("T")

REQUEST = "request"
"""The kind of job that answers an ask which changes something."""

ANSWERED_AGAIN_AFTER_S = (5.0, 30.0, 120.0, 600.0)
"""Pauses before an answer to something that was changed is given again, where Slack would not take it."""

TOO_LATE_AFTER_S = 600.0
"""What nobody could begin for so long is not done any more: a build that restarts the next morning helps nobody."""

COME_AGAIN = (Source.MENTION, Source.DIRECT)
"""What Slack sends again, minutes later and to any process. A command or a click comes again over a broken connection
of Socket Mode at most: this process remembers those that only ask, and the database is left out of it."""

DELIVERY_KEPT_S = 3600.0
"""Longer than Slack redelivers: three times within about six minutes."""

FROM_ELSEWHERE = "Only people of the workspace that I belong to can ask me."


class Explained(Protocol):
    """Why something failed that is not a bug: `str()` for the log, `for_people` for the asker."""

    @property
    def for_people(self) -> str: ...


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """What a deployment decides about conversations. `services` are by name, in the order in which they are set."""

    command: str
    mention: str
    services: Mapping[str, ServiceInfo]
    others_may_ask: bool = False
    request_timeout_s: float = 16.0
    """How long the CI service may take; what is left of twenty seconds is for Slack."""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Which deliveries have been seen: of this process, and of all processes on the database."""

    recent: RecentDeliveries
    stored: IdempotencyKeys

    def add(self, slack_request: SlackRequest) -> bool:
        """False for a redelivery. True for a request that cannot be told apart from others."""
        if not slack_request.delivery:
            return True
        seen = self.stored if slack_request.source in COME_AGAIN else self.recent
        return seen.add(slack_request.delivery, keep_s=DELIVERY_KEPT_S)


@dataclass(frozen=True, slots=True)
class Reporting:
    """What operators and auditors see of requests. `new_reference` returns the id that reply, log and audit share.

    `observe` is called once a request with its source, its verb, the result's name and the seconds that it took.
    `explain` returns what is known of an unexpected error; None if it is a bug.
    """

    recorder: AuditRecorder
    new_reference: Callable[[], str]
    observe: Callable[[str, str, str, float], None]
    explain: Callable[[Exception], Explained | None] = lambda _error: None


@dataclass(frozen=True, slots=True)
class FollowUps:
    """What goes on after the answer: following a build, and giving an answer again that Slack did not take.

    `answer_again` takes the key and the payload of a job of the kind `REQUEST`, and in how many seconds to start it.
    """

    poller: Poller
    answer_again: Callable[[str, Mapping[str, Any], float], None]


class RequestHandler:
    """Answers requests. `context` returns what messages are rendered with now."""

    def __init__(
        self,
        *,
        config: HandlerConfig,
        clock: Clock,
        deliveries: Deliveries,
        operations: Operations,
        replies: Replies,
        context: Callable[[], RenderContext],
        follow_ups: FollowUps,
        reporting: Reporting,
    ) -> None:
        self._config = config
        self._clock = clock
        self._deliveries = deliveries
        self._operations = operations
        self._replies = replies
        self._context = context
        self._follow_ups = follow_ups
        self._reporting = reporting

    def changes_something(self, slack_request: SlackRequest) -> bool:
        """Whether the ask must not be lost once it is acknowledged, and can be told from a redelivery."""
        command = slack_request.command
        if not slack_request.delivery or isinstance(command, NotUnderstood):
            return False
        return entry_for(command.verb).changes_something

    def job_of(self, slack_request: SlackRequest) -> dict[str, Any]:
        """The payload with which `job` answers the ask."""
        return {
            "slack_request": slack_request.as_json(),
            "ref": self._reporting.new_reference(),
            "at": self._clock.now().timestamp(),
        }

    def job(self, payload: Mapping[str, Any], step: Step) -> None:
        """Answers an ask durably: what one process has begun, another ends. A `Job`; raises what `heard_again` does.

        An answer that Slack would not take is given again later: what was done is found by the ask's key, not redone.
        """
        slack_request, tries = request_from_json(payload["slack_request"]), int(payload.get("tries", 0))
        key, age_s = slack_request.delivery or "", max(0.0, self._clock.now().timestamp() - float(payload["at"]))
        waited_s = age_s if age_s < self._config.request_timeout_s else 0.0  # after a crash, all the time there is
        received_at = self._clock.monotonic() - waited_s
        is_late = age_s > TOO_LATE_AFTER_S
        answered = self._respond(slack_request, received_at, str(payload["ref"]), step, key=key, is_late=is_late)
        if not answered and tries < len(ANSWERED_AGAIN_AFTER_S):
            self._follow_ups.answer_again(
                f"{key}:{tries + 1}", {**payload, "tries": tries + 1}, ANSWERED_AGAIN_AFTER_S[tries]
            )

    def handle(self, slack_request: SlackRequest, received_at: float) -> None:
        """Answers one ask, which arrived at `heard_at` (seconds of the monotonic clock). Raises nothing."""
        try:
            if not self._deliveries.add(slack_request):
                log.info(
                    "duplicate_delivery", source=slack_request.source.value, channel=slack_request.location.channel
                )
                return
        except Exception as error:  # noqa: BLE001 - the store's; whoever asked must not be left without an answer
            reference = self._reporting.new_reference()
            with structlog.contextvars.bound_contextvars(
                ref=reference, source=slack_request.source.value, channel=slack_request.location.channel
            ):
                self._tell_bug(slack_request, None, reference, error)
            return
        self._respond(slack_request, received_at, self._reporting.new_reference(), _at_once)

    def _respond(
        self,
        slack_request: SlackRequest,
        received_at: float,
        reference: str,
        step: Step,
        *,
        key: str = "",
        is_late: bool = False,
    ) -> bool:
        """Whether somebody was told. Raises nothing."""
        with structlog.contextvars.bound_contextvars(
            ref=reference, source=slack_request.source.value, channel=slack_request.location.channel
        ):
            command: Command | None = None
            outcome: Outcome | BotError | None = None
            try:
                request = UserRequest(
                    slack_request.actor,
                    slack_request.location,
                    self._clock,
                    received_at + self._config.request_timeout_s,
                    key,
                    is_late,
                )
                command, outcome = from_json(
                    step("execute", lambda: to_json(*self._execute(slack_request, request, reference)))
                )
                result = type(outcome).__name__
                ts = _ts_of(step("reply", lambda: self._answered(slack_request, command, outcome, reference)))
                follow = follow_of(
                    slack_request.actor, slack_request.location, key or reference, outcome, ts, self._clock.now()
                )
                if follow is not None:
                    step("follow", lambda: self._follow_ups.poller.follow(follow))
                step("update pressed message", lambda: self._update_pressed_message(slack_request, command, outcome))
            except DeliveryFailed as failure:
                result = "DeliveryFailed"
                log.error("reply_not_delivered", why=str(failure))
            except Exception as error:  # noqa: BLE001 - the one place where a bug ends
                result = self._tell_bug(slack_request, command, reference, error)
            took_s = self._clock.monotonic() - received_at
            what = command.verb.value if command is not None else "unread"
            self._reporting.observe(slack_request.source.value, what, result, took_s)
            fields = answered_fields(outcome)
            log.info(
                "answered",
                command=what,
                result=result,
                **fields,
                user=slack_request.actor.id,
                took_ms=round(took_s * 1000),
            )
            return result != "DeliveryFailed"

    def _execute(
        self, slack_request: SlackRequest, request: UserRequest, reference: str
    ) -> tuple[Command | None, Outcome | BotError]:
        """What was asked, as far as it can be read, and what came of it."""
        command: Command | None = None
        try:
            with self._reporting.recorder.recording(slack_request, reference) as record:
                command = self._allowed(slack_request)
                outcome = self._operations.execute(command, request)
                record(outcome)
        except BotError as error:
            return command, error
        return command, outcome

    def _allowed(self, slack_request: SlackRequest) -> Command:
        if slack_request.from_elsewhere and not self._config.others_may_ask:
            raise NotAllowed(FROM_ELSEWHERE)
        if isinstance(slack_request.command, NotUnderstood):
            raise slack_request.command
        return slack_request.command

    def _answered(
        self, slack_request: SlackRequest, command: Command | None, outcome: Outcome | BotError, reference: str
    ) -> dict[str, str | None]:
        """`_answer`'s ts, or why Slack would not take the answer: plain, for a durable job to store."""
        try:
            return {"ts": self._answer(slack_request, command, outcome, reference)}
        except DeliveryFailed as failure:
            return {"not_delivered": str(failure)}

    def _answer(
        self, slack_request: SlackRequest, command: Command | None, outcome: Outcome | BotError, reference: str
    ) -> str | None:
        """Says what came of it. Returns the ts of a message that can be changed later."""
        if isinstance(outcome, BotError):
            self._tell_error(slack_request, command, outcome, reference)
            return None
        message = render(outcome, context=self._context(), asker=slack_request.actor)
        match slack_request.pressed and reply_target(command, outcome):
            case "in its place":
                self._replace(slack_request, message)
                return None
            case "to the asker":
                self._replies.to_asker(slack_request, message)
                return None
        if not isinstance(outcome, Restarted | Followed):
            return self._replies.answer(slack_request, message)
        ts = self._replies.answer(slack_request, message, elsewhere=_not_live(outcome, message, self._context()))
        if ts is None:
            self._replies.to_asker(slack_request, not_followed())
        return ts

    def _update_pressed_message(
        self, slack_request: SlackRequest, command: Command | None, outcome: Outcome | BotError
    ) -> None:
        """After the answer: what the pressed message offers should fit, and no harm is done where it does not."""
        if slack_request.pressed is None or isinstance(outcome, BotError):
            return
        left = message_after_press(slack_request.pressed, command, outcome, slack_request.actor, self._context())
        try:
            if left == "nothing":
                self._replies.remove_pressed(slack_request)
            elif left is not None:
                self._replies.replace(slack_request, left)
        except DeliveryFailed as failure:
            log.info("pressed_message_not_updated", why=str(failure))

    def _replace(self, slack_request: SlackRequest, message: Message) -> None:
        """Where the pressed message cannot be replaced, it may be gone: the asker is answered all the same."""
        try:
            self._replies.replace(slack_request, message)
        except DeliveryFailed as failure:
            log.info("pressed_message_not_updated", why=str(failure))
            self._replies.to_asker(slack_request, message)

    def _tell_error(
        self, slack_request: SlackRequest, command: Command | None, error: BotError, reference: str
    ) -> None:
        shown_reference = None if isinstance(error, UserError) else reference
        if isinstance(error, CIError):
            log.warning("ci_failed", error=type(error).__name__, detail=error.detail)
        self._replies.to_asker(
            slack_request, render_error(error, command, context=self._context(), reference=shown_reference)
        )

    def _tell_bug(self, slack_request: SlackRequest, command: Command | None, reference: str, error: Exception) -> str:
        """Logs the cause, or a bug with its traceback, and tells the asker. Returns the result's name."""
        explained = self._reporting.explain(error)
        if explained is None:
            log.error("internal_error", exc_info=error)
        else:
            log.error("database_unusable", why=str(explained))
        because = None if explained is None else explained.for_people
        try:
            self._replies.to_asker(
                slack_request, render_bug(reference, command, context=self._context(), because=because)
            )
        except DeliveryFailed as failure:
            log.error("reply_not_delivered", why=str(failure))
        return "Bug" if explained is None else "DatabaseUnusable"


def render_context(config: HandlerConfig, clock: Clock, authorizer: Authorizer) -> RenderContext:
    """The words of this deployment, at this moment."""
    return RenderContext(config.command, config.mention, config.services, clock.now(), authorizer.needs_confirmation)


def _ts_of(answered: Mapping[str, str | None]) -> str | None:
    """Raises NotDelivered."""
    if "not_delivered" in answered:
        raise DeliveryFailed(answered["not_delivered"])
    return answered["ts"]


def _at_once(name: str, work: Callable[[], T]) -> T:  # noqa: ARG001 - a `Step`
    """The steps of an ask that need not be durable."""
    return work()


def _not_live(outcome: Restarted | Followed, message: Message, context: RenderContext) -> Message:
    """The same where the message cannot be changed later, and promises nothing."""
    if isinstance(outcome, Restarted):
        return message
    return render(BuildShown(outcome.build, RestartState(outcome.run_number)), context=context)
