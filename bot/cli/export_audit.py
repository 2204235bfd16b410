"""`python -m bot audit`: exports the audit log to standard output. Needs no key and changes nothing.

CSV is for spreadsheets: a cell that looks like a formula begins with an apostrophe, and control characters, including
line ends, become blanks. JSON, one object per line, is exact. Both are UTF-8, the oldest entry first, with times in UTC
as ISO 8601.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal, TextIO

from bot.app.settings import database_url
from bot.core.model.audit import AuditEntry
from bot.store.audit import entries_since
from bot.store.engine import DRIVER_ERRORS, Database, StoreError
from bot.store.schema import ForeignSchema, stored_version

Form = Literal["csv", "json"]
Row = Mapping[str, str | None]

COLUMNS = (
    "at",
    "actor",
    "source",
    "channel",
    "thread",
    "action",
    "service",
    "project_id",
    "project",
    "branch",
    "build",
    "result",
    "reason",
    "typed",
    "reference",
)

_AGO = re.compile(r"([0-9]{1,5})(d|h|min)")
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "min": timedelta(minutes=1)}
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class NotExported(Exception):
    """Nothing could be exported. `str()` says why and what to do."""


def export(
    environ: Mapping[str, str], out: TextIO, *, since: str | None, repo: str | None, form: Form, now: datetime
) -> None:
    """Writes entries to `out` as they are read. Raises NotExported, BadSettings, and OSError if `out` takes no more."""
    beginning = moment_of(since, now) if since is not None else None
    database = _database(environ)
    try:
        if not database.is_there():
            raise NotExported(f"There is no database {database.where} yet. Is DATABASE_URL the one that the bot uses?")
        with database.reading() as connection:
            if stored_version(connection) is None:
                raise NotExported(f"The database {database.where} has no audit log yet. Start the bot once.")
            matches = _of_repository(repo)
            entries = (entry for entry in entries_since(connection, beginning) if matches(entry))
            write = write_csv if form == "csv" else write_json
            write(entries, out)
    except ForeignSchema as error:
        raise NotExported(
            f"The database {database.where} belongs to another program (its schema is {error})."
        ) from None
    except DRIVER_ERRORS as error:
        if isinstance(error, OSError):
            raise
        # The driver's error is not chained: it may quote the whole address, including the password.
        raise NotExported(str(database.error(error))) from None
    finally:
        database.close()


def moment_of(since: str, now: datetime) -> datetime:
    """Parses `2026-03-01`, `2026-03-01T12:00` (UTC unless it has a zone), or an age: `7d`, `12h`, `30min`."""
    ago = _AGO.fullmatch(since.strip())
    try:
        if ago:
            return now - int(ago[1]) * _UNITS[ago[2]]
        moment = datetime.fromisoformat(since.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotExported("--since is neither a date nor an age: write it like 2026-03-01 or 7d.") from None


def write_csv(entries: Iterable[AuditEntry], out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerow([harmless(cell or "") for cell in row_of(entry).values()])


def write_json(entries: Iterable[AuditEntry], out: TextIO) -> None:
    """ASCII only, so that no terminal and no line reader misinterprets a character."""
    for entry in entries:
        out.write(json.dumps(row_of(entry)) + "\n")


def harmless(cell: str) -> str:
    """The cell in a form that spreadsheets do not calculate and terminals do not execute."""
    shown = _CONTROL.sub(" ", cell)
    return f"'{shown}" if _FORMULA.match(shown) else shown


def row_of(entry: AuditEntry) -> Row:
    """The entry's values in the order of COLUMNS."""
    values = (
        entry.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        entry.actor.id,
        entry.source,
        entry.location.channel,
        entry.location.thread,
        entry.action,
        entry.service,
        entry.project_id,
        entry.project_name,
        entry.branch,
        entry.build_id,
        entry.result,
        entry.reason,
        entry.typed,
        entry.reference,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _of_repository(repo: str | None) -> Callable[[AuditEntry], bool]:
    """Matches entries of a repository by `org/name` or `name`, without case. An entry about none never matches."""
    if repo is None:
        return lambda _entry: True
    searched = repo.strip().casefold()

    def is_of(entry: AuditEntry) -> bool:
        name = (entry.project_name or "").casefold()
        return searched in (name, name.rpartition("/")[2])

    return is_of


def _database(environ: Mapping[str, str]) -> Database:
    try:
        return Database.at(database_url(environ).reveal())
    except StoreError as problem:
        raise NotExported(str(problem)) from None
