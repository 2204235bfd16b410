"""Claims on restarts, the project directory, what was done once."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "claims",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("project_id", sa.Text, nullable=False),
        sa.Column("build_id", sa.Text, nullable=False),
        sa.Column("run_number", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("actor_id", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("thread", sa.Text),
        sa.Column("replaced_status_word", sa.Text, nullable=False),
        sa.Column("replaced_started_at", moment),
        sa.Column("replaced_finished_at", moment),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("changed_at", moment, nullable=False),
        sa.Column("seen_running", sa.Boolean, nullable=False),
        sa.Column("new_build_id", sa.Text),
        sa.UniqueConstraint("service", "build_id", "run_number", name="claims_one_per_run"),
    )
    op.create_index("claims_by_new_build", "claims", ["service", "new_build_id"])
    op.create_table(
        "directories",
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("saved_at", moment, nullable=False),
    )
    op.create_table(
        "projects",
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("project_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("url", sa.Text),
    )
    op.create_table(
        "done_once",
        sa.Column("key_hash", sa.Text, primary_key=True),
        sa.Column("expires_at", moment, nullable=False),
    )
    op.create_index("done_once_by_expiry", "done_once", ["expires_at"])
