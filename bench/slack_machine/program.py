"""The same work on slack-machine (Socket Mode), in its own environment: a plugin and its start.

.venv/bin/python program.py
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import aiohttp
from machine import Machine
from machine.clients.slack import SlackClient
from machine.plugins.base import MachineBasePlugin
from machine.plugins.decorators import command
from machine.utils.collections import CaseInsensitiveDict
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

COMMAND = "/codeship"


class CodeShipPlugin(MachineBasePlugin):  # type: ignore[misc]
    """CodeShip"""

    async def init(self) -> None:
        self._url, self._key = os.environ["CODESHIP_API_URL"], os.environ["CODESHIP_API_KEY"]
        self._session = aiohttp.ClientSession()
        async with self._session.get(f"{self._url}/projects.json", params={"api_key": self._key}) as answer:
            listed = await answer.json()
        self._ids = {project["repository_name"]: project["id"] for project in listed["projects"]}

    @command(COMMAND)  # type: ignore[untyped-decorator]
    async def status(self, said: Any) -> None:
        _, repository, branch = said.text.split()
        params = {"api_key": self._key, "branch": branch}
        async with self._session.get(f"{self._url}/projects/{self._ids[repository]}.json", params=params) as answer:
            shown = await answer.json()
        build = max(shown["builds"], key=lambda build: build["id"])
        words = f"*{repository}* · {build['branch']} · {build['status']}"
        facts = f"{build['commit_id'][:7]} “{build['message'].splitlines()[0]}” by {build['github_username']}"
        blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": f"{words}\n{facts}"}}]
        await self.say(said._cmd_payload["channel_id"], text=words, blocks=blocks)


class OnLoopback(Machine):  # type: ignore[misc]
    """slack-machine has no setting for Slack's address; nothing else is changed."""

    async def _setup_slack_clients(self) -> None:
        token, slack = self._settings["SLACK_BOT_TOKEN"], os.environ["SLACK_API_URL"]
        client = AsyncWebClient(token=token, base_url=slack)
        self._socket_mode_client = SocketModeClient(app_token=self._settings["SLACK_APP_TOKEN"], web_client=client)
        self._client = SlackClient(self._socket_mode_client, self._tz)
        await self._client.setup()


async def main() -> None:
    settings = {
        "PLUGINS": ["program.CodeShipPlugin"],
        "SLACK_APP_TOKEN": os.environ["SLACK_APP_TOKEN"],
        "SLACK_BOT_TOKEN": os.environ["SLACK_BOT_TOKEN"],
        "HTTP_PROXY": None,
        "TZ": "UTC",
        "LOGLEVEL": "ERROR",
    }
    machine = OnLoopback(CaseInsensitiveDict(settings))
    running = asyncio.create_task(machine.run())
    while not running.done() and not (hasattr(machine, "_scheduler") and machine._scheduler.running):
        await asyncio.sleep(0.005)
    print("ready port=0", flush=True)
    await running


if __name__ == "__main__":
    asyncio.run(main())
