"""How the benchmark controls a fake: a line of JSON on its standard input, answered by one on its standard output.

When the input ends, the fake exits, so that none outlives the benchmark.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Order = Mapping[str, Any]
Obey = Callable[[Order], Awaitable[Any]]

MAX_LINE = 64 * 1024 * 1024


async def obey(orders: Mapping[str, Obey], *, first: Mapping[str, Any]) -> None:
    """Writes `first`, then carries out what each line's `do` names, in turn, until the input ends."""
    reader = asyncio.StreamReader(limit=MAX_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    _say(first)
    while line := await reader.readline():
        order = json.loads(line)
        _say(await orders[order["do"]](order))


def _say(what: Any) -> None:
    data = json.dumps(what, separators=(",", ":")).encode() + b"\n"
    while data:  # a pipe takes only what it has room for
        data = data[os.write(1, data) :]
