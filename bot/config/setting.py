"""A setting as a row of a table: its name, what it means, where to get its value, how to parse it.

No problem repeats a value: it may be a secret that was pasted into the wrong setting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.config.parsers import InvalidValue, tidied


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting, with the texts that operators read. `default` None: required, or optional as `meaning` says.

    `where` says where to get the value; it is empty if the operator chooses it. `parse` raises `InvalidValue`.
    """

    name: str
    meaning: str
    where: str
    parse: Callable[[str], object]
    default: str | None = None
    required: bool = False
    secret: bool = False
    """Whether NAME_FILE may name a file that holds the value."""

    @property
    def field(self) -> str:
        """The name of its attribute in `Settings`, if it is one of the bot's own."""
        return self.name.lower()

    @property
    def why_and_where(self) -> str:
        """The lines that follow a problem with this setting."""
        return f"\n  {self.meaning}" + (f"\n  From {self.where}." if self.where else "")


def read_setting(setting: Setting, environ: Mapping[str, str], problems: list[str]) -> object:
    """The parsed value; None if it has none. Adds what is wrong with it to `problems`."""
    text = tidied(environ.get(setting.name, "")) or setting.default
    if text is None:
        if setting.required:
            problems.append(f"{setting.name} is missing.{setting.why_and_where}")
        return None
    try:
        return setting.parse(text)
    except InvalidValue as refused:
        reason = str(refused)
        problems.append(f"{setting.name} {reason}{'' if reason.endswith('?') else '.'}{setting.why_and_where}")
        return None
