"""Below the floor: the same calls over bare sockets without a framework, to show how fast the floor itself is.

python -m bench.contenders.raw
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bench.fakes.http import Connections, Reply, Request, Serving, serve
from bench.fakes.websocket import PING, PONG, TEXT, Frames, frame

_STAMP = re.compile(rb"\r\nx-slack-request-timestamp: *(\S+)", re.IGNORECASE)
_SIGNATURE = re.compile(rb"\r\nx-slack-signature: *(\S+)", re.IGNORECASE)


class Raw:
    """Verifies, acknowledges, asks, answers."""

    def __init__(self) -> None:
        slack, codeship = urlsplit(os.environ["SLACK_API_URL"]), urlsplit(os.environ["CODESHIP_API_URL"])
        self._secret = os.environ.get("SLACK_SIGNING_SECRET", "").encode()
        self._key = os.environ["CODESHIP_API_KEY"]
        self._host, self._path = codeship.netloc, codeship.path
        self._slack_host = slack.netloc
        self._codeship, self._slack = Connections(codeship.port or 80), Connections(slack.port or 80)
        self._ids: dict[str, int] = {}
        self._begun: set[asyncio.Task[None]] = set()

    async def prepare(self) -> None:
        listed = json.loads(await self._get(f"{self._path}/projects.json?api_key={self._key}"))
        self._ids = {project["repository_name"]: project["id"] for project in listed["projects"]}

    def answer(self, request: Request, _serving: Serving) -> Reply:
        stamp, signature = _STAMP.search(request.head), _SIGNATURE.search(request.head)
        assert stamp is not None
        assert signature is not None
        wanted = hmac.new(self._secret, b"v0:" + stamp[1] + b":" + request.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(b"v0=" + wanted.encode(), signature[1]):
            return Reply(b"", status=b"401 Unauthorized")
        self.begin(dict(parse_qsl(request.body.decode())))
        return Reply(b"")

    def begin(self, command: dict[str, Any]) -> None:
        task = asyncio.create_task(self._do(command))
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)

    async def _do(self, command: dict[str, Any]) -> None:
        _, repository, branch = command["text"].split()
        body = await self._get(
            f"{self._path}/projects/{self._ids[repository]}.json?api_key={self._key}&branch={branch}"
        )
        build = max(json.loads(body)["builds"], key=lambda build: build["id"])
        words = f"*{repository}* · {build['branch']} · {build['status']}"
        facts = f"{build['commit_id'][:7]} “{build['message'].splitlines()[0]}” by {build['github_username']}"
        blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": f"{words}\n{facts}"}}]
        message = json.dumps({"channel": command["channel_id"], "text": words, "blocks": blocks}).encode()
        await _asked(self._slack, _post(b"/api/chat.postMessage", self._slack_host, message))

    async def link(self) -> None:
        """Socket Mode, until the connection ends."""
        token = os.environ["SLACK_APP_TOKEN"].encode()
        opened = await _asked(self._slack, _post(b"/api/apps.connections.open", self._slack_host, b"", token))
        address = urlsplit(json.loads(opened)["url"])
        reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
        writer.write(
            f"GET {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n".encode()
        )
        await reader.readuntil(b"\r\n\r\n")
        print("ready port=0", flush=True)
        frames = Frames()
        while data := await reader.read(65_536):
            for kind, content in frames.take(data):
                if kind == PING:
                    writer.write(frame(PONG, content, masked=True))
                elif kind == TEXT and (envelope := json.loads(content)).get("type") == "slash_commands":
                    ack = json.dumps({"envelope_id": envelope["envelope_id"]}).encode()
                    writer.write(frame(TEXT, ack, masked=True))
                    self.begin(envelope["payload"])

    async def _get(self, target: str) -> bytes:
        return await _asked(self._codeship, f"GET {target} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())


def _post(target: bytes, host: str, body: bytes, token: bytes = b"") -> bytes:
    return (
        b"POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (target, host.encode(), token, len(body), body)
    )


async def _asked(connections: Connections, request: bytes) -> bytes:
    came: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    answered: Callable[[int, bytes], None] = lambda _status, body: came.set_result(body)  # noqa: E731
    await connections.ask(request, answered)
    return await came


async def main() -> None:
    raw = Raw()
    await raw.prepare()
    if "SLACK_APP_TOKEN" in os.environ:
        await raw.link()
    else:
        print(f"ready port={await serve(raw.answer)}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
