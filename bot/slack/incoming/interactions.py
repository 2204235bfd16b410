"""Parses what people do outside of messages: shortcuts, forms, typeahead, the Home. Pure; payloads are untrusted.

Shapes: https://docs.slack.dev/reference/interaction-payloads and https://docs.slack.dev/reference/events/app_home_opened
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.core.model.builds import Actor, Location
from bot.core.model.command_entries import Command
from bot.core.model.command_values import ShowHelp, Verb, Word
from bot.core.model.commands import entry_named
from bot.core.model.errors import WHICH_REPOSITORY, NotUnderstood
from bot.core.model.notification_commands.values import ShowSubscriptions
from bot.core.model.people.commands import notify_command
from bot.slack.incoming.payloads import (
    Payload,
    SlackRequest,
    Source,
    Workspace,
    is_elsewhere,
    mapping_in,
    parse_click,
    parse_command,
    text_in,
)
from bot.slack.views.elements import Place
from bot.slack.views.form import FormState, Preset, filled, verb_in
from bot.slack.views.restart import chosen
from bot.slack.views.subscription_form import SubscriptionState, filled_subscription

NOT_ASKED = NotUnderstood("Slack didn’t open the dialog in time, so nothing was restarted. Try again.", Verb.RESTART)
"""The answer to the message shortcut if its dialog could not be opened."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A person opens a view with `trigger_id`, which lives three seconds. `place` None: outside of a conversation.

    `request` says who and where. It is answered if the view can't be opened.
    """

    trigger_id: str
    request: SlackRequest
    place: Place | None
    preset: Preset = field(default_factory=Preset)


@dataclass(frozen=True, slots=True)
class OnMessage:
    """The message shortcut: `message` as Slack sends it."""

    opening: Opening
    message: Payload


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person in front of a view that is theirs alone, such as the Home."""

    actor: Actor
    from_elsewhere: bool


@dataclass(frozen=True, slots=True)
class HomeChoice:
    """A person chose in the Home what they hear: `request` has the command."""

    request: SlackRequest


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a person typed into a field with typeahead."""

    visitor: Visitor
    action_id: str
    typed: str
    state: FormState


@dataclass(frozen=True, slots=True)
class RepoChosen:
    """The repository that was chosen in the open form `view_id`, and the action that it has now."""

    visitor: Visitor
    view_id: str
    preset: Preset
    state: FormState


@dataclass(frozen=True, slots=True)
class Problems:
    """What is wrong with a form that was sent, by block id: it stays open and shows this."""

    by_block: Mapping[str, str]


def parse_bare_command(body: Payload, workspace: Workspace) -> Opening | None:
    """A command without words, or only with a verb that has its own form; None for others."""
    text = text_in(body, "text").strip()
    entry = entry_named(text)
    if not text_in(body, "trigger_id") or (text and not (entry and entry.own_form)):
        return None
    request = parse_command(body, workspace)
    opening = _opening(body, request) if request else None
    return replace(opening, preset=Preset(entry.verb)) if opening and entry else opening


def parse_open_click(body: Payload, workspace: Workspace) -> Opening | None:
    """A press of [Open form] or [Change], in a message or in the Home; None if the payload has no user."""
    actions = body.get("actions")
    action = actions[0] if isinstance(actions, list) and actions else {}
    preset = Preset.read(text_in(action, "value")) if isinstance(action, Mapping) else Preset()
    pressed = parse_click(body, workspace)
    request = replace(pressed, command=_instead(preset), pressed=None) if pressed else _request_of(body, workspace)
    if request is None:
        return None
    opening = _opening(body, request)
    return replace(opening, place=opening.place if pressed else None, preset=preset)


def _instead(preset: Preset) -> Command | NotUnderstood:
    """What is asked for if the form can't be opened. Its answer has the button again."""
    if preset.verb is not Verb.SUBSCRIBE:
        return ShowHelp()
    return NotUnderstood(WHICH_REPOSITORY, preset.verb) if preset.number is None else ShowSubscriptions()


def parse_shortcut(body: Payload, workspace: Workspace) -> Opening | None:
    """The global shortcut, which has no conversation; None if the payload has no user."""
    request = _request_of(body, workspace)
    return replace(_opening(body, request), place=None) if request else None


def parse_message_shortcut(body: Payload, workspace: Workspace) -> OnMessage | None:
    """A shortcut on a message; None if the payload has no user or no channel."""
    request, message = _request_of(body, workspace), mapping_in(body, "message")
    channel = text_in(mapping_in(body, "channel"), "id")
    if request is None or not channel:
        return None
    thread = text_in(message, "thread_ts") or None
    url = text_in(body, "response_url") or None
    here = replace(
        request, source=Source.SHORTCUT, location=Location(channel, thread), response_url=url, command=NOT_ASKED
    )
    return OnMessage(_opening(body, here), message)


def parse_suggestion(body: Payload, workspace: Workspace) -> Suggestion | None:
    """What to suggest for. None if it is not about the bot's form."""
    request = _request_of(body, workspace)
    try:
        state = FormState.read(mapping_in(body, "view").get("private_metadata"))
    except ValueError:
        return None
    if request is None:
        return None
    return Suggestion(visitor_of(request), text_in(body, "action_id"), text_in(body, "value")[:200], state)


