"""`python -m bot audit`: the audit log for spreadsheets and programs."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.__main__ import main
from bot.cli.export_audit import COLUMNS, NotExported, harmless, moment_of, row_of, write_csv, write_json
from bot.core.model.audit import AuditEntry
from bot.core.model.builds import Actor, Location
from bot.store import open_store
from bot.store.engine import Database
from tests.held_clock import NOON, HeldClock

ENTRY = AuditEntry(
    at=NOON,
    actor=Actor("U0ADA"),
    source="command",
    location=Location("C0BUILDS"),
    action="restart",
    service="codeship",
    result="accepted",
    reference="k3x9qd",
    project_id="3",
    project_name="acme/web",
    branch="main",
    build_id="7",
)
NASTY = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "  =1+1",
    "\t=1+1",
    "\r\n=cmd|' /C calc'!A0",
    "＝1+1",
    '",=1+1,"',
    "a\nb",
    "a\r=b",
    "\x1b[2J\x07",
    "\u202eexe",
    "half \ud83d of a pair",
    "nul \x00",
    "漢字 🚀; é",
    "'quoted'",
    "<!channel> & <@U1>",
]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/bot.sqlite3"


@pytest.fixture
def on_record(url: str) -> Callable[..., None]:
    def record(*entries: AuditEntry) -> None:
        store = open_store(url, HeldClock())
        for entry in entries:
            store.audit.record(entry, request_key=None)
        store.close()

    return record


@pytest.fixture
def run(url: str, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """The typed command, with only the database's setting."""

    def audit(*arguments: str, **environ: str) -> tuple[int, str, str]:
        status = main(["audit", *arguments], {"DATABASE_URL": url, **environ})
        return status, *capfd.readouterr()

    return audit


def in_csv(*entries: AuditEntry) -> str:
    out = io.StringIO()
    write_csv(entries, out)
    return out.getvalue()


def in_json(*entries: AuditEntry) -> str:
    out = io.StringIO()
    write_json(entries, out)
    return out.getvalue()


def test_csv_has_a_header_and_a_line_per_action() -> None:
    assert in_csv(ENTRY).splitlines() == [
        "at,actor,source,channel,thread,action,service,project_id,project,branch,build,result,reason,typed,reference",
        "2026-03-02T12:00:00.000Z,U0ADA,command,C0BUILDS,,restart,codeship,3,acme/web,main,7,accepted,,,k3x9qd",
    ]


@pytest.mark.parametrize("cell", NASTY, ids=ascii)
def test_no_cell_is_a_formula_or_breaks_the_line(cell: str) -> None:
    text = in_csv(replace(ENTRY, branch=cell, typed=cell, reason=cell), ENTRY)
    assert text.count("\n") == 3
    head, *lines = csv.reader(io.StringIO(text))
    assert tuple(head) == COLUMNS
    assert [len(line) for line in lines] == [len(COLUMNS)] * 2
    for shown in lines[0]:
        assert shown.strip()[:1] not in tuple("=+-@＝＋－＠")
        assert all(sign.isprintable() for sign in shown)


@pytest.mark.parametrize("plain", ["main", "feature/a-b+c@d=e", "2026", "", "'x"])
def test_a_harmless_cell_is_unchanged(plain: str) -> None:
    assert harmless(plain) == plain


@pytest.mark.parametrize("value", NASTY, ids=ascii)
def test_json_is_exact_with_one_ascii_line_per_action(value: str) -> None:
    text = in_json(replace(ENTRY, branch=value), ENTRY)
    first, second = text.splitlines()
    assert text.isascii()
    assert json.loads(first)["branch"] == value
    assert json.loads(second) == row_of(ENTRY)
    assert json.loads(second)["thread"] is None


@pytest.mark.parametrize(
    ("since", "moment"),
    [
        ("7d", NOON - timedelta(days=7)),
        ("12h", NOON - timedelta(hours=12)),
        ("30min", NOON - timedelta(minutes=30)),
        ("2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T12:30", datetime(2026, 1, 1, 12, 30, tzinfo=UTC)),
        ("2026-01-01T12:30:00+02:00", datetime(2026, 1, 1, 10, 30, tzinfo=UTC)),
    ],
)
def test_since_is_a_date_a_time_or_an_age(since: str, moment: datetime) -> None:
    assert moment_of(since, NOON) == moment


