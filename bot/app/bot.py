"""Assembles the bot from its parts. Production, tests and the playground differ only in settings and clock."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from wsgiref.types import WSGIApplication

import structlog

from bot.app.ci_services import CIServices
from bot.app.clients import proxy_for, slack_client
from bot.app.clock import SharedClock
from bot.app.notifications import Notifications
from bot.app.operations import operations_on
from bot.app.request_work import RequestWork
from bot.app.settings import Settings
from bot.app.threads import PeriodicTask
from bot.app.timeouts import TIMEOUTS, Timeouts
from bot.app.views import Views
from bot.config import policy_file, subscriptions_file
from bot.config.policy_file import policy_in
from bot.config.subscriptions_file import subscriptions_in
from bot.core.authorization import Authorizer
from bot.core.follows.channel_messages import ChannelMessages
from bot.core.follows.failure_logs import FailureLogs
from bot.core.follows.live_messages import LiveMessages
from bot.core.lookup.ci_registry import CIRegistry
from bot.core.lookup.recent_projects import RecentProjects
from bot.core.model.builds import Actor, Project
from bot.core.model.policy import BuildRules
from bot.core.notifications.sender import ANNOUNCE
from bot.core.polling.poller import POLL, Poller
from bot.core.ports import Clock, Job
from bot.http_server import WebApp, WebServer
from bot.jobs.durable import DurableJobs
from bot.jobs.heartbeat import new_replica_id
from bot.logs import hide, reference
from bot.metrics import Metrics
from bot.slack.answers import HandlerConfig, LiveMessagesThere, render_context
from bot.slack.audit_recorder import AuditRecorder
from bot.slack.blocks.context import RenderContext
from bot.slack.client.auth import Token, who_am_i
from bot.slack.client.channel_access import SlackChannelAccess
from bot.slack.client.chat_client import ChatClient
from bot.slack.client.connections import Connections
from bot.slack.client.emails import EmailLookup
from bot.slack.client.people import People
from bot.slack.client.permalinks import permalink
from bot.slack.client.response_urls import ResponseUrls
from bot.slack.client.shared_channels import SharedChannels
from bot.slack.client.user_groups import Membership, UserGroups
from bot.slack.detached_urls import DetachedUrls
from bot.slack.handler import REQUEST, FollowUps, Reporting, RequestHandler
from bot.slack.incoming.bolt_app import build_app
from bot.slack.incoming.http_mode import HttpMode
from bot.slack.incoming.payloads import Workspace
from bot.slack.incoming.recent_deliveries import Deliveries, RecentDeliveries
from bot.slack.incoming.workers import JobSubmitter, PoolFull, WorkerPool
from bot.slack.listeners import SCOPES, register
from bot.slack.outgoing.notifier import SlackNotifier
from bot.slack.outgoing.replies import Replies
from bot.store.database import Store, open_store

if TYPE_CHECKING:
    from bot.slack.incoming.socket_mode import SocketMode

SLACK_EVENTS = "/slack/events"
OPS_THREADS = 2

log = structlog.get_logger(__name__)


class Bot:
    """The assembled bot. Call `start` once and `stop` once. `on_dead` is called if the process should end."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        environ: Mapping[str, str],
        *,
        on_dead: Callable[[], None],
        reference: Callable[[], str] = reference,
        timeouts: Timeouts = TIMEOUTS,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._stopping = threading.Event()
        policy = policy_in(settings.policy)  # first: if a file is bad, nothing is opened
        self._of_file = subscriptions_in(settings.subscriptions, settings.ci_providers)
        self.metrics = Metrics()
        kept = timedelta(days=settings.audit_kept_days)
        self._clock = clock = SharedClock(clock)
        self.store: Store = open_store(settings.database_url.reveal(), clock, audit_kept=kept, learn_time=clock.learn)
        self.workers = WorkerPool(self._work_failed)
        self._client = slack_client(settings, timeouts)
        self._connections = Connections(timeouts.slack_s, tls=self._client.ssl, monotonic=clock.monotonic)
        self._mask = hide(settings.secrets(), shapes=())
        self._chat = ChatClient(
            settings.slack_bot_token.reveal(), settings.slack_api_url, self._connections, mask=self._mask
        )
        self._people = People(self._client, clock)
        self.rights = Authorizer(policy, Membership(UserGroups(self._client, clock), self._people))
        self._ci = CIServices(settings, self.store, self.metrics, clock, environ, timeouts, random, self._build_rules)
        self.services: CIRegistry = self._ci.services
        self._recent = RecentProjects(self.store.recent_projects, self.services, self._later)
        self._environ = environ
        self._on_dead = on_dead
        self._reference = reference
        self._timeouts = timeouts
        self.work: RequestWork | None = None
        self._socket: SocketMode | None = None
        self.web: WebServer | None = None
        self.ops_web: WebServer | None = None

    def _build_rules(self, project: Project) -> BuildRules | None:
        return self.rights.policy.builds_of(project.name)

    @property
    def reloads(self) -> list[Callable[[], object]]:
        """Each reads one of the files again that the settings name, and activates it if it has no mistakes."""
        settings, found = self._settings, list[Callable[[], object]]()
        if settings.policy is not None:
            found.append(partial(policy_file.reload, settings.policy, self.rights))
        if settings.subscriptions is not None:
            store = self.store.subscriptions
            found.append(partial(subscriptions_file.reload, settings.subscriptions, settings.ci_providers, store))
        return found

    def start(self) -> None:
        """Returns when the bot accepts requests. Raises TokenRefused, AppTokenRefused, CannotListen, StoreError.

        Raises SlackAway before anything has started, so that it may be called again.
        """
        token, settings = who_am_i(self._client), self._settings
        app = build_app(token.identity)
        with self.store.told_of_failures():
            self._ci.start()
            self.store.subscriptions.put_file(self._of_file)
            self._start_work(app, token)  # last: unfinished work of an earlier process continues at once
        self.metrics.watch("bot_work_under_way", "Asks that wait or are being answered.", self._under_way)
        self._ci.watched(self.metrics)
        self._start_web(app)
        self._start_socket_mode(app)
        log.info(
            "ready",
            team=token.team,
            bot=token.user,
            transport="socket mode" if self._socket else "http",
            port=self.web.port if self.web else None,
            ops_port=self.ops_web.port if self.ops_web else None,
            ci=", ".join(settings.ci_providers),
            policy=settings.policy or "none: everyone, guests too, may do everything",
            database=self.store.check(),
        )

    def stop(self) -> list[str]:
        """Accepts no new work, finishes running work for up to `finish_s` seconds, and names what is left.

        Requests to CI services may still be running, so the caller must end the process with `os._exit`.
        """
        deadline = time.monotonic() + self._timeouts.finish_s
        self._stopping.set()
        left = self.workers.stop(self._timeouts.finish_s)  # first, so that new requests are refused
        if self._socket is not None:
            self._socket.stop()
        for web in (self.web, self.ops_web):
            if web is not None:
                web.stop()
        if self.work is not None:
            self.work.stop(deadline)
        left += ["restart"] * self._ci.finish(deadline)  # so that its result is stored
        self._ci.close()
        self._connections.close()
        self.store.close()
        log.info("stopped", left=len(left))
        return left

    def wait_heard(self, timeout_s: float) -> bool:
        """Whether all webhooks received so far were handled within `timeout_s`."""
        return self._ci.wait_heard(timeout_s)

    def _start_work(self, app: Any, token: Token) -> None:
        """Launches the jobs and registers the listeners. `stop` ends what was started, also if this raises."""
        settings, identity = self._settings, token.identity
        home = Workspace(identity.team_id, identity.bot_user_id, identity.enterprise_id)
        config = HandlerConfig(
            settings.slack_command[0],
            f"@{token.user}",
            self._ci.words,
            settings.slack_allow_other_workspaces,
            self._timeouts.request_timeout_s,
            token.team,
        )
        # Jobs run the handler and the poller, and both start jobs. So both names are bound further down.
        kinds: dict[str, Job] = {
            REQUEST: lambda payload, step: handler.job(payload, step),  # noqa: PLW0108 - not bound yet
            POLL: lambda payload, step: poller.job(payload, step),  # noqa: PLW0108 - not bound yet
            ANNOUNCE: lambda payload, step: notifications.sender.job(payload, step),  # noqa: PLW0108 - not bound yet
        }
        replica_id = new_replica_id()
        jobs = self._jobs(kinds, replica_id)

        def is_colleague(actor: Actor) -> bool:
            return self._people.belongs_to(identity.enterprise_id or "", actor) is not False

        def context() -> RenderContext:
            # Read for each message: an App learns only from its first token whether it may restart builds.
            return render_context(replace(config, services=self._ci.words), self._clock, self.rights)

        channels = SharedChannels(self._client, self._clock)
        is_shared = (lambda _id: False) if settings.slack_allow_other_workspaces else channels.is_shared
        logs = FailureLogs(self.services, self.rights, is_shared)
        messages = LiveMessages(
            services=self.services,
            logs=logs,
            follows=self.store.follows,
            history=self.store.history,
            notifier=SlackNotifier(self._chat, context),
            clock=self._clock,
        )
        poller = Poller(
            services=self.services,
            follows=self.store.follows,
            messages=messages,
            jobs=jobs,
            clock=self._clock,
            pace=self._timeouts.pace,
            late=self.metrics.background_lag,
        )
        notifications = Notifications(
            self.services,
            self.rights,
            logs,
            self.store,
            self._chat,
            context,
            partial(permalink, self._client),
            jobs,
            self._clock,
            self.metrics,
            self._timeouts,
            replica_id,
            settings.time_zone,
            None if settings.slack_allow_other_workspaces else channels.is_shared,
            EmailLookup(self._client, self._clock).person,
            settings.author_email_domains or frozenset(),
        )
        live = ChannelMessages(self.store.follows, self._clock)
        access = SlackChannelAccess(self._client, token.scopes, SCOPES)
        operations = operations_on(
            self._ci, self.store, self.rights, notifications, live, self._clock, self._recent, access
        )
        urls = ResponseUrls(settings.slack_api_url, self._connections, mask=self._mask)
        submitter = JobSubmitter(jobs)
        handler = RequestHandler(
            config=config,
            clock=self._clock,
            deliveries=Deliveries(RecentDeliveries(self._clock), self.store.idempotency_keys),
            operations=operations,
            replies=Replies(self._chat, urls, self.store.idempotency_keys, config.mention),
            context=context,
            follow_ups=FollowUps(
                poller, lambda key, payload, after_s: jobs.start(REQUEST, key, payload, delay_s=after_s)
            ),
            is_colleague=is_colleague,
            reporting=Reporting(self._recorder(), self._reference, self.metrics.answered, self.store.explain),
            live=LiveMessagesThere(live, partial(permalink, self._client)),
            begin=submitter.begin,
            recent=self._recent.cached,
            reached=notifications.subscriptions.reached,
        )

        def maintain() -> None:
            poller.restart_stalled()
            self._ci.redeliver_failed()
            self.store.response_urls.purge()
            self.store.audit.purge()

        restart_stalled = PeriodicTask(self._timeouts.maintenance_s, "maintenance", maintain)
        self.work = work = RequestWork(jobs, submitter, handler, poller, restart_stalled, notifications)
        jobs.launch()
        restart_stalled.start()
        notifications.start()
        views = Views(self._chat, self.services, self._recent, self.store, context, self._clock, config)
        register(
            app,
            worker_pool=self.workers,
            handler=handler,
            forms=views.forms(handler, home, is_colleague),
            home=views.home(handler),
            previews=views.previews(self._client, operations, self.rights),
            submit=work.submitter.submit,
            clock=self._clock,
            workspace=home,
            commands=settings.slack_command,
            expect_reply=self._chat.open_ahead,
        )

    def _jobs(self, kinds: Mapping[str, Job], replica_id: str) -> DurableJobs:
        urls = DetachedUrls(self.store.response_urls)
        return DurableJobs(
            self._settings.database_url.reveal(),
            kinds,
            replicas=self.store.replicas,
            replica_id=replica_id,
            clock=self._clock,
            now=lambda: time.time() + self._clock.ahead_s,
            on_error=self._work_failed,
            timings=self._timeouts.jobs,
            pack=urls.detached,
            unpack=urls.attached,
        )

    def _later(self, work: Callable[[], None]) -> None:
        """Runs what can be left out if there is too much to do."""
        with suppress(PoolFull):
            self.workers.submit("recent repositories", work)

    def _under_way(self) -> int:
        return self.workers.under_way + (self.work.jobs.under_way if self.work else 0)

    def _recorder(self) -> AuditRecorder:
        hidden, not_recorded = hide(self._settings.secrets()), self.metrics.not_recorded
        return AuditRecorder(self.store.audit, self._clock, self._settings.ci_providers[0], hidden, not_recorded)

    def _start_web(self, app: Any) -> None:
        settings = self._settings
        if settings.ops_port is not None:
            ops = self._web_app({}, ops_pages=True)
            self.ops_web = WebServer(ops, settings.host, settings.ops_port, threads=OPS_THREADS, setting="OPS_PORT")
            self.ops_web.start()
        if settings.port is None:
            return
        posts = self._ci.webhooks(self.work.poll_soon) if self.work else {}
        if not settings.uses_socket_mode and settings.slack_signing_secret is not None:
            secret = settings.slack_signing_secret.reveal()
            posts[SLACK_EVENTS] = HttpMode(app, secret, observe_ack=self.metrics.acknowledged)
        site = self._web_app(posts, ops_pages=settings.ops_port is None)
        self.web = WebServer(site, settings.host, settings.port)
        self.web.start()

    def _web_app(self, posts: Mapping[str, WSGIApplication], *, ops_pages: bool) -> WebApp:
        registry, reference = self.metrics.registry, self._reference
        return WebApp(ready=self._ready, registry=registry, reference=reference, posts=posts, ops_pages=ops_pages)

    def _start_socket_mode(self, app: Any) -> None:
        settings = self._settings
        if settings.slack_app_token is None:
            return
        from bot.slack.incoming.socket_mode import (
            SocketMode,  # imported late: aiohttp is a tenth of the memory, and HTTP mode does not need it
        )

        self._socket = SocketMode(
            app,
            settings.slack_app_token.reveal(),
            api_url=settings.slack_api_url,
            tls=self._client.ssl,
            reference=self._reference,
            observe_ack=self.metrics.acknowledged,
            on_dead=self._on_dead,
            proxy=proxy_for(settings.slack_api_url, self._environ),
        )
        self._socket.start()

    def _ready(self) -> tuple[bool, Mapping[str, Any]]:
        """Whether Slack can reach the bot and the database can be written to.

        Does not depend on the CI services: "CodeShip is down" is an answer, too.
        """
        reachable = self._socket.connected if self._socket else not self._settings.uses_socket_mode
        trouble = self.store.trouble()
        return reachable and trouble is None and not self._stopping.is_set(), {
            "slack": "connected" if reachable else "not connected",
            "database": trouble or "written to",
            "projects_known": self._ci.projects_known,
        }

    def _work_failed(self, name: str, error: BaseException) -> None:
        """Logs the error, with a traceback unless the database is full, locked or away."""
        explained = self.store.explain(error)
        if explained is None:
            log.error("work_failed", work=name, exc_info=error)
        else:
            log.error("work_failed", work=name, why=str(explained))
