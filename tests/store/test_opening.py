"""Opening a database: what `check` says, what is refused with which words, and that these hold no secret."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from bot.store import Store, StoreError, open_store
from bot.store.schema import HEAD

pytestmark = pytest.mark.usefixtures("empty_databases")

ROOT = Path(__file__).parents[2]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A file: what can be wrong with one takes most of the words."""
    return f"sqlite:///{tmp_path}/bot.sqlite3"


def refusal(url: str) -> str:
    """The text that a person reads. Checks that the log has no secret either."""
    with pytest.raises(StoreError) as raised:
        open_store(url, None)  # type: ignore[arg-type]
    assert "hunter2" not in "".join(traceback.format_exception(raised.value))
    return str(raised.value)


def test_check_describes_the_open_database(opened: Callable[[], Store], tmp_path: Path) -> None:
    said = opened().check()
    assert said.startswith("SQLite 3.")
    assert said.endswith(f" at {tmp_path}/bot.sqlite3, schema {HEAD}")


def test_check_describes_the_open_postgresql(new_postgres: str, clock: Any) -> None:
    store = open_store(new_postgres, clock)
    assert re.fullmatch(rf"PostgreSQL \d+\.\d+ at 127\.0\.0\.1:\d+/test_\d+, schema {HEAD}", store.check())
    store.close()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"password": "hunter2"}, 'password authentication failed for user "bot"'),
        ({"username": "nobody", "password": "hunter2"}, 'password authentication failed for user "nobody"'),
        ({"database": "none"}, 'database "none" does not exist'),
        ({"port": 1}, "Connection refused"),
        ({"query": {"options": "-c default_transaction_read_only=on"}}, "in a read-only transaction"),
    ],
    ids=str,
)
def test_errors_of_postgresql_are_reported_with_its_reason(new_postgres: str, change: dict[str, Any], why: str) -> None:
    url = make_url(new_postgres).set(**change)
    told = refusal(url.render_as_string(hide_password=False))
    assert told.startswith(f"The database at 127.0.0.1:{url.port}/{url.database} cannot be used: ")
    assert why in told
    assert told.endswith("See that it can be reached and has room, or set DATABASE_URL to another place.")
    assert str(url.password) not in told


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_says_so(url: str, clock: Any) -> None:
    store = open_store(url, clock)
    assert store.check().endswith(f" in memory, schema {HEAD}")
    store.close()


def test_a_new_database_file_is_readable_by_its_owner_only(opened: Callable[[], Store], tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        store = opened()
        assert store.idempotency_keys.add("a", keep_s=60)
        modes = {path.name: oct(path.stat().st_mode & 0o777) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("bot.sqlite3", "bot.sqlite3-wal", "bot.sqlite3-shm"), "0o600")


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    assert refusal(f"sqlite:///{tmp_path}/data/bot.sqlite3") == (
        f"The database at {tmp_path}/data/bot.sqlite3 cannot be used: there is no directory {tmp_path}/data. "
        f"Create it (mkdir -p {tmp_path}/data), or set DATABASE_URL to another place."
    )


def test_a_directory_is_not_a_database(tmp_path: Path) -> None:
    assert "takes a directory for a file" in refusal(f"sqlite:///{tmp_path}")


def test_a_file_is_not_a_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "takes a directory for a file, or a file for a directory" in refusal(
        f"sqlite:///{tmp_path}/file/bot.sqlite3"
    )


def test_a_file_of_another_kind_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("not a database " * 100)
    assert "the file is not a whole SQLite database. Move it away" in refusal(f"sqlite:///{notes}")
    assert notes.read_text() == "not a database " * 100


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a directory that not even root may write")
def test_a_place_that_is_not_writable_is_refused() -> None:
    assert "the bot may not write there. Let its user write /proc" in refusal("sqlite:////proc/bot.sqlite3")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("mode", [0o700, 0o500, 0o000])
def test_a_database_that_became_read_only_is_refused(
    opened: Callable[[], Store], url: str, tmp_path: Path, mode: int
) -> None:
    opened().close()
    (tmp_path / "bot.sqlite3").chmod(0o400)
    tmp_path.chmod(mode)
    try:
        assert "the bot may not write there" in refusal(url)
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hunter2",
        "bot:hunter2@db.example",
        "mysql://bot:hunter2@db.example/bot",
        "postgresql://bot:hunter2@db.example:port/bot",
        "postgresql+nothing://bot:hunter2@db.example/bot",
        "sqlite://bot:hunter2@db.example/bot",
        "postgresql://bot:hunter2@127.0.0.1:1/bot",
        "postgres://bot:hunter2@127.0.0.1:1/bot",
    ],
)
def test_no_refusal_names_the_password(url: str) -> None:
    assert refusal(url).startswith("The database ")


def test_a_database_at_its_newest_version_opens_without_alembic(opened: Callable[[], Store], url: str) -> None:
    opened().close()
    script = (
        "import sys; from bot.app.clock import SystemClock; from bot.store import open_store; "
        "open_store(sys.argv[1], SystemClock()); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script, url], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
