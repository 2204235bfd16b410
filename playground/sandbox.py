"""The real bot, assembled as in production, with a simulated Slack and CodeShip on loopback.

If the bot also serves GitHub Actions (`HALF_MOVED`), a simulated GitHub joins them. Only addresses, keys and the clock
differ from a deployment; nothing of the bot is replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from tempfile import TemporaryDirectory
from typing import Literal

from bot.app.bot import Bot
from bot.app.settings import Settings
from bot.app.timeouts import TIMEOUTS, Timeouts
from bot.core.ports import Clock
from playground.codeship.demo_data import seed
from playground.codeship.server import CodeShipHost
from playground.codeship.state import CodeShipWorld
from playground.github.sandbox import GITHUB_TOKEN, WEBHOOK_SECRET, GitHubSandbox
from playground.github.state import GitHubWorld
from playground.slack.outgoing.delivery import ACK_TIMEOUT_S, HttpTransport
from playground.slack.outgoing.socket_mode import SocketMode
from playground.slack.server import SlackApi
from playground.slack.workspace import SCOPES, Workspace
from playground.traffic import TrafficLog

# Only for the sandbox: they give access to nothing else.
BOT_TOKEN = "xoxb-1000000000-sandbox-bot"  # noqa: S105
APP_TOKEN = "xapp-1-A0CODESHIP-sandbox-app"  # noqa: S105
SIGNING_SECRET = "5a4db0c5516e40b6a3cd1f7dfd2a1d00"  # noqa: S105
API_KEY = "sandbox0key0of0the0playground000"

SECRETS = (BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, API_KEY, GITHUB_TOKEN, WEBHOOK_SECRET)

HALF_MOVED = {"CI_PROVIDERS": "codeship,github"}
"""The settings of a team with some repositories at CodeShip and some on GitHub."""

_SCOPES_FOR = {
    "POLICY": ("usergroups:read",),
    "AUTHOR_EMAIL_DOMAINS": ("users:read", "users:read.email"),
}
"""The optional scopes that the app was given with a setting."""

Transport = Literal["http", "socket mode"]


class Sandbox:
    """Call `start`, then use `workspace`, `codeship` and `github`, then call `stop`. Also a context manager.

    `github` exists only if the bot serves it. Without a `database_url`, the database is a temporary file.
    `ack_timeout_s` is how long Slack waits for an acknowledgement: longer than in reality, unless the test measures
    speed. Further settings come in `environ` or by name.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        transport: Transport = "http",
        database_url: str | None = None,
        seeded: bool = True,
        timeouts: Timeouts = TIMEOUTS,
        ack_timeout_s: float = ACK_TIMEOUT_S,
        environ: Mapping[str, str] | None = None,
        **more_settings: str,
    ) -> None:
        self._clock = clock
        self._transport = transport
        self._folder = TemporaryDirectory(prefix="codeship-bot-")
        self._database_url = database_url or f"sqlite:///{self._folder.name}/bot.sqlite3"
        self._more_settings = more_settings = {**(environ or {}), **more_settings}
        self._timeouts = timeouts
        self._ack_timeout_s = ack_timeout_s
        self.codeship = CodeShipWorld(clock.now, API_KEY)
        if seeded:
            seed(self.codeship)
        app_token = APP_TOKEN if transport == "socket mode" else None
        self.wires = TrafficLog(clock.now, (*SECRETS, more_settings.get("CODESHIP_API_KEY", "")))
        self.codeship_host = CodeShipHost(self.codeship, wires=self.wires)
        has_github = "github" in more_settings.get("CI_PROVIDERS", "") and "GITHUB_API_URL" not in more_settings
        self.github_sandbox = GitHubSandbox(clock.now, self.wires, seeded=seeded) if has_github else None
        scopes = SCOPES | {scope for setting in more_settings for scope in _SCOPES_FOR.get(setting, ())}
        self.workspace = Workspace(clock.now, BOT_TOKEN, app_token, SIGNING_SECRET, scopes, wires=self.wires)
        self.slack = SlackApi(self.workspace, sockets=SocketMode(self.workspace.app.id, ack_timeout_s))
        self.bot: Bot | None = None
        self._references = count(1)
        self._looked_at_github = clock.now()

    @property
    def github(self) -> GitHubWorld | None:
        return self.github_sandbox.world if self.github_sandbox else None

    def start(self) -> Sandbox:
        """Returns when the bot accepts requests."""
        self.codeship_host.start()
        if self.github_sandbox is not None:
            self.github_sandbox.start()
        self.slack.start()
        self.start_bot()
        return self

    def start_bot(self) -> Bot:
        """Starts the first bot, or another one after `stop_bot`, on the same workspace, accounts and database."""
        bot = Bot(
            self.settings(),
            self._clock,
            {},
            on_dead=lambda: None,
            reference=self._reference,
            timeouts=self._timeouts,
            random=lambda: 1.0,  # pauses pass on the sandbox's clock, and must be the same each time
        )
        self.bot = bot
        bot.start()
        if bot.web is not None:
            site = f"http://127.0.0.1:{bot.web.port}"
            if self._transport == "http":
                carrier = HttpTransport(f"{site}/slack/events", SIGNING_SECRET, self._ack_timeout_s)
                self.workspace.deliver_through(carrier)
            if self.github_sandbox is not None:
                self.github_sandbox.start_webhooks(site)
        return bot

    def _reference(self) -> str:
        """Counted references, so that a conversation repeats exactly."""
        return f"r{next(self._references)}"

    def stop_bot(self) -> None:
        if self.github_sandbox is not None:
            self.github_sandbox.pause_webhooks()
        if self.bot is not None:
            self.bot.stop()
            self.bot = None

    def stop(self) -> None:
        self.codeship.release()
        if self.github is not None:
            self.github.release()
        self.stop_bot()
        self.slack.stop()
        if self.github_sandbox is not None:
            self.github_sandbox.stop()
        self.codeship_host.stop()
        self._folder.cleanup()

    def tick(self) -> None:
        """Advances builds and runs that are due."""
        self.codeship.tick()
        if self.github is not None:
            self.github.tick()

    def settle(self, timeout_s: float = 20.0) -> bool:
        """Whether every request was answered and no background work runs, within `timeout_s` seconds for each kind."""
        bot = self.bot
        return bot is None or (
            bot.workers.wait_idle(timeout_s)
            and (bot.work is None or bot.work.jobs.wait_idle(timeout_s))
            and self._has_heard(bot, timeout_s)
            and all(service.project_index.wait_idle(timeout_s) for service in bot.services)
        )

    def _has_heard(self, bot: Bot, timeout_s: float) -> bool:
        """Whether GitHub's webhooks were all sent and handled."""
        if self.github_sandbox is None:
            return True
        if not self.github_sandbox.wait_delivered(timeout_s):
            return False
        return bot.wait_heard(timeout_s) and (bot.work is None or bot.work.jobs.wait_idle(timeout_s))

    def poll(self) -> None:
        """Polls everything that is followed or watched now, as the bot does every few seconds.

        Polls GitHub only if time has passed: its webhook reports what happens there.
        """
        if self.bot is None or self.bot.work is None:
            return
        for project in self.codeship.projects():
            self.bot.work.poller.poll("codeship", str(project.id))
        now = self._clock.now()
        if self.github is not None and now > self._looked_at_github:
            self._looked_at_github = now
            for repo in self.github.repos():
                self.bot.work.poller.poll("github", str(repo.id))
        self.bot.work.notifications.poll_all()
        self.bot.work.notifications.send_reports()
        self.bot.work.jobs.wait_idle(20.0)

    def poll_soon(self) -> None:
        """Makes the bot poll CodeShip's projects for channels within seconds, as a webhook of each would."""
        if self.bot is not None and self.bot.work is not None:
            for project in self.codeship.projects():
                self.bot.work.notifications.poll_soon("codeship", str(project.id), "")

    def settings(self) -> Settings:
        """The settings as an operator would write them, with the sandbox's addresses."""
        environ = {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_API_URL": self.slack.api_url,
            "CODESHIP_API_KEY": API_KEY,
            "CODESHIP_API_URL": self.codeship_host.url,
            "DATABASE_URL": self._database_url,
            "HOST": "127.0.0.1",
        }
        if self._transport == "socket mode":
            environ["SLACK_APP_TOKEN"] = APP_TOKEN
        else:
            environ |= {"SLACK_SIGNING_SECRET": SIGNING_SECRET, "PORT": "0"}
        if self.github_sandbox is not None:
            environ |= self.github_sandbox.settings() | {"PORT": "0"}
        return Settings.read(environ | self._more_settings)

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *_failure: object) -> None:
        self.stop()
