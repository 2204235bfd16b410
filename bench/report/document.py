"""Generates docs/benchmarks.md and its plots from the samples of one run and the prose of `bench/notes.md`.

The prose has no figures: `{{name}}` is replaced by one that is calculated here. An unknown name is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from bench.processes import ROOT
from bench.report import tables
from bench.report.goals import BUSY, STEADY
from bench.report.numbers import TRANSPORTS, Run

NOTES = ROOT / "bench/notes.md"
DOCUMENT = ROOT / "docs/benchmarks.md"
PLOTS = ROOT / "docs/benchmarks"

_PLACE = re.compile(r"\{\{([a-z_]+)\}\}")
_WARNING = "<!-- Written by `make bench` from bench/results and bench/notes.md. What is changed here is lost. -->"


def write(results: Path, document: Path = DOCUMENT, pictures: Path = PLOTS) -> list[Path]:
    """Writes all files and returns them. Raises KeyError if the prose uses an unknown name."""
    from bench.report import plots

    run = Run(results)
    drawn = plots.draw(run, pictures)
    text = filled(NOTES.read_text(encoding="utf-8"), run)
    document.write_text(f"{_WARNING}\n\n{text.strip()}\n", encoding="utf-8")
    return [document, *drawn]


def filled(prose: str, run: Run) -> str:
    return _PLACE.sub(lambda place: PLACES[place[1]](run), prose)


def _machine(run: Run) -> str:
    machine = run.about["machine"]
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, "
        f"{machine['architecture']}"
    )


def _all_loads(run: Run) -> str:
    parts = []
    for transport, title in TRANSPORTS.items():
        for delay_ms in run.delays_ms:
            parts.append(f"#### {title}, Slack and CodeShip take {delay_ms} ms\n")
            parts.append(tables.of_loads(run, transport, delay_ms) + "\n")
    return "\n".join(parts).strip()


def _fakes_busy(run: Run) -> str:
    cells = [
        cell
        for transport in TRANSPORTS
        for contender in run.contenders(transport)
        if contender != "raw"
        for delay_ms in run.delays_ms
        for load in run.loads
        if (cell := run.cell(contender, transport, delay_ms, load)) is not None
    ]
    return f"{max(cell.fakes_busy for cell in cells) * 100:.0f} %" if cells else "not measured"


def _in_short(run: Run) -> str:
    """What one process costs, in people's time and in resources, as a paragraph. Omits what was not measured."""
    delay_ms = max(run.delays_ms, default=0)
    ours, floors = (run.cell(who, "http", delay_ms, *STEADY) for who in ("bot", "floor"))
    busy = run.cell("bot", "http", delay_ms, BUSY)
    if ours is None or floors is None or busy is None:
        return "Not all that makes a summary was measured."
    reply_ms, floor_ms = ours.reply_ms(0.5), floors.reply_ms(0.5)
    return (
        f"In short, over HTTP: with services that take {delay_ms} ms a call, an answer takes {reply_ms:.0f} ms, "
        f"{(reply_ms / floor_ms - 1) * 100:.0f} % more than by a bare handler that keeps nothing. It costs "
        f"{ours.cpu_ms / floors.cpu_ms:.1f} times the CPU of that, and sixteen people who never pause are answered "
        f"{busy.a_second:.0f} times a second by one process."
    )


PLACES: dict[str, Callable[[Run], str]] = {
    "date": lambda run: str(run.about["date"]),
    "machine": _machine,
    "versions": tables.of_versions,
    "in_short": _in_short,
    "goals": tables.of_goals,
    "ratios": tables.of_ratios,
    "loads": _all_loads,
    "rounds": lambda run: str(run.about["rounds"]),
    "projects": lambda run: str(run.about["projects"]),
    "fakes_busy": _fakes_busy,
    "starts": tables.of_starts,
    "beginning": tables.of_beginning,
    "weights": tables.of_weights,
    "anatomy": tables.of_anatomy,
    "counts": tables.of_counts,
    "lists": tables.of_lists,
    "follows": tables.of_follows,
    "channels": tables.of_channels,
}
