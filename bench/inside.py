"""Measurements that are only possible inside the bot's process, one per process.

    python -m bench.inside plain | list | begin | weigh | anatomy     (configured by the environment, as the bot is)

Prints the result as one line of JSON, the last line on standard output.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

import psutil

from bench.names import BRANCH, repository

NAMES = 200
SAMPLED_EVERY_S = 0.0005
WEIGHED = (
    *("requests", "waitress", "slack_bolt", "slack_sdk.socket_mode.aiohttp", "msgspec", "rapidfuzz"),
    *("prometheus_client", "structlog", "sqlalchemy", "alembic", "dbos", "bot.app.bot"),
)
ASKS = ("work", "call")
"""The name prefixes of the threads that answer a request."""


def plain() -> dict[str, Any]:
    """The minimum that a program would do: fetch the list and `json.loads` it."""
    url = f"{os.environ['CODESHIP_API_URL']}/projects.json?api_key={os.environ['CODESHIP_API_KEY']}"
    before = _resident()
    began = time.perf_counter()
    body = build_opener(ProxyHandler({})).open(url).read()
    fetched = time.perf_counter()
    document = json.loads(body)
    ended = time.perf_counter()
    size = len(body)
    del body
    return {
        "bytes": size,
        "fetch_us": _us(fetched - began),
        "loads_us": _us(ended - fetched),
        "projects": len(document["projects"]),
        "grown": _resident() - before,
        "peak": _peak(),
    }


def listed() -> dict[str, Any]:
    """Loads the bot's project index from nothing, then looks up names: known ones, and misspelt ones."""
    from bot.app.bot import Bot
    from bot.app.clock import SystemClock
    from bot.app.settings import Settings
    from bot.core.model.command_values import Word
    from bot.core.model.errors import NoSuchProject

    bot = Bot(Settings.read(os.environ), SystemClock(), os.environ, on_dead=lambda: None)
    services = bot.services
    directory = next(iter(services)).project_index
    gc.collect()
    before = _resident()
    began = time.perf_counter()
    directory.start()
    directory.wait_idle(60)
    took = time.perf_counter() - began
    gc.collect()
    after = _resident()
    step = max(1, directory.size // NAMES)
    known = [project.name for project in directory.matching("", timeout_s=1)][::step][:NAMES]
    misspelt = [f"{name[:-3]}{name[-2]}{name[-3]}x" for name in known]

    def found(name: str) -> None:
        assert services.resolve(Word.of(name), timeout_s=1).project.name == name

    def missed(name: str) -> int:
        try:
            services.resolve(Word.of(name), timeout_s=1)
        except NoSuchProject as mistake:
            return len(mistake.nearest)
        raise AssertionError(name)

    return {
        "first_us": _us(took),
        "projects": directory.size,
        "grown": after - before,
        "peak": _peak(),
        "known_us": _each(found, known),
        "unknown_us": _each(missed, misspelt),
        "nearest": [missed(name) for name in misspelt],
    }


def matching() -> dict[str, Any]:
    """Stores subscriptions of the bench's projects, each of a channel of its own, and finds those of one build each."""
    from bot.app.clock import SystemClock
    from bot.core.model.builds import Actor, Build, Project, Status
    from bot.core.model.names.name_patterns import NamePattern
    from bot.core.model.notifications.reasons import SeenBy
    from bot.core.model.notifications.subscriptions import Filters, Subscription, SubscriptionIndex
    from bot.core.model.notifications.transitions import BranchState, Change, Observation, Transition
    from bot.core.notifications.recipients import Audience, decide_deliveries
    from bot.store import open_store

    clock = SystemClock()
    store = open_store(os.environ["DATABASE_URL"], clock)
    projects = int(os.environ["PROJECTS_OF_BENCH"])
    for number in range(int(os.environ["SUBSCRIPTIONS_OF_BENCH"])):
        of, channel = number % projects, f"C0B{number // projects}{number % projects:05d}"
        filters = Filters(NamePattern((repository(of),)), branches=NamePattern((BRANCH,)))
        store.subscriptions.add(Subscription(channel, filters, Actor("U0BENCH"), clock.now()))
    index, mutes = SubscriptionIndex(store.subscriptions.all()), store.subscriptions.mutes()
    store.close()

    def match(name: str) -> None:
        build = Build("1", Project("1", name, "codeship"), Status.FAILED, "error", branch=BRANCH)
        observation = Observation(BranchState(), (Transition(Change.BROKE, build),))
        audience = Audience(index.of_repository("codeship", name), mutes)
        found = decide_deliveries(observation, audience, clock.now(), SeenBy.LIST)
        assert found.deliveries, name

    return {"match_us": _each(match, [repository(number) for number in range(projects)])}


def begin() -> dict[str, Any]:
    """The parts of a start: imports, assembly (which opens the database), and starting."""
    began = time.perf_counter()
    from bot import __main__ as _entry  # noqa: F401
    from bot.app.bot import Bot

    imported = time.perf_counter()
    from bot.app.clock import SystemClock
    from bot.app.settings import Settings

    bot = Bot(Settings.read(os.environ), SystemClock(), os.environ, on_dead=lambda: None)
    together = time.perf_counter()
    bot.start()
    ended = time.perf_counter()
    bot.stop()
    return {
        "imports_us": _us(imported - began),
        "together_us": _us(together - imported),
        "start_us": _us(ended - together),
    }


def weigh() -> dict[str, Any]:
    """Bytes of memory that each import adds, in an order in which each builds on the ones before."""
    found, before = {"Python": _resident()}, _resident()
    for name in WEIGHED:
        import_module(name)
        now = _resident()
        found[name], before = now - before, now
    return {"imports": found}


def anatomy() -> dict[str, Any]:
    """Runs the bot until SIGTERM and samples in which of its functions, and for what, its requests spend their time.

    Counts the stack of each such thread every half millisecond. These are shares, not times, and waiting counts, too.
    """
    from bot import logs
    from bot.app.bot import Bot
    from bot.app.clock import SystemClock
    from bot.app.settings import Settings

    settings = Settings.read(os.environ)
    logs.configure(settings.log_level, settings.log_format, settings.secrets())
    bot = Bot(settings, SystemClock(), os.environ, on_dead=lambda: None)
    bot.start()
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: ending.set())
    seen: Counter[str] = Counter()
    while not ending.wait(SAMPLED_EVERY_S):
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        for ident, frame in sys._current_frames().items():
            if names.get(ident, "").startswith(ASKS):
                place = _place(frame)
                if place:
                    seen[place] += 1
    bot.stop()
    return {"seen": dict(seen.most_common())}


