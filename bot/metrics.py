"""The bot's Prometheus metrics. Label values come from closed sets: never text from people or services.

`service` is a CI service's name as in the settings.
"""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bot.core.model.rate_limit import Priority

_ANSWER_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
_ACK_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 3.0)

_LAG_BUCKETS = (1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 300.0, 3600.0)


class Metrics:
    """One registry, and the methods that update it. Thread-safe."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._answers = Histogram(
            "bot_request_seconds",
            "Seconds from receiving a request to its reply in Slack.",
            ["source", "command", "result"],
            buckets=_ANSWER_BUCKETS,
            registry=self.registry,
        )
        self._acks = Histogram(
            "bot_ack_seconds",
            "Seconds from receiving a request from Slack to its acknowledgement.",
            ["kind"],
            buckets=_ACK_BUCKETS,
            registry=self.registry,
        )
        self._ci_calls = Histogram(
            "bot_ci_call_seconds",
            "Seconds of each request to a CI service; a retry counts as another one.",
            ["service", "call", "result"],
            buckets=_ANSWER_BUCKETS,
            registry=self.registry,
        )
        self._key_accepted = Gauge(
            "bot_ci_key_accepted",
            "1 if the CI service accepted the key last time, 0 if it rejected it.",
            ["service"],
            registry=self.registry,
        )
        self._undelivered = Counter(
            "bot_replies_not_delivered", "Replies that could not be delivered.", registry=self.registry
        )
        self._not_recorded = Counter(
            "bot_audit_not_recorded", "Actions that could not be written to the audit log.", registry=self.registry
        )
        self._reservations = Counter(
            "bot_ci_rate_limit_reservations",
            "Reservations of CI requests, by result: local, shared (in the database), fallback, refused, paused.",
            ["service", "priority", "result"],
            registry=self.registry,
        )
        self._projects_known = Gauge(
            "bot_projects_known", "Repositories in the cached list.", ["service"], registry=self.registry
        )
        self._calls_left = Gauge(
            "bot_ci_calls_left",
            "CI requests left for this minute.",
            ["service"],
            registry=self.registry,
        )
        self._paused = Gauge(
            "bot_ci_paused",
            "1 while the CI service limits the bot's requests.",
            ["service"],
            registry=self.registry,
        )
        self._background_lag = Gauge(
            "bot_poll_lag_seconds",
            "Seconds by which the last poll was late.",
            registry=self.registry,
        )

        self._notifications = Counter(
            "bot_notifications",
            "Notifications by kind (broke, fixed, digest, …) and result: told, retried, paused, uncertain, dropped.",
            ["kind", "result"],
            registry=self.registry,
        )
        self._notification_lag = Histogram(
            "bot_notification_lag_seconds",
            "Seconds from the end of a build until Slack accepted the notification.",
            buckets=_LAG_BUCKETS,
            registry=self.registry,
        )

        self._decisions = Counter(
            "bot_notification_decisions",
            "Why builds were no news for channels: no transition, muted, branch does not match, …",
            ["reason"],
            registry=self.registry,
        )
        self._subscriptions = Gauge(
            "bot_subscriptions", "Subscriptions of channels: active or paused.", ["state"], registry=self.registry
        )
        self._webhooks = Counter(
            "bot_webhooks",
            "Webhooks about watched repositories: news, or late if polling had shown the change already.",
            ["service", "result"],
            registry=self.registry,
        )
        self._webhooks_missed = Counter(
            "bot_webhooks_missed",
            "Changes that polling showed and no webhook reported within a minute, once webhooks have come.",
            ["service"],
            registry=self.registry,
        )

    def answered(self, source: str, command: str, result: str, seconds: float) -> None:
        self._answers.labels(source, command, result).observe(seconds)
        if result == "DeliveryFailed":
            self._undelivered.inc()

    def acknowledged(self, kind: str, seconds: float) -> None:
        self._acks.labels(kind).observe(seconds)

    def ci_called(self, service: str, call: str, result: str, seconds: float) -> None:
        self._ci_calls.labels(service, call, result).observe(seconds)

    def key_accepted(self, service: str, accepted: bool) -> None:
        self._key_accepted.labels(service).set(1 if accepted else 0)

    def rate_limit_reserved(self, service: str, priority: Priority, result: str) -> None:
        self._reservations.labels(service, priority.value, result).inc()

    def background_lag(self, seconds: float) -> None:
        self._background_lag.set(seconds)

    def not_recorded(self) -> None:
        self._not_recorded.inc()

    def notified(self, kind: str, result: str, lag_s: float | None) -> None:
        self._notifications.labels(kind, result).inc()
        if lag_s is not None:
            self._notification_lag.observe(lag_s)

    def decided(self, reason: str) -> None:
        self._decisions.labels(reason).inc()

    def webhook(self, service: str, result: str) -> None:
        self._webhooks.labels(service, result).inc()

    def webhook_missed(self, service: str) -> None:
        self._webhooks_missed.labels(service).inc()

    def watch_subscriptions(self, active: Callable[[], float], paused: Callable[[], float]) -> None:
        """Registers the gauges of channels' subscriptions."""
        self._subscriptions.labels("active").set_function(active)
        self._subscriptions.labels("paused").set_function(paused)

    def watch(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Registers a gauge that calls `value` on each scrape."""
        Gauge(name, meaning, registry=self.registry).set_function(value)

    def watch_service(
        self,
        service: str,
        *,
        projects_known: Callable[[], float],
        calls_left: Callable[[], float],
        is_paused: Callable[[], float],
    ) -> None:
        """Registers the gauges of one CI service."""
        self._projects_known.labels(service).set_function(projects_known)
        self._calls_left.labels(service).set_function(calls_left)
        self._paused.labels(service).set_function(is_paused)
