"""The way from any version of the schema to the newest, with data in it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import bot.store.migrations
from bot.core.claims import Claim, ClaimState
from bot.store import Store, StoreError, open_store
from bot.store.engine import Database
from bot.store.schema import HEAD, migrate
from bot.store.tables import metadata

FILES = sorted((Path(bot.store.migrations.__file__).parent / "versions").glob("[0-9]*.py"))
VERSIONS = [file.name[:4] for file in FILES]


def a_row(table: sa.Table, mark: str) -> dict[str, Any]:
    """A value in every column, which only `mark` tells from another row's."""
    values: dict[type, Any] = {
        str: mark,
        int: int(mark),
        bool: True,
        datetime: datetime(2026, 3, 1, 12, 0, 0, int(mark)),  # noqa: DTZ001 (in UTC, on either database)
    }
    return {column.name: values[column.type.python_type] for column in table.columns}


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


def test_migrations_lead_to_the_tables_that_the_code_uses(opened: Callable[[], Store], url: str) -> None:
    opened()
    database = Database.at(url)
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    database.close()


def test_rows_of_every_version_are_kept_up_to_the_newest(opened: Callable[[], Store], url: str) -> None:
    database = Database.at(url)
    written: list[tuple[str, dict[str, Any]]] = []
    for version in VERSIONS:
        with database.writing() as connection:
            migrate(connection, version)
            for table in tables_of(connection):
                written.append((table.name, a_row(table, version)))
                connection.execute(table.insert().values(written[-1][1]))
    opened()
    with database.reading() as connection:
        now = {table.name: table for table in tables_of(connection)}
        for name, row in written:
            same = sa.and_(*(now[name].c[column] == value for column, value in row.items()))
            assert connection.scalar(sa.select(sa.func.count()).select_from(now[name]).where(same)) == 1, (name, row)
    database.close()
    assert {name for name, _ in written} == set(metadata.tables)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_opens_and_is_brought_to_the_newest(url: str, clock: Any, version: str) -> None:
    database = Database.at(url)
    with database.writing() as connection:
        migrate(connection, version)
    database.close()
    store = open_store(url, clock)
    assert store.check().endswith(f"schema {HEAD}")
    store.close()


def test_a_database_of_newer_code_is_used_as_it_is(opened: Callable[[], Store], url: str) -> None:
    opened().close()
    set_version(url, "9999")
    newer = opened()
    assert newer.check().endswith("schema 9999")
    assert newer.once.first_time("Ev1", keep_s=60)


@pytest.mark.parametrize("version", VERSIONS)
def test_code_of_every_version_works_on_the_newest(opened: Callable[[], Store], url: str, version: str) -> None:
    """What it writes, changes, reads and removes, in the columns that it knows of."""
    database = Database.at(url)
    with database.writing() as connection:
        migrate(connection, version)
        known = tables_of(connection)
    opened()
    for table in known:
        row, other = a_row(table, "7"), a_row(table, "8")
        new = database.insert(table).values(row).on_conflict_do_nothing()
        with database.writing() as connection:
            assert [connection.execute(new).rowcount for _ in range(2)] == [1, 0], table.name
            (found,) = connection.execute(table.select()).mappings()
            assert {name: _bare(value) for name, value in found.items()} == row
            assert connection.execute(table.update().values(other)).rowcount == 1
            (found,) = connection.execute(table.select()).mappings()
            assert {name: _bare(value) for name, value in found.items()} == other
            assert connection.execute(table.delete()).rowcount == 1
    database.close()


def _bare(value: Any) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


CLAIMS_OF_0001 = """
    INSERT INTO claims (service, project_id, build_id, run_number, attempt, state, actor_id, channel, thread,
        replaced_status_word, asked_at, changed_at, seen_running)
    VALUES ('codeship', '3', :build, 1, 1, 'sent', 'UADA', 'C1', NULL,
        'error', '2026-03-01 12:00:00.000000', '2026-03-01 12:00:00.000000', false)
    ON CONFLICT DO NOTHING
"""


def test_a_claim_of_older_code_is_one_to_newer_and_the_other_way_round(
    opened: Callable[[], Store], url: str, wanted: Callable[..., Claim]
) -> None:
    newer, older = opened(), Database.at(url)
    with older.writing() as connection:
        connection.execute(sa.text(CLAIMS_OF_0001), {"build": "7"})
    (claim,) = newer.claims.newest("codeship", ["7"])
    assert (claim.key, claim.state) == ("", ClaimState.SENT)
    assert newer.claims.claim(wanted("7", key="ask")) is None
    assert newer.claims.claim(wanted("8", key="ask")) is not None
    with older.writing() as connection:
        connection.execute(sa.text(CLAIMS_OF_0001), {"build": "8"})
        taken = connection.execute(sa.text("UPDATE claims SET state = 'taken' WHERE build_id = '8'"))
        assert taken.rowcount == 1
    older.close()
    found = newer.claims.of_ask("ask")
    assert found is not None
    assert found.state is ClaimState.TAKEN


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
