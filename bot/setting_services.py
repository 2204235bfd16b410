"""The CI services among the settings: which are chosen, what is pinned to which, and what each is set to.

As everywhere among the settings, no problem repeats a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.ci import SERVICES, by_name
from bot.ci.service import CIService
from bot.core.policy import Names
from bot.core.services import Pin
from bot.setting_rows import Row, read_row
from bot.setting_values import Refused, Secret, tidied

NAMES = ", ".join(service.name for service in SERVICES)
BY_DEFAULT = SERVICES[0].name

_PINNED_AS = "write it like acme/legacy-*=codeship, acme/*=github"


def chosen(text: str) -> tuple[str, ...]:
    """The names of services, set apart by commas or blanks."""
    names = tuple(re.split(r"[\s,]+", text.lower().strip(" ,")))
    if not names or any(by_name(name) is None for name in names):
        raise Refused(f"names a CI service that there is not: there are {NAMES}")
    if len(set(names)) < len(names):
        raise Refused(f"names a CI service twice: name each of {NAMES} once at most")
    return names


def pins(text: str) -> tuple[Pin, ...]:
    """`acme/legacy-*=codeship, acme/*=github`: the first that fits decides."""
    return tuple(_pin(number, entry) for number, entry in enumerate(re.split(r"[\s,]+", text.strip(" ,")), start=1))


def _pin(number: int, entry: str) -> Pin:
    glob, equals, name = entry.rpartition("=")
    if not equals or not glob or "=" in glob:
        raise Refused(f"holds no repository and service as number {number}: {_PINNED_AS}")
    if by_name(name.lower()) is None:
        raise Refused(f"names a CI service that there is not, as number {number}: there are {NAMES}")
    return Pin(Names((glob,)), name.lower())


PROVIDERS = Row(
    "CI_PROVIDERS",
    f"The CI services that the bot serves, one or several of {NAMES}, set apart by commas. With several, a repository "
    "belongs to the one that has it.",
    "",
    chosen,
    BY_DEFAULT,
)
PINNED = Row(
    "CI_PINNED",
    "Which service a repository belongs to where several have one of its name. The first that fits decides, and a * "
    "stands for any signs: acme/legacy-*=codeship, acme/*=github.",
    "",
    pins,
)


def pins_to_others(pins: Sequence[Pin], chosen: Sequence[str]) -> list[str]:
    """Problems: pins to services that are not among those `chosen`."""
    others = dict.fromkeys(pin.service for pin in pins if pin.service not in chosen)
    return [
        f"CI_PINNED pins to {name}, which is not in CI_PROVIDERS. Add it there, or leave it out." for name in others
    ]


def named(names: Sequence[str]) -> list[CIService]:
    """In this order; what there is not is left out."""
    return [service for service in map(by_name, names) if service is not None]


def settings_of(service: CIService, environ: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    """What a service is set to; what is wrong with it is added to `problems`."""
    own: list[str] = []
    values = {row.name: read_row(row, environ, own) for row in service.rows}
    problems += own or service.problems(values)
    return values


def key_setting(service: CIService, values: Mapping[str, Any]) -> str:
    """Where a new key is put: a service may know another way of saying who the bot is, by another setting's key."""
    ways = [service.key_setting, *(row.name for row in service.rows if "KEY" in row.name or "TOKEN" in row.name)]
    return next((name for name in ways if values[name] is not None), service.key_setting)


def secrets_of(values: Mapping[str, Any]) -> list[str]:
    """What of a service's settings must stand in no log."""
    return [value.reveal() for value in values.values() if isinstance(value, Secret)]


def set_for(service: CIService, environ: Mapping[str, str]) -> list[str]:
    """The names of the service's settings that somebody has set."""
    return [row.name for row in service.rows if tidied(environ.get(row.name, ""))]


def set_in_vain(chosen: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """A sentence for each service that somebody has set something for, and not chosen."""
    return [
        f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} set and not read: {service.name} is not in "
        "CI_PROVIDERS."
        for service in SERVICES
        if service.name not in chosen and (names := set_for(service, environ))
    ]


def rows_of_services() -> tuple[Row, ...]:
    return tuple(row for service in SERVICES for row in service.rows)
