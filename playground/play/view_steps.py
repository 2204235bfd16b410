"""What people do in forms, in the Home and with shortcuts, as lines of a script, and what they then see there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from playground.sandbox import Sandbox
from playground.slack.modals import Modal, View
from playground.slack.model import CannotDo, Message
from playground.slack.plain_text import draw_view, harmless
from playground.slack.view_interactions import (
    TYPEAHEAD,
    acts,
    closes,
    opens_home,
    submits,
    suggestions,
    uses_shortcut,
)

USAGE = """\
{opens the Home}
{uses “NAME”}                       a global shortcut
{uses “NAME” on the last message}   a message shortcut
{searches FIELD for “WORDS”}        what a field with typeahead offers
{chooses FIELD “OPTION”}            of checkboxes: ticks it, or takes the tick away
{types FIELD “WORDS”}
[LABEL]                             presses a button of the open form, or else of the Home"""

_HOME = re.compile(r"opens the Home")
_USES = re.compile(r"uses “(?P<name>[^”]+)”(?P<on> on the last message)?")
_SEARCHES = re.compile(r"searches (?P<label>.+) for “(?P<words>[^”]*)”")
_CHOOSES = re.compile(r"chooses (?P<label>.+) “(?P<option>[^”]+)”")
_TYPES = re.compile(r"types (?P<label>.+) “(?P<words>[^”]*)”")
_SHOWN = 6
_FIELDS = {"conversations_select": "selected_conversation"}


@dataclass
class _Filling:
    """What a person has put into the fields of a view: the state by block id, and its text."""

    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


class ViewSteps:
    """The views on the screens of all people in a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._stage = sandbox
        self._fillings: dict[str, _Filling] = {}
        self._shown: dict[str, object] = {}
        self._at_home: set[str] = set()
        self._where: dict[str, str] = {}

    def does(self, who: str, what: str, last: Message | None, where: str) -> list[str]:
        """Carries out the line between the braces. `last` is the last message. Returns what is seen at once.

        Raises CannotDo.
        """
        workspace = self._stage.workspace
        if _HOME.fullmatch(what):
            self._where.pop(workspace.person(who).id, None)
            self._at_home.add(workspace.person(who).id)
            opens_home(workspace, who)
            return []
        if found := _USES.fullmatch(what):
            if found["on"] and last is None:
                raise CannotDo("there is no message yet")
            self._where[workspace.person(who).id] = where
            uses_shortcut(workspace, who, found["name"], last if found["on"] else None)
            return []
        modal = self._modal(who)
        if modal is None:
            raise CannotDo(f"{who} has no form open, or this is no step: {what}")
        if found := _SEARCHES.fullmatch(what):
            element = _field(modal.view, found["label"])["element"]
            offered = suggestions(workspace, who, modal.id, element["action_id"], found["words"])
            return self._offers(offered)
        if found := _CHOOSES.fullmatch(what):
            self._choose(who, modal, _field(modal.view, found["label"]), found["option"])
            return []
        if found := _TYPES.fullmatch(what):
            block, filling = _field(modal.view, found["label"]), self._filled(modal)
            block_id, words = str(block["block_id"]), found["words"]
            filling.states[block_id] = {"type": block["element"]["type"], "value": words or None}
            filling.texts[block_id] = words
            return []
        raise CannotDo(f"not a step: {what}. Steps:\n{USAGE}")

    def presses(self, who: str, label: str) -> bool:
        """Presses the button with this label in the open form or in the Home; False if there is none."""
        workspace = self._stage.workspace
        modal = self._modal(who)
        if modal is not None:
            if label == _text(modal.view.get("submit")):
                submits(workspace, who, modal.id, self._values(modal))
                return True
            if label == _text(modal.view.get("close")):
                closes(workspace, who, modal.id)
                return True
        person = workspace.person(who).id
        view = workspace.modals.home(person) if person in self._at_home and modal is None else None
        for block, element in _buttons(view) if view else ():
            if _text(element.get("text")) == label and view:
                acts(workspace, who, str(view["id"]), {**element, "block_id": block}, {})
                return True
        return False

    def seen(self) -> Iterator[str]:
        """Every view that the app opened or changed since the last time."""
        workspace = self._stage.workspace
        names = workspace.names
        now: dict[str, object] = {}
        for modal in workspace.modals.open:
            filling = self._filled(modal)
            shown = (modal.view, modal.errors, modal.trouble)
            now[modal.id] = shown
            if self._shown.get(modal.id) != shown:
                chosen = self._default_places(modal) | filling.texts
                lines = draw_view(modal.view, names, chosen=chosen, errors=modal.errors, trouble=modal.trouble)
                yield f"({names[modal.user_id]}’s form) {lines[0]}"
                yield from lines[1:]
        for person in sorted(self._at_home):
            view = workspace.modals.home(person)
            now[person] = view
            if view is not None and self._shown.get(person) != view:
                lines = draw_view(view, names)
                yield f"({names[person]}’s Home) {lines[0]}"
                yield from lines[1:]
        self._shown = now

    def _modal(self, who: str) -> Modal | None:
        """The form on top of the person's screen."""
        person = self._stage.workspace.person(who)
        theirs = [modal for modal in self._stage.workspace.modals.open if modal.user_id == person.id]
        return theirs[-1] if theirs else None

    def _filled(self, modal: Modal) -> _Filling:
        """Without the fields that a change of the view took away, as Slack's client does."""
        filling = self._fillings.setdefault(modal.id, _Filling())
        there = {str(block.get("block_id")) for block in modal.view["blocks"]}
        filling.states = {block: state for block, state in filling.states.items() if block in there}
        filling.texts = {block: text for block, text in filling.texts.items() if block in there}
        return filling

    def _default_places(self, modal: Modal) -> dict[str, str]:
        """What fields for a conversation hold at first, by block id."""
        channel = self._stage.workspace.conversations.channel(self._where.get(modal.user_id, ""))
        inputs = [block for block in modal.view["blocks"] if block.get("type") == "input"]
        asking = [block for block in inputs if block["element"].get("default_to_current_conversation")]
        return {str(block["block_id"]): f"#{channel.name}" for block in asking} if channel else {}

    def _values(self, modal: Modal) -> dict[str, dict[str, Any]]:
        values: dict[str, dict[str, Any]] = {}
        filling = self._filled(modal)
        for block in modal.view["blocks"]:
            if block.get("type") != "input":
                continue
            block_id, element = str(block["block_id"]), block["element"]
            held = filling.states.get(block_id) or _initial(element, self._where.get(modal.user_id))
            values[block_id] = {str(element["action_id"]): held}
        return values

    def _choose(self, who: str, modal: Modal, block: Mapping[str, Any], text: str) -> None:
        workspace, element = self._stage.workspace, block["element"]
        block_id, kind = str(block["block_id"]), str(element["type"])
        if kind == "conversations_select":
            chosen: Any = workspace.channel(text, who).id
        elif kind in TYPEAHEAD:
            chosen = _option(suggestions(workspace, who, modal.id, element["action_id"], text), text)
        else:
            chosen = _option(element.get("options", ()), text)
        state = {"type": kind, _FIELDS.get(kind, "selected_option"): chosen}
        filling = self._filled(modal)
        if kind == "checkboxes":
            held = filling.states.get(block_id, _initial(element, None))["selected_options"]
            ticked = [one for one in held if one != chosen] if chosen in held else [*held, chosen]
            state, text = {"type": kind, "selected_options": ticked}, "\n".join(_text(one["text"]) for one in ticked)
        filling.states[block_id], filling.texts[block_id] = state, text
        if block.get("dispatch_action"):
            action = {**element, **state, "block_id": block_id}
            acts(workspace, who, modal.id, action, self._values(modal))

    def _offers(self, options: list[Mapping[str, Any]]) -> list[str]:
        lines = []
        for one in options[:_SHOWN]:
            small = _text(one.get("description"))
            lines.append(harmless(f"  {_text(one['text'])}{f' ({small})' if small else ''}"))
        more = len(options) - _SHOWN
        if more > 0:
            lines.append(f"  … and {more} more")
        return ["(offers)" if options else "(offers nothing)", *lines]


