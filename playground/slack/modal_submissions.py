"""Submits and closes the modals that people have open."""

from __future__ import annotations

from playground.slack import payloads
from playground.slack.delivery import Delivery
from playground.slack.modals import Values, missing
from playground.slack.workspace import Workspace


def submits(workspace: Workspace, user: str, view_id: str, values: Values) -> Delivery | None:
    """Sends the inputs to the app; `workspace.modals` then shows the effect of its ack.

    None if Slack itself finds a required input missing. Raises CannotDo if this person has no such modal open.
    """
    person = workspace.person(user)
    with workspace.conversations.changed:
        modal = workspace.modals.find(view_id, person.id)
        if faults := missing(modal.view, values):
            workspace.modals.complain(modal, faults)
            return None
        trigger_id = workspace.triggers.issue(workspace.conversations.now(), person.id)
    view = {**modal.view, "state": {"values": values}}
    payload = payloads.view_event(workspace.app, person, view, kind="view_submission", trigger_id=trigger_id)
    delivery = workspace.deliver("interactive", payload)
    with workspace.conversations.changed:
        workspace.modals.take(modal, delivery.ack)
    return delivery


def closes(workspace: Workspace, user: str, view_id: str) -> None:
    """Closes a modal without submitting it. The app is notified if it asked for that. Raises CannotDo."""
    person = workspace.person(user)
    with workspace.conversations.changed:
        modal = workspace.modals.find(view_id, person.id)
        workspace.modals.close(modal)
    if modal.view.get("notify_on_close"):
        payload = payloads.view_event(workspace.app, person, modal.view, kind="view_closed", trigger_id="")
        workspace.deliver("interactive", payload)
