"""The calls of a CI service: made within the last minute, held by processes, paused."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "budgets",
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("paused_until", moment),
        sa.Column("pauses", sa.Integer, nullable=False),
    )
    op.create_table(
        "budget_calls",
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("second", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("calls", sa.Integer, nullable=False),
    )
    op.create_table(
        "budget_leases",
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, primary_key=True),
        sa.Column("held", sa.Integer, nullable=False),
        sa.Column("counts_until", moment, nullable=False),
    )
