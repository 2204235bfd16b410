"""Handles a request from payload to reply: once per delivery, with permissions, in time, always with a reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any, TypeVar

import structlog

from bot.core.actions.lifecycle import Progress, Stage, next_stage
from bot.core.model.actions.decisions import Decision
from bot.core.model.builds import Actor, Project
from bot.core.model.command_entries import Command
from bot.core.model.commands import entry_for
from bot.core.model.errors import BotError, NotAllowed, NotRecorded, NotUnderstood
from bot.core.model.follows import follow_of
from bot.core.model.outcomes import Cancelled, Outcome, Restarted
from bot.core.operations import Operations, allowance_for
from bot.core.polling.poller import Poller
from bot.core.ports import Clock, Step
from bot.core.request import UserRequest
from bot.slack.answer_log import answered_fields
from bot.slack.answers import Answers, Explain, HandlerConfig, LiveMessagesThere
from bot.slack.audit_recorder import AuditRecorder
from bot.slack.blocks.context import RenderContext
from bot.slack.incoming.payloads import SlackRequest
from bot.slack.incoming.recent_deliveries import Deliveries
from bot.slack.outgoing.replies import DeliveryFailed, Replies
from bot.slack.stored_results import from_json, outcome_from_json, to_json

log = structlog.get_logger(__name__)

T = TypeVar("T")

REQUEST = "request"
"""The kind of the job that handles a request which changes something."""

ANSWERED_AGAIN_AFTER_S = (5.0, 30.0, 120.0, 600.0)
"""Seconds before each retry of a reply that Slack did not take, after something was changed."""

FIND_OUT_AFTER_S = (2.0, 5.0, 10.0, 20.0, 30.0)
"""Seconds before each attempt to find out what an action did whose result could not be stored."""

TOO_LATE_AFTER_S = 600.0
"""In seconds. A request that waited longer is not carried out: a build that restarts the next morning helps no one."""

FROM_ELSEWHERE = "This bot only works for members of {workspace}."


@dataclass(frozen=True, slots=True)
class Reporting:
    """What operators and auditors see of requests. `new_reference` returns the id that reply, log and audit share.

    `observe` is called once per request with its source, its verb, the result's name and the seconds that it took.
    `explain` returns what is known about an unexpected error; None if it is a bug.
    """

    recorder: AuditRecorder
    new_reference: Callable[[], str]
    observe: Callable[[str, str, str, float], None]
    explain: Explain = lambda _error: None


@dataclass(frozen=True, slots=True)
class FollowUps:
    """What continues after the reply: following a build, and retrying a reply that Slack did not take.

    `answer_again` takes the key and payload of a job of the kind `REQUEST`, and the seconds until it starts.
    """

    poller: Poller
    answer_again: Callable[[str, Mapping[str, Any], float], None]


@dataclass(slots=True)
class _Run:
    """What is known about a request on its way through its stages. `progress` says which of it is stored."""

    command: Command | None = None
    decision: Decision | None = None
    outcome: Outcome | BotError | None = None
    ts: str | None = None
    why_not_delivered: str | None = None
    may_reply_again: bool = False
    progress: Progress = field(default_factory=Progress)

    @property
    def result(self) -> Outcome | BotError:
        """What the reply says. Valid only if there is an outcome."""
        if self.outcome is None:
            raise RuntimeError("there is no result yet")
        return self.outcome


class RequestHandler:
    """Handles requests. `context` returns what messages are rendered with now.

    `begin` is called with the key of each stored request: False if it was withdrawn. `is_colleague` is called for a
    person of another workspace who may belong to the same organisation. `recent` and `reached` are as for `Answers`.
    """

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
        live: LiveMessagesThere,
        begin: Callable[[str], bool] = lambda _key: True,
        is_colleague: Callable[[Actor], bool] = lambda _actor: False,
        recent: Callable[[Actor], Sequence[Project]] = lambda _actor: (),
        reached: Callable[[str, str | None], None] = lambda _channel, _why_not: None,
    ) -> None:
        self._config = config
        self._clock = clock
        self._deliveries = deliveries
        self._operations = operations
        self._answers = Answers(replies, context, reporting.explain, recent, live, reached)
        self._follow_ups = follow_ups
        self._reporting = reporting
        self._begin = begin
        self._is_colleague = is_colleague
        self._process = token_hex(8)

    def changes_something(self, slack_request: SlackRequest) -> bool:
        """Whether the request must survive a crash, and has an id by which to recognise a redelivery."""
        command = slack_request.command
        if not slack_request.delivery or isinstance(command, NotUnderstood):
            return False
        return entry_for(command.verb).changes_something

    def job_of(self, slack_request: SlackRequest, *, is_again: bool = False) -> dict[str, Any]:
        """The payload with which `job` handles the request. `is_again`: it was made when its message was written."""
        now = self._clock.now().timestamp()
        made_at = min(now, slack_request.written_at or now) if is_again else now
        return {
            "slack_request": slack_request.as_json(),
            "ref": self._reporting.new_reference(),
            "at": made_at,
            "process": self._process,
            "monotonic": self._clock.monotonic() - (now - made_at),
        }

    def job(self, payload: Mapping[str, Any], step: Step) -> None:
        """A `Job`: handles a request durably, so that another process can finish it.

        Raises what `SlackRequest.from_json` does. A reply that Slack refuses is sent again later, by a job that has the
        recorded outcome and repeats only the reply.
        """
        slack_request, tries = SlackRequest.from_json(payload["slack_request"]), int(payload.get("tries", 0))
        key, reference = slack_request.delivery or str(payload["ref"]), str(payload["ref"])
        if tries == 0 and not self._begin(key):
            log.info("request_withdrawn", ref=reference)
            return
        run = _Run()
        if "result" in payload:
            run.command, run.outcome = outcome_from_json(payload["result"])
            run.progress = Progress(is_decided=True)
        request = self._request(slack_request, payload, key, reference)
        self._respond(slack_request, request, reference, step, run)
        if run.may_reply_again and run.outcome is not None and tries < len(ANSWERED_AGAIN_AFTER_S):
            again = {**payload, "tries": tries + 1, "result": to_json(run.command, run.outcome)}
            self._follow_ups.answer_again(f"{key}:{tries + 1}", again, ANSWERED_AGAIN_AFTER_S[tries])

    def _request(
        self, slack_request: SlackRequest, payload: Mapping[str, Any], key: str, reference: str
    ) -> UserRequest:
        """A stored request. Its age is unknown in any process but the one that received it."""
        made_at = datetime.fromtimestamp(float(payload["at"]), UTC)
        is_mine = payload.get("process") == self._process
        now_s, timeout_s = self._clock.monotonic(), self._config.request_timeout_s
        age_s = now_s - float(payload["monotonic"]) if is_mine else (self._clock.now() - made_at).total_seconds()
        on_time = is_mine and age_s < timeout_s  # else it gets all the time there is
        return UserRequest(
            slack_request.actor,
            slack_request.location,
            self._clock,
            now_s + timeout_s - (age_s if on_time else 0.0),
            key,
            is_late=age_s > TOO_LATE_AFTER_S,
            made_at=None if on_time else made_at,
            entry=self._reporting.recorder.entries(slack_request, reference),
            is_shared=slack_request.is_shared,
        )

    def handle(self, slack_request: SlackRequest, received_at: float) -> None:
        """Handles one request, received at `received_at` (seconds of the monotonic clock). Raises nothing."""
        try:
            if not self._deliveries.add(slack_request):
                log.info(
                    "duplicate_delivery", source=slack_request.source.value, channel=slack_request.location.channel
                )
                return
        except Exception as error:  # noqa: BLE001 - a store's error: the asker still needs a reply
            reference = self._reporting.new_reference()
            with structlog.contextvars.bound_contextvars(
                ref=reference, source=slack_request.source.value, channel=slack_request.location.channel
            ):
                self._answers.bug(slack_request, _command_of(slack_request), reference, error, nothing_sent=True)
            return
        reference = self._reporting.new_reference()
        request = self._request_now(slack_request, received_at, reference)
        self._respond(slack_request, request, reference, _at_once, _Run())

    def carry_out(self, slack_request: SlackRequest, received_at: float) -> None:
        """Carries out and records a request whose result is shown by a view. Raises what the store raises."""
        reference = self._reporting.new_reference()
        self._decided(slack_request, self._request_now(slack_request, received_at, reference), reference)

    def _request_now(self, slack_request: SlackRequest, received_at: float, reference: str) -> UserRequest:
        return UserRequest(
            slack_request.actor,
            slack_request.location,
            self._clock,
            received_at + self._config.request_timeout_s,
            slack_request.delivery or reference,
            entry=self._reporting.recorder.entries(slack_request, reference),
            is_shared=slack_request.is_shared,
        )

    def _respond(
        self, slack_request: SlackRequest, request: UserRequest, reference: str, step: Step, run: _Run
    ) -> None:
        """Runs the request's remaining stages, starting with what `run` has. Raises nothing."""
        began_s = self._clock.monotonic()
        with structlog.contextvars.bound_contextvars(
            ref=reference, source=slack_request.source.value, channel=slack_request.location.channel
        ):
            try:
                with ExitStack() as calls:
                    while (stage := next_stage(run.progress)) is not Stage.DONE:
                        if stage is Stage.DECIDE:
                            run.command = _command_of(slack_request)
                            if run.command is not None:
                                request = replace(request, allowance=calls.enter_context(allowance_for(run.command)))
                        self._do(stage, slack_request, request, reference, step, run)
                result = type(run.outcome).__name__
                if run.progress.is_delivered is False:
                    result = "DeliveryFailed"
                    log.error("reply_not_delivered", why=run.why_not_delivered)
            except Exception as error:  # noqa: BLE001 - the only place that handles bugs
                # The database is needed before anything is sent; what fails after that is `NotRecorded`.
                nothing_sent = run.outcome is None and (run.decision is None or self._answers.why(error) is not None)
                build = None if run.decision is None else run.decision.build
                result = self._answers.bug(
                    slack_request, run.command, reference, error, nothing_sent=nothing_sent, build=build
                )
            took_s = self._clock.monotonic() - began_s
            what = run.command.verb.value if run.command is not None else "unread"
            self._reporting.observe(slack_request.source.value, what, result, took_s)
            log.info(
                "answered",
                command=what,
                result=result,
                **answered_fields(run.outcome),
                user=slack_request.actor.id,
                took_ms=round(took_s * 1000),
            )

    def _do(
        self, stage: Stage, slack_request: SlackRequest, request: UserRequest, reference: str, step: Step, run: _Run
    ) -> None:
        """Runs one stage, a durable step."""
        match stage:
            case Stage.DECIDE:  # it must be stored before anything is done: a repeated request must find the same
                stored = step(stage.value, lambda: self._decided(slack_request, request, reference))
                command, decided = from_json(stored)
                run.command = command
                if isinstance(decided, Decision):
                    run.decision = decided
                else:
                    run.outcome = decided
                run.progress = replace(run.progress, is_decided=True, needs_action=isinstance(decided, Decision))
            case Stage.ACT | Stage.FIND_OUT:
                self._act(stage, slack_request, request, reference, step, run)
            case Stage.REPLY:
                delivery = step(stage.value, lambda: self._answered(slack_request, run, reference))
                run.ts, run.why_not_delivered = delivery.get("ts"), delivery.get("not_delivered")
                run.may_reply_again = run.why_not_delivered is not None and "may_be_there" not in delivery
                run.progress = replace(run.progress, is_delivered=run.why_not_delivered is None)
            case Stage.FOLLOW:
                asker, place, now = slack_request.actor, slack_request.location, self._clock.now()
                follow = follow_of(asker, place, request.key, run.result, run.ts, now)
                if follow is not None:
                    step(stage.value, lambda: self._follow_ups.poller.follow(follow), stored=False)
                run.progress = replace(run.progress, is_followed=True)
            case Stage.TIDY_UP:
                tidy = self._answers.update_pressed_message
                step(stage.value, lambda: tidy(slack_request, run.command, run.result, run.ts), stored=False)
                run.progress = replace(run.progress, is_tidy=True)

    def _decided(self, slack_request: SlackRequest, request: UserRequest, reference: str) -> dict[str, Any]:
        """What to do, or the outcome if nothing is to be done. Such an outcome is recorded in the audit."""
        command: Command | None = None
        try:
            with self._reporting.recorder.recording(slack_request, reference) as record:
                command = self._allowed(slack_request)
                decided = self._operations.decide(command, request)
                if not isinstance(decided, Decision):
                    record(decided)
        except BotError as error:
            return to_json(command, error)
        return to_json(command, decided)

    def _act(
        self, stage: Stage, slack_request: SlackRequest, request: UserRequest, reference: str, step: Step, run: _Run
    ) -> None:
        """Carries out the decision, or finds out what it did. The reply says so even if it cannot be stored."""
        done: list[Outcome | BotError] = []

        def work() -> dict[str, Any]:
            done.append(self._acted(stage, slack_request, request, reference, run))
            return to_json(run.command, done[-1])

        try:
            outcome = outcome_from_json(step(stage.value, work))[1]
        except Exception as error:
            if not done:
                raise
            log.error("result_not_stored", why=str(self._answers.why(error) or error))
            outcome = done[-1]
        run.outcome = outcome
        is_unrecorded = stage is Stage.ACT and isinstance(outcome, NotRecorded)
        run.progress = replace(run.progress, is_done=True, is_unrecorded=is_unrecorded)

    def _acted(
        self, stage: Stage, slack_request: SlackRequest, request: UserRequest, reference: str, run: _Run
    ) -> Outcome | BotError:
        if run.decision is None:
            raise RuntimeError("there is nothing to be done yet")
        try:
            with self._reporting.recorder.recording(slack_request, reference) as record:
                if stage is Stage.FIND_OUT:
                    outcome = self._found_out(run.decision, request)
                else:
                    outcome = self._operations.act(run.decision, request)
                if not isinstance(outcome, Restarted | Cancelled):  # these were recorded with their claim
                    record(outcome)
        except NotRecorded as error:
            if stage is Stage.ACT:  # now, since storing this step waits until the database is back
                log.error("result_not_stored", why=str(self._answers.why(error) or error.__cause__))
                with suppress(DeliveryFailed):
                    self._answers.error(slack_request, run.command, error, reference)
            return error
        except BotError as error:
            return error
        return outcome

    def _found_out(self, decision: Decision, request: UserRequest) -> Outcome:
        """Waits for the database. Raises NotRecorded if it does not come back."""
        for pause_s in FIND_OUT_AFTER_S:
            self._clock.wait(pause_s)
            again = replace(request, deadline=self._clock.monotonic() + self._config.request_timeout_s)
            try:
                return self._operations.act(decision, again)
            except BotError as error:
                if not isinstance(error, NotRecorded):
                    raise
            except Exception as error:  # noqa: BLE001 - the asker knows that it was sent; no more is known now
                log.error("result_not_found_out", why=str(self._answers.why(error) or error))
        raise NotRecorded(decision.build, decision.action.value, is_accepted=False)

    def _allowed(self, slack_request: SlackRequest) -> Command:
        is_stranger = slack_request.from_elsewhere and not self._config.others_may_ask
        if is_stranger and not (slack_request.may_be_colleague and self._is_colleague(slack_request.actor)):
            raise NotAllowed(FROM_ELSEWHERE.format(workspace=self._config.workspace or "its own workspace"))
        if isinstance(slack_request.command, NotUnderstood):
            raise slack_request.command
        return self._operations.spelled_out(slack_request.command, slack_request.location)

    def _answered(self, slack_request: SlackRequest, run: _Run, reference: str) -> dict[str, str | None]:
        """The reply's ts, or why Slack did not take it, as plain values for a durable job to store."""
        if isinstance(run.outcome, NotRecorded):
            return {"ts": None}  # the reply was already sent
        try:
            return {"ts": self._answers.answer(slack_request, run.command, run.result, reference)}
        except DeliveryFailed as failure:
            delivery: dict[str, str | None] = {"not_delivered": str(failure)}
            return delivery | {"may_be_there": "yes"} if failure.may_be_there else delivery


def _command_of(slack_request: SlackRequest) -> Command | None:
    """The command, if it could be parsed: an error then says what was not done."""
    return None if isinstance(slack_request.command, NotUnderstood) else slack_request.command


def _at_once(name: str, work: Callable[[], T], *, stored: bool = True) -> T:  # noqa: ARG001 - a `Step`
    """Runs the steps of a request that need not be durable."""
    return work()
