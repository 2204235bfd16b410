"""The floor: a bare Bolt for Python handler that does only the work, set up as well as possible.

No deduplication, no permissions, no state, no timeouts, no error messages: the result of a first afternoon. `lean` is
the same with urllib3 and msgspec in place of slack_sdk's client, requests and json: the least that Bolt allows.

    python -m bench.contenders.floor [lean]
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import msgspec
import requests
import urllib3
import waitress  # type: ignore[import-untyped]
from requests.adapters import HTTPAdapter
from slack_bolt import App, BoltRequest
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web import WebClient
from slack_sdk.web.async_client import AsyncWebClient

from bench.names import BRANCH, COMMAND

THREADS = 64
LIST = "/projects.json"
SLACK, TOKEN = os.environ.get("SLACK_API_URL", ""), os.environ.get("SLACK_BOT_TOKEN", "")
CODESHIP, KEY = os.environ.get("CODESHIP_API_URL", ""), os.environ.get("CODESHIP_API_KEY", "")


class Bare:
    """The calls as the documentation of slack_sdk and requests shows them."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = os.environ.get("SSL_CERT_FILE") or True
        self._session.mount(CODESHIP, HTTPAdapter(pool_maxsize=THREADS))
        self._slack = WebClient(TOKEN, base_url=SLACK, ssl=ssl.create_default_context())

    def us(self) -> Any:
        return self._slack.auth_test()

    def get(self, path: str, **params: str) -> Any:
        return self._session.get(f"{CODESHIP}{path}", params={"api_key": KEY, **params}).json()

    def post(self, message: dict[str, Any]) -> None:
        self._slack.chat_postMessage(**message)


class _Build(msgspec.Struct):
    id: int
    branch: str
    status: str
    commit_id: str
    message: str
    github_username: str


class _Project(msgspec.Struct):
    builds: list[_Build]


_PROJECT = msgspec.json.Decoder(_Project)


class Lean:
    """The same calls over one kept connection to each service, read into the fields that are needed."""

    def __init__(self) -> None:
        context = ssl.create_default_context() if SLACK.startswith("https") else None
        self._pools = urllib3.PoolManager(maxsize=THREADS, ssl_context=context, retries=False)
        self._headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json; charset=utf-8"}

    def us(self) -> Any:
        return msgspec.json.decode(self._pools.request("POST", f"{SLACK}auth.test", headers=self._headers).data)

    def get(self, path: str, **params: str) -> Any:
        body = self._pools.request("GET", f"{CODESHIP}{path}?{urlencode({'api_key': KEY, **params})}").data
        if path == LIST:
            return msgspec.json.decode(body)
        return {"builds": [msgspec.structs.asdict(max(_PROJECT.decode(body).builds, key=lambda build: build.id))]}

    def post(self, message: dict[str, Any]) -> None:
        body = msgspec.json.encode(message)
        self._pools.request("POST", f"{SLACK}chat.postMessage", body=body, headers=self._headers)


def main() -> None:
    calls = Lean() if sys.argv[1:] == ["lean"] else Bare()
    pool = ThreadPoolExecutor(THREADS)
    us = calls.us()
    ids = {project["repository_name"]: project["id"] for project in calls.get(LIST)["projects"]}
    app = App(
        signing_secret=os.environ.get("SLACK_SIGNING_SECRET", ""),
        authorize=lambda: AuthorizeResult(
            enterprise_id=None, team_id=us["team_id"], bot_user_id=us["user_id"], bot_id=us["bot_id"]
        ),
        process_before_response=True,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
        request_verification_enabled="SLACK_SIGNING_SECRET" in os.environ,
    )

    def answer(command: dict[str, Any]) -> None:
        _, repository, *branch = command["text"].split()
        shown = calls.get(f"/projects/{ids[repository]}.json", branch=branch[0] if branch else BRANCH)
        build = max(shown["builds"], key=lambda build: build["id"])
        words = f"*{repository}* · {build['branch']} · {build['status']}"
        facts = f"{build['commit_id'][:7]} “{build['message'].splitlines()[0]}” by {build['github_username']}"
        blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": f"{words}\n{facts}"}}]
        calls.post({"channel": command["channel_id"], "text": words, "blocks": blocks})

    @app.command(COMMAND)
    def status(ack: Any, command: dict[str, Any]) -> None:
        ack()
        pool.submit(answer, command)

    if "SLACK_APP_TOKEN" in os.environ:
        asyncio.run(_over_socket(app))
    else:
        server = waitress.create_server(SlackRequestHandler(app), host="127.0.0.1", port=0, threads=16)
        print(f"ready port={server.effective_port}", flush=True)
        server.run()


async def _over_socket(app: App) -> None:
    client = SocketModeClient(os.environ["SLACK_APP_TOKEN"], web_client=AsyncWebClient(base_url=SLACK), ping_interval=3)

    async def take(_client: Any, envelope: SocketModeRequest) -> None:
        await asyncio.to_thread(app.dispatch, BoltRequest(mode="socket_mode", body=envelope.payload))
        await client.send_socket_mode_response(SocketModeResponse(envelope.envelope_id))

    client.socket_mode_request_listeners.append(take)
    await client.connect()  # type: ignore[no-untyped-call]
    print("ready port=0", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()
