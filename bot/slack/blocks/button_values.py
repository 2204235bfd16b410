"""What a button carries: commands as short strings, and back. Pure; carries what is meant, never a right.

A value is compact JSON in ASCII (`&`, `<` and `>` written as escapes), so that nothing on the way changes a sign of it.
What comes back is untrusted: it is bounded and checked here, and means nothing but the command that it spells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core.model.builds import BuildRef
from bot.core.model.commands import (
    BuildsOf,
    Command,
    FollowBuild,
    FollowOf,
    ListProjects,
    RestartBuild,
    RestartOf,
    ShowAudit,
    ShowBuild,
    ShowHelp,
    StatusOf,
    StopBuild,
    StopOf,
    Word,
)
from bot.core.model.errors import NotUnderstood

RESTART, REFRESH, TRY_AGAIN, FOLLOW = "restart", "refresh", "try_again", "follow"
RESTART_FAILED, STOP = "restart_failed", "stop"
STOP_IN_LIVE = "stop_live"
"""Means the same as `STOP`, in a message that goes on saying how the build stands."""
_FIXED = "|".join((RESTART, RESTART_FAILED, REFRESH, TRY_AGAIN, FOLLOW, STOP, STOP_IN_LIVE))
ACTS = re.compile(rf"^(?:{_FIXED}|command:\d{{1,2}}|page:\d{{1,10}})\Z")
"""The action_ids of buttons that do something: what it is, `command_of` says."""
OPENS = re.compile(r"^open:[a-z]{1,20}\Z")
"""The action_ids of links: Slack sends an action for them too, which is acknowledged and means nothing."""
ACTION_IDS = (ACTS, OPENS)

MAX_VALUE = 2000
_MAX_WORD = 1024
_MAX_NAME = 200
_SPELLINGS = 8
_LARGEST = 2**31 - 1
_ASKS: dict[str, Callable[[Word, Word | None], Command]] = {
    "status": StatusOf,
    "restart": RestartOf,
    "builds": BuildsOf,
    "follow": FollowOf,
    "stop": StopOf,
    "audit": lambda repo, _branch: ShowAudit(repo),
}
_HTML_ESCAPES = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "&<>"})


def value_of(command: Command) -> str | None:
    """The value of a button that means `command`; None where no button can: too long, or holding what is not text."""
    match command:
        case ShowBuild(target):
            kind, fields = REFRESH, _target_fields(target)
        case RestartBuild(target, None, confirmed, in_live, failed_jobs_only):
            kind = RESTART_FAILED if failed_jobs_only else RESTART
            fields = {**_target_fields(target), "c": confirmed or None, "l": in_live or None}
        case RestartBuild(target, (claim_id, attempt), confirmed, _, failed_jobs_only):
            kind, fields = TRY_AGAIN, {**_target_fields(target), "x": [claim_id, attempt], "c": confirmed or None}
            fields["f"] = failed_jobs_only or None
        case FollowBuild(target):
            kind, fields = FOLLOW, _target_fields(target)
        case StopBuild(target):
            kind, fields = STOP, _target_fields(target)
        case StopOf(repo, branch):
            kind, fields = "command:0", _ask_fields("stop", repo, branch)
        case FollowOf(repo, branch):
            kind, fields = "command:0", _ask_fields("follow", repo, branch)
        case StatusOf(repo, branch):
            kind, fields = "command:0", _ask_fields("status", repo, branch)
        case RestartOf(repo, branch, confirmed):
            kind, fields = "command:0", {**_ask_fields("restart", repo, branch), "c": confirmed or None}
        case BuildsOf(repo, branch):
            kind, fields = "command:0", _ask_fields("builds", repo, branch)
        case ListProjects(words, page):
            kind, fields = "page:0", {"f": words, "n": page}
        case ShowAudit(Word() as repo):
            kind, fields = "command:0", _ask_fields("audit", repo, None)
        case ShowHelp() | ShowAudit():
            return None
    there = {name: value for name, value in fields.items() if value is not None}
    value = json.dumps(there, separators=(",", ":")).translate(_HTML_ESCAPES)
    try:
        return value if command_of(kind, value) == command else None
    except NotUnderstood:
        return None


def command_of(action_id: str, value: str) -> Command:
    """What the press of a button asks for. Raises NotUnderstood where the button is not one that this bot draws."""
    try:
        return _command_of(action_id, _fields(value))
    except (ValueError, RecursionError):
        raise NotUnderstood("I cannot read this button; it may be older than I am. Please ask anew.") from None


def _command_of(action_id: str, fields: dict[str, Any]) -> Command:
    """Raises ValueError."""
    if ACTS.match(action_id) is None:
        raise ValueError("no button of this bot")
    match action_id.partition(":")[0]:
        case ("restart" | "restart_failed") as kind:
            only = kind == RESTART_FAILED
            return RestartBuild(_target(fields), None, _yes(fields, "c"), _yes(fields, "l"), failed_jobs_only=only)
        case "stop" | "stop_live":
            return StopBuild(_target(fields))
        case "refresh":
            return ShowBuild(_target(fields))
        case "follow":
            return FollowBuild(_target(fields))
        case "try_again":
            only = _yes(fields, "f")
            return RestartBuild(_target(fields), _instead_of(fields.get("x")), _yes(fields, "c"), failed_jobs_only=only)
        case "command":
            ask = _ASKS.get(_text(fields.get("v")))
            if ask is None:
                raise ValueError("no such ask")
            asked = ask(_word(fields.get("r")), None if fields.get("b") is None else _word(fields["b"]))
            return replace(asked, confirmed=_yes(fields, "c")) if isinstance(asked, RestartOf) else asked
        case _:
            words = fields.get("f")
            return ListProjects("" if words == "" else _text(words), _count(fields.get("n")))


def _fields(value: str) -> dict[str, Any]:
    if not isinstance(value, str) or len(value) > MAX_VALUE:
        raise ValueError("not a value")
    fields = json.loads(value)
    if not isinstance(fields, dict):
        raise ValueError("not an object")  # noqa: TRY004 - every reader here says ValueError
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
    """A button names one build, so that its id is never absent here."""
    return BuildRef(
        service=_text(fields.get("s"), _MAX_NAME),
        project_id=_text(fields.get("p"), _MAX_NAME),
        branch=None if fields.get("b") is None else _text(fields["b"]),
        build_id=_text(fields.get("i"), _MAX_NAME),
        run_number=None if fields.get("n") is None else _count(fields["n"]),
        started_at=None if fields.get("t") is None else _moment(fields["t"]),
        reruns=None if fields.get("a") is None else _count(fields["a"], least=0),
    )


def _ask_fields(verb: str, repo: Word, branch: Word | None) -> dict[str, Any]:
    return {"v": verb, "r": repo.spellings, "b": branch and branch.spellings}


def _yes(fields: dict[str, Any], name: str) -> bool:
    """`c`, confirmed, is drawn only on a button whose dialog Slack shows before it sends the press."""
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
    value.encode()  # half a surrogate pair could not be sent anywhere: UnicodeEncodeError is a ValueError
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
