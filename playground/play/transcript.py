"""Transcripts: scripts of what people type and press and what happens, with what is then visible.

    # What it shows.
    # POLICY=policy.example.toml                 a setting of the bot; paths start at the project's folder
    # CI_PROVIDERS=codeship,github               … for a team with both services, and a simulated GitHub

    ada> /codeship status acme/web main        typed in #builds
    bob in #random> @codeship help             … in another channel, or `with @codeship` in a direct message
    ada in thread> @codeship restart acme/web  … in the thread of the last message
    ada> [Restart]                             presses the last button with this label; a dialog is shown and
                                               answered with yes
    ada> [⋯ Why was I told?]                   … chooses it in the last menu ⋯ that has it
    ada> {opens the Home}                      uses a shortcut, a form or the Home: see `view_steps.USAGE`
    ! acme/web main passes                     a simulated event
    ! 8 s later                                time passes

All other lines are what was seen: each message that is new or has changed, in its current state. The bot polls what it
follows after each step. It polls GitHub only if time has passed, since a webhook reports what happens there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from playground.play.view_steps import ViewSteps
from playground.play.world_events import trigger
from playground.sandbox import Sandbox
from playground.slack.controls import Button, Menu, buttons, found_button, is_seen, menus
from playground.slack.model import CannotDo, Message
from playground.slack.plain_text import as_text, dialog_as_text

HOME = "#builds"
MORE = "[⋯ "

_SAYS = re.compile(r"(?P<who>[a-z]+)(?: in (?P<channel>#\S+|thread)| with (?P<direct>@\S+))?> (?P<what>.+)")
_SETTING = re.compile(r"^# ([A-Z][A-Z_]+)=(\S+)$", re.MULTILINE)
_LATER = re.compile(r"(?P<count>\d+) (?P<unit>s|min|h) later")
_SECONDS = {"s": 1, "min": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the script, and the lines that were seen after it."""

    line: str
    seen: tuple[str, ...]


def settings_of(text: str, folder: Path) -> dict[str, str]:
    """The bot's settings in this transcript, besides the common ones. Files are relative to `folder`."""
    said = {str(found[1]): str(found[2]) for found in _SETTING.finditer(text)}
    return {name: str(folder / value) if name == "POLICY" else value for name, value in said.items()}


def steps_of(text: str) -> Iterator[Step]:
    """The steps of a transcript, without comments and blank lines."""
    line: str | None = None
    seen: list[str] = []
    for one in text.splitlines():
        if one.startswith("! ") or _SAYS.fullmatch(one):
            if line is not None:
                yield Step(line, tuple(seen))
            line, seen = one, []
        elif one and not one.startswith("#"):
            seen.append(one)
    if line is not None:
        yield Step(line, tuple(seen))


def rewritten(text: str, seen: list[tuple[str, ...]]) -> str:
    """The transcript with the lines that were seen now under each step."""
    lines: list[str] = []
    remaining = iter(seen)
    for one in text.splitlines():
        is_step = one.startswith("! ") or _SAYS.fullmatch(one)
        if is_step:
            if lines and lines[-1] != "":
                lines.append("")
            lines += [one, *next(remaining)]
        elif one.startswith("#") or (one == "" and lines and lines[-1] != ""):
            lines.append(one)
    return "\n".join(lines).rstrip("\n") + "\n"


