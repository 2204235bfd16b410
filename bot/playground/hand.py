"""The world's hand: what happens in CI, to CodeShip and between Slack and the bot, said in words.

One table feeds the terminal, the transcripts and their help.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.playground import codeship_moods as moods
from bot.playground.codeship_moods import Mood
from bot.playground.codeship_records import NotThere, SandboxBuild
from bot.playground.slack_records import CannotDo
from bot.playground.stage import Stage

_ENDINGS = {
    "passes": "success",
    "fails": "error",
    "is stopped": "stopped",
    "is ignored": "ignored",
    "is blocked": "blocked",
    "breaks down": "infrastructure_failure",
}
_MOODS: dict[str, Callable[[], Mood]] = {
    "is fine": lambda: moods.FINE,
    "is slow": lambda: moods.slow(2),
    "is down": moods.down,
    "refuses the key": moods.wrong_key,
    "gives no rights": moods.no_rights,
    "is over its limit": lambda: moods.over_the_limit(429, retry_after="30"),
    "answers with a web page": moods.html,
    "loses the answer to a restart": lambda: moods.refuse(on="restart", takes=True),
    "loses a restart": lambda: moods.refuse(on="restart"),
}


@dataclass(frozen=True, slots=True)
class Gesture:
    """One row: how it is said, and what it does with the words that the pattern finds."""

    usage: str
    pattern: re.Pattern[str]
    does: Callable[[Stage, dict[str, str]], None]


def wave(stage: Stage, words: str) -> None:
    """Does what the words say. Raises CannotDo where they say nothing known, or nothing possible."""
    for gesture in GESTURES:
        found = gesture.pattern.fullmatch(words.strip())
        if found:
            try:
                gesture.does(stage, found.groupdict())
            except NotThere as missing:
                raise CannotDo(str(missing)) from None
            return
    raise CannotDo("the hand knows: " + "; ".join(gesture.usage for gesture in GESTURES))


def _build(stage: Stage, said: dict[str, str]) -> SandboxBuild:
    return stage.codeship.newest(said["repo"], said["branch"])


def _ends(stage: Stage, said: dict[str, str]) -> None:
    stage.codeship.finish(_build(stage, said), _ENDINGS[said["how"]])


def _starts(stage: Stage, said: dict[str, str]) -> None:
    stage.codeship.start(_build(stage, said))


def _says(stage: Stage, said: dict[str, str]) -> None:
    stage.codeship.change(_build(stage, said), status=said["word"])


def _push(stage: Stage, said: dict[str, str]) -> None:
    stage.codeship.push(said["repo"], said["branch"], message=said["message"], by=said["who"])


def _mood(stage: Stage, said: dict[str, str]) -> None:
    stage.codeship.mood = _MOODS[said["mood"]]()


def _stale(stage: Stage, said: dict[str, str]) -> None:
    stage.codeship.stale_calls_after_restart = int(said["calls"])


def _new_ids(stage: Stage, _said: dict[str, str]) -> None:
    stage.codeship.restarts_make_new_builds = True


def _again(stage: Stage, _said: dict[str, str]) -> None:
    stage.workspace.deliver_again()


def _invite(stage: Stage, said: dict[str, str]) -> None:
    stage.workspace.invite_the_app(said["channel"])


def _throw_out(stage: Stage, said: dict[str, str]) -> None:
    stage.workspace.throw_out_the_app(said["channel"])


def _archive(stage: Stage, said: dict[str, str]) -> None:
    stage.workspace.archive(said["channel"])


def _delete(stage: Stage, _said: dict[str, str]) -> None:
    stage.workspace.delete_the_apps_last_message()


def _long(stage: Stage, said: dict[str, str]) -> None:
    stage.codeship.pace = replace(stage.codeship.pace, runs_s=int(said["hours"]) * 3600)


def _joins(stage: Stage, said: dict[str, str]) -> None:
    workspace = stage.workspace
    members, person = workspace.user_groups.setdefault(said["group"], set()), workspace.person(said["who"])
    (members.add if said["how"] == "joins" else members.discard)(person.id)


def _gesture(usage: str, pattern: str, does: Callable[[Stage, dict[str, str]], None]) -> Gesture:
    return Gesture(usage, re.compile(pattern), does)


def _one_of(words: dict[str, object]) -> str:
    return "|".join(re.escape(word) for word in words)


_BUILD = r"(?P<repo>\S+) (?P<branch>\S+)"

GESTURES = (
    _gesture("REPO BRANCH starts", rf"{_BUILD} starts", _starts),
    _gesture(f"REPO BRANCH {'|'.join(_ENDINGS)}", rf"{_BUILD} (?P<how>{_one_of({**_ENDINGS})})", _ends),
    _gesture("REPO BRANCH is WORD", rf"{_BUILD} is “(?P<word>[^”]*)”", _says),
    _gesture("NAME pushes REPO BRANCH “MESSAGE”", rf"(?P<who>\S+) pushes {_BUILD} “(?P<message>[^”]*)”", _push),
    _gesture(f"CodeShip {'|'.join(_MOODS)}", rf"CodeShip (?P<mood>{_one_of({**_MOODS})})", _mood),
    _gesture("CodeShip shows the old run for N calls", r"CodeShip shows the old run for (?P<calls>\d+) calls", _stale),
    _gesture("CodeShip gives restarts new ids", r"CodeShip gives restarts new ids", _new_ids),
    _gesture("builds take N hours", r"builds take (?P<hours>\d+) hours", _long),
    _gesture("Slack delivers again", r"Slack delivers again", _again),
    _gesture("the bot is invited to #CHANNEL", r"the bot is invited to (?P<channel>#\S+)", _invite),
    _gesture("the bot is thrown out of #CHANNEL", r"the bot is thrown out of (?P<channel>#\S+)", _throw_out),
    _gesture("#CHANNEL is archived", r"(?P<channel>#\S+) is archived", _archive),
    _gesture("the bot’s last message is deleted", r"the bot’s last message is deleted", _delete),
    _gesture("NAME joins|leaves GROUP", r"(?P<who>[a-z]+) (?P<how>joins|leaves) (?P<group>S\w+)", _joins),
    _gesture("the bot is restarted", r"the bot is restarted", lambda stage, _said: _restart_bot(stage)),
)


def _restart_bot(stage: Stage) -> None:
    stage.stop_bot()
    stage.start_bot()
