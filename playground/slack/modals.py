"""The modals that people have open, what an app's ack does to them, and the Homes. Delivers nothing.

https://docs.slack.dev/surfaces/modals: each person has a stack of views. An ack with errors shows them under their
inputs; one without a body closes the view.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from playground.slack import block_rules as block_kit
from playground.slack.model import CannotDo
from playground.slack.outgoing.delivery import Ack

View = Mapping[str, Any]
Values = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Block id → action id → Slack's state of that input."""

TROUBLE = "We had some trouble connecting. Try again?"
REQUIRED = "Please complete this required field."


@dataclass(frozen=True, slots=True)
class Modal:
    """A view that one person has open. `errors` are shown under the inputs with these block ids, `trouble`
    at the top.
    """

    user_id: str
    view: View
    errors: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""

    @property
    def id(self) -> str:
        return str(self.view["id"])


class Modals:
    """Not thread-safe: the workspace holds its lock around every call."""

    def __init__(self) -> None:
        self._open: list[Modal] = []
        self._homes: dict[str, View] = {}
        self._shown = 0

    @property
    def open(self) -> tuple[Modal, ...]:
        """The oldest first. The last of a person's is on top."""
        return tuple(self._open)

    def show(self, user_id: str, team_id: str, view: View) -> View:
        """Opens a view on top of this person's. Returns the view as Slack stores it, with ids."""
        self._shown += 1
        opened = {"team_id": team_id, **_named(view), "id": f"V{self._shown:06d}"}
        self._open.append(Modal(user_id, opened))
        return opened

    def find(self, view_id: str, user_id: str) -> Modal:
        """The person's open view. Raises CannotDo if there is none."""
        for modal in self._open:
            if modal.id == view_id and modal.user_id == user_id:
                return modal
        raise CannotDo("this dialog is no longer open")

    def found(self, view_id: str, user_id: str) -> View:
        """The person's open view or Home. Raises CannotDo if there is none."""
        home = self._homes.get(user_id)
        return home if home is not None and home["id"] == view_id else self.find(view_id, user_id).view

    def update(self, view_id: str, view: View) -> View | None:
        """Changes an open view in place, and returns it; None if it is no longer open."""
        for modal in self._open:
            if modal.id == view_id:
                changed = {"team_id": modal.view.get("team_id"), **_named(view), "id": modal.id}
                self._put(Modal(modal.user_id, changed))
                return changed
        return None

    def publish(self, user_id: str, team_id: str, view: View) -> View:
        """Replaces the person's Home, which keeps its id."""
        self._homes[user_id] = home = {"team_id": team_id, **_named(view), "id": f"VHOME{user_id}"}
        return home

    def home(self, user_id: str) -> View | None:
        """The person's Home; None if the app has published none."""
        return self._homes.get(user_id)

    @property
    def homes(self) -> Mapping[str, View]:
        """The Homes by person."""
        return dict(self._homes)

    def close(self, modal: Modal) -> None:
        self._open = [other for other in self._open if other.id != modal.id]

    def complain(self, modal: Modal, errors: Mapping[str, str], trouble: str = "") -> None:
        self._put(replace(modal, errors=dict(errors), trouble=trouble))

    def take(self, modal: Modal, ack: Ack) -> None:
        """Applies the app's ack to a submission. An invalid ack is shown as trouble."""
        said = _said(ack)
        match said.get("response_action") if said is not None else "trouble":
            case None:
                self.close(modal)
            case "clear":
                self._open = [other for other in self._open if other.user_id != modal.user_id]
            case "errors" if said and _fit(said.get("errors"), modal.view):
                self.complain(modal, said["errors"])
            case "update" if said and _good(said.get("view")):
                self._put(Modal(modal.user_id, {**_named(said["view"]), "id": modal.id}))
            case "push" if said and _good(said.get("view")):
                self.show(modal.user_id, str(modal.view.get("team_id", "")), said["view"])
            case _:
                self.complain(modal, {}, TROUBLE)

    def _put(self, modal: Modal) -> None:
        self._open = [modal if other.id == modal.id else other for other in self._open]


def missing(view: View, values: Values) -> dict[str, str]:
    """What Slack's client reports before it asks the app: required inputs that are empty."""
    return {
        str(block["block_id"]): REQUIRED
        for block in view.get("blocks", ())
        if block.get("type") == "input" and not block.get("optional") and not _is_filled(values, block)
    }


def _named(view: View) -> dict[str, Any]:
    """Slack gives an id to blocks without one."""
    blocks = [{"block_id": f"block-{number}", **block} for number, block in enumerate(view.get("blocks", ()), 1)]
    return {**view, "blocks": blocks}


def _is_filled(values: Values, block: Mapping[str, Any]) -> bool:
    states = values.get(str(block["block_id"]), {}).values()
    return any(held not in (None, "", []) for state in states for name, held in state.items() if name != "type")


def _said(ack: Ack) -> dict[str, Any] | None:
    if ack.outcome != "acked":
        return None
    if not ack.body.strip():
        return {}
    try:
        said = json.loads(ack.body)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _fit(errors: object, view: View) -> bool:
    """Whether Slack accepts the errors: each must be for a block of the view."""
    known = {block.get("block_id") for block in view.get("blocks", ())}
    return isinstance(errors, Mapping) and bool(errors) and errors.keys() <= known


def _good(view: object) -> bool:
    return isinstance(view, Mapping) and not block_kit.view_judged(view)
