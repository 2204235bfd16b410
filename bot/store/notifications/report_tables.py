"""The table of daily and weekly digests, as `bot.store.tables` has the others."""

from __future__ import annotations

import sqlalchemy as sa

from bot.store.tables import AnyText, Moment, metadata

report_plans = sa.Table(
    "report_plans",
    metadata,
    sa.Column("channel", AnyText, primary_key=True),
    sa.Column("every", AnyText, nullable=False),
    sa.Column("day", AnyText),
    sa.Column("hour", sa.Integer, nullable=False),
    sa.Column("minute", sa.Integer, nullable=False),
    sa.Column("zone", AnyText, nullable=False),
    sa.Column("maker_id", AnyText, nullable=False),
    sa.Column("next_at", Moment, nullable=False),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("claimed_at", Moment),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("doubtful", sa.Boolean, nullable=False),
    sa.Column("refused", AnyText, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index("report_plans_by_time", "due_at"),
)
