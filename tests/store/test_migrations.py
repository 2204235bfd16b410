"""A new database gets the code's tables. One of newer code or of another program is recognised."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import bot.store.migrations
from bot.store import Store, StoreError
from bot.store.engine import Database
from bot.store.schema import HEAD, migrate
from bot.store.tables import metadata

pytestmark = pytest.mark.usefixtures("empty_databases")

FILES = sorted((Path(bot.store.migrations.__file__).parent / "versions").glob("[0-9]*.py"))
VERSIONS = [file.name[:4] for file in FILES]


def tables_of(connection: sa.Connection) -> list[sa.Table]:
    found = sa.MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def set_version(url: str, version: str) -> None:
    database = Database.at(url)
    with database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :version"), {"version": version})
    database.close()


def test_the_newest_version_is_the_newest_file() -> None:
    assert VERSIONS[-1] == HEAD
    assert [f"{number:04}" for number in range(1, len(VERSIONS) + 1)] == VERSIONS


def shape(connection: sa.Connection) -> dict[str, object]:
    """Everything that the database says about its tables, and the schema's version."""
    seen = sa.inspect(connection)
    kinds = ("columns", "pk_constraint", "unique_constraints", "foreign_keys", "indexes", "check_constraints")
    tables = {
        name: {kind: str(getattr(seen, f"get_{kind}")(name)) for kind in kinds} for name in seen.get_table_names()
    }
    return tables | {"version": connection.scalar(sa.text("SELECT version_num FROM alembic_version"))}


def test_migrations_lead_to_the_tables_that_a_new_database_gets(opened: Callable[[], Store], url: str) -> None:
    opened().close()
    database = Database.at(url)
    with database.writing() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        created = shape(connection)
        metadata.drop_all(connection)
        connection.execute(sa.text("DROP TABLE alembic_version"))
        migrate(connection, HEAD)
        migrated = shape(connection)
    database.close()
    assert created == migrated


def test_alembic_is_imported_only_to_migrate(tmp_path: Path) -> None:
    code = f"from bot.app.clock import SystemClock; from bot.store import open_store; import sys; \
open_store('sqlite:///{tmp_path}/b.sqlite3', SystemClock()); sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_database_of_newer_code_is_used_as_it_is(opened: Callable[[], Store], url: str) -> None:
    opened().close()
    set_version(url, "9999")
    newer = opened()
    assert newer.check().endswith("schema 9999")
    assert newer.idempotency_keys.add("Ev1", keep_s=60)


def test_a_database_of_another_program_is_refused(opened: Callable[[], Store], url: str) -> None:
    opened().close()
    set_version(url, "a1b2c3d4e5f6")
    with pytest.raises(StoreError, match=r"belongs to another program \(its schema is a1b2c3d4e5f6\)"):
        opened()


def test_a_migration_that_fails_leaves_nothing_behind(opened: Callable[[], Store], url: str) -> None:
    database = Database.at(url)
    with database.writing() as connection:
        connection.execute(sa.text("CREATE TABLE projects (of_somebody_else INTEGER)"))
    with pytest.raises(StoreError, match=r"(table|relation) \"?projects\"? already exists"):
        opened()
    with database.reading() as connection:
        assert [table.name for table in tables_of(connection)] == ["projects"]
    database.close()


def test_opening_a_new_database_prints_nothing_and_leaves_logging_alone(
    opened: Callable[[], Store], capfd: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), logging.getLogger("sqlalchemy").level)
    opened()
    assert (root.level, list(root.handlers), logging.getLogger("sqlalchemy").level) == before
    assert capfd.readouterr() == ("", "")
