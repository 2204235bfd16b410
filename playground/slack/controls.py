"""The buttons and menus in a message. Reads blocks and presses nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from playground.slack.model import CannotDo, Message

_MENUS = frozenset({"static_select", "overflow"})


@dataclass(frozen=True, slots=True)
class Button:
    """`confirm` is the dialog that must be answered first. `url` is what a press also opens."""

    text: str
    action_id: str
    block_id: str
    value: str | None = None
    url: str | None = None
    confirm: Mapping[str, Any] | None = None
    element: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Menu:
    """`options` are pairs of a choice's text and Slack's option object."""

    action_id: str
    block_id: str
    options: tuple[tuple[str, Mapping[str, Any]], ...]
    element: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


class Choice(NamedTuple):
    """One option of a menu, by their ids."""

    block_id: str
    action_id: str
    value: str


def buttons(message: Message, viewer_id: str | None = None) -> list[Button]:
    """A message's buttons in order; with `viewer_id`, only those that this person sees."""
    return [
        Button(
            text=_text(element.get("text")),
            action_id=str(element.get("action_id", "")),
            block_id=block_id,
            value=element.get("value"),
            url=element.get("url"),
            confirm=element.get("confirm"),
            element=element,
        )
        for block_id, element in _elements(message)
        if element.get("type") == "button" and is_seen(element, viewer_id)
    ]


def menus(message: Message) -> list[Menu]:
    return [
        Menu(str(element.get("action_id", "")), block_id, tuple(_options(element)), element)
        for block_id, element in _elements(message)
        if element.get("type") in _MENUS
    ]


def found_button(message: Message, what: str | Button, viewer_id: str) -> Button:
    """The button with this text or action_id. Raises CannotDo if there is none, or more than one."""
    if isinstance(what, Button):
        fitting = [button for button in buttons(message, viewer_id) if button == what]
    else:
        fitting = [button for button in buttons(message, viewer_id) if what in (button.text, button.action_id)]
    if len(fitting) != 1:
        seen = ", ".join(f"[{button.text}]" for button in buttons(message, viewer_id)) or "no buttons"
        wanted = what.text if isinstance(what, Button) else what
        raise CannotDo(f"{len(fitting)} buttons are {wanted!r}; the message has {seen}")
    return fitting[0]


def found_option(message: Message, what: str | Choice) -> tuple[Menu, Mapping[str, Any]]:
    """The option, or the one with this text, and its menu. Raises CannotDo if there is none, or more than one."""
    fitting = [
        (menu, option)
        for menu in menus(message)
        for text, option in menu.options
        if what in (text, Choice(menu.block_id, menu.action_id, str(option.get("value", ""))))
    ]
    if len(fitting) != 1:
        raise CannotDo(f"{len(fitting)} options say {what!r}")
    return fitting[0]


def _elements(message: Message) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for block in message.blocks:
        for element in _dicts(block):
            yield str(block.get("block_id", "")), element


def _dicts(node: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        yield node
        for value in node.values():
            yield from _dicts(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _dicts(value)


def _options(element: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    groups = element.get("option_groups") or [element]
    for group in groups:
        for option in group.get("options") or ():
            yield _text(option.get("text")), option


def is_seen(element: Mapping[str, Any], viewer_id: str | None) -> bool:
    only = element.get("visible_to_user_ids")
    return viewer_id is None or not only or viewer_id in only


def _text(node: object) -> str:
    return str(node.get("text", "")) if isinstance(node, Mapping) else ""
