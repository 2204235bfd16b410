"""CodeShip behind the `CIProvider` port: sends what `codeship_wire` asks for, and is a row of `bot.ci.SERVICES`.

It decides nothing about builds, and logs nothing: what goes wrong is raised, always as a `CIError`.
"""

from __future__ import annotations

from functools import partial

from bot.ci.codeship import api as wire
from bot.ci.codeship.api import WEB_URL, recognise
from bot.ci.http_client.client import Tries
from bot.ci.service import CIService, Surroundings, Values
from bot.config import parsers as values
from bot.config.setting import Row
from bot.core.model.builds import Ability, Build, Page, Project, Taken
from bot.core.model.errors import WillNot

API_URL = "https://codeship.com/api/v1"


class CodeShip:
    """A host that serves CodeShip's v1 API. The sizes bound its answers, unpacked."""

    service = wire.SERVICE
    title = wire.TITLE
    abilities: frozenset[Ability] = frozenset()

    def __init__(
        self,
        api_url: str,
        api_key: str,
        around: Surroundings,
        *,
        web_url: str = WEB_URL,
        max_list_bytes: int = 64 * 1024 * 1024,
        max_bytes: int = 4 * 1024 * 1024,
    ) -> None:
        self._api_url, self._key, self._web_url = api_url, api_key, web_url
        self._max_list_bytes, self._max_bytes = max_list_bytes, max_bytes
        self._tries = Tries(self.title, api_url, around)

    def recognise(self, url: str) -> Page | None:
        return recognise(url, self._web_url)

    def projects(self) -> list[Project]:
        request = wire.projects_request(self._api_url, self._key)
        read = partial(wire.decipher_projects, web_url=self._web_url, key=self._key)
        return self._tries.ask("projects", request, read, max_bytes=self._max_list_bytes)

    def builds(self, project: Project, branch: str | None = None) -> list[Build]:
        request = wire.builds_request(self._api_url, self._key, project.id, branch)
        read = partial(wire.decipher_builds, project=project, web_url=self._web_url, key=self._key)
        return self._tries.ask("builds", request, read, max_bytes=self._max_bytes)

    def restart(self, build: Build, *, failed_jobs_only: bool = False) -> Taken:  # noqa: ARG002 - no ability of its
        request = wire.restart_request(self._api_url, self._key, build.id)
        read = partial(wire.decipher_restart, key=self._key)
        new_id = self._tries.ask_once("restart", request, read, max_bytes=self._max_bytes)
        return Taken(new_id or build.id)

    def stop(self, build: Build) -> Taken:  # noqa: ARG002 - no ability of its
        raise WillNot(self.title, "its API has no call that stops a build")

    def in_detail(self, build: Build) -> Build:
        """As it is: the API tells nothing more."""
        return build

    def close(self) -> None:
        self._tries.close()


def _connect(set_to: Values, around: Surroundings) -> CodeShip:
    return CodeShip(
        set_to["CODESHIP_API_URL"],
        set_to["CODESHIP_API_KEY"].reveal(),
        around,
        web_url=set_to["CODESHIP_WEB_URL"],
    )


CODESHIP = CIService(
    name=CodeShip.service,
    title=CodeShip.title,
    key_setting="CODESHIP_API_KEY",
    calls_setting="CODESHIP_CALLS_PER_MINUTE",
    rows=(
        Row(
            "CODESHIP_API_KEY",
            "The key with which the bot asks CodeShip; it sees and restarts what the key's owner can.",
            "https://app.codeship.com/user/edit, API Key",
            values.key,
            required=True,
        ),
        Row(
            "CODESHIP_API_URL",
            "The host that serves CodeShip's v1 API. https, or http on this machine.",
            "whoever runs that host",
            values.api_address,
            API_URL,
        ),
        Row(
            "CODESHIP_WEB_URL",
            "Where the pages of projects and builds are, to link to.",
            "whoever runs that host",
            values.page_address,
            WEB_URL,
        ),
        Row(
            "CODESHIP_CALLS_PER_MINUTE",
            "How often the bot may ask CodeShip in any minute, all processes on one database together. People's "
            "questions come first.",
            "",
            values.calls_per_minute,
            "60",
        ),
    ),
    connect=_connect,
)