def _field(view: View, label: str) -> Mapping[str, Any]:
    for block in view["blocks"]:
        if block.get("type") == "input" and _text(block.get("label")) == label:
            found: Mapping[str, Any] = block
            return found
    raise CannotDo(f"the form has no field “{label}”")


def _option(options: Any, text: str) -> Mapping[str, Any]:
    fitting = [one for one in options if _text(one.get("text")) == text]
    if not fitting:
        raise CannotDo(f"no option says “{text}”")
    chosen: Mapping[str, Any] = fitting[0]
    return chosen


def _initial(element: Mapping[str, Any], where: str | None) -> dict[str, Any]:
    """The state of a field that was not touched. `where` is the conversation on the person's screen."""
    kind = str(element["type"])
    if kind == "conversations_select":
        return {"type": kind, "selected_conversation": element.get("initial_conversation") or where}
    if kind == "checkboxes":
        return {"type": kind, "selected_options": list(element.get("initial_options", ()))}
    if kind == "plain_text_input":
        return {"type": kind, "value": element.get("initial_value")}
    return {"type": kind, "selected_option": element.get("initial_option")}


def _buttons(view: View) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for block in view["blocks"]:
        for element in (*block.get("elements", ()), block.get("accessory") or {}):
            if element.get("type") == "button":
                yield str(block.get("block_id", "")), element


def _text(node: object) -> str:
    return str(node.get("text", "")) if isinstance(node, Mapping) else ""
