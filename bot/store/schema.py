"""Reads the schema's version and migrates it. Versions only add things, so older code works on a newer schema."""

from __future__ import annotations

import re

import sqlalchemy as sa

import bot.store.notifications.tables  # noqa: F401 - adds its tables to `metadata`
from bot.store.tables import metadata

HEAD = "0001"
"""The newest file in `migrations/versions`, which a test checks.

It is a constant so that a normal start need not import Alembic, which would take a tenth of a second.
"""

_VERSION = re.compile(r"\d{4}")
_POSTGRESQL_LOCK = 0x636F646573686970  # any number that no other program on the same database uses


class ForeignSchema(Exception):
    """The database has the Alembic version of another program."""


def stored_version(connection: sa.Connection) -> str | None:
    """The schema's version; None for an empty database. Raises ForeignSchema."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    if version is not None and not _VERSION.fullmatch(version):
        raise ForeignSchema(version)
    return version


def bring_to_head(connection: sa.Connection) -> None:
    """Migrates to HEAD within a writer's transaction. Several processes may do this at the same time."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_POSTGRESQL_LOCK)))
    version = stored_version(connection)
    if version is None:
        _create(connection)
    elif version < HEAD:
        migrate(connection, HEAD)


def _create(connection: sa.Connection) -> None:
    """Creates the newest tables in an empty database. A test holds them to what the migrations lead to.

    Alembic, which would take ten MiB for as long as the process runs, is not imported for that.
    """
    metadata.create_all(connection, checkfirst=False)
    versions = sa.Table(
        "alembic_version",
        sa.MetaData(),
        sa.Column("version_num", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
    )
    versions.create(connection, checkfirst=False)
    connection.execute(versions.insert().values(version_num=HEAD))


def migrate(connection: sa.Connection, version: str) -> None:
    """Runs the migrations between the stored version and `version`."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "bot.store:migrations")
    command.upgrade(config, version)
