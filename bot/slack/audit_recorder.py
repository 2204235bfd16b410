"""Writes every action to the audit log, from every kind of request. A failure to write stops no reply."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from bot.core.audit_entries import ActionSent, AuditedRequest, action_of, entry_of
from bot.core.model.audit import RequestEntry
from bot.core.model.command_entries import Command
from bot.core.model.commands import entry_named
from bot.core.model.errors import NotUnderstood
from bot.core.model.outcomes import Outcome
from bot.core.ports import AuditLog, Clock
from bot.core.request import AuditOf
from bot.slack.blocks.button_values import entry_of_button
from bot.slack.incoming.payloads import SlackRequest

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AuditRecorder:
    """`service` is for entries of requests that named no repository, so that an audit of all shows them, too.

    `redact` removes secrets from a text. `not_recorded` is called for each action that could not be written.
    """

    audit: AuditLog
    clock: Clock
    service: str
    redact: Callable[[str], str]
    not_recorded: Callable[[], None]

    @contextmanager
    def recording(self, slack_request: SlackRequest, reference: str) -> Iterator[Callable[[Outcome], None]]:
        """Wraps a request: pass its outcome to the function this yields. What the block raises is recorded, too.

        The entry is written before the reply, so that everything a reply says is in the log. If the process dies first,
        at most the action in the claim was done.
        """
        request = self._asked(slack_request, reference)
        try:
            yield lambda outcome: self._write(slack_request, request, outcome)
        except Exception as error:
            self._write(slack_request, request, error)
            raise

    def entries(self, slack_request: SlackRequest, reference: str) -> AuditOf:
        """Makes the entry of a result, for the core to store with the action's own record."""
        request = self._asked(slack_request, reference)

        def entry(result: Outcome | Exception | ActionSent) -> RequestEntry | None:
            made = entry_of(request, result, service=self.service, redact=self.redact)
            return None if made is None else RequestEntry(made, slack_request.delivery or reference)

        return entry

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
        """A request that is refused or was not understood is recorded, too, if it is clear what it was for."""
        command, pressed = slack_request.command, slack_request.pressed
        if not isinstance(command, NotUnderstood):
            return action_of(command), command
        entry = entry_named(command.topic or "") if pressed is None else entry_of_button(pressed.action_id)
        return entry.audit_action if entry else None, None

    def _write(self, slack_request: SlackRequest, request: AuditedRequest, outcome: Outcome | Exception) -> None:
        try:
            entry = entry_of(request, outcome, service=self.service, redact=self.redact)
            if entry is not None:
                self.audit.record(entry, request_key=slack_request.delivery or request.reference)
        except Exception:  # the person still gets a reply, and the log has the error
            log.exception("action_not_recorded")
            self.not_recorded()
