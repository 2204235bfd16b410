"""All tables of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)

    # Claims on restarts, the project list, idempotency keys
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
        sa.Column("replaced_attempts", sa.Text, nullable=False, server_default=""),
        sa.Column("failed_jobs_only", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("requested_at", moment, nullable=False),
        sa.Column("changed_at", moment, nullable=False),
        sa.Column("seen_running", sa.Boolean, nullable=False),
        sa.Column("new_build_id", sa.Text),
        sa.Column("key", sa.Text, nullable=False, server_default=""),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("posts", sa.Text, nullable=False),
        sa.UniqueConstraint("service", "build_id", "run_number", "kind", name="claims_one_per_run"),
    )
    op.create_index("claims_by_new_build", "claims", ["service", "new_build_id"])
    op.create_index("claims_by_key", "claims", ["key"])
    op.create_table(
        "project_lists",
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
        sa.Column("default_branch", sa.Text),
    )
    op.create_table(
        "channel_names",
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("alias", sa.Text, primary_key=True),
        sa.Column("repo", sa.Text, nullable=False),
        sa.Column("branch", sa.Text),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.Column("set_at", moment, nullable=False),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("key_hash", sa.Text, primary_key=True),
        sa.Column("expires_at", moment, nullable=False),
    )
    op.create_index("idempotency_keys_by_expiry", "idempotency_keys", ["expires_at"])
    op.create_table(
        "response_urls",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
    )
    op.create_index("response_urls_by_expiry", "response_urls", ["expires_at"])

    # The audit log
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", moment, nullable=False),
        sa.Column("actor_id", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
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
        sa.Column("request_hash", sa.Text),
        sa.UniqueConstraint("request_hash", name="audit_one_per_request"),
    )
    op.create_index("audit_by_time", "audit", ["at"])
    op.create_index("audit_by_project", "audit", ["service", "project_id", "at"])

    # The rate limit of a CI service: calls in the last minute, calls leased by processes, pauses
    op.create_table(
        "rate_limits",
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("paused_until", moment),
        sa.Column("paused_at", moment),
        sa.Column("pauses", sa.Integer, nullable=False),
    )
    op.create_table(
        "rate_limit_calls",
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("second", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("calls", sa.Integer, nullable=False),
    )
    op.create_table(
        "rate_limit_leases",
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, primary_key=True),
        sa.Column("held", sa.Integer, nullable=False),
        sa.Column("counts_until", moment, nullable=False),
    )

    # Live messages, the chains of polls for their projects, how runs ended
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
        sa.Column("before_attempts", sa.Text, nullable=False, server_default=""),
        sa.Column("before_status", sa.Text),
        sa.Column("cancelled", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("others", sa.Text, nullable=False, server_default=""),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reply", sa.Text, nullable=False),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("shown_at", moment),
        sa.Column("polled_at", moment),
        sa.Column("version", sa.Integer, nullable=False),
        sa.UniqueConstraint("key", name="follows_one_per_key"),
    )
    op.create_index("follows_by_project", "follows", ["service", "project_id", "state"])
    op.create_index("follows_by_asker", "follows", ["asker_id", "state"])
    op.create_index("follows_by_channel", "follows", ["channel", "state", "build_id"])
    op.create_table(
        "live_claims",
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("build_id", sa.Text, primary_key=True),
        sa.Column("run_number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("claimed_at", moment, nullable=False),
    )
    op.create_table(
        "poll_chains",
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

    op.create_table(
        "ended_builds",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("project_id", sa.Text, nullable=False),
        sa.Column("branch", sa.Text, nullable=False),
        sa.Column("build_id", sa.Text, nullable=False),
        sa.Column("commit_id", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("started_at", moment),
        sa.Column("finished_at", moment, nullable=False),
        sa.UniqueConstraint("service", "project_id", "build_id", "finished_at", name="ended_builds_once_a_run"),
    )
    op.create_index("ended_builds_by_age", "ended_builds", ["finished_at"])

    # Subscriptions and mutes
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("filters", sa.Text, nullable=False),
        sa.Column("maker_id", sa.Text),
        sa.Column("created_at", moment),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("paused", sa.Text),
        sa.UniqueConstraint("channel", "origin", "filters", name="subscriptions_once_a_channel"),
    )
    op.create_table(
        "mutes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("repositories", sa.Text, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.Column("maker_id", sa.Text, nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column("claimed_at", moment),
        sa.UniqueConstraint("channel", "repositories", name="mutes_once_a_channel"),
    )

    # What channels hear: which process polls, what it has seen, what is due, and why
    op.create_table(
        "watch_leases",
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("expires_at", moment, nullable=False),
    )
    op.create_table(
        "watched_projects",
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("project_id", sa.Text, primary_key=True),
        sa.Column("polled_at", moment, nullable=False),
        sa.Column("seen_to", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "watched_branches",
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("project_id", sa.Text, primary_key=True),
        sa.Column("branch", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("broken_since", moment),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("project_id", sa.Text, nullable=False),
        sa.Column("branch", sa.Text),
        sa.Column("period", sa.Text),
        sa.Column("transition", sa.Text, nullable=False),
        sa.Column("seen_by", sa.Text, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("due_at", moment, nullable=False),
        sa.Column("changed_at", moment, nullable=False),
        sa.Column("subscription_id", sa.Integer),
        sa.Column("reminder", sa.Boolean, nullable=False),
        sa.Column("mentions", sa.Text, nullable=False),
        sa.Column("replies", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("ts", sa.Text),
        sa.Column("head_ts", sa.Text),
        sa.Column("digest_ts", sa.Text),
        sa.Column("digest_at", moment),
        sa.Column("doubtful", sa.Boolean, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.UniqueConstraint("key", name="deliveries_one_per_key"),
    )
    op.create_index("deliveries_by_channel", "deliveries", ["channel", "state"])
    op.create_index("deliveries_by_time", "deliveries", ["channel", "changed_at"])
    op.create_index("deliveries_by_period", "deliveries", ["channel", "service", "project_id", "branch", "period"])
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", moment, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("project_id", sa.Text, nullable=False),
        sa.Column("branch", sa.Text),
        sa.Column("build_id", sa.Text, nullable=False),
        sa.Column("number", sa.Text),
        sa.Column("workflow", sa.Text),
        sa.Column("seen_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("channel", sa.Text),
        sa.Column("subscription_id", sa.Integer),
    )
    op.create_index("decisions_by_branch", "decisions", ["service", "project_id", "branch", "at"])
    op.create_index("decisions_by_age", "decisions", ["at"])

    # The daily and weekly digests of channels
    op.create_table(
        "report_plans",
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("every", sa.Text, nullable=False),
        sa.Column("day", sa.Text),
        sa.Column("hour", sa.Integer, nullable=False),
        sa.Column("minute", sa.Integer, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("maker_id", sa.Text, nullable=False),
        sa.Column("next_at", moment, nullable=False),
        sa.Column("due_at", moment, nullable=False),
        sa.Column("claimed_at", moment),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("doubtful", sa.Boolean, nullable=False),
        sa.Column("refused", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("report_plans_by_time", "report_plans", ["due_at"])
    # Whose GitHub account is whose, and what each person hears
    op.create_table(
        "account_links",
        sa.Column("login", sa.Text, primary_key=True),
        sa.Column("spelling", sa.Text, nullable=False),
        sa.Column("person_id", sa.Text, nullable=False),
        sa.Column("linked_at", moment, nullable=False),
        sa.Column("claimed_by", sa.Text),
        sa.UniqueConstraint("person_id", name="account_links_one_per_person"),
    )
    op.create_table(
        "people",
        sa.Column("person_id", sa.Text, primary_key=True),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("way", sa.Text, nullable=False),
    )

    # How polling for channels goes, and which webhooks wait for a poll
    op.create_table(
        "polled_services",
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("polled_at", moment),
        sa.Column("every_s", sa.Float),
        sa.Column("failed_at", moment),
        sa.Column("failure", sa.Text, nullable=False, server_default=""),
        sa.Column("heard_at", moment),
    )
    op.create_table(
        "webhook_hints",
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("project_id", sa.Text, primary_key=True),
        sa.Column("heard_at", moment, nullable=False),
    )
    op.create_table(
        "webhook_counts",
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("result", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )

    # The repositories that each person asked about last
    op.create_table(
        "recent_projects",
        sa.Column("actor_id", sa.Text, primary_key=True),
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("project_id", sa.Text, primary_key=True),
        sa.Column("used_at", moment, nullable=False),
    )
    op.create_index("recent_projects_by_age", "recent_projects", ["used_at"])

    # Heartbeats of the processes that use this database
    op.create_table(
        "replicas",
        sa.Column("replica_id", sa.Text, primary_key=True),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("seen_at", moment, nullable=False),
    )
