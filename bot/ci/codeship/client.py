"""CodeShip behind the `CIProvider` port: sends the requests of `api`. Its plugin is a row of `bot.ci.SERVICES`.

Makes no decisions about builds and logs nothing: what goes wrong is raised as a `CIError`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar
from wsgiref.types import WSGIApplication

from bot.ci.codeship import api as wire
from bot.ci.codeship.api import WEB_URL, parse_url
from bot.ci.codeship.project_list import ListReader
from bot.ci.codeship.webhook import PATH, CodeShipWebhook
from bot.ci.http_client.client import HttpClient
from bot.ci.service import CIClient, ClientContext, PollNow, ServicePlugin, SettingValues
from bot.config import parsers as values
from bot.config.setting import Setting
from bot.core.model.actions.values import ActionPlan, RunTarget
from bot.core.model.builds import Ability, Build, FailureLog, Page, Project
from bot.core.model.errors import NotPossible

API_URL = "https://codeship.com/api/v1"
WEBHOOK_TOKEN = "CODESHIP_WEBHOOK_TOKEN"  # noqa: S105 - the name of a setting

_T = TypeVar("_T")


class CodeShip:
    """A host that serves CodeShip's v1 API. `max_bytes` limits each of its responses, unpacked, and each project of a
    list, which may have any number of them.
    """

    service = wire.SERVICE
    title = wire.TITLE
    abilities = frozenset({Ability.RESTART})

    def __init__(
        self,
        api_url: str,
        api_key: str,
        context: ClientContext,
        *,
        web_url: str = WEB_URL,
        max_bytes: int = 4 * 1024 * 1024,
    ) -> None:
        self._api_url, self._key, self._web_url = api_url, api_key, web_url
        self._max_bytes = max_bytes
        self._tries = HttpClient(self.title, api_url, context)

    def parse_url(self, url: str) -> Page | None:
        return parse_url(url, self._web_url)

    def locate(self, project: Project, page: Page) -> Page | None:  # noqa: ARG002 - as `CIProvider.locate`
        """None: a build's page names its build, and the API knows no pull requests and no commits' pages."""
        return None

    def projects(self) -> list[Project]:
        return self._listed("projects", partial(wire.projects_in, web_url=self._web_url))

    def has_branch(self, project: Project, branch: str) -> bool | None:  # noqa: ARG002 - as `CIProvider.has_branch`
        """None: the API lists builds only."""
        return None

    @property
    def hidden_organizations(self) -> tuple[str, ...]:
        return ()

    def recent(self, wanted: Callable[[Project], bool]) -> list[tuple[Project, list[Build]]] | None:
        return self._listed("recent", partial(wire.recent_in, wanted=wanted, web_url=self._web_url))

    def builds(self, project: Project, branch: str | None = None) -> list[Build]:
        request = wire.builds_request(self._api_url, self._key, project.id, branch)
        read = partial(wire.parse_builds, project=project, web_url=self._web_url, key=self._key)
        return self._tries.ask("builds", request, read, max_bytes=self._max_bytes)

    def plan_restart(self, build: Build) -> ActionPlan:
        return ActionPlan((RunTarget(build.id),))

    def plan_cancel(self, build: Build) -> ActionPlan:  # noqa: ARG002 - no ability of its
        raise NotPossible(self.title, "its API has no call that cancels a build")

    def restart(self, build: Build, target: RunTarget, *, failed_jobs_only: bool = False) -> str:  # noqa: ARG002 - no ability of its
        request = wire.restart_request(self._api_url, self._key, target.run_id)
        read = partial(wire.parse_restart, key=self._key)
        return self._tries.ask_once("restart", request, read, max_bytes=self._max_bytes)

    def cancel(self, build: Build, target: RunTarget) -> None:  # noqa: ARG002 - no ability of its
        raise NotPossible(self.title, "its API has no call that cancels a build")

    def with_details(self, build: Build) -> Build:
        """Returns `build` unchanged: the API has no details."""
        return build

    def failure_log(self, build: Build) -> FailureLog | None:  # noqa: ARG002 - no ability of its
        """None: the API has no logs."""
        return None

    def redeliver_failed(self, is_first: Callable[[str], bool]) -> int:  # noqa: ARG002 - as `CIClient`
        return 0

    def close(self) -> None:
        self._tries.close()

    def _listed(self, call: str, parse: Callable[[list[wire.ListedProject | None]], list[_T]]) -> list[_T]:
        request = wire.projects_request(self._api_url, self._key)
        reader = partial(ListReader, parse, self._key, self._max_bytes)
        return self._tries.ask_stream(call, request, reader, max_bytes=self._max_bytes)


def _connect(set_to: SettingValues, context: ClientContext) -> CodeShip:
    return CodeShip(
        set_to["CODESHIP_API_URL"],
        set_to["CODESHIP_API_KEY"].reveal(),
        context,
        web_url=set_to["CODESHIP_WEB_URL"],
    )


def _webhook(
    set_to: SettingValues,
    client: CIClient,  # noqa: ARG001 - as `ServicePlugin.webhook`
    poll_now: PollNow,
) -> tuple[str, WSGIApplication] | None:
    token = set_to[WEBHOOK_TOKEN]
    return None if token is None else (PATH, CodeShipWebhook(token, poll_now))


CODESHIP = ServicePlugin(
    name=CodeShip.service,
    title=CodeShip.title,
    key_setting="CODESHIP_API_KEY",
    calls_setting="CODESHIP_CALLS_PER_MINUTE",
    unreachable_by_default="CodeShip's own host, codeship.com, has ended. Set CODESHIP_API_URL to a host with its API, "
    "and CODESHIP_WEB_URL to its pages",
    rows=(
        Setting(
            "CODESHIP_API_KEY",
            "The API key for CodeShip. The bot sees and restarts what the key's owner can.",
            "the operator of the host in CODESHIP_API_URL",
            values.key,
            required=True,
            secret=True,
        ),
        Setting(
            "CODESHIP_API_URL",
            "The host that serves CodeShip's v1 API. https, or http on this machine.",
            "the operator of that host",
            values.api_address,
            API_URL,
        ),
        Setting(
            "CODESHIP_WEB_URL",
            "The base URL of project and build pages, for links.",
            "the operator of that host",
            values.page_address,
            WEB_URL,
        ),
        Setting(
            "CODESHIP_CALLS_PER_MINUTE",
            "The most requests to CodeShip per minute, for all processes with the same database. Requests by people "
            "have priority.",
            "",
            values.calls_per_minute,
            "60",
        ),
        Setting(
            WEBHOOK_TOKEN,
            "Accepts webhooks from CodeShip at /codeship/webhook/<token>. With them the bot sees changes sooner. "
            "python -m bot webhook makes a token.",
            "",
            values.key,
            secret=True,
        ),
    ),
    connect=_connect,
    webhook=_webhook,
)