def parse_repo_chosen(body: Payload, workspace: Workspace) -> RepoChosen | None:
    """None if it is not about the bot's form, or if the field was emptied."""
    request, view, actions = _request_of(body, workspace), mapping_in(body, "view"), body.get("actions")
    action = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], Mapping) else {}
    repo = text_in(mapping_in(action, "selected_option"), "value")
    try:
        state = FormState.read(view.get("private_metadata"))
    except ValueError:
        return None
    if request is None or not repo or not text_in(view, "id"):
        return None
    verb = verb_in(mapping_in(mapping_in(view, "state"), "values"))
    return RepoChosen(visitor_of(request), text_in(view, "id"), Preset(verb, repo), state)


def parse_form_sent(body: Payload, workspace: Workspace) -> SlackRequest | Problems | None:
    """What the form asks for; what is wrong with it; None if it is not the bot's."""
    request, view = _request_of(body, workspace), mapping_in(body, "view")
    try:
        state = FormState.read(view.get("private_metadata"))
    except ValueError:
        return None
    sent = filled(mapping_in(mapping_in(view, "state"), "values"), state)
    if sent.problems:
        return Problems(sent.problems)
    if request is None or sent.command is None or not sent.channel:
        return None
    place = state.place or Place(Location(sent.channel), _url_for(body, sent.channel))
    return _sent(request, Source.FORM, view, place, sent.command)


def parse_subscription_sent(body: Payload, workspace: Workspace) -> SlackRequest | Problems | None:
    """The subscription that the form asks for; what is wrong with it; None if it is not the bot's."""
    request, view = _request_of(body, workspace), mapping_in(body, "view")
    try:
        state = SubscriptionState.read(view.get("private_metadata"))
    except ValueError:
        return None
    sent = filled_subscription(mapping_in(mapping_in(view, "state"), "values"), state)
    if sent.command is None:
        return Problems(sent.problems)
    return _sent(request, Source.FORM, view, state.place, sent.command) if request else None


def parse_restart_sent(body: Payload, workspace: Workspace) -> SlackRequest | None:
    """The restart that was confirmed in the dialog of the message shortcut; None if it is not the bot's."""
    request, view = _request_of(body, workspace), mapping_in(body, "view")
    try:
        place, command = chosen(view.get("private_metadata"), mapping_in(mapping_in(view, "state"), "values"))
    except ValueError:
        return None
    return _sent(request, Source.SHORTCUT, view, place, command) if request else None


def parse_home_opened(body: Payload, workspace: Workspace) -> Visitor | None:
    """Who opened the Home; None for its other tabs."""
    event = mapping_in(body, "event")
    actor = text_in(event, "user")
    elsewhere = is_elsewhere(workspace, text_in(body, "team_id"), text_in(body, "enterprise_id"))
    return Visitor(Actor(actor), elsewhere) if actor and event.get("tab") == "home" else None


def parse_refresh_click(body: Payload, workspace: Workspace) -> Visitor | None:
    """Who pressed [Refresh] in the Home."""
    request = _request_of(body, workspace)
    return visitor_of(request) if request else None


def parse_home_choice(body: Payload, workspace: Workspace) -> HomeChoice | None:
    """A press of one of the Home's buttons about notifications; None if it says nothing that can be chosen."""
    request, actions = _request_of(body, workspace), body.get("actions")
    action = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], Mapping) else {}
    words = [Word.of(word) for word in text_in(action, "value").split()[:2]]
    try:
        command = notify_command(Verb.NOTIFY, words)
    except NotUnderstood:
        return None
    return HomeChoice(replace(request, source=Source.CLICK, command=command)) if request and command.words else None


def visitor_of(request: SlackRequest) -> Visitor:
    """Who may be a colleague counts as one: the view was opened for them, and it is theirs alone."""
    return Visitor(request.actor, request.from_elsewhere and not request.may_be_colleague)


def _opening(body: Payload, request: SlackRequest) -> Opening:
    return Opening(text_in(body, "trigger_id"), request, Place(request.location, request.response_url))


def _request_of(body: Payload, workspace: Workspace) -> SlackRequest | None:
    """Who acts, outside of a conversation: the answer goes to their direct messages with the bot."""
    user, home = mapping_in(body, "user"), mapping_in(body, "team")
    actor, trigger = text_in(user, "id"), text_in(body, "trigger_id")
    if not actor:
        return None
    team = text_in(user, "team_id") or text_in(home, "id")
    enterprise = text_in(home, "enterprise_id") if team == text_in(home, "id") else ""
    from_elsewhere = is_elsewhere(workspace, team, enterprise)
    is_at_home = workspace.enterprise_id is not None and workspace.enterprise_id == text_in(home, "enterprise_id")
    return SlackRequest(
        Source.DIRECT,
        Actor(actor),
        Location(actor),
        delivery=f"trigger:{trigger}" if trigger else None,
        from_elsewhere=from_elsewhere,
        may_be_colleague=from_elsewhere and is_at_home and team.startswith("T"),
        command=ShowHelp(),
    )


def _sent(request: SlackRequest, source: Source, view: Payload, place: Place, command: Command) -> SlackRequest | None:
    """A view is sent once: another try has the same id only if nothing was done for the first."""
    view_id = text_in(view, "id")
    if not view_id:
        return None
    return replace(
        request,
        source=source,
        location=place.location,
        delivery=f"{source.value}:{view_id}",
        command=command,
        response_url=place.response_url,
    )


def _url_for(body: Payload, channel: str) -> str | None:
    """The response URL of the chosen conversation."""
    urls: Any = body.get("response_urls")
    for one in urls if isinstance(urls, list) else ():
        if isinstance(one, Mapping) and text_in(one, "channel_id") == channel:
            return text_in(one, "response_url") or None
    return None
