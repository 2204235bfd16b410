"""The dialog of the message shortcut "Restart this build": which build of the message, and whether. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.core.model.builds import BuildRef, Page
from bot.core.model.command_entries import Command
from bot.core.model.command_values import BranchCommand, BuildCommand, Verb, Word
from bot.core.model.errors import NotUnderstood
from bot.slack.blocks.button_values import action_id_of, command_of, value_of
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block, plain
from bot.slack.blocks.rich_text import code, line, sanitize
from bot.slack.views.elements import Place, View, fits, modal, option, read, section, written

RESTART = "restart"
"""The id of the view, and of the message shortcut that opens it."""
_WHICH = "restart:which"
_MAX_FOUND = 10
_MAX_SEARCHED = 20_000
_NAME, _BRANCH = 60, 40
_LINK = re.compile(r"https?://[^\s<>|\"]+")
_AFTER = ".,;:!?)'"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A build that a message is about, in words, and the command that restarts it."""

    label: str
    command: Command


def found_in(
    message: Mapping[str, Any],
    *,
    is_own: bool,
    name_of: Callable[[BuildRef], str | None],
    page_of: Callable[[str], Page | None],
) -> list[Candidate]:
    """What a message is about, at most ten: the builds of its buttons if it is the bot's own, else its links.

    `name_of` is the name of a build's repository, None if it is not known. `page_of` is what a link shows, None if it
    is of no known repository.
    """
    if is_own and (own := _of_buttons(message, name_of)):
        return own
    found: dict[str, Candidate] = {}
    for url in _links(message):
        page = page_of(url)
        if page is not None and (label := _label(page)):
            found.setdefault(label, Candidate(label, BranchCommand(Verb.RESTART, Word.of(url), confirmed=True)))
    return list(found.values())[:_MAX_FOUND]


def restart_dialog(candidates: Sequence[Candidate], place: Place, context: RenderContext) -> View:
    """Asks whether to restart, and which if there are several. Says what to do if there is none."""
    options: list[tuple[str, str]] = []
    offered: list[Candidate] = []
    for candidate in candidates:
        value = value_of(candidate.command)
        if value is None or not fits([*options, (action_id_of(candidate.command), value)], place, {}):
            continue
        options.append((action_id_of(candidate.command), value))
        offered.append(candidate)
    submit: str | None = "Restart build"
    if not offered:
        blocks = [
            section(
                line("This message has no link to a build, run, pull request or commit that I know."),
                line("To choose one yourself: ", code(context.command)),
            )
        ]
        submit = None
    elif len(offered) == 1:
        blocks = [section(line("Restart ", sanitize(offered[0].label, 200), "?"))]
    else:
        blocks = [_which(offered)]
    return modal(
        "Restart this build?" if offered else "No build found",
        blocks,
        callback_id=RESTART,
        metadata=written(place, {"o": options}),
        submit=submit,
        close="Don’t restart" if offered else "Close",
    )


def chosen(metadata: object, values: Mapping[str, Any]) -> tuple[Place, Command]:
    """Where the dialog was opened, and the restart that it confirmed. Raises ValueError if it is not the bot's."""
    place, fields = read(metadata)
    options = fields.get("o")
    if place is None or not isinstance(options, list) or not options:
        raise ValueError("not the bot's")
    number = _number(values) if len(options) > 1 else 0
    match options[number] if number < len(options) else None:
        case [str(action_id), str(value)]:
            try:
                command = command_of(action_id, value)
            except NotUnderstood:
                raise ValueError("not the bot's") from None
        case _:
            raise ValueError("not the bot's")
    if command.verb is not Verb.RESTART:
        raise ValueError("no restart")
    return place, command


def _which(offered: Sequence[Candidate]) -> Block:
    options = [one for n, candidate in enumerate(offered) if (one := option(candidate.label, str(n)))]
    element = {"type": "radio_buttons", "action_id": _WHICH, "options": options}
    return {"type": "input", "block_id": _WHICH, "label": plain("Which one?"), "element": element}


def _number(values: Mapping[str, Any]) -> int:
    block = values.get(_WHICH)
    held = block.get(_WHICH) if isinstance(block, Mapping) else None
    selected = held.get("selected_option") if isinstance(held, Mapping) else None
    value = selected.get("value") if isinstance(selected, Mapping) else None
    if not isinstance(value, str) or not value.isascii() or not value.isdigit():
        raise ValueError("nothing is chosen")
    return int(value)


def _of_buttons(message: Mapping[str, Any], name_of: Callable[[BuildRef], str | None]) -> list[Candidate]:
    """A restart confirmed here of each build that a button of the message carries, the run that was shown."""
    found: dict[str, Candidate] = {}
    for part in _parts(message.get("blocks")):
        if part.get("type") != "button" or not isinstance(part.get("value"), str):
            continue
        try:
            command = command_of(str(part.get("action_id")), part["value"])
        except NotUnderstood:
            continue
        if not isinstance(command, BuildCommand) or (name := name_of(command.target)) is None:
            continue
        target = command.target
        label = _named(name, target.branch)
        restart = BuildCommand(Verb.RESTART, target, confirmed=True)
        found.setdefault(str(target.build_id), Candidate(label, restart))
    return list(found.values())[:_MAX_FOUND]


def _links(message: Mapping[str, Any]) -> list[str]:
    """Every address in the text, the blocks and the attachments of a message, in order, once each."""
    found: list[str] = []
    texts = [message.get("text")]
    for part in _parts([message.get("blocks"), message.get("attachments")]):
        texts += [part.get(name) for name in ("url", "text", "fallback", "title_link", "from_url")]
    for text in texts:
        if isinstance(text, str):
            clean = text[:_MAX_SEARCHED].replace("&amp;", "&")
            found += [url.rstrip(_AFTER) for url in _LINK.findall(clean)]
    return list(dict.fromkeys(found))


def _parts(node: object, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    if depth > 12:
        return
    if isinstance(node, Mapping):
        yield node
        for value in node.values():
            yield from _parts(value, depth + 1)
    elif isinstance(node, list):
        for value in node:
            yield from _parts(value, depth + 1)


def _label(page: Page) -> str:
    """`acme/web #12` or `build 7 of acme/web`; empty if the page shows only the repository."""
    name = sanitize(page.name, _NAME)
    if page.pull_request is not None:
        return f"{name} #{page.pull_request}"
    if page.build_id is not None:
        return f"build {sanitize(page.build_id, _BRANCH)} of {name}"
    if page.commit is not None:
        return f"{name} at {page.commit[:7]}"
    return _named(name, page.branch) if page.branch else ""


def _named(name: str, branch: str | None) -> str:
    return " ".join(part for part in (sanitize(name, _NAME), sanitize(branch, _BRANCH)) if part)
