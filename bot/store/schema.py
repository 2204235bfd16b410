"""Which version the schema has, and the way to the newest. Versions only add, so a newer one serves older code too."""

from __future__ import annotations

import re

import sqlalchemy as sa

HEAD = "0001"
"""The newest file in `migrations/versions`; a test holds the two together. Written here so that an ordinary start
need not import Alembic, which would cost it a tenth of a second."""

_VERSION = re.compile(r"\d{4}")
_POSTGRESQL_LOCK = 0x636F646573686970  # any number that other programs on the same database do not take


class ForeignSchema(Exception):
    """The database carries the version mark of another program."""


def stored_version(connection: sa.Connection) -> str | None:
    """None for a database that is new. Raises ForeignSchema."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    if version is not None and not _VERSION.fullmatch(version):
        raise ForeignSchema(version)
    return version


def bring_to_head(connection: sa.Connection) -> None:
    """Within the transaction of `connection`, a writer's: several processes may do this at the same time."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_POSTGRESQL_LOCK)))
    version = stored_version(connection)
    if version is None or version < HEAD:
        migrate(connection, HEAD)


def migrate(connection: sa.Connection, version: str) -> None:
    """Runs what lies between the stored version and `version`."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "bot.store:migrations")
    command.upgrade(config, version)