@pytest.mark.parametrize("since", ["", "yesterday", "7", "-7d", "99999d9", "99999999d", "2026-02-30", "٧d"])
def test_any_other_since_is_refused_with_the_reason(since: str) -> None:
    with pytest.raises(NotExported, match="write it like 2026-03-01 or 7d"):
        moment_of(since, NOON)


def test_a_since_before_year_1_is_refused_with_the_reason() -> None:
    with pytest.raises(NotExported):
        moment_of("99999d", datetime(100, 1, 1, tzinfo=UTC))


def test_it_needs_no_setting_but_the_database(on_record: Callable[..., None], run: Run) -> None:
    on_record(ENTRY)
    assert run("--format", "csv") == (0, in_csv(ENTRY), "")
    assert run("--format", "json") == (0, in_json(ENTRY), "")


def test_it_writes_the_entries_of_one_repository_since_a_time(on_record: Callable[..., None], run: Run) -> None:
    old, other, none = (
        replace(ENTRY, at=NOON - timedelta(days=40), reference="old"),
        replace(ENTRY, project_name="acme/website", reference="other"),
        replace(ENTRY, project_id=None, project_name=None, reference="none"),
    )
    on_record(old, other, none, ENTRY)
    references = {
        arguments: [json.loads(line)["reference"] for line in run("--format", "json", *arguments)[1].splitlines()]
        for arguments in [(), ("--since", "2026-03-01"), ("--repo", "ACME/web"), ("--repo", "web")]
    }
    assert references == {
        (): ["old", "other", "none", "k3x9qd"],
        ("--since", "2026-03-01"): ["other", "none", "k3x9qd"],
        ("--repo", "ACME/web"): ["old", "k3x9qd"],
        ("--repo", "web"): ["old", "k3x9qd"],
    }


def test_many_entries_are_all_written(on_record: Callable[..., None], run: Run) -> None:
    on_record(*(replace(ENTRY, reference=f"r{number}") for number in range(600)))
    assert [line.rpartition(",")[2] for line in run()[1].splitlines()[1:]] == [f"r{number}" for number in range(600)]


def test_a_missing_database_is_reported_and_not_created(run: Run, tmp_path: Path) -> None:
    status, out, err = run()
    assert (status, out) == (1, "")
    assert "There is no database" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("empty_databases")
def test_a_database_without_the_bots_tables_is_reported_and_unchanged(url: str, run: Run) -> None:
    database = Database.at(url)
    with database.writing() as connection:
        connection.execute(sa.text("CREATE TABLE other (id INTEGER)"))
    database.close()
    for _ in range(2):
        status, out, err = run()
        assert (status, out) == (1, "")
        assert "has no audit log yet" in err


@pytest.mark.parametrize(
    ("arguments", "environ", "words"),
    [
        (("--since", "soon"), {}, "write it like 2026-03-01 or 7d"),
        ((), {"DATABASE_URL": "mongodb://ada:pw12345@db/bot"}, "DATABASE_URL"),
        ((), {"DATABASE_URL": "sqlite:///:memory:"}, "DATABASE_URL"),
    ],
)
def test_errors_hold_no_password(run: Run, arguments: tuple[str, ...], environ: dict[str, str], words: str) -> None:
    status, out, err = run(*arguments, **environ)
    assert (status, out) == (1, "")
    assert words in err
    assert "pw12345" not in err
    assert "Traceback" not in err


def test_a_file_that_is_not_a_database_is_reported(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bot.sqlite3").write_text("no database " * 1000)
    status, out, err = run()
    assert (status, out) == (1, "")
    assert "the file is not a whole SQLite database" in err


@pytest.mark.serial
def test_a_closed_pipe_is_no_error(on_record: Callable[..., None], url: str) -> None:
    on_record(*(replace(ENTRY, reason="x" * 300) for _ in range(300)))
    command = f"{sys.executable} -m bot audit | head -1"
    seen = subprocess.run(
        command, shell=True, env={"DATABASE_URL": url, "LC_ALL": "C"}, capture_output=True, text=True, check=True
    )
    assert (seen.stdout, seen.stderr) == (",".join(COLUMNS) + "\n", "")
