"""Tables of polling for channels: how it goes, and which webhooks wait for a look."""

from __future__ import annotations

import sqlalchemy as sa

from bot.store.tables import AnyText, Moment, metadata

polled_services = sa.Table(
    "polled_services",
    metadata,
    sa.Column("service", AnyText, primary_key=True),
    sa.Column("looked_at", Moment),
    sa.Column("every_s", sa.Float),
    sa.Column("failed_at", Moment),
    sa.Column("failure", AnyText, nullable=False, server_default=""),
    sa.Column("heard_at", Moment),
)

webhook_hints = sa.Table(
    "webhook_hints",
    metadata,
    sa.Column("service", AnyText, primary_key=True),
    sa.Column("project_id", AnyText, primary_key=True),
    sa.Column("heard_at", Moment, nullable=False),
)

webhook_counts = sa.Table(
    "webhook_counts",
    metadata,
    sa.Column("service", AnyText, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("result", AnyText, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
)
