"""CodeShip as a process: the three calls of its v1 API for an `Account`, after a set delay, each counted.

python -m bench.fakes.codeship
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from typing import Any
from urllib.parse import parse_qsl

from bench.fakes.account import Account
from bench.fakes.http import Reply, Request, Serving, serve
from bench.fakes.told import Order, obey
from bench.names import API_KEY

_PROJECT = re.compile(rb"/api/v1/projects/(\d+)\.json")
_RESTART = re.compile(rb"/api/v1/builds/(\d+)/restart\.json")
_LIST = b"/api/v1/projects.json"
_KEY = f"api_key={API_KEY}".encode()


class CodeShip:
    """Counts `list`, `status` (one branch), `look` (all branches, as for followed builds), `restart`, `other`."""

    def __init__(self) -> None:
        self._account = Account(0)
        self._delay_s = 0.0
        self._calls: Counter[str] = Counter()
        self._held: list[tuple[Serving, Reply]] | None = None
        self._looks: dict[int, list[int]] | None = None

    async def set(self, order: Order) -> None:
        """Sets `delay_ms` and, with `projects`, a new account of so many, whose newest builds are `running` or not."""
        self._delay_s = order["delay_ms"] / 1000
        if "projects" in order:
            self._account = Account(order["projects"], running=order.get("running", False))
            self._account.listed()  # built now, so that no request waits for it

    async def end(self, order: Order) -> int:
        """The newest build of project `number` ends with `status`. Returns when, in microseconds, monotonic."""
        self._account.end(order["number"], order["status"])
        return time.monotonic_ns() // 1000

    async def calls(self, _order: Order) -> dict[str, int]:
        """The calls since the last time."""
        calls, self._calls = self._calls, Counter()
        return dict(calls)

    async def hold(self, _order: Order) -> None:
        """Holds every response from now on."""
        self._held = []

    async def release(self, _order: Order) -> None:
        held, self._held = self._held or [], None
        for serving, reply in held:
            serving.reply(reply)

    async def watch(self, _order: Order) -> None:
        """Records the time of each poll from now on."""
        self._looks = {}

    async def looks(self, _order: Order) -> list[list[int]]:
        """For each project polled since `watch`, the times in microseconds of the monotonic clock."""
        looks, self._looks = self._looks or {}, None
        return list(looks.values())

    def answer(self, request: Request, serving: Serving) -> Reply | None:
        path, _, query = request.target.partition(b"?")
        kind, body = self._taken(request.method, path, query)
        self._calls[kind] += 1
        reply = Reply(body, self._delay_s) if body is not None else Reply(b'{"errors":["none"]}', 0.0, b"404 Not Found")
        if self._held is None:
            return reply
        self._held.append((serving, reply))
        return None

    def _taken(self, method: bytes, path: bytes, query: bytes) -> tuple[str, bytes | None]:
        if _KEY not in query:
            return "other", None
        if method == b"GET" and path == _LIST:
            return "list", self._account.listed()
        if method == b"GET" and (project := _PROJECT.fullmatch(path)):
            id, branch = int(project[1]), dict(parse_qsl(query.decode())).get("branch")
            if branch is None and self._looks is not None:
                self._looks.setdefault(id, []).append(time.monotonic_ns() // 1000)
            return "look" if branch is None else "status", self._account.shown(id, branch)
        if method == b"POST" and (build := _RESTART.fullmatch(path)):
            return "restart", self._account.restart(int(build[1]))
        return "other", None


async def main() -> None:
    codeship = CodeShip()
    port = await serve(codeship.answer)
    orders: dict[str, Any] = {
        name: getattr(codeship, name) for name in ("set", "end", "calls", "hold", "release", "watch", "looks")
    }
    await obey(orders, first={"port": port})


if __name__ == "__main__":
    asyncio.run(main())
