"""The tables, as the newest migration leaves them, and the column types for the core's values.

Each change here needs a migration; a test compares the two.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

_UNSTORABLE = re.compile("[\\\\\x00\ud800-\udfff]")
_ESCAPED = re.compile(r"\\u([0-9a-f]{4})")


class AnyText(sa.TypeDecorator[str]):
    """Any string; reading returns it unchanged.

    PostgreSQL rejects NUL, and both databases reject half a surrogate pair, but people and services send both. They are
    stored as `\\u0000`. A backslash is stored as `\\u005c`, so that none is mistaken for an escape.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None:
            return None
        return _UNSTORABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None or "\\" not in value:
            return value
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)


class Moment(sa.TypeDecorator[datetime]):
    """A time with a zone, to the microsecond; reading returns it in UTC. Raises ValueError for one without a zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        # SQLite stores no zone: the method above wrote the value in UTC.
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = sa.MetaData()

channel_names = sa.Table(
    "channel_names",
    metadata,
    sa.Column("channel", AnyText, primary_key=True),
    sa.Column("alias", AnyText, primary_key=True),
    sa.Column("repo", AnyText, nullable=False),
    sa.Column("branch", AnyText),
    sa.Column("set_by", AnyText, nullable=False),
    sa.Column("set_at", Moment, nullable=False),
)

claims = sa.Table(
    "claims",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("service", AnyText, nullable=False),
    sa.Column("project_id", AnyText, nullable=False),
    sa.Column("build_id", AnyText, nullable=False),
    sa.Column("run_number", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("state", AnyText, nullable=False),
    sa.Column("actor_id", AnyText, nullable=False),
    sa.Column("channel", AnyText, nullable=False),
    sa.Column("thread", AnyText),
    sa.Column("replaced_status_word", AnyText, nullable=False),
    sa.Column("replaced_started_at", Moment),
    sa.Column("replaced_finished_at", Moment),
    sa.Column("replaced_attempts", AnyText, nullable=False, server_default=""),
    sa.Column("failed_jobs_only", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("requested_at", Moment, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("seen_running", sa.Boolean, nullable=False),
    sa.Column("new_build_id", AnyText),
    sa.Column("key", AnyText, nullable=False, server_default=""),
    sa.Column("kind", AnyText, nullable=False),
    sa.Column("posts", AnyText, nullable=False),
    sa.UniqueConstraint("service", "build_id", "run_number", "kind", name="claims_one_per_run"),
    sa.Index("claims_by_new_build", "service", "new_build_id"),
    sa.Index("claims_by_key", "key"),
)

project_lists = sa.Table(
    "project_lists",
    metadata,
    sa.Column("service", AnyText, primary_key=True),
    sa.Column("saved_at", Moment, nullable=False),
)

projects = sa.Table(
    "projects",
    metadata,
    sa.Column("service", AnyText, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("project_id", AnyText, nullable=False),
    sa.Column("name", AnyText, nullable=False),
    sa.Column("url", AnyText),
    sa.Column("default_branch", AnyText),
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("key_hash", AnyText, primary_key=True),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Index("idempotency_keys_by_expiry", "expires_at"),
)

response_urls = sa.Table(
    "response_urls",
    metadata,
    sa.Column("key", AnyText, primary_key=True),
    sa.Column("url", AnyText, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Index("response_urls_by_expiry", "expires_at"),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor_id", AnyText, nullable=False),
    sa.Column("source", AnyText, nullable=False),
    sa.Column("channel", AnyText, nullable=False),
    sa.Column("thread", AnyText),
    sa.Column("action", AnyText, nullable=False),
    sa.Column("service", AnyText, nullable=False),
    sa.Column("project_id", AnyText),
    sa.Column("project_name", AnyText),
    sa.Column("branch", AnyText),
    sa.Column("build_id", AnyText),
    sa.Column("result", AnyText, nullable=False),
    sa.Column("reason", AnyText, nullable=False),
    sa.Column("typed", AnyText, nullable=False),
    sa.Column("reference", AnyText, nullable=False),
    sa.Column("request_hash", AnyText),
    sa.UniqueConstraint("request_hash", name="audit_one_per_request"),
    sa.Index("audit_by_time", "at"),
    sa.Index("audit_by_project", "service", "project_id", "at"),
)

rate_limits = sa.Table(
    "rate_limits",
    metadata,
    sa.Column("service", AnyText, primary_key=True),
    sa.Column("paused_until", Moment),
    sa.Column("paused_at", Moment),
    sa.Column("pauses", sa.Integer, nullable=False),
)

rate_limit_calls = sa.Table(
    "rate_limit_calls",
    metadata,
    sa.Column("service", AnyText, primary_key=True),
    sa.Column("second", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("calls", sa.Integer, nullable=False),
)

rate_limit_leases = sa.Table(
    "rate_limit_leases",
    metadata,
    sa.Column("service", AnyText, primary_key=True),
    sa.Column("holder", AnyText, primary_key=True),
    sa.Column("held", sa.Integer, nullable=False),
    sa.Column("counts_until", Moment, nullable=False),
)

follows = sa.Table(
    "follows",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", AnyText, nullable=False),
    sa.Column("service", AnyText, nullable=False),
    sa.Column("project_id", AnyText, nullable=False),
    sa.Column("build_id", AnyText, nullable=False),
    sa.Column("run_number", sa.Integer, nullable=False),
    sa.Column("branch", AnyText),
    sa.Column("asker_id", AnyText, nullable=False),
    sa.Column("channel", AnyText, nullable=False),
    sa.Column("thread", AnyText),
    sa.Column("message_ts", AnyText, nullable=False),
    sa.Column("began_at", Moment, nullable=False),
    sa.Column("restarted", sa.Boolean, nullable=False),
    sa.Column("before_status_word", AnyText),
    sa.Column("before_started_at", Moment),
    sa.Column("before_finished_at", Moment),
    sa.Column("before_attempts", AnyText, nullable=False, server_default=""),
    sa.Column("before_status", AnyText),
    sa.Column("cancelled", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("others", AnyText, nullable=False, server_default=""),
    sa.Column("state", AnyText, nullable=False),
    sa.Column("reply", AnyText, nullable=False),
    sa.Column("shown", AnyText, nullable=False),
    sa.Column("shown_at", Moment),
    sa.Column("polled_at", Moment),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("key", name="follows_one_per_key"),
    sa.Index("follows_by_project", "service", "project_id", "state"),
    sa.Index("follows_by_asker", "asker_id", "state"),
    sa.Index("follows_by_channel", "channel", "state", "build_id"),
)

live_claims = sa.Table(
    "live_claims",
    metadata,
    sa.Column("channel", AnyText, primary_key=True),
    sa.Column("service", AnyText, primary_key=True),
    sa.Column("build_id", AnyText, primary_key=True),
    sa.Column("run_number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key", AnyText, nullable=False),
    sa.Column("claimed_at", Moment, nullable=False),
)

poll_chains = sa.Table(
    "poll_chains",
    metadata,
    sa.Column("service", AnyText, primary_key=True),
    sa.Column("project_id", AnyText, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("touched_at", Moment, nullable=False),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("service", AnyText, nullable=False),
    sa.Column("project_id", AnyText, nullable=False),
    sa.Column("build_id", AnyText, nullable=False),
    sa.Column("run_number", sa.Integer, nullable=False),
    sa.Column("commit_id", AnyText, nullable=False),
    sa.Column("branch", AnyText),
    sa.Column("status", AnyText, nullable=False),
    sa.Column("ended_at", Moment, nullable=False),
    sa.Column("recorded_at", Moment, nullable=False),
    sa.UniqueConstraint("service", "build_id", "run_number", name="runs_one_per_run"),
    sa.Index("runs_by_commit", "service", "project_id", "commit_id"),
    sa.Index("runs_by_age", "recorded_at"),
)

recent_projects = sa.Table(
    "recent_projects",
    metadata,
    sa.Column("actor_id", AnyText, primary_key=True),
    sa.Column("service", AnyText, primary_key=True),
    sa.Column("project_id", AnyText, primary_key=True),
    sa.Column("used_at", Moment, nullable=False),
    sa.Index("recent_projects_by_age", "used_at"),
)

replicas = sa.Table(
    "replicas",
    metadata,
    sa.Column("replica_id", AnyText, primary_key=True),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
)
