"""The form behind a bare command: an action, a repository, a branch. Pure.

Slack tells the form's typeahead nothing about the other fields. So the repository is sent when it is chosen, and the
form is then changed to remember it; a new block id empties the branch that belonged to the one before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.core.lookup.repo_urls import may_be_branch
from bot.core.model.builds import Location, Project
from bot.core.model.command_entries import Entry
from bot.core.model.command_values import BranchCommand, Verb, Word
from bot.core.model.commands import TABLE, entry_for
from bot.slack.blocks.button_values import OPEN_FORM
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block, plain
from bot.slack.blocks.rich_text import Line, channel, line
from bot.slack.views.elements import (
    MAX_OPTIONS,
    Place,
    View,
    modal,
    number_in,
    option,
    read,
    small,
    state_in,
    text_in,
    written,
)

FORM = "form"
"""The id of the view, and of the global shortcut that opens it."""
REPO, BRANCH = "form:repo", "form:branch"
"""The action ids of the two fields with typeahead."""
_ACTION, _PLACE = "form:action", "form:place"
_MAX_NAME, _MAX_TURNS = 250, 10_000

ENTRIES = tuple(entry for entry in TABLE if entry.takes_branch)
"""What the form can do."""


@dataclass(frozen=True, slots=True)
class FormState:
    """What the form remembers. `place` None: it asks for the conversation.

    `repo` is the chosen repository, as in `Filled`. `turn` counts how often it was chosen.
    """

    place: Place | None
    repo: str | None = None
    turn: int = 0

    def metadata(self) -> str:
        return written(self.place, {"r": self.repo, "n": self.turn})

    @classmethod
    def read(cls, metadata: object) -> FormState:
        """Raises ValueError for metadata that is not the form's."""
        place, fields = read(metadata)
        turn = fields.get("n")
        if not isinstance(turn, int) or isinstance(turn, bool) or not 0 <= turn <= _MAX_TURNS:
            raise ValueError("not the form's")
        return cls(place, text_in(fields, "r", _MAX_NAME), turn)

    def chosen(self, repo: str) -> FormState:
        """The state after the repository was chosen."""
        return replace(self, repo=repo, turn=self.turn + 1)


@dataclass(frozen=True, slots=True)
class Preset:
    """Which form opens, and what is filled in. `repo` is a name as in `Filled`.

    `number`: the subscription that is changed; None to make one.
    """

    verb: Verb = Verb.STATUS
    repo: str | None = None
    number: int | None = None

    @property
    def value(self) -> str:
        """The value of a button that opens the form so."""
        more = {"r": self.repo, "n": self.number}
        fields = {"v": self.verb, **{name: value for name, value in more.items() if value is not None}}
        return json.dumps(fields, separators=(",", ":"))

    @classmethod
    def read(cls, value: str) -> Preset:
        """What a button's value says; the plain form for a value that is not the bot's."""
        try:
            fields = json.loads(value[:1000])
            verb = Verb(fields["v"])
            preset = cls(verb, text_in(fields, "r", _MAX_NAME), number_in(fields, "n"))
            return preset if entry_for(verb).has_form else cls()
        except (ValueError, TypeError, LookupError, RecursionError):
            return cls()


@dataclass(frozen=True, slots=True)
class Filled:
    """The form as it was sent. `repo` is `org/name`, with `@service` if there are several; `problems` by block id."""

    command: BranchCommand | None
    channel: str | None
    problems: Mapping[str, str]


def form(state: FormState, preset: Preset) -> View:
    """The form with these fields filled in. In one that is already open, what people chose stays."""
    blocks: list[Block] = [_action_field(preset), _repo_field(preset), _branch_field(state)]
    if state.place is None:
        blocks.append(_place_field())
    else:
        blocks.append(small(line("The result goes to ", named(state.place.location), ".")))
    return modal(
        "Check or restart builds",
        blocks,
        callback_id=FORM,
        metadata=state.metadata(),
        submit="Send",
        close="Cancel",
    )


def form_button(label: str, preset: Preset | None = None, number: int = 0) -> Block:
    """Opens the form. `number` tells several in one view apart."""
    action_id = f"{OPEN_FORM}:{number}" if number else OPEN_FORM
    return {"type": "button", "action_id": action_id, "text": plain(label), "value": (preset or Preset()).value}


