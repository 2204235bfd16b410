"""Measurements that are only possible inside the bot's process, one per process.

python -m bench.inside list | matching | counting     (configured by the environment, as the bot is)
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.names import BRANCH, repository

PR_SET_PTRACER, PR_SET_PTRACER_ANY = 0x59616D61, 2**64 - 1
NAMES = 200
MATCHED = 1_200
"""Enough builds for a 99th percentile."""


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
    began, began_cpu = time.perf_counter(), time.process_time()
    directory.start()
    directory.wait_idle(60)
    took, cpu = time.perf_counter() - began, time.process_time() - began_cpu
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
        "first_us": round(took * 1e6),
        "cpu_us": round(cpu * 1e6),
        "projects": directory.size,
        "peak": int(Path("/proc/self/status").read_text("ascii", "replace").partition("VmHWM:")[2].split()[0]) * 1024,
        "known_us": _each(found, known),
        "unknown_us": _each(missed, misspelt),
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

    return {"match_us": _each(match, [repository(number % projects) for number in range(MATCHED)])}


def counting() -> None:
    """Runs the bot, and on SIGUSR1 prints how many SQL statements it has sent so far."""
    import ctypes

    import sqlalchemy as sa

    from bot.__main__ import main

    # A debugger that is not this process's parent may attach: strace.
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, ctypes.c_ulong(PR_SET_PTRACER_ANY))
    sent = 0

    def send(*_arguments: object) -> None:
        nonlocal sent
        sent += 1

    sa.event.listen(sa.Engine, "before_cursor_execute", send)

    def tell() -> None:
        while True:
            signal.sigwait({signal.SIGUSR1})
            os.write(1, b"\nstatements=%d\n" % sent)

    # A thread of its own: Python's handlers run in the main thread, which may wait for long.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    threading.Thread(target=tell, daemon=True).start()
    sys.exit(main([], os.environ))


def _each(look: Callable[[str], object], names: list[str]) -> list[float]:
    """Microseconds of each, with three decimals."""
    took = []
    for name in names:
        began = time.perf_counter_ns()
        look(name)
        took.append((time.perf_counter_ns() - began) / 1000)
    return took


if __name__ == "__main__":
    if sys.argv[1] == "counting":
        counting()
    measure = {"list": listed, "matching": matching}[sys.argv[1]]
    print(json.dumps(measure()), flush=True)
    os._exit(0)  # threads of the bot's libraries would keep the process alive
