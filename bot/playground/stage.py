"""The real bot, assembled as in production, on a sandbox workspace and a sandbox CodeShip: all of it on loopback.

Only addresses, keys and the clock differ from a deployment; nothing of the bot is replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from tempfile import TemporaryDirectory
from typing import Literal

from bot.assembly import Bot
from bot.core.ports import Clock
from bot.parts import PATIENCE, Patience
from bot.playground.codeship_demo import seed
from bot.playground.codeship_host import CodeShipHost
from bot.playground.codeship_world import CodeShipWorld
from bot.playground.delivery import ACK_WITHIN_S, HttpCarrier
from bot.playground.slack_api import SlackApi
from bot.playground.socket_mode import SocketMode
from bot.playground.wires import Wires
from bot.playground.workspace import SCOPES, Workspace
from bot.settings import Settings

# Of the sandbox only: they open nothing anywhere else.
BOT_TOKEN = "xoxb-1000000000-sandbox-bot"  # noqa: S105
APP_TOKEN = "xapp-1-A0CODESHIP-sandbox-app"  # noqa: S105
SIGNING_SECRET = "5a4db0c5516e40b6a3cd1f7dfd2a1d00"  # noqa: S105
API_KEY = "sandbox0key0of0the0playground000"

Transport = Literal["http", "socket mode"]


class Stage:
    """`start`, then play: people in `workspace`, CI in `codeship`; `stop` at the end. Also a context manager.

    Without a `database_url`, the database is a file that goes with the stage. `ack_within_s` is how long Slack waits
    for an acknowledgement: longer than the true one where it is not asked how fast the machine is. What the bot is
    set to besides comes in `environ` or by name.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        transport: Transport = "http",
        database_url: str | None = None,
        seeded: bool = True,
        patience: Patience = PATIENCE,
        ack_within_s: float = ACK_WITHIN_S,
        environ: Mapping[str, str] | None = None,
        **more_settings: str,
    ) -> None:
        self._clock = clock
        self._transport = transport
        self._folder = TemporaryDirectory(prefix="codeship-bot-")
        self._database_url = database_url or f"sqlite:///{self._folder.name}/bot.sqlite3"
        self._more_settings = more_settings = {**(environ or {}), **more_settings}
        self._patience = patience
        self._ack_within_s = ack_within_s
        self.codeship = CodeShipWorld(clock.now, API_KEY)
        if seeded:
            seed(self.codeship)
        app_token = APP_TOKEN if transport == "socket mode" else None
        secrets = (BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, API_KEY, more_settings.get("CODESHIP_API_KEY", ""))
        self.wires = Wires(clock.now, secrets)
        self.codeship_host = CodeShipHost(self.codeship, wires=self.wires)
        scopes = SCOPES | {"usergroups:read"} if "POLICY" in more_settings else SCOPES
        self.workspace = Workspace(clock.now, BOT_TOKEN, app_token, SIGNING_SECRET, scopes, wires=self.wires)
        self.slack = SlackApi(self.workspace, sockets=SocketMode(self.workspace.app.id, ack_within_s))
        self.bot: Bot | None = None
        self._references = count(1)

    def start(self) -> Stage:
        """Returns when the bot can be asked."""
        self.codeship_host.start()
        self.slack.start()
        self.start_bot()
        return self

    def start_bot(self) -> Bot:
        """A bot, the first or one after `stop_bot`, on the same workspace, account and database."""
        bot = Bot(
            self.settings(),
            self._clock,
            {},
            on_dead=lambda: None,
            reference=self._reference,
            patience=self._patience,
            random=lambda: 1.0,  # pauses too pass on the stage's clock, and are to be the same every time
        )
        self.bot = bot
        bot.start()
        if self._transport == "http" and bot.web is not None:
            url = f"http://127.0.0.1:{bot.web.port}/slack/events"
            self.workspace.deliver_through(HttpCarrier(url, SIGNING_SECRET, self._ack_within_s))
        return bot

    def _reference(self) -> str:
        """Counted, so that a conversation can be repeated word by word."""
        return f"r{next(self._references)}"

    def stop_bot(self) -> None:
        if self.bot is not None:
            self.bot.stop()
            self.bot = None

    def stop(self) -> None:
        self.codeship.release()
        self.stop_bot()
        self.slack.stop()
        self.codeship_host.stop()
        self._folder.cleanup()

    def settle(self, timeout_s: float = 20.0) -> bool:
        """Whether everything asked has been answered and nothing goes on behind the scenes, waiting for it."""
        bot = self.bot
        return bot is None or (
            bot.workers.wait_idle(timeout_s)
            and (bot.jobs is None or bot.jobs.wait_idle(timeout_s))
            and bot.directory.wait_idle(timeout_s)
        )

    def look(self) -> None:
        """Looks at whatever is followed, now, as the bot does by itself every few seconds."""
        if self.bot is not None and self.bot.following is not None:
            for project in self.codeship.projects():
                self.bot.following.look(self.bot.ci.service, str(project.id))

    def settings(self) -> Settings:
        """As an operator would set them, with the sandbox's addresses."""
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
        return Settings.read(environ | self._more_settings)

    def __enter__(self) -> Stage:
        return self.start()

    def __exit__(self, *_failure: object) -> None:
        self.stop()
