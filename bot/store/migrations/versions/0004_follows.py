"""Live messages, the chains of looks at their projects, how runs ended, and the asks that claims belong to."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("claims", sa.Column("key", sa.Text, nullable=False, server_default=""))
    op.create_index("claims_by_key", "claims", ["key"])
    op.create_table(
        "follows",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("project_id", sa.Text, nullable=False),
        sa.Column("build_id", sa.Text, nullable=False),
        sa.Column("run_number", sa.Integer, nullable=False),
        sa.Column("branch", sa.Text),
        sa.Column("asker_id", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("thread", sa.Text),
        sa.Column("message_ts", sa.Text, nullable=False),
        sa.Column("began_at", moment, nullable=False),
        sa.Column("restarted", sa.Boolean, nullable=False),
        sa.Column("before_status_word", sa.Text),
        sa.Column("before_started_at", moment),
        sa.Column("before_finished_at", moment),
        sa.Column("before_status", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reply", sa.Text, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("said_at", moment),
        sa.Column("looked_at", moment),
        sa.Column("version", sa.Integer, nullable=False),
        sa.UniqueConstraint("key", name="follows_one_per_key"),
    )
    op.create_index("follows_by_project", "follows", ["service", "project_id", "state"])
    op.create_table(
        "chains",
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("project_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("touched_at", moment, nullable=False),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("project_id", sa.Text, nullable=False),
        sa.Column("build_id", sa.Text, nullable=False),
        sa.Column("run_number", sa.Integer, nullable=False),
        sa.Column("commit_id", sa.Text, nullable=False),
        sa.Column("branch", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("ended_at", moment, nullable=False),
        sa.Column("recorded_at", moment, nullable=False),
        sa.UniqueConstraint("service", "build_id", "run_number", name="runs_one_per_run"),
    )
    op.create_index("runs_by_commit", "runs", ["service", "project_id", "commit_id"])
    op.create_index("runs_by_age", "runs", ["recorded_at"])
