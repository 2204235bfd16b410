"""python -m bot migrate: which of GitHub's repositories those at CodeShip match, and the settings that move them.

Asks both services for their lists and nothing else; changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bot import logs
from bot.alike import nearest
from bot.check_services import cause, projects_of, repositories
from bot.ci.codeship import CODESHIP as FROM
from bot.ci.github_settings import GITHUB as TO
from bot.core.errors import CIError
from bot.core.model import Project
from bot.core.services import Pin
from bot.moving import Match, matches, pins, table
from bot.setting_rows import read_row
from bot.setting_services import PINNED, secrets_of, settings_of
from bot.settings import BadSettings

Say = Callable[[str], None]


class CannotCompare(Exception):
    """One of the lists cannot be had. `str()` says why, and what to do."""


def migrate(environ: Mapping[str, str], say: Say) -> None:
    """Says what matches and what to set. Needs the keys of both, whatever CI_PROVIDERS says. Raises CannotCompare.

    What CI_PINNED keeps at CodeShip stays there.
    """
    kept, values = _read(environ)
    logs.configure("CRITICAL", "text", [word for one in values.values() for word in secrets_of(one)])
    here, there = _lists(values, environ)
    found = matches(here, there, kept, nearest)
    say(f"The keys see {repositories(len(here))} at {FROM.title} and {len(there)} at {TO.title}.")
    if found:
        say("")
        for line in table([(f"at {FROM.title}", f"at {TO.title}", ""), *map(_row, found)]):
            say(line)
    _say_settings(found, [f"{pin.names}={pin.service}" for pin in kept], say)
    _say_rest(found, say)


def _read(environ: Mapping[str, str]) -> tuple[list[Pin], dict[str, dict[str, object]]]:
    """The pins to where they are now, and what each service is set to, by its name."""
    problems: list[str] = []
    values = {service.name: settings_of(service, environ, problems) for service in (FROM, TO)}
    pinned = read_row(PINNED, environ, problems)
    if problems:
        raise CannotCompare(str(BadSettings(problems)))
    return [pin for pin in pinned if pin.service == FROM.name] if isinstance(pinned, tuple) else [], values


def _lists(values: Mapping[str, Mapping[str, object]], environ: Mapping[str, str]) -> list[list[Project]]:
    lists, failures = list[list[Project]](), list[str]()
    for service in (FROM, TO):
        try:
            lists.append(projects_of(service, values[service.name], environ))
        except CIError as failure:
            failures.append(f"{service.title}: {cause(service, values[service.name], failure)}")
    if failures:
        raise CannotCompare("\n".join(failures))
    return lists


def _row(match: Match) -> tuple[str, str, str]:
    why = "same name" if match.same else "maybe: moved or renamed" if match.maybe else "none"
    if match.is_kept:
        why = f"stays: CI_PINNED says {FROM.name}"
    return match.name, match.same or ", ".join(match.maybe) or "-", why


def _say_settings(found: Sequence[Match], kept: Sequence[str], say: Say) -> None:
    moving = sum(match.moves for match in found)
    if moving:
        say(f"\nThese settings serve both, and give {TO.title} what has the same name ({repositories(moving)}):")
    else:
        say("\nNothing has the same name at both. These settings serve both all the same:")
    say(f"\nCI_PROVIDERS={FROM.name},{TO.name}")
    pinned = [*kept, *pins(found, TO.name)]
    if pinned:
        say(f"CI_PINNED={','.join(pinned)}")


def _say_rest(found: Sequence[Match], say: Say) -> None:
    """What to do with what has no match, and what is left to do where all have one."""
    say("")
    if any(match.maybe for match in found):
        say(
            f"A maybe: where it is the same repository, nothing is to be set. At {TO.title} people ask for it by its "
            f"new name; until it is gone from {FROM.title}, the old name means the one there."
        )
    if any(not match.same and not match.maybe for match in found):
        say(
            f"None: it stays at {FROM.title}, and people ask for it as before. If it is at {TO.title} already, the "
            "token or the App has not been given it, or it is archived there: python -m bot migrate tells it anew."
        )
    if found and all(match.moves for match in found):
        say(f"Nothing is left behind: once nobody asks for builds of {FROM.title}'s, CI_PROVIDERS={TO.name} is enough.")
    say(f"Whatever is set, {TO.name}'s can be asked for as org/name@{TO.name}, {FROM.name}'s as org/name@{FROM.name}.")
