"""The goals, as ratios of one run, so that they hold for other machines."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bench.report.numbers import QUIET, Run, quantile
from bench.scenes.counts import LIMITS

TRANSPORTS = {"http": "HTTP", "socket": "Socket Mode"}


@dataclass(frozen=True, slots=True)
class Goal:
    """`held_by` says what holds the figure back if the goal is not met. `is_met` is None if that is not known."""

    wanted: str
    measured: float
    unit: str
    is_met: bool | None
    held_by: str = ""


def goals(run: Run) -> list[Goal]:
    return [*_timed(run), *_counted(run)]


def _timed(run: Run) -> Iterator[Goal]:
    is_quiet = run.noise() <= QUIET

    def goal(
        wanted: str, measured: float, limit: float, unit: str = "×", held_by: str = "", *, least: bool = False
    ) -> Goal:
        met = measured >= limit if least else measured <= limit
        return Goal(wanted, measured, unit, met if is_quiet and not math.isnan(measured) else None, held_by)

    for contender, name, busy, pauses in (
        ("floor", "bare Bolt for Python", 0.5, 0.8),
        ("bolt-js", "Bolt for JavaScript", 1.05, 0.65),
    ):
        for pace, words, limit in (("busy", "busy", busy), ("pauses", "with pauses", pauses)):
            ratio = run.reply_ms("bot", pace) / run.reply_ms(contender, pace)
            held = "round trips that are left, and the CPU between them"
            yield goal(f"reply p50 at most {limit} × {name}'s, {words}", ratio, limit, held_by=held)
    for transport, title in TRANSPORTS.items():
        ratio = run.cpu_ms("bot", transport) / run.cpu_ms("floor", transport)
        held = "claims, permissions, limits, buttons and the log line, which the floor lacks"
        yield goal(f"CPU a status at most 1.25 × bare Bolt's, {title}", ratio, 1.25, held_by=held)
    for transport, title in TRANSPORTS.items():
        ratio = run.a_second("bot", transport) / run.a_second("floor", transport)
        held = "the same CPU, and one thread that runs at a time"
        yield goal(
            f"commands a second at least 0.8 × bare Bolt's, 16 clients, {title}", ratio, 0.8, held_by=held, least=True
        )
    ack = run.ack_ms("bot", "http", "200 a second", 0.99)
    yield goal("ack p99 under 10 ms at 200 a second", ack, 10.0, "ms", "requests that share the processor with replies")
    cpu = run.a_second_idle("cpu_us", contender="bot", transport="http") / 1e4
    yield goal("idle CPU at most 0.9 % of a core", cpu, 0.9, "%", "the polling of the durable queues")
    wakes = run.a_second_idle("wake_ups", contender="bot", transport="http")
    yield goal("at most 10 wake-ups a second when idle", wakes, 10.0, "", "the polling of the durable queues")
    peak = run.median("lists", "peak", 2**20, size=50_000)
    yield goal("50,000 projects within 300 MiB", peak, 300.0, "MiB", "the index of names")
    for subscribed in run.records("channels"):
        of = f"{subscribed['subscriptions']:,} subscriptions"
        calls = sum(subscribed["calls"].values()) / subscribed["seconds"] * 60
        yield goal(f"{of}: at most 60 calls a minute", calls, 60.0, "")
        yield goal(f"{of}: matching a build under 1 ms, p99", quantile(subscribed["match_us"], 0.99) / 1e3, 1.0, "ms")
        for name, kind, p50, longest in (("polled_us", "polled", 8.0, 20.0), ("hinted_us", "with webhooks", 1.0, 5.0)):
            for share, words, limit in ((0.5, "p50", p50), (1.0, "longest", longest)):
                lag = quantile(subscribed[name], share) / 1e6
                yield goal(f"{of}: lag {words} at most {limit:g} s, {kind}", lag, limit, "s")


def _counted(run: Run) -> Iterator[Goal]:
    for scene, limits in LIMITS.items():
        for name, limit in limits.items():
            found = [
                one["found"][name]
                for one in run.records("counts", contender="bot", scene=scene)
                if name in one["found"]
            ]
            measured = max(found, default=math.nan)
            yield Goal(f"{scene}: at most {limit} {name}", measured, "", measured <= limit if found else None)
