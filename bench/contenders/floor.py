"""The floor: a bare Bolt for Python handler that does only the work, set up as well as possible.

No deduplication, no permissions, no state, no timeouts, no error messages: the result of a first afternoon.

    python -m bench.contenders.floor
"""

from __future__ import annotations

import asyncio
import os
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
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


def main() -> None:
    slack, codeship, key = (os.environ[name] for name in ("SLACK_API_URL", "CODESHIP_API_URL", "CODESHIP_API_KEY"))
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_maxsize=THREADS))
    client = WebClient(os.environ["SLACK_BOT_TOKEN"], base_url=slack, ssl=ssl.create_default_context())
    pool = ThreadPoolExecutor(THREADS)
    us = client.auth_test()
    listed = session.get(f"{codeship}/projects.json", params={"api_key": key}).json()
    ids = {project["repository_name"]: project["id"] for project in listed["projects"]}
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
        params = {"api_key": key, "branch": branch[0] if branch else BRANCH}
        shown = session.get(f"{codeship}/projects/{ids[repository]}.json", params=params).json()
        build = max(shown["builds"], key=lambda build: build["id"])
        words = f"*{repository}* · {build['branch']} · {build['status']}"
        facts = f"{build['commit_id'][:7]} “{build['message'].splitlines()[0]}” by {build['github_username']}"
        blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": f"{words}\n{facts}"}}]
        client.chat_postMessage(channel=command["channel_id"], text=words, blocks=blocks)

    @app.command(COMMAND)
    def status(ack: Any, command: dict[str, Any]) -> None:
        ack()
        pool.submit(answer, command)

    if "SLACK_APP_TOKEN" in os.environ:
        asyncio.run(_over_socket(app, slack))
    else:
        server = waitress.create_server(SlackRequestHandler(app), host="127.0.0.1", port=0, threads=16)
        print(f"ready port={server.effective_port}", flush=True)
        server.run()


async def _over_socket(app: App, slack: str) -> None:
    client = SocketModeClient(os.environ["SLACK_APP_TOKEN"], web_client=AsyncWebClient(base_url=slack), ping_interval=3)

    async def take(_client: Any, envelope: SocketModeRequest) -> None:
        await asyncio.to_thread(app.dispatch, BoltRequest(mode="socket_mode", body=envelope.payload))
        await client.send_socket_mode_response(SocketModeResponse(envelope.envelope_id))

    client.socket_mode_request_listeners.append(take)
    await client.connect()  # type: ignore[no-untyped-call]
    print("ready port=0", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()
