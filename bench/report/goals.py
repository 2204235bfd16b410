"""The goals, each compared with the measurements. If several figures count, the worst decides."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.report.numbers import TRANSPORTS, Cell, Run, median, quantile

STEADY = ("open 50",)
"""The load by which latencies are judged. All contenders can carry it, so that no queue is measured."""
BUSY = "closed 16"
OPEN = ("open 20", "open 50", "open 200", "open 400")

REPLY_P50, REPLY_P99, CPU, LIST, MEMORY = 1.1, 1.25, 1.1, 1.3, 0.75
ACK_MS, START_S, LOOKUP_MS = 4.0, 1.5, 1.0
CALLS_A_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Goal:
    """`measured` in words. `is_met` is None if no measurement can tell."""

    wanted: str
    measured: str
    is_met: bool | None


def goals(run: Run) -> list[Goal]:
    return [goal for part in (_latency, _work, _calls, _memory, _start, _scale, _channels) for goal in part(run)]


def _latency(run: Run) -> Iterator[Goal]:
    for share, name, most in ((0.5, "p50", REPLY_P50), (0.99, "p99", REPLY_P99)):
        for delay_ms in run.delays_ms:
            ratios = _ratios(run, delay_ms, STEADY, lambda cell, share=share: cell.reply_ms(share))  # type: ignore[misc]
            yield _at_most(f"reply {name} at most {most} × the floor's, {delay_ms} ms", ratios, most, "×")
    for delay_ms in run.delays_ms:
        acks = _of_bot(run, delay_ms, STEADY, lambda cell: cell.ack_ms(0.5))
        yield _at_most(f"ack p50 under {ACK_MS:.0f} ms, {delay_ms} ms", acks, ACK_MS, "ms")


def _work(run: Run) -> Iterator[Goal]:
    for delay_ms in run.delays_ms:
        ratios = _ratios(run, delay_ms, (BUSY,), lambda cell: cell.a_second, to="bolt-js")
        floors = _ratios(run, delay_ms, (BUSY,), lambda cell: cell.a_second, to="bolt-js", whose="floor")
        worst = min(ratios.values(), default=math.nan)
        yield Goal(
            f"commands a second at least Bolt for JavaScript's, 16 clients, {delay_ms} ms",
            f"{_words(ratios, '×')} (the floor itself: {_words(floors, '×')})",
            None if math.isnan(worst) else worst >= 1.0,
        )
    for delay_ms in run.delays_ms:
        ratios = _ratios(run, delay_ms, OPEN, lambda cell: cell.cpu_ms)
        yield _at_most(f"CPU a command at most {CPU} × the floor's, open loops, {delay_ms} ms", ratios, CPU, "×")


def _calls(run: Run) -> Iterator[Goal]:
    names = {
        "statuses": "one CodeShip call a status",
        "restarts": "two CodeShip calls a restart",
        "same statuses at once": "a hundred same questions at once: one call",
    }
    for scene, wanted in names.items():
        counts = [count for count in run.counts if count["scene"] == scene]
        told = "; ".join(
            f"{TRANSPORTS[count['transport']]}: {count['asked']} asked, "
            f"{sum(n for call, n in count['called'].items() if call.startswith('CodeShip'))} calls"
            for count in counts
        )
        met = all(count["called"] == count["wanted"] for count in counts) if counts else None
        yield Goal(wanted, told or "not measured", met)


def _memory(run: Run) -> Iterator[Goal]:
    ratios = {}
    for transport in TRANSPORTS:
        ours, theirs = run.of_idle("bot", transport), run.of_idle("bolt-js", transport)
        if ours and theirs:
            ratios[transport] = ours["resident"] / theirs["resident"]
    yield _at_most(f"memory when idle at most {MEMORY} × Bolt for JavaScript's", ratios, MEMORY, "×")


def _start(run: Run) -> Iterator[Goal]:
    took = {
        transport: median(found) / 1e6
        for transport in TRANSPORTS
        if (found := run.of_starts("bot", transport, "ready_us"))
    }
    yield _at_most(f"start to ready under {START_S} s", took, START_S, "s")


def _scale(run: Run) -> Iterator[Goal]:
    for size in sorted({record["size"] for record in run.lists}):
        records = [record for record in run.lists if record["size"] == size]
        ours = median(record["ours"]["first_us"] for record in records)
        plain = median(record["plain"]["loads_us"] for record in records)
        ratio = {"": ours / plain}
        yield _at_most(f"first load of {size:,} projects at most {LIST} × `json.loads`", ratio, LIST, "×")
        for name, kind in (("known_us", "known"), ("unknown_us", "unknown, with its nearest")):
            looks = {"": median(median(record["ours"][name]) for record in records) / 1000}
            yield _at_most(f"a name among {size:,}, {kind}, under {LOOKUP_MS:.0f} ms", looks, LOOKUP_MS, "ms")


def _channels(run: Run) -> Iterator[Goal]:
    """Lags are from the end of a build until Slack has the message."""
    last = run.channels[-1] if run.channels else None
    of = f"{last['subscriptions']:,} subscriptions" if last else "subscriptions"
    calls = {"": sum(last["calls"].values()) / last["seconds"] * 60} if last else {}
    yield _at_most(f"{of}: at most {CALLS_A_MINUTE} calls a minute", calls, CALLS_A_MINUTE, "calls")
    matched = {"": quantile(last["match_us"], 0.99) / 1000} if last else {}
    yield _at_most(f"{of}: matching a build under {LOOKUP_MS:.0f} ms, p99", matched, LOOKUP_MS, "ms")
    for name, kind, p50, p99 in (("polled_us", "polled", 8.0, 20.0), ("hinted_us", "with webhooks", 1.0, 5.0)):
        for share, title, most in ((0.5, "p50", p50), (0.99, "p99", p99)):
            lag = {"": quantile(last[name], share) / 1e6} if last else {}
            yield _at_most(f"{of}: lag {title} at most {most:.0f} s, {kind}", lag, most, "s")


def _ratios(
    run: Run,
    delay_ms: int,
    loads: tuple[str, ...],
    of: Callable[[Cell], float],
    *,
    to: str = "floor",
    whose: str = "bot",
) -> dict[str, float]:
    """Ratios of ours (or of `whose`) to theirs, for each transport on which both were measured."""
    found = {}
    for transport in TRANSPORTS:
        ours, theirs = run.cell(whose, transport, delay_ms, *loads), run.cell(to, transport, delay_ms, *loads)
        if ours is not None and theirs is not None:
            found[transport] = of(ours) / of(theirs)
    return found


def _of_bot(run: Run, delay_ms: int, loads: tuple[str, ...], of: Callable[[Cell], float]) -> dict[str, float]:
    cells = {transport: run.cell("bot", transport, delay_ms, *loads) for transport in TRANSPORTS}
    return {transport: of(cell) for transport, cell in cells.items() if cell is not None}


def _at_most(wanted: str, found: dict[str, float], limit: float, unit: str) -> Goal:
    if not found:
        return Goal(wanted, "not measured", None)
    return Goal(wanted, _words(found, unit), max(found.values()) <= limit)


def _words(found: dict[str, float], unit: str) -> str:
    if not found:
        return "not measured"
    return "; ".join(
        f"{TRANSPORTS[name]} {value:.2f} {unit}" if name else f"{value:.2f} {unit}" for name, value in found.items()
    )
