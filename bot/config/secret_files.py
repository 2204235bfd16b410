"""Secrets from files, as containers and service managers provide them: NAME_FILE instead of NAME."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.config.parsers import tidied
from bot.config.setting import Setting

MAX_BYTES = 64 * 1024


def with_secrets_from_files(environ: Mapping[str, str], rows: Iterable[Setting]) -> tuple[dict[str, str], list[str]]:
    """The environment with each NAME_FILE replaced by NAME, and a list of problems. No problem repeats a value."""
    found, problems = dict(environ), []
    for row in rows:
        setting = f"{row.name}_FILE"
        path = tidied(environ.get(setting, ""))
        if not row.secret or not path:
            continue
        if tidied(environ.get(row.name, "")):
            problems.append(f"{row.name} and {setting} are both set: leave one out.")
            continue
        try:
            found[row.name] = _text_in(path)
        except (OSError, ValueError) as problem:
            why = getattr(problem, "strerror", None) or str(problem)
            problems.append(f"{setting} names a file that cannot be used: {why[:1].lower()}{why[1:]}.")
    return found, problems


def _text_in(path: str) -> str:
    """The file's value. Raises OSError, or ValueError if there is none."""
    with open(path, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError("it is too large")
    try:
        text = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("it is not text in UTF-8") from None
    if not text.strip():
        raise ValueError("it is empty")
    return text
