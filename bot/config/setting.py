"""A setting as a row of a table: what it is called, what it means, where its value is to be had, how it is read.

No problem that is told here repeats a value: what was pasted may be somebody's secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.config.parsers import InvalidValue, tidied


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, as people read of it. `default` None: required, or absent unless set (`meaning` says which).

    `where` says where to get the value; empty where it is the operator's choice. `read` raises `Refused`.
    """

    name: str
    meaning: str
    where: str
    parse: Callable[[str], object]
    default: str | None = None
    required: bool = False
    secret: bool = False
    """Whether NAME_FILE may name a file that holds the value instead."""

    @property
    def field(self) -> str:
        """The name of its attribute in `Settings`, where it is one of the bot's own."""
        return self.name.lower()

    @property
    def why_and_where(self) -> str:
        """Lines that follow a problem with it."""
        return f"\n  {self.meaning}" + (f"\n  From {self.where}." if self.where else "")


def read_setting(setting: Setting, environ: Mapping[str, str], problems: list[str]) -> object:
    """The value of one row, None where there is none; what is wrong with it is added to `problems`."""
    text = tidied(environ.get(setting.name, "")) or setting.default
    if text is None:
        if setting.required:
            problems.append(f"{setting.name} is missing.{setting.why_and_where}")
        return None
    try:
        return setting.parse(text)
    except InvalidValue as refused:
        said = str(refused)
        problems.append(f"{setting.name} {said}{'' if said.endswith('?') else '.'}{setting.why_and_where}")
        return None