class Play:
    """Plays steps in a sandbox, one after another. `pass_time(seconds)` moves the sandbox's clock."""

    def __init__(self, sandbox: Sandbox, pass_time: Callable[[float], None]) -> None:
        self._stage = sandbox
        self._pass_time = pass_time
        self._views = ViewSteps(sandbox)
        self._settle()  # so that the bot's first list of projects is read before the first step
        self._shown = self._last_number()

    def step(self, line: str) -> tuple[str, ...]:
        """Carries out the line and returns what was then seen. Raises CannotDo."""
        if line.startswith("! "):
            self._happens(line.removeprefix("! "))
            asked = []
        else:
            said = _SAYS.fullmatch(line)
            if said is None:
                raise CannotDo(f"not a step: {line}")
            asked = self._says(said["who"], said["channel"], said["direct"], said["what"])
        self._settle()
        return (*asked, *self._views.seen(), *self._seen())

    def _settle(self) -> None:
        if not self._stage.settle():
            raise TimeoutError("the bot is still busy with what was asked")
        self._stage.poll()

    def _happens(self, what: str) -> None:
        later = _LATER.fullmatch(what)
        if later is None:
            trigger(self._stage, what)
            return
        self._pass_time(int(later["count"]) * _SECONDS[later["unit"]])
        self._stage.tick()

    def _says(self, who: str, channel: str | None, direct: str | None, what: str) -> list[str]:
        """Returns the text of the dialog that was shown first, if any."""
        workspace = self._stage.workspace
        if what.startswith("{") and what.endswith("}"):
            where = workspace.channel(channel or direct or HOME, who).id
            return self._views.does(who, what[1:-1], self._last_message(), where)
        if what.startswith("[") and what.endswith("]"):
            if self._views.presses(who, what[1:-1]):
                return []
            if what.startswith(MORE):
                option = what[len(MORE) : -1]
                workspace.chooses(who, self._message_with(who, option, menus), option, confirm=True)
                return []
            message = self._message_with(who, what[1:-1], buttons)
            dialog = found_button(message, what[1:-1], workspace.person(who).id).confirm
            workspace.presses(who, message, what[1:-1], confirm=True)
            return dialog_as_text(dialog) if dialog else []
        if channel == "thread":
            said = self._of_the_bot()
            if not said:
                raise CannotDo("the bot has not posted yet, so there is no thread")
            last = max(said, key=lambda message: message.number)
            workspace.types(who, last.channel_id, what, last)
        else:
            workspace.types(who, channel or direct or HOME, what)
        return []

    def _message_with(self, who: str, label: str, controls: Callable[[Message], Iterable[Button | Menu]]) -> Message:
        viewer = self._stage.workspace.person(who).id
        with_it = [
            message
            for message in self._of_the_bot()
            if message.ephemeral_to in (None, viewer)
            and any(label in _labels(control) for control in controls(message) if is_seen(control.element, viewer))
        ]
        if not with_it:
            raise CannotDo(f"{who} sees no button [{label}]")
        return max(with_it, key=lambda message: message.number)

    def _last_message(self) -> Message | None:
        """The newest message that everyone in its conversation sees."""
        said = self._stage.workspace.conversations.everything()
        return max(
            (message for message in said if message.ephemeral_to is None and not message.deleted),
            key=lambda message: message.ts,
            default=None,
        )

    def _of_the_bot(self) -> list[Message]:
        return [m for m in self._stage.workspace.conversations.everything() if m.bot_id and not m.deleted]

    def _seen(self) -> Iterator[str]:
        """Every message of the bot that changed since the last step, in the order of the changes.

        Those that one person sees come last: a job may send them while another changes a message for all.
        """
        names = self._stage.workspace.names
        everything = self._stage.workspace.conversations.everything()
        changed = [it for it in everything if it.number > self._shown and it.now.via != "typed"]
        seen = [(it, number) for it in changed if (number := _seen_number(it, names)) > self._shown]
        for message, _ in sorted(seen, key=lambda one: (one[0].ephemeral_to is not None, one[1])):
            lines = as_text(message, names)
            if len(message.versions) > 1 and not message.deleted:
                lines[0] = f"(changed) {lines[0]}"
            yield from lines
        self._shown = self._last_number()

    def _last_number(self) -> int:
        return max((message.number for message in self._stage.workspace.conversations.everything()), default=0)


def _seen_number(message: Message, names: Mapping[str, str]) -> int:
    """The number of the newest change that people can see.

    Two polls that end at once both update a followed message, to the same text.
    """
    now, number = as_text(message, names), message.number
    for version in reversed(message.versions[:-1]):
        if as_text(replace(message, versions=(version,)), names) != now:
            break
        number = version.number
    return number


def _labels(control: Button | Menu) -> tuple[str, ...]:
    return (control.text,) if isinstance(control, Button) else tuple(text for text, _ in control.options)