def _place(frame: Any) -> str:
    """The innermost function of the bot on this stack; empty if the thread waits for work."""
    while frame is not None:
        path = frame.f_code.co_filename
        if f"{os.sep}bot{os.sep}" in path and "site-packages" not in path:
            module = path.rpartition(f"{os.sep}bot{os.sep}")[2].removesuffix(".py").replace(os.sep, ".")
            return f"{module}: {frame.f_code.co_qualname}"
        frame = frame.f_back
    return ""


def _each(look: Callable[[str], object], names: list[str]) -> list[float]:
    """Microseconds of each, with three decimals."""
    took = []
    for name in names:
        began = time.perf_counter_ns()
        look(name)
        took.append((time.perf_counter_ns() - began) / 1000)
    return took


def _resident() -> int:
    return int(psutil.Process().memory_info().rss)


def _peak() -> int:
    """The maximum of resident memory, in bytes; the current value if the system does not record it."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return _resident()


def _us(seconds: float) -> int:
    return round(seconds * 1e6)


if __name__ == "__main__":
    measure = {
        "plain": plain,
        "list": listed,
        "matching": matching,
        "begin": begin,
        "weigh": weigh,
        "anatomy": anatomy,
    }[sys.argv[1]]
    print(json.dumps(measure()), flush=True)
    os._exit(0)  # threads of the bot's libraries would keep the process alive
