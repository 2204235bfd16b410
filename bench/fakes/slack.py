"""Slack as a process: its Web API, its side of Socket Mode, and people who type. Counts and times every call.

python -m bench.fakes.slack
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any

from bench.fakes.commands import Book, Said, envelope, now_us, payload, request
from bench.fakes.http import Connections, Reply, Request, Serving, serve
from bench.fakes.told import Order, obey
from bench.fakes.websocket import Link, accepting
from bench.names import APP_TOKEN, BOT, BOT_USER, TEAM

EVENTS = "/slack/events"
STRAGGLERS_S = 20.0
"""Seconds that the last replies of a load are waited for. Later ones count as lost."""
PING_EVERY_S = 5.0

_ENVELOPE = re.compile(rb'"envelope_id": ?"e(\d+)"')
_TOKEN = re.compile(APP_TOKEN.encode() + rb"([a-z0-9-]+)")
_POSTED_TO = re.compile(rb'"channel": ?"(C[0-9A-Z]+)"')
_ANSWERS = frozenset({b"chat.postMessage", b"chat.postEphemeral"})

_FIXED: dict[bytes, dict[str, Any]] = {
    b"auth.test": {"team": "Acme", "user": "codeship", "team_id": TEAM, "user_id": BOT_USER, "bot_id": BOT},
    b"bots.info": {"bot": {"id": BOT, "user_id": BOT_USER, "name": "codeship", "app_id": "A0BENCH"}},
    b"users.list": {"members": [], "response_metadata": {"next_cursor": ""}},
    b"conversations.list": {"channels": [], "response_metadata": {"next_cursor": ""}},
    b"chat.postMessage": {"channel": "C0", "ts": "1772442000.000100", "message": {"text": ""}},
    b"chat.postEphemeral": {"message_ts": "1772442000.000100"},
    b"chat.update": {"channel": "C0", "ts": "1772442000.000100", "text": ""},
}


class Slack:
    """One workspace, in which several apps may be installed. `aim` says which one gets the commands."""

    def __init__(self) -> None:
        self.port = 0
        self._delay_s = 0.0
        self._calls: Counter[str] = Counter()
        self._book = Book()
        self._links: dict[str, Link] = {}
        self._posts: list[tuple[int, str]] = []
        self._target: Connections | str = ""
        self._target_port = 0
        self._bodies = {method: json.dumps({"ok": True, **body}).encode() for method, body in _FIXED.items()}

    # What the bot sees

    def answer(self, request: Request, serving: Serving) -> Reply | None:
        path, _, _query = request.target.partition(b"?")
        if path.startswith(b"/link/"):
            self._open_link(path.removeprefix(b"/link/").decode(), request, serving)
            return None
        if path.startswith(b"/commands/"):
            self._calls["response_url"] += 1
            self._book.answered_by(path)
            return Reply(b"ok", self._delay_s)
        method = path.removeprefix(b"/api/")
        self._calls[method.decode()] += 1
        if method == b"chat.postMessage" and (channel := _POSTED_TO.search(request.body)):
            self._posts.append((now_us(), channel[1].decode()))
        if method in _ANSWERS:
            self._book.answered_by(request.body)
        if method == b"apps.connections.open":
            return Reply(self._new_address(request), self._delay_s)
        return Reply(self._bodies.get(method, b'{"ok":false,"error":"unknown_method"}'), self._delay_s)

    def _new_address(self, request: Request) -> bytes:
        token = _TOKEN.search(request.head) or _TOKEN.search(request.body)
        if token is None:
            return b'{"ok":false,"error":"invalid_auth"}'
        return b'{"ok":true,"url":"ws://127.0.0.1:%d/link/%s"}' % (self.port, token[1])

    def _open_link(self, name: str, request: Request, serving: Serving) -> None:
        serving.transport.write(accepting(request.head))
        link = Link(serving.transport, self._heard, lambda: self._lost(name, link))
        link.send(b'{"type":"hello","num_connections":1,"connection_info":{"app_id":"A0BENCH"}}')
        self._links[name] = link

    def _lost(self, name: str, link: Link) -> None:
        if self._links.get(name) is link:
            del self._links[name]

    def _heard(self, text: bytes) -> None:
        acknowledged = _ENVELOPE.search(text)
        said = self._book.find(int(acknowledged[1])) if acknowledged else None
        if said is not None:
            said.acknowledged()

    async def keep_links(self) -> None:
        """Runs forever: clients that receive no ping for half a minute open another connection."""
        while True:
            await asyncio.sleep(PING_EVERY_S)
            for link in list(self._links.values()):
                link.ping()

    # What the benchmark calls

    async def set(self, order: Order) -> None:
        self._delay_s = order["delay_ms"] / 1000

    async def calls(self, _order: Order) -> dict[str, int]:
        """The calls of each method since the last time."""
        calls, self._calls = self._calls, Counter()
        return dict(calls)

    async def posts(self, _order: Order) -> list[tuple[int, str]]:
        """When and in which channel something was posted since the last time."""
        posts, self._posts = self._posts, []
        return posts

    async def aim(self, order: Order) -> None:
        """Sends commands to `port`, signed; without one, over the link of the contender `name`."""
        if isinstance(self._target, Connections):
            self._target.close()
        self._target_port = order.get("port") or 0
        self._target = Connections(self._target_port) if self._target_port else order["name"]

    async def closed(self, order: Order) -> dict[str, Any]:
        """`clients` send one command after the other, each after the last reply, for `seconds`; at most `count` in
        total.
        """
        texts, until = order["texts"], now_us() + int(order["seconds"] * 1e6)
        numbers = iter(range(order["count"])) if "count" in order else count()
        await self._connected(order["clients"])

        async def client() -> None:
            for number in numbers:
                if now_us() >= until:
                    return
                over = asyncio.Event()
                said = await self._say(texts[number % len(texts)], over.set)
                try:
                    await asyncio.wait_for(over.wait(), STRAGGLERS_S)
                except TimeoutError:
                    said.over = lambda: None
                    return

        began = now_us()
        await asyncio.gather(*(client() for _ in range(order["clients"])))
        return self._report(began)

    async def open(self, order: Order) -> dict[str, Any]:
        """Sends `rate` commands a second for `seconds`, without waiting for replies."""
        texts, number_of_all = order["texts"], round(order["rate"] * order["seconds"])
        await self._connected(8)
        began, late_us, left = now_us(), 0, asyncio.Semaphore(0)
        for number in range(number_of_all):
            due = began + round(number * 1e6 / order["rate"])
            await asyncio.sleep(max(0.0, (due - now_us()) / 1e6))
            late_us = max(late_us, now_us() - due)
            await self._say(texts[number % len(texts)], left.release)
        await _acquired(left, number_of_all)
        return self._report(began) | {"late_us": late_us}

    async def say(self, order: Order) -> dict[str, Any]:
        """Sends all `texts` at once and returns when each is acknowledged. `replies` waits for the replies."""
        before = now_us()
        said = [await self._say(text, lambda: None) for text in order["texts"]]
        until = before + int(STRAGGLERS_S * 1e6)
        while now_us() < until and any(one.ack_us is None for one in said):
            await asyncio.sleep(0.005)
        return {"acknowledged": sum(one.ack_us is not None for one in said)}

    async def replies(self, _order: Order) -> dict[str, Any]:
        """Waits for the reply to every command."""
        began, until = now_us(), now_us() + int(STRAGGLERS_S * 1e6)
        while now_us() < until and any(one.reply_us is None for one in self._book):
            await asyncio.sleep(0.005)
        return self._report(began)

    async def _connected(self, count: int) -> None:
        if isinstance(self._target, Connections):
            self._target.close()  # servers close idle connections after some seconds, perhaps just now
            await self._target.open(count)

    async def _say(self, text: str, over: Callable[[], None]) -> Said:
        said = self._book.new(text, over)
        fields = payload(said, self.port)
        if isinstance(self._target, Connections):
            data = request(fields, EVENTS, self._target_port)

            def acknowledged(status: int, _body: bytes) -> None:
                if status == 200:
                    said.acknowledged()

            said.sent_us = now_us()
            await self._target.ask(data, acknowledged)
        else:
            data = envelope(fields, said.number)
            said.sent_us = now_us()
            self._links[self._target].send(data)
        return said

    def _report(self, began_us: int) -> dict[str, Any]:
        said = self._book.clear()
        ends = [one.sent_us + one.reply_us for one in said if one.reply_us is not None]
        took_us = max(ends, default=began_us) - began_us
        return {
            "took_us": took_us,
            "ack_us": [one.ack_us for one in said],
            "reply_us": [one.reply_us for one in said],
        }


async def _acquired(left: asyncio.Semaphore, count: int) -> None:
    try:
        async with asyncio.timeout(STRAGGLERS_S):
            for _ in range(count):
                await left.acquire()
    except TimeoutError:
        pass


async def main() -> None:
    slack = Slack()
    slack.port = await serve(slack.answer)
    names = ("set", "calls", "posts", "aim", "closed", "open", "say", "replies")
    pinging = asyncio.create_task(slack.keep_links())
    await obey({name: getattr(slack, name) for name in names}, first={"port": slack.port})
    pinging.cancel()


if __name__ == "__main__":
    asyncio.run(main())
