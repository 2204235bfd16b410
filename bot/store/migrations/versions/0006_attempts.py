"""Which attempt each workflow of a run was in, where the CI service counts them; and restarts of failed jobs alone."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("claims", sa.Column("replaced_attempts", sa.Text, nullable=False, server_default=""))
    op.add_column("claims", sa.Column("failed_jobs_only", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("follows", sa.Column("before_attempts", sa.Text, nullable=False, server_default=""))