def filled(values: Mapping[str, Any], state: FormState) -> Filled:
    """Reads the values of a form that was sent; they are untrusted. `state` is the form's."""
    branch_block = f"{BRANCH}:{state.turn}"
    verb, repo = _chosen(values, _ACTION), _chosen(values, REPO)
    branch = _chosen(values, branch_block)
    entry = next((entry for entry in ENTRIES if entry.verb == verb), None)
    problems = {}
    if entry is None:
        problems[_ACTION] = "Choose an action."
    if not repo or len(repo) > _MAX_NAME:
        problems[REPO] = "Choose a repository."
    if branch and state.repo and state.repo != repo:
        problems[branch_block] = "The repository has changed. Choose its branch again, or none."
    place = state.place.location.channel if state.place else _chosen(values, _PLACE)
    if not place:
        problems[_PLACE] = "Choose a conversation."
    if problems or entry is None or not repo:
        return Filled(None, place, problems)
    return Filled(BranchCommand(entry.verb, Word.of(repo), Word.of(branch) if branch else None), place, {})


def verb_in(values: Mapping[str, Any]) -> Verb:
    """The action that the form has now; the first if it has none."""
    chosen = _chosen(values, _ACTION)
    return next((entry.verb for entry in ENTRIES if entry.verb == chosen), ENTRIES[0].verb)


def repo_options(projects: Sequence[Project], context: RenderContext) -> list[Block]:
    """The repositories, with their services if there are several."""
    return _there(
        option(
            project.name,
            context.meaning(project).exact,
            context.title_of(project.service) if context.has_several else "",
        )
        for project in projects[:MAX_OPTIONS]
    )


def branch_options(branches: Sequence[str], typed: str) -> list[Block]:
    """The branches that contain the typed text; if it may be another branch, that comes last."""
    words = typed.strip()
    found = [name for name in branches if words.lower() in name.lower()]
    own = [option(words, words, "as typed")] if words not in found and may_be_branch(words) else []
    return _there([*(option(name, name) for name in found[: MAX_OPTIONS - 1]), *own])


def _action_field(preset: Preset) -> Block:
    options = [_action_option(entry) for entry in ENTRIES]
    initial = _action_option(entry_for(preset.verb))
    menu = {"type": "static_select", "action_id": _ACTION, "options": options, "initial_option": initial}
    return {"type": "input", "block_id": _ACTION, "label": plain("Action"), "element": menu}


def _action_option(entry: Entry) -> Block:
    return {"text": plain(entry.verb.capitalize()), "value": entry.verb.value}


def _repo_field(preset: Preset) -> Block:
    initial = option(preset.repo, preset.repo) if preset.repo else None
    menu = {
        "type": "external_select",
        "action_id": REPO,
        "min_query_length": 0,
        "placeholder": plain("Type a part of the name"),
        **({"initial_option": initial} if initial else {}),
    }
    return {
        "type": "input",
        "block_id": REPO,
        "dispatch_action": True,
        "label": plain("Repository"),
        "element": menu,
    }


def _branch_field(state: FormState) -> Block:
    menu = {
        "type": "external_select",
        "action_id": BRANCH,
        "min_query_length": 0,
        "placeholder": plain("All branches" if state.repo else "Choose a repository first"),
    }
    return {
        "type": "input",
        "block_id": f"{BRANCH}:{state.turn}",
        "optional": True,
        "label": plain("Branch"),
        "hint": plain("Without a branch, Status shows each branch, and Restart asks which."),
        "element": menu,
    }


def _place_field() -> Block:
    menu = {
        "type": "conversations_select",
        "action_id": _PLACE,
        "default_to_current_conversation": True,
        "response_url_enabled": True,
    }
    return {"type": "input", "block_id": _PLACE, "label": plain("Post the result in"), "element": menu}


def named(location: Location) -> Line:
    """The conversation, as Slack names it."""
    where = line("this conversation") if location.is_between_two else line(channel(location.channel))
    return line("the thread in ", where) if location.thread and not location.is_between_two else where


def _chosen(values: Mapping[str, Any], block_id: str) -> str | None:
    """What one field holds; None if it is empty, or not as Slack writes it."""
    held = state_in(values, block_id)
    selected = held.get("selected_option")
    value = selected.get("value") if isinstance(selected, Mapping) else held.get("selected_conversation")
    return value if isinstance(value, str) and value else None


def _there(options: Iterable[Block | None]) -> list[Block]:
    return [one for one in options if one is not None]
