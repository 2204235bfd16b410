"""Writes each action into the audit log, whichever way it was asked: the one place that does. Stops no answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from bot.core.audit_entries import AuditedRequest, action_of, entry_of
from bot.core.model.commands import Command, entry_named
from bot.core.model.errors import NotUnderstood
from bot.core.model.outcomes import Outcome
from bot.core.ports import AuditLog, Clock
from bot.slack.blocks.button_values import entry_of_button
from bot.slack.incoming.payloads import SlackRequest

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AuditRecorder:
    """`service` stands in entries of asks that led to no repository, so that the audit of all shows them, too.

    `hidden` takes secrets out of a text; `not_recorded` is told of each action that could not be written down.
    """

    audit: AuditLog
    clock: Clock
    service: str
    redact: Callable[[str], str]
    not_recorded: Callable[[], None]

    @contextmanager
    def recording(self, slack_request: SlackRequest, reference: str) -> Iterator[Callable[[Outcome], None]]:
        """Around whatever an ask does: its outcome is told to what this yields, and what it raises is seen.

        The entry is written when both are known and before anybody is answered, so that what people are told of
        stands in the log. A process that dies before has done at most what the claim on the run says.
        """
        request = self._asked(slack_request, reference)
        try:
            yield lambda outcome: self._write(slack_request, request, outcome)
        except Exception as error:
            self._write(slack_request, request, error)
            raise

    def _asked(self, slack_request: SlackRequest, reference: str) -> AuditedRequest:
        action, command = self._wanted(slack_request)
        return AuditedRequest(
            self.clock.now(),
            slack_request.actor,
            slack_request.source.value,
            slack_request.location,
            reference,
            action,
            command,
            slack_request.typed,
        )

    def _wanted(self, slack_request: SlackRequest) -> tuple[str | None, Command | None]:
        """A request that is refused or was not understood is recorded, too, if what it was for can be told."""
        command, pressed = slack_request.command, slack_request.pressed
        if not isinstance(command, NotUnderstood):
            return action_of(command), command
        entry = entry_named(command.topic or "") if pressed is None else entry_of_button(pressed.action_id)
        return entry.audit_action if entry else None, None

    def _write(self, slack_request: SlackRequest, request: AuditedRequest, outcome: Outcome | Exception) -> None:
        try:
            entry = entry_of(request, outcome, service=self.service, redact=self.redact)
            if entry is not None:
                self.audit.record(entry, request_key=slack_request.delivery)
        except Exception:  # the person is answered all the same, and the operator told
            log.exception("action_not_recorded")
            self.not_recorded()
