"""The actions of the page, with one form each, which is validated here. No HTTP here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from playground.play.sessions import Sessions
from playground.slack.controls import Choice, buttons
from playground.slack.model import CannotDo, Message
from playground.slack.view_interactions import acts, closes, opens_home, submits, suggestions, uses_shortcut

MAX_CHARACTERS = 12_000


class Form(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The base of all forms that the page sends."""


class SayForm(Form, frozen=True):
    who: str
    channel: str
    text: str
    thread_ts: str | None = None


class Press(Form, frozen=True):
    who: str
    channel: str
    ts: str
    block_id: str
    action_id: str
    is_confirmed: bool = False


class Choose(Form, frozen=True):
    who: str
    channel: str
    ts: str
    block_id: str
    action_id: str
    value: str
    is_confirmed: bool = False


class Submit(Form, frozen=True):
    who: str
    view_id: str
    values: dict[str, dict[str, dict[str, Any]]]


class Suggest(Form, frozen=True):
    who: str
    view_id: str
    action_id: str
    typed: str


class ActInView(Form, frozen=True):
    who: str
    view_id: str
    action: dict[str, Any]
    values: dict[str, dict[str, dict[str, Any]]]


class UseShortcut(Form, frozen=True):
    """`ts` is the message of a message shortcut."""

    who: str
    name: str
    ts: str | None = None


class OpenHome(Form, frozen=True):
    who: str


class Close(Form, frozen=True):
    who: str
    view_id: str


class TriggerEvent(Form, frozen=True):
    words: str


class Later(Form, frozen=True):
    seconds: Annotated[float, msgspec.Meta(gt=0, le=86_400)]


class Named(Form, frozen=True):
    name: str


class Nothing(Form, frozen=True):
    pass


def _say(sessions: Sessions, form: SayForm) -> None:
    if not form.text.strip():
        raise CannotDo("the message is empty")
    if len(form.text) > MAX_CHARACTERS:
        raise CannotDo(f"Slack allows {MAX_CHARACTERS:,} characters at most")
    sessions.current.stage.workspace.types(form.who, form.channel, form.text, form.thread_ts)


def _message(sessions: Sessions, channel: str, ts: str) -> Message:
    message = sessions.current.stage.workspace.conversations.find(channel, ts)
    if message is None:
        raise CannotDo("this message no longer exists")
    return message


def _press(sessions: Sessions, form: Press) -> None:
    workspace = sessions.current.stage.workspace
    message = _message(sessions, form.channel, form.ts)
    for button in buttons(message, workspace.person(form.who).id):
        if (button.block_id, button.action_id) == (form.block_id, form.action_id):
            workspace.presses(form.who, message, button, confirm=form.is_confirmed)
            return
    raise CannotDo("this button no longer exists")


def _choose(sessions: Sessions, form: Choose) -> None:
    message = _message(sessions, form.channel, form.ts)
    choice = Choice(form.block_id, form.action_id, form.value)
    sessions.current.stage.workspace.chooses(form.who, message, choice, confirm=form.is_confirmed)


def _submit(sessions: Sessions, form: Submit) -> None:
    submits(sessions.current.stage.workspace, form.who, form.view_id, form.values)


def _suggest(sessions: Sessions, form: Suggest) -> dict[str, Any]:
    workspace = sessions.current.stage.workspace
    return {"options": suggestions(workspace, form.who, form.view_id, form.action_id, form.typed)}


def _act_in_view(sessions: Sessions, form: ActInView) -> None:
    acts(sessions.current.stage.workspace, form.who, form.view_id, form.action, form.values)


def _use_shortcut(sessions: Sessions, form: UseShortcut) -> None:
    uses_shortcut(sessions.current.stage.workspace, form.who, form.name, form.ts)


def _open_home(sessions: Sessions, form: OpenHome) -> None:
    opens_home(sessions.current.stage.workspace, form.who)


def _close(sessions: Sessions, form: Close) -> None:
    closes(sessions.current.stage.workspace, form.who, form.view_id)


def _wave(sessions: Sessions, form: TriggerEvent) -> None:
    if sessions.codeship and not form.words.startswith("Slack "):
        raise CannotDo("this CodeShip is real, so its builds cannot be simulated")
    sessions.current.trigger(form.words)


Action = tuple[type[Form], Callable[[Sessions, Any], dict[str, Any] | None]]
"""A form, and the function that carries it out. It may return data for the page."""

ACTIONS: dict[str, Action] = {
    "say": (SayForm, _say),
    "press": (Press, _press),
    "choose": (Choose, _choose),
    "submit": (Submit, _submit),
    "close": (Close, _close),
    "suggest": (Suggest, _suggest),
    "act_in_view": (ActInView, _act_in_view),
    "shortcut": (UseShortcut, _use_shortcut),
    "home": (OpenHome, _open_home),
    "wave": (TriggerEvent, _wave),
    "later": (Later, lambda sessions, form: sessions.current.pass_time(form.seconds)),
    "scene": (Named, lambda sessions, form: sessions.show_scene(form.name)),
    "replay": (Named, lambda sessions, form: sessions.replay(form.name)),
    "step": (Nothing, lambda sessions, _form: sessions.current.step()),
    "start_over": (Nothing, lambda sessions, _form: sessions.start_over()),
}

_FORMS = {name: msgspec.json.Decoder(form) for name, (form, _) in ACTIONS.items()}


def act(sessions: Sessions, name: str, body: bytes) -> dict[str, Any]:
    """Carries out an action, and returns its answer.

    Raises CannotDo, and `msgspec.ValidationError` or `msgspec.DecodeError` for a bad form.
    """
    _, does = ACTIONS[name]
    return does(sessions, _FORMS[name].decode(body or b"{}")) or {}
