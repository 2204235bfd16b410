"""Commands as button values, and back. Pure. A value carries a command, never a permission.

A value is compact ASCII JSON (`&`, `<` and `>` as escapes), so that no step on the way changes a character. A value
that comes back is untrusted: it is bounded and checked here, and means only the command in it.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core.model.builds import BuildRef
from bot.core.model.command_entries import Command, Entry
from bot.core.model.command_values import (
    HERE,
    BranchCommand,
    BuildCommand,
    ListProjects,
    NameCommand,
    ShowAudit,
    ShowHelp,
    ShowHistory,
    Verb,
    Word,
)
from bot.core.model.commands import TABLE, VERBS, entry_for
from bot.core.model.errors import NotUnderstood
from bot.core.model.notification_commands.values import (
    MuteCommand,
    OnIt,
    PauseCommand,
    SetReport,
    ShowReport,
    ShowSubscriptions,
    StopReport,
    Subscribe,
    UnmuteCommand,
    Unsubscribe,
)
from bot.core.model.people.commands import LinkCommand, NotifyCommand, NotMine, UnlinkCommand

_VERBS = "|".join(entry.verb for entry in TABLE if entry.on_build)
_KINDS = "_again|_failed|_debug|_notify"
ACTS = re.compile(rf"^(?:(?:{_VERBS})(?:{_KINDS})?(?::\d{{1,2}})?|command:\d{{1,2}}|page:\d{{1,10}})\Z")
"""The action_ids of buttons that do something: `action_id_of` makes them, `command_of` reads them."""
OPENS = re.compile(r"^open:[a-z]{1,20}\Z")
"""The action_ids of links. Slack sends an action for them, too; it is acknowledged and ignored."""
OPEN_FORM = "form:open"
OPENS_FORM = re.compile(rf"^{OPEN_FORM}(?::\d{{1,3}})?\Z")
"""The action_ids of buttons that open the form: `views.form` makes and reads them."""
ACTION_IDS = (ACTS, OPENS, OPENS_FORM)

MAX_VALUE = 2000
_MAX_WORD = 1024
_MAX_NAME = 200
_SPELLINGS = 8
_MAX_WORDS = 50
_LARGEST = 2**31 - 1
_HTML_ESCAPES = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "&<>"})


def action_id_of(command: Command, number: int = 0) -> str:
    """The action_id; `number` makes those of several buttons in one message differ."""
    if isinstance(command, ListProjects):
        return f"page:{command.page}"
    if not isinstance(command, BuildCommand):
        return f"command:{number}"
    more = "_debug" if command.debug_logs else "_failed" if command.failed_jobs_only else ""
    more = "_notify" if command.notify else more
    kind = "_again" if command.instead_of is not None else more
    return f"{command.verb}{kind}" + (f":{number}" if number else "")


def value_of(command: Command) -> str | None:
    """The value of a button for `command`; None if it is too long or has characters that cannot be sent."""
    fields: dict[str, Any]
    match command:
        case BuildCommand(_, target, instead_of, confirmed, in_live, failed_jobs_only, debug_logs, notify):
            said = {"c": confirmed, "l": in_live, "f": failed_jobs_only, "d": debug_logs, "m": notify}
            fields = _target_fields(target) | {"x": instead_of} | {name: yes or None for name, yes in said.items()}
        case BranchCommand(verb, repo, None) if repo == HERE:
            fields = {"v": verb}
        case ShowHelp(None) | ShowAudit(None) | ShowHistory() | NameCommand(is_question=True):
            fields = {"v": command.verb}
        case BranchCommand(verb, repo, branch, confirmed):
            fields = {**_word_fields(verb, repo, branch), "c": confirmed or None}
        case NameCommand(verb, alias, Word() as repo, branch):
            fields = {**_word_fields(verb, repo, branch), "w": alias or None}
        case ListProjects(words, page):
            fields = {"f": words, "n": page}
        case ShowAudit(Word() as repo):
            fields = _word_fields(command.verb, repo, None)
        case ShowHelp(str() as topic):
            fields = _word_fields(command.verb, Word.of(topic), None)
        case Subscribe() | Unsubscribe() | PauseCommand() | MuteCommand() | UnmuteCommand():
            confirmed = isinstance(command, Subscribe | Unsubscribe) and command.confirmed
            fields = {"v": command.verb, "a": command.words, "c": confirmed or None}
        case SetReport() | StopReport() | ShowReport():
            fields = {"v": command.verb, "a": command.words}
        case OnIt(repo, branch, period, owner):
            fields = {**_word_fields(command.verb, repo, Word.of(branch)), "q": period, "o": owner}
        case NotMine(repo, branch, period):
            fields = {**_word_fields(command.verb, repo, Word.of(branch)), "q": period}
        case LinkCommand() | UnlinkCommand() | NotifyCommand():
            fields = {"v": command.verb, "a": command.words}
        case ShowSubscriptions():
            fields = {"v": command.verb, "a": ()}
        case _:
            return None
    there = {name: value for name, value in fields.items() if value is not None}
    value = json.dumps(there, separators=(",", ":")).translate(_HTML_ESCAPES)
    try:
        return value if command_of(action_id_of(command), value) == command else None
    except NotUnderstood:
        return None


def entry_of_button(action_id: str) -> Entry | None:
    """The verb of a button on a build; None for other buttons."""
    verb = action_id.partition(":")[0].partition("_")[0]
    return entry_for(Verb(verb)) if ACTS.match(action_id) and verb in VERBS else None


def command_of(action_id: str, value: str) -> Command:
    """The command of a pressed button. Raises NotUnderstood if it is not one of the bot's buttons."""
    try:
        return _command_of(action_id, _fields(value))
    except (ValueError, RecursionError):
        raise NotUnderstood("This button is too old. Please type the command again.") from None


