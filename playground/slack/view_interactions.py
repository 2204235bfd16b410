"""What people do in views and with shortcuts: open, search, choose, press, submit, close."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from playground.slack import block_rules as block_kit
from playground.slack.modals import Values, View, missing
from playground.slack.model import CannotDo, Message
from playground.slack.outgoing import payloads
from playground.slack.outgoing.delivery import Delivery
from playground.slack.workspace import Workspace

TYPEAHEAD = frozenset({"external_select", "multi_external_select"})


def uses_shortcut(workspace: Workspace, user: str, name: str, message: Message | str | None = None) -> Delivery:
    """The app's shortcut of this name: on a message, or a global one without. Raises CannotDo."""
    person = workspace.person(user)
    kind = "global" if message is None else "message"
    shortcut = next((it for it in workspace.app.shortcuts if it.name == name and it.kind == kind), None)
    if shortcut is None:
        raise CannotDo(f"there is no {kind} shortcut “{name}”")
    where = None
    if message is not None:
        where, message = workspace.seen_message(message, person)
        if message.ephemeral_to is not None:
            raise CannotDo("Slack offers no shortcuts on a message that only one person sees")
    with workspace.conversations.changed:
        now = workspace.conversations.now()
        trigger_id = workspace.triggers.issue(now, person.id)
        if where is None or not isinstance(message, Message):
            payload = payloads.global_shortcut(workspace.app, person, shortcut.callback_id, trigger_id)
        else:
            url = workspace.response_urls.issue("app", where.id, person.id, now)
            payload = payloads.message_shortcut(
                workspace.app,
                person,
                where,
                message,
                shortcut.callback_id,
                response_url=workspace.base_url + url.path,
                trigger_id=trigger_id,
            )
    return workspace.deliver("interactive", payload)


def opens_home(workspace: Workspace, user: str) -> Delivery:
    """Opens the app's Home, for which Slack notifies the app each time. Raises CannotDo."""
    person = workspace.person(user)
    direct = workspace.channel(workspace.app.name, person.name)
    if "app_home_opened" not in workspace.app.events:
        raise CannotDo("this app has no Home")
    event_id = workspace.new_event_id()
    view = workspace.modals.home(person.id)
    return workspace.deliver("events_api", payloads.home_opened(workspace.app, person, direct, view, event_id))


def suggestions(workspace: Workspace, user: str, view_id: str, action_id: str, typed: str) -> list[Mapping[str, Any]]:
    """The options that the app offers for what was typed into a field with typeahead.

    Raises CannotDo if it offers none that Slack would take. As in Slack, the app does not learn what was chosen in the
    other fields.
    """
    person = workspace.person(user)
    with workspace.conversations.changed:
        view = workspace.modals.find(view_id, person.id).view
    block, element = _field(view, action_id)
    if element.get("type") not in TYPEAHEAD:
        raise CannotDo("this field has no typeahead")
    if len(typed) < int(element.get("min_query_length", 3)):
        return []
    payload = payloads.block_suggestion(workspace.app, person, view, block, action_id, typed)
    ack = workspace.deliver("interactive", payload).ack
    try:
        options = json.loads(ack.body)["options"]
    except (ValueError, LookupError, TypeError):
        raise CannotDo("the app offers nothing") from None
    if faults := block_kit.options_judged(options):
        raise CannotDo(f"Slack does not take these options: {faults[0]}")
    return list(options)


def acts(workspace: Workspace, user: str, view_id: str, action: Mapping[str, Any], values: Values) -> Delivery:
    """Presses a button of a view, or chooses in a field that tells the app at once. Raises CannotDo.

    `action` is the element with what was chosen, and its `block_id`.
    """
    person = workspace.person(user)
    with workspace.conversations.changed:
        view = workspace.modals.found(view_id, person.id)
        trigger_id = workspace.triggers.issue(workspace.conversations.now(), person.id)
        done = {**action, "action_ts": workspace.conversations.next_ts()}
    shown = {**view, "state": {"values": values}}
    return workspace.deliver("interactive", payloads.view_action(workspace.app, person, shown, done, trigger_id))


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
        urls = _response_urls(workspace, person.id, modal.view, values)
    view = {**modal.view, "state": {"values": values}}
    payload = payloads.view_event(workspace.app, person, view, kind="view_submission", trigger_id=trigger_id)
    delivery = workspace.deliver("interactive", {**payload, "response_urls": urls})
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


def _field(view: View, action_id: str) -> tuple[str, Mapping[str, Any]]:
    for block in view.get("blocks", ()):
        element = block.get("element") or block.get("accessory") or {}
        if element.get("action_id") == action_id:
            return str(block.get("block_id", "")), element
    raise CannotDo("there is no such field")


def _response_urls(workspace: Workspace, user_id: str, view: View, values: Values) -> list[dict[str, str]]:
    """One for each chosen conversation whose field asks for it."""
    urls = []
    for block in view.get("blocks", ()):
        element = block.get("element") or {}
        held = values.get(str(block.get("block_id")), {}).get(str(element.get("action_id")), {})
        chosen = held.get("selected_conversation") or held.get("selected_channel")
        if element.get("response_url_enabled") and chosen:
            url = workspace.response_urls.issue("app", chosen, user_id, workspace.conversations.now())
            urls.append(
                {
                    "block_id": str(block["block_id"]),
                    "action_id": str(element["action_id"]),
                    "channel_id": chosen,
                    "response_url": workspace.base_url + url.path,
                }
            )
    return urls
