"""Tables of notifications: subscriptions, what is polled for them, deliveries, digests, and people."""

from __future__ import annotations

import sqlalchemy as sa

from bot.store.tables import AnyText, Moment, metadata

polled_services = sa.Table(
    "polled_services",
    metadata,
    sa.Column("service", AnyText, primary_key=True),
    sa.Column("polled_at", Moment),
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

ended_builds = sa.Table(
    "ended_builds",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("service", AnyText, nullable=False),
    sa.Column("project_id", AnyText, nullable=False),
    sa.Column("branch", AnyText, nullable=False),
    sa.Column("build_id", AnyText, nullable=False),
    sa.Column("commit_id", AnyText),
    sa.Column("status", AnyText, nullable=False),
    sa.Column("started_at", Moment),
    sa.Column("finished_at", Moment, nullable=False),
    sa.UniqueConstraint("service", "project_id", "build_id", "finished_at", name="ended_builds_once_a_run"),
    sa.Index("ended_builds_by_age", "finished_at"),
)

subscriptions = sa.Table(
    "subscriptions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("channel", AnyText, nullable=False),
    sa.Column("filters", AnyText, nullable=False),
    sa.Column("maker_id", AnyText),
    sa.Column("created_at", Moment),
    sa.Column("origin", AnyText, nullable=False),
    sa.Column("paused", AnyText),
    sa.UniqueConstraint("channel", "origin", "filters", name="subscriptions_once_a_channel"),
)

mutes = sa.Table(
    "mutes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("channel", AnyText, nullable=False),
    sa.Column("repositories", AnyText, nullable=False),
    sa.Column("until", Moment, nullable=False),
    sa.Column("maker_id", AnyText, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("claimed_at", Moment),
    sa.UniqueConstraint("channel", "repositories", name="mutes_once_a_channel"),
)

watch_leases = sa.Table(
    "watch_leases",
    metadata,
    sa.Column("service", AnyText, primary_key=True),
    sa.Column("holder", AnyText, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
)

watched_projects = sa.Table(
    "watched_projects",
    metadata,
    sa.Column("service", AnyText, primary_key=True),
    sa.Column("project_id", AnyText, primary_key=True),
    sa.Column("polled_at", Moment, nullable=False),
    sa.Column("seen_to", sa.BigInteger, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)

watched_branches = sa.Table(
    "watched_branches",
    metadata,
    sa.Column("service", AnyText, primary_key=True),
    sa.Column("project_id", AnyText, primary_key=True),
    sa.Column("branch", AnyText, primary_key=True),
    sa.Column("state", AnyText, nullable=False),
    sa.Column("broken_since", Moment),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("key", AnyText, nullable=False),
    sa.Column("channel", AnyText, nullable=False),
    sa.Column("service", AnyText, nullable=False),
    sa.Column("project_id", AnyText, nullable=False),
    sa.Column("branch", AnyText),
    sa.Column("period", AnyText),
    sa.Column("transition", AnyText, nullable=False),
    sa.Column("seen_by", AnyText, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("subscription_id", sa.Integer),
    sa.Column("reminder", sa.Boolean, nullable=False),
    sa.Column("mentions", AnyText, nullable=False),
    sa.Column("replies", AnyText),
    sa.Column("state", AnyText, nullable=False),
    sa.Column("reason", AnyText, nullable=False),
    sa.Column("ts", AnyText),
    sa.Column("head_ts", AnyText),
    sa.Column("digest_ts", AnyText),
    sa.Column("digest_at", Moment),
    sa.Column("doubtful", sa.Boolean, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.UniqueConstraint("key", name="deliveries_one_per_key"),
    sa.Index("deliveries_by_channel", "channel", "state"),
    sa.Index("deliveries_by_time", "channel", "changed_at"),
    sa.Index("deliveries_by_period", "channel", "service", "project_id", "branch", "period"),
)

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("service", AnyText, nullable=False),
    sa.Column("project_id", AnyText, nullable=False),
    sa.Column("branch", AnyText),
    sa.Column("build_id", AnyText, nullable=False),
    sa.Column("number", AnyText),
    sa.Column("workflow", AnyText),
    sa.Column("seen_by", AnyText, nullable=False),
    sa.Column("reason", AnyText, nullable=False),
    sa.Column("detail", AnyText, nullable=False),
    sa.Column("channel", AnyText),
    sa.Column("subscription_id", sa.Integer),
    sa.Index("decisions_by_branch", "service", "project_id", "branch", "at"),
    sa.Index("decisions_by_age", "at"),
)

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

account_links = sa.Table(
    "account_links",
    metadata,
    sa.Column("login", AnyText, primary_key=True),
    sa.Column("spelling", AnyText, nullable=False),
    sa.Column("person_id", AnyText, nullable=False),
    sa.Column("linked_at", Moment, nullable=False),
    sa.Column("claimed_by", AnyText),
    sa.UniqueConstraint("person_id", name="account_links_one_per_person"),
)

people = sa.Table(
    "people",
    metadata,
    sa.Column("person_id", AnyText, primary_key=True),
    sa.Column("scope", AnyText, nullable=False),
    sa.Column("way", AnyText, nullable=False),
)
