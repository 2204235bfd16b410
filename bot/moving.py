"""Which repositories of one CI service another has, too, by their names, and the pins that move those. Pure.

A name says no more than that it is the same: whether it is the same repository, a person knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.core.model import Project
from bot.core.ports import Nearest
from bot.core.services import Pin

MAYBES = 3
"""So many names that it may be are worth a look."""

_CAN_BE_PINNED = re.compile(r"[A-Za-z0-9._/-]+")


@dataclass(frozen=True, slots=True)
class Match:
    """A repository that may move: `same` is its name where it moves to, in that spelling; else `maybe` are names that
    it may have got there. `is_kept`: a pin says that it stays."""

    name: str
    same: str | None = None
    maybe: tuple[str, ...] = ()
    is_kept: bool = False

    @property
    def moves(self) -> bool:
        return self.same is not None and not self.is_kept


def matches(here: Sequence[Project], there: Sequence[Project], kept: Sequence[Pin], nearest: Nearest) -> list[Match]:
    """For each name `here`, in any case and in order, what there is of it `there`. `kept` are pins to here."""
    spelled = {project.name.lower(): project.name for project in there}
    names = {project.name.lower(): project.name for project in here}
    free = [name for name in spelled if name not in names]
    return [
        Match(
            name,
            spelled.get(lower),
            () if lower in spelled else tuple(spelled[maybe] for maybe in _maybe(lower, free, nearest)),
            any(pin.names.fit(name, any_case=True) for pin in kept),
        )
        for lower, name in sorted(names.items())
    ]


def pins(found: Sequence[Match], service: str) -> list[str]:
    """What moves those that move to `service`, as CI_PINNED takes it: `acme/*` where it is true of all of acme's."""
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


def _maybe(name: str, free: Sequence[str], nearest: Nearest) -> list[str]:
    """The same name elsewhere, or one that is alike and of the same owner."""
    owner, _, short = name.rpartition("/")
    moved = [other for other in free if other.rpartition("/")[2] == short]
    renamed = {other.rpartition("/")[2]: other for other in free if other.rpartition("/")[0] == owner}
    alike = [renamed[other] for other in nearest(short, list(renamed), limit=MAYBES)]
    return list(dict.fromkeys([*moved, *alike]))[:MAYBES]


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns under one another; what no terminal should be shown is left out."""
    shown = [["".join(sign if sign.isprintable() else "?" for sign in cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in shown]
