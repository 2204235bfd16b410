"""`python -m bot migrate`: matches CodeShip's repositories with GitHub's, and prints the settings that move them.

Only lists the repositories of both services; changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot import logs
from bot.app.name_matching import nearest
from bot.app.settings import PINNED, BadSettings, secrets_of, settings_of
from bot.ci.codeship.client import CODESHIP as FROM
from bot.ci.github.settings import GITHUB as TO
from bot.cli.check import cause, projects_of, repositories
from bot.config.setting import read_setting
from bot.core.lookup.ci_registry import Pin
from bot.core.model.builds import Project
from bot.core.model.errors import CIError
from bot.core.ports import NameMatcher

MAYBES = 3
"""How many similar names are shown for a repository without a match."""

_CAN_BE_PINNED = re.compile(r"[A-Za-z0-9._/-]+")


@dataclass(frozen=True, slots=True)
class Match:
    """A repository that may move. `same` is its name at the other service, as written there.

    Without one, `maybe` holds similar names. `is_kept`: a pin says that it stays.
    """

    name: str
    same: str | None = None
    maybe: tuple[str, ...] = ()
    is_kept: bool = False

    @property
    def moves(self) -> bool:
        return self.same is not None and not self.is_kept


def matches(
    here: Sequence[Project], there: Sequence[Project], kept: Sequence[Pin], nearest: NameMatcher
) -> list[Match]:
    """One match for each name of `here`, compared without case, in order. `kept` are pins to the current service."""
    spelled = {project.name.lower(): project.name for project in there}
    names = {project.name.lower(): project.name for project in here}
    free = [name for name in spelled if name not in names]
    return [
        Match(
            name,
            spelled.get(lower),
            () if lower in spelled else tuple(spelled[maybe] for maybe in _maybe(lower, free, nearest)),
            any(pin.names.matches(name, any_case=True) for pin in kept),
        )
        for lower, name in sorted(names.items())
    ]


def pins(found: Sequence[Match], service: str) -> list[str]:
    """Values for CI_PINNED that move the repositories to `service`: `acme/*` if that is right for all of acme's."""
    of_owner: dict[str, list[Match]] = {}
    for match in found:
        of_owner.setdefault(match.name.rpartition("/")[0].lower(), []).append(match)
    return [f"{glob}={service}" for owner, own in of_owner.items() for glob in _globs(owner, own)]


def _globs(owner: str, own: Sequence[Match]) -> Iterator[str]:
    moving = [match for match in own if match.moves]
    if owner and len(own) > 1 and all(match.moves or match.is_kept for match in own) and moving:
        names = [f"{moving[0].name.rpartition('/')[0]}/*"]
    else:
        names = [match.name for match in moving]
    yield from (name for name in names if _CAN_BE_PINNED.fullmatch(name.removesuffix("*")))


def _maybe(name: str, free: Sequence[str], nearest: NameMatcher) -> list[str]:
    """The same name under another owner, or similar names of the same owner."""
    owner, _, short = name.rpartition("/")
    moved = [other for other in free if other.rpartition("/")[2] == short]
    renamed = {other.rpartition("/")[2]: other for other in free if other.rpartition("/")[0] == owner}
    alike = [renamed[other] for other in nearest(short, list(renamed), limit=MAYBES)]
    return list(dict.fromkeys([*moved, *alike]))[:MAYBES]


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as aligned columns, without characters that could control a terminal."""
    shown = [
        ["".join(character if character.isprintable() else "?" for character in cell) for cell in row] for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in shown]


Say = Callable[[str], None]


class CannotCompare(Exception):
    """One of the two lists could not be read. `str()` says why and what to do."""


def migrate(environ: Mapping[str, str], say: Say) -> None:
    """Prints what matches and what to set. Raises CannotCompare, BadSettings.

    Needs the keys of both services, even if CI_PROVIDERS names only one. CI_PINNED can keep repositories at CodeShip.
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
    """The pins to the current service, and the settings of each service by its name."""
    problems: list[str] = []
    values = {service.name: settings_of(service, environ, problems) for service in (FROM, TO)}
    pinned = read_setting(PINNED, environ, problems)
    if problems:
        raise BadSettings(problems)
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
    """Prints what to do with repositories without a match; if there are none, what is left to do."""
    say("")
    if any(match.maybe for match in found):
        say(
            f"Possible: if it is the same repository, nothing needs to be set. At {TO.title} people ask for it by its "
            f"new name; until it is gone from {FROM.title}, the old name means the one there."
        )
    if any(not match.same and not match.maybe for match in found):
        say(
            f"None: it stays at {FROM.title}, and people ask for it as before. If it is at {TO.title} already, the "
            "token or the App has no access to it, or it is archived there. Then run python -m bot migrate again."
        )
    if found and all(match.moves for match in found):
        say(f"All have moved: when no one needs builds of {FROM.title}'s any more, CI_PROVIDERS={TO.name} is enough.")
    say(f"Always possible: org/name@{TO.name} for {TO.name}'s, org/name@{FROM.name} for {FROM.name}'s.")
