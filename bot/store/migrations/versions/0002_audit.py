"""Who did what, and what came of it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Text, nullable=False),
        sa.Column("way", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("thread", sa.Text),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("project_id", sa.Text),
        sa.Column("project_name", sa.Text),
        sa.Column("branch", sa.Text),
        sa.Column("build_id", sa.Text),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("typed", sa.Text, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("ask_hash", sa.Text),
        sa.UniqueConstraint("ask_hash", name="audit_one_per_ask"),
    )
    op.create_index("audit_by_time", "audit", ["at"])
    op.create_index("audit_by_project", "audit", ["service", "project_id", "at"])