def _command_of(action_id: str, fields: dict[str, Any]) -> Command:
    """As `command_of`, but raises ValueError."""
    if ACTS.match(action_id) is None:
        raise ValueError("no button of this bot")
    match action_id.partition(":")[0]:
        case "command":
            return _typed_command(fields)
        case "page":
            words = fields.get("f")
            return ListProjects("" if words == "" else _text(words), _count(fields.get("n")))
        case kind:
            return BuildCommand(
                Verb(kind.partition("_")[0]),
                _target(fields),
                None if fields.get("x") is None else _instead_of(fields["x"]),
                confirmed=_yes(fields, "c"),
                in_live=_yes(fields, "l"),
                failed_jobs_only=_yes(fields, "f"),
                debug_logs=_yes(fields, "d"),
                notify=_yes(fields, "m"),
            )


def _typed_command(fields: dict[str, Any]) -> Command:
    """The command as if typed: the verb with words, or with a repository and a branch."""
    verb = Verb(_text(fields.get("v")))
    if "a" in fields:
        return _command_in_words(verb, fields)
    if "q" in fields:
        return _about_period(verb, fields)
    branch = [] if fields.get("b") is None else [_word(fields["b"])]
    alias = [] if fields.get("w") is None else [Word.of(_text(fields["w"]))]
    repo = [] if fields.keys() == {"v"} else [_word(fields.get("r"))]
    command = entry_for(verb).parse_arguments(verb, [*alias, *repo, *branch])
    match command:
        case BranchCommand():
            return replace(command, confirmed=_yes(fields, "c"))
        case ShowAudit() | ShowHelp() | ShowHistory() | NameCommand(_, _, Word()) | NameCommand(is_question=True):
            return command
        case _:
            raise ValueError("no such command on a button")


def _command_in_words(verb: Verb, fields: dict[str, Any]) -> Command:
    """The command about notifications that these words make."""
    words = fields["a"]
    if not isinstance(words, list) or len(words) > _MAX_WORDS:
        raise ValueError("not words")
    command = entry_for(verb).parse_arguments(verb, [Word.of(_text(word)) for word in words])
    match command:
        case Subscribe() | Unsubscribe():
            return replace(command, confirmed=_yes(fields, "c"))
        case ShowSubscriptions() | PauseCommand() | MuteCommand() | UnmuteCommand():
            return command
        case SetReport() | StopReport() | ShowReport() | LinkCommand() | UnlinkCommand() | NotifyCommand():
            return command
        case _:
            raise ValueError("no such command on a button")


def _about_period(verb: Verb, fields: dict[str, Any]) -> OnIt | NotMine:
    if verb is NotMine.verb:
        return NotMine(_word(fields.get("r")), _word(fields.get("b")).exact, _text(fields["q"], _MAX_NAME))
    if verb is not OnIt.verb:
        raise ValueError("not about a broken branch")
    owner = None if fields.get("o") is None else _text(fields["o"], _MAX_NAME)
    return OnIt(_word(fields.get("r")), _word(fields.get("b")).exact, _text(fields["q"], _MAX_NAME), owner)


def _fields(value: str) -> dict[str, Any]:
    if not isinstance(value, str) or len(value) > MAX_VALUE:
        raise ValueError("not a value")
    fields = json.loads(value)
    if not isinstance(fields, dict):
        raise ValueError("not an object")  # noqa: TRY004 - every reader here raises ValueError
    return fields


def _target_fields(target: BuildRef) -> dict[str, Any]:
    return {
        "s": target.service,
        "p": target.project_id,
        "b": target.branch,
        "i": target.build_id,
        "n": target.run_number,
        "t": target.started_at and target.started_at.isoformat(),
        "a": target.reruns,
    }


def _target(fields: dict[str, Any]) -> BuildRef:
    """A button refers to one build, so its id is required here."""
    return BuildRef(
        service=_text(fields.get("s"), _MAX_NAME),
        project_id=_text(fields.get("p"), _MAX_NAME),
        branch=None if fields.get("b") is None else _text(fields["b"]),
        build_id=_text(fields.get("i"), _MAX_NAME),
        run_number=None if fields.get("n") is None else _count(fields["n"]),
        started_at=None if fields.get("t") is None else _moment(fields["t"]),
        reruns=None if fields.get("a") is None else _count(fields["a"], least=0),
    )


def _word_fields(verb: Verb, repo: Word, branch: Word | None) -> dict[str, Any]:
    return {"v": verb, "r": repo.spellings, "b": branch and branch.spellings}


def _yes(fields: dict[str, Any], name: str) -> bool:
    """`c`, confirmed, is only on buttons for which Slack shows a dialog before it sends the press."""
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise ValueError("neither yes nor no")  # noqa: TRY004
    return value


def _instead_of(pair: object) -> tuple[int, int]:
    if not isinstance(pair, list) or len(pair) != 2:
        raise ValueError("not a claim and its attempt")
    return _count(pair[0]), _count(pair[1])


def _word(spellings: object) -> Word:
    if not isinstance(spellings, list) or not 1 <= len(spellings) <= _SPELLINGS:
        raise ValueError("not a word")
    return Word.of(*map(_text, spellings))


def _text(value: object, max_length: int = _MAX_WORD) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= max_length:
        raise ValueError("not a text")
    value.encode()  # half a surrogate pair cannot be sent; UnicodeEncodeError is a ValueError
    return value


def _count(value: object, *, least: int = 1) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _LARGEST:
        raise ValueError("not a count")
    return value


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value, 40))
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone")
    return moment
