"""A simulated host of each CI service, with the same methods to say what happens there."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bot.ci.codeship.client import CodeShip
from bot.ci.github.client import GitHub
from bot.ci.github.http.auth import App
from bot.ci.service import CIClient, ClientContext
from bot.config.parsers import Secret
from playground.codeship.faults import over_the_limit
from playground.codeship.server import CodeShipHost
from playground.codeship.state import CodeShipWorld
from playground.github.api.server import ENTERPRISE_PREFIX, GitHubHost
from playground.github.faults import secondary_limit
from playground.github.state import GitHubWorld
from playground.http_host.faults import Fault
from playground.http_host.request_log import RequestLog
from tests.held_clock import HeldClock

KEY, WRONG_KEY = "s3cret-of-the-stage", "another-key-than-that"


class Stage(Protocol):
    """A service in which tests let things happen. `pushed` is what `push` returned."""

    @property
    def world(self) -> RequestLog: ...

    @property
    def name(self) -> str:
        """The service's."""

    @property
    def over_the_limit(self) -> Fault:
        """It wants no call for the next half a minute."""

    def client(self, context: ClientContext, *, key: str = KEY) -> CIClient: ...

    def add(self, name: str) -> None: ...

    def push(self, name: str, branch: str = "main", **commit: Any) -> Any: ...

    def start(self, pushed: Any) -> None: ...

    def end(self, pushed: Any, *, well: bool) -> None: ...

    def say(self, pushed: Any, word: str) -> None:
        """From now on it is in a state by this word."""

    def stop_host(self) -> None: ...


class CodeShipStage:
    name = "codeship"

    def __init__(self, clock: HeldClock) -> None:
        self.world = CodeShipWorld(clock.now, KEY)
        self.over_the_limit = over_the_limit(retry_after="30")
        self._host = CodeShipHost(self.world).start()

    def client(self, context: ClientContext, *, key: str = KEY) -> CIClient:
        return CodeShip(self._host.url, key, context)

    def add(self, name: str) -> None:
        self.world.add_project(name)

    def push(self, name: str, branch: str = "main", **commit: Any) -> Any:
        return self.world.push(name, branch, **commit)

    def start(self, pushed: Any) -> None:
        self.world.start(pushed)

    def end(self, pushed: Any, *, well: bool) -> None:
        self.world.finish(pushed, "success" if well else "error")

    def say(self, pushed: Any, word: str) -> None:
        self.world.change(pushed, status=word)

    def stop_host(self) -> None:
        self._host.stop()


class GitHubStage:
    name = "github"

    def __init__(self, clock: HeldClock) -> None:
        self.world = GitHubWorld(clock.now, KEY)
        self.over_the_limit = secondary_limit(retry_after="30")
        self._host = GitHubHost(self.world).start()

    def client(self, context: ClientContext, *, key: str = KEY) -> CIClient:
        return GitHub(self._host.url, Secret(key), context)

    def add(self, name: str) -> None:
        self.world.add_repo(name)

    def push(self, name: str, branch: str = "main", **commit: Any) -> Any:
        [run] = self.world.push(name, branch, **commit)
        return run

    def start(self, pushed: Any) -> None:
        self.world.start(pushed)

    def end(self, pushed: Any, *, well: bool) -> None:
        self.world.finish(pushed, "success" if well else "failure")

    def say(self, pushed: Any, word: str) -> None:
        self.world.change(pushed, status=word, conclusion=None)

    def stop_host(self) -> None:
        self._host.stop()


@cache
def app_key(name: str) -> tuple[str, str]:
    """The private key of an App and the public one, as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


class GitHubAppStage(GitHubStage):
    """The bot as a GitHub App, at an Enterprise Server without limits."""

    def __init__(self, clock: HeldClock) -> None:
        super().__init__(clock)
        self.world.accounts.limits.per_hour = None
        self._app = self.world.accounts.add_app(app_key(KEY)[1])
        self._installed = self.world.accounts.install(self._app, "acme")
        self._host.stop()
        host = GitHubHost(self.world, prefix=ENTERPRISE_PREFIX).start()
        host.stop()
        host.web_url = host.url.removesuffix(ENTERPRISE_PREFIX)
        self._host = host.start()

    def client(self, context: ClientContext, *, key: str = KEY) -> CIClient:
        who = App(str(self._app.id), str(self._installed.id), Secret(app_key(key)[0]))
        return GitHub(self._host.url, who, context)


STAGES: dict[str, Callable[[HeldClock], Stage]] = {
    "codeship": CodeShipStage,
    "github": GitHubStage,
    "github as an App at an Enterprise Server": GitHubAppStage,
}
