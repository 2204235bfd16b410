"""Generates docs/benchmarks.md, one page, from the samples of one run. How it is measured stands in bench/notes.md."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from bench.processes import ROOT
from bench.report.goals import TRANSPORTS, Goal, goals
from bench.report.numbers import QUIET, Run, quantile

DOCUMENT = ROOT / "docs/benchmarks.md"
LABELS = {
    "bot": "this bot",
    "floor": "bare Bolt for Python",
    "lean": "lean Bolt for Python",
    "bolt-js": "Bolt for JavaScript",
    "slack-machine": "slack-machine",
}
MIB = 2**20
PAGE = """<!-- Written by `make bench` from bench/results. What is changed here is lost. -->

# Benchmarks

On {date}, by `make bench`: {machine}. Ratios carry over to other machines, times do not.
[How it is measured](../bench/notes.md).
{noise}

## Goals

{goals}

## What people wait for

Milliseconds (p50) from a command over HTTP to its reply in Slack. Slack and CodeShip are behind TLS, and a round
trip takes {rtt_ms} ms. Busy: each command follows the reply before. With pauses: one every {pause_s:g} s.

{replies}

## What it costs

CPU and memory are those of the process, with services on loopback. One client asks, or sixteen without a pause.

{costs}

## Counted

The least of several requests, as CI holds it.

{counts}

## Size

{lists}

{follows}

{channels}

## Versions

`make bench` installs the others: Bolt for JavaScript with `npm ci` in `bench/node`, on the Node that its lock pins, and
slack-machine into an environment of its own. What cannot be installed is left out.

{versions}
"""


def write(results: Path, document: Path = DOCUMENT) -> Path:
    run = Run(results)
    machine = run.about["machine"]
    processor = f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}"
    text = PAGE.format(
        date=run.about["date"],
        machine=processor,
        noise=_noise(run.noise()),
        goals=_goals(goals(run)),
        rtt_ms=run.about["rtt_ms"],
        pause_s=run.about["pause_s"],
        replies=_replies(run),
        costs=_costs(run),
        counts=_counts(run),
        lists=_lists(run),
        follows=_follows(run),
        channels=_channels(run),
        versions=_versions(run),
    )
    document.write_text(text, encoding="utf-8")
    return document


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first column is text, the others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float, unit: str = "") -> str:
    """Three significant digits; a dash if it was not measured, or of too few samples."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "never"
    return f"{value:,.0f} {unit}".strip() if value >= 100 else f"{value:.3g} {unit}".strip()


def _noise(share: float) -> str:
    if share <= QUIET:
        return ""
    used = f"other processes used up to {number(share * 100)} % of it"
    return f"\n**The machine was not quiet:** {used}. So times are not judged.\n"


def _goals(found: list[Goal]) -> str:
    words = {True: "yes", False: "**no**", None: "withheld"}
    rows = []
    for one in found:
        verdict = words[one.is_met] + (f": {one.held_by}" if one.is_met is False and one.held_by else "")
        rows.append([one.wanted, number(one.measured, one.unit), verdict])
    return table(["goal", "measured", "met"], rows)


def _replies(run: Run) -> str:
    rows = [
        [name, number(run.reply_ms(contender, "busy")), number(run.reply_ms(contender, "pauses"))]
        for contender, name in LABELS.items()
        if run.records("replies", contender=contender)
    ]
    return table(["", "busy", "with pauses"], rows)


def _costs(run: Run) -> str:
    head = ["", "CPU a status", "a second, 16 clients", "ack p99, 200 a second", "memory", "idle CPU", "start to ready"]
    rows = []
    for transport, title in TRANSPORTS.items():
        for contender, name in LABELS.items():
            who = {"contender": contender, "transport": transport}
            if not run.records("loads", **who):
                continue
            rows.append(
                [
                    f"{name}, {title}",
                    number(run.cpu_ms(contender, transport), "ms"),
                    number(run.a_second(contender, transport)),
                    number(run.ack_ms(contender, transport, "200 a second", 0.99), "ms"),
                    number(run.median("idle", "memory", MIB, **who), "MiB"),
                    number(run.a_second_idle("cpu_us", **who) / 1e4, "%"),
                    number(run.median("starts", "ready_us", 1e6, **who), "s"),
                ]
            )
    return table(head, rows)


def _counts(run: Run) -> str:
    names = ("CodeShip calls", "Slack calls", "round trips", "handshakes", "statements", "fsyncs", "system calls")
    found: dict[tuple[str, str], dict[str, float]] = {}
    for one in run.records("counts"):
        found.setdefault((one["contender"], one["scene"]), {}).update(one["found"])
    rows = [
        [f"{LABELS[contender]}, {scene}", *(number(counts.get(name, math.nan)) for name in names)]
        for (contender, scene), counts in found.items()
    ]
    return table(["", *names], rows)


def _lists(run: Run) -> str:
    rows = []
    for size in sorted({one["size"] for one in run.records("lists")}):
        [one] = run.records("lists", size=size)
        unknown = sorted(one["unknown_us"])[len(one["unknown_us"]) // 2]
        rows.append(
            [
                f"{size:,} projects of ten builds",
                number(one["first_us"] / 1e6, "s"),
                number(one["cpu_us"] / 1e6, "s"),
                number(one["peak"] / MIB, "MiB"),
                number(unknown / 1000, "ms"),
            ]
        )
    return table(["", "first read", "CPU of that", "most memory", "an unknown name"], rows)


def _follows(run: Run) -> str:
    rows = [
        [
            f"{one['size']:,} builds that are followed and run",
            number(sum(one["calls"].values()) / one["seconds"] * 60),
            number(one["cpu_us"] / one["seconds"] / 1e4, "%"),
            number(one["memory"] / MIB, "MiB"),
        ]
        for one in run.records("follows")
    ]
    return table(["", "CodeShip calls a minute", "CPU of a core", "memory"], rows)


def _channels(run: Run) -> str:
    """Lags are from the end of a build until Slack has the message."""
    head = ["", "calls a minute", "CPU of a core", "matching, p99", "lag, polled", "lag, webhooks", "memory"]
    rows = [
        [
            f"{one['subscriptions']:,} subscriptions of {one['projects']} repositories, {one['budget']} calls a minute",
            number(sum(one["calls"].values()) / one["seconds"] * 60),
            number(one["cpu_us"] / one["seconds"] / 1e4, "%"),
            number(quantile(one["match_us"], 0.99) / 1000, "ms"),
            _lag(one["polled_us"]),
            _lag(one["hinted_us"]),
            number(one["memory"] / MIB, "MiB"),
        ]
        for one in run.records("channels")
    ]
    return table(head, rows)


def _lag(lags_us: Sequence[int | None]) -> str:
    return f"{number(quantile(lags_us, 0.5) / 1e6, 's')}, longest {number(quantile(lags_us, 1.0) / 1e6, 's')}"


def _versions(run: Run) -> str:
    machine = run.about["machine"]
    found = {
        "this bot and bare Bolt for Python": machine["versions"],
        "Bolt for JavaScript": machine["node"],
        "slack-machine": machine["slack_machine"],
    }
    rows = [
        [who, ", ".join(f"{name} {one}" for name, one in versions.items())]
        for who, versions in found.items()
        if versions
    ]
    rows += [[who, f"left out: {why}"] for who, why in run.about["absent"].items()]
    return table(["", "versions"], rows)
