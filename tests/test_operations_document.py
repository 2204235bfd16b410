"""`docs/operations.md`: its lists are the code's, and its commands do what it says.

`pytest --update` writes the table of metrics again, from the descriptions in the code.
"""

from __future__ import annotations

import re
import sqlite3
import subprocess
from pathlib import Path

import pytest

from bot.app.clock import SystemClock
from bot.store.database import open_store
from tests.postgres import Server, programs
from tests.source import log_events, metrics

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "operations.md"


def section(name: str) -> str:
    found = re.search(rf"(?s)<!-- {name} -->\n(.*?)<!-- /{name} -->", DOCUMENT.read_text(encoding="utf-8"))
    assert found is not None
    return found[1]


def metrics_table() -> str:
    lines = ["| metric | kind | labels | meaning |", "| --- | --- | --- | --- |"]
    for metric in sorted(metrics().values()):
        name = f"{metric.name}_total" if metric.kind == "counter" else metric.name
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        lines.append(f"| `{name}` | {metric.kind} | {labels} | {metric.meaning} |")
    return "\n".join(lines) + "\n"


def test_the_table_of_metrics_is_the_codes(update: bool) -> None:
    if update:
        text = DOCUMENT.read_text(encoding="utf-8")
        DOCUMENT.write_text(text.replace(section("metrics") + "<!-- /metrics", metrics_table() + "<!-- /metrics"))
    assert section("metrics") == metrics_table()


def test_every_event_that_is_logged_is_explained_and_no_other() -> None:
    logs = DOCUMENT.read_text(encoding="utf-8").partition("\n## Logs\n")[2]
    rows = re.findall(r"^\| `([^`]+)` \| ([A-Z]+) \| (.+) \|$", logs, flags=re.MULTILINE)
    assert {(name, level) for name, level, _ in rows} == log_events()
    assert [name for name, _, _ in rows] == sorted({name for name, _, _ in rows})


def commands(name: str) -> str:
    return re.sub(r"^    ", "", section(name), flags=re.MULTILINE)


def run(folder: Path, script: str) -> str:
    done = subprocess.run(["bash", "-euc", script], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_backup_of_an_sqlite_file_in_use_can_be_restored(tmp_path: Path) -> None:
    database, copy = tmp_path / "codeship-bot.sqlite3", tmp_path / "backup.sqlite3"
    in_use = sqlite3.connect(database)
    in_use.execute("PRAGMA journal_mode=WAL")
    with in_use:
        in_use.execute("CREATE TABLE audit (entry TEXT)")
        in_use.execute("INSERT INTO audit VALUES ('in the backup')")
    assert run(tmp_path, commands("backup")) == "ok"
    with in_use:
        in_use.execute("INSERT INTO audit VALUES ('after the backup')")
    in_use.close()
    run(tmp_path, commands("restore"))
    restored = sqlite3.connect(database)
    assert restored.execute("SELECT entry FROM audit").fetchall() == [("in the backup",)]
    restored.close()
    assert copy.exists()
    assert database.stat().st_mode & 0o777 == 0o600


@pytest.mark.serial
@pytest.mark.parametrize("into", ["the same database", "an empty one"])
def test_a_dump_of_postgresql_can_be_restored(postgres: Server, tmp_path: Path, into: str) -> None:
    address = postgres.new_database()
    store = open_store(address, SystemClock())
    store.idempotency_keys.add("in the backup", keep_s=3600)
    _run_with_postgresql(tmp_path, "dump", address)
    store.idempotency_keys.add("after the backup", keep_s=3600)
    store.close()
    target = address if into == "the same database" else postgres.new_database()
    _run_with_postgresql(tmp_path, "undump", target)
    restored = open_store(target, SystemClock())
    assert not restored.idempotency_keys.add("in the backup", keep_s=3600)
    assert restored.idempotency_keys.add("after the backup", keep_s=3600)
    restored.close()


def _run_with_postgresql(folder: Path, name: str, address: str) -> None:
    """Runs the document's commands with another address, and the programs of the server that the tests use."""
    script = commands(name)
    assert "postgresql://bot@database/bot" in script
    script = script.replace("postgresql://bot@database/bot", address.replace("+psycopg", ""))
    run(folder, f'PATH="{programs()}:$PATH"\n{script}')
