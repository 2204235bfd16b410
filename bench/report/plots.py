"""The document's plots as SVG. The same samples give the same bytes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from bench.report.numbers import LABELS, TRANSPORTS, Run, median

COLOURS = {"bot": "#0b6e4f", "floor": "#c1666b", "raw": "#8d99ae", "bolt-js": "#e0a100", "slack-machine": "#48639c"}
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "bench",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "figure.facecolor": "white",
    "legend.frameon": False,
}


def draw(run: Run, folder: Path) -> list[Path]:
    """Draws every plot for which there are samples. Returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with mpl.rc_context(STYLE):
        for name, is_there, plot, width in (
            ("reply", bool(run.loads), _replies, 10.0),
            ("work", bool(run.loads), _work, 10.0),
            ("lists", bool(run.lists), _lists, 10.0),
            ("follows", bool(run.follows), _follows, 10.0),
        ):
            if is_there:
                figure = Figure(figsize=(width, 3.6), layout="constrained")
                FigureCanvasSVG(figure)
                plot(run, figure)
                path = folder / f"{name}.svg"
                figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
                path.write_text(_with_plain_ids(path.read_text(encoding="utf-8")), encoding="utf-8")
                written.append(path)
    return written


def _with_plain_ids(svg: str) -> str:
    """Numbers matplotlib's ids in order. It hashes them from floats whose last bit depends on the CPU."""
    ids = dict.fromkeys(re.findall(r'id="([a-z][0-9a-f]{10})"', svg))
    names = {id: f"id{number}" for number, id in enumerate(ids)}
    return re.sub(r"\b[a-z][0-9a-f]{10}\b", lambda found: names.get(found[0], found[0]), svg)


def _replies(run: Run, figure: Figure) -> None:
    """Reply times by commands a second, with the longest delay: median solid, 99th percentile dashed."""
    delay_ms = max(run.delays_ms)
    rates = [load for load in run.loads if load.startswith("open")]
    panels = figure.subplots(1, 2, sharey=True)
    for panel, (transport, title) in zip(panels, TRANSPORTS.items(), strict=True):
        for contender in (one for one in run.contenders(transport) if one != "raw"):  # not measured at every rate
            cells = [(int(load.split()[1]), run.cell(contender, transport, delay_ms, load)) for load in rates]
            points = [(rate, cell) for rate, cell in cells if cell is not None]
            for share, dash in ((0.5, "-"), (0.99, "--")):
                panel.plot(
                    [rate for rate, _ in points],
                    [cell.reply_ms(share) for _, cell in points],
                    dash,
                    color=COLOURS[contender],
                    marker="o" if share == 0.5 else None,
                    markersize=4,
                    label=LABELS[contender] if share == 0.5 else None,
                )
        _logarithmic(panel, [int(load.split()[1]) for load in rates])
        panel.set_title(f"{title}, Slack and CodeShip take {delay_ms} ms")
        panel.set_xlabel("commands a second")
        panel.legend(fontsize=8)
    panels[0].set_ylabel("reply in ms: p50, dashed p99")


def _work(run: Run, figure: Figure) -> None:
    """With 16 clients and no delay: throughput, and its cost."""
    delay_ms = min(run.delays_ms)
    rows = [(contender, transport) for transport in TRANSPORTS for contender in run.contenders(transport)][::-1]
    found = [(who, run.cell(*who, delay_ms, "closed 16")) for who in rows if who[0] != "raw"]
    cells = [(who, cell) for who, cell in found if cell is not None]
    names = [f"{LABELS[contender]}, {TRANSPORTS[transport]}" for (contender, transport), _ in cells]
    for panel, title, values in zip(
        figure.subplots(1, 2),
        ("commands a second, 16 clients", "CPU a command in ms, 16 clients"),
        ([cell.a_second for _, cell in cells], [cell.cpu_ms for _, cell in cells]),
        strict=True,
    ):
        bars = panel.barh(names, values, color=[COLOURS[who[0]] for who, _ in cells])
        panel.bar_label(bars, fmt="%.3g", padding=3, fontsize=8)
        panel.set_title(title)
        panel.tick_params(axis="y", labelsize=8)
        panel.grid(visible=False, axis="y")
        panel.margins(x=0.15)


def _lists(run: Run, figure: Figure) -> None:
    sizes = sorted({record["size"] for record in run.lists})

    def by_size(who: str, name: str, by: float) -> list[float]:
        """Medians; if many names were measured, the median of their medians."""
        return [
            median(_one(record[who][name]) / by for record in run.lists if record["size"] == size) for size in sizes
        ]

    ours, plain = COLOURS["bot"], COLOURS["floor"]
    for panel, title, lines in zip(
        figure.subplots(1, 3),
        ("first load in ms", "memory after it in MiB", "a name looked for, in ms"),
        (
            [
                ("this bot", ours, by_size("ours", "first_us", 1e3)),
                ("json.loads", plain, by_size("plain", "loads_us", 1e3)),
            ],
            [
                ("this bot", ours, by_size("ours", "grown", 2**20)),
                ("json.loads", plain, by_size("plain", "grown", 2**20)),
            ],
            [
                ("known", ours, by_size("ours", "known_us", 1e3)),
                ("unknown, with its nearest", COLOURS["slack-machine"], by_size("ours", "unknown_us", 1e3)),
            ],
        ),
        strict=True,
    ):
        for name, colour, values in lines:
            panel.plot(sizes, values, "-o", color=colour, markersize=4, label=name)
        _logarithmic(panel, sizes)
        panel.set_title(title)
        panel.set_xlabel("projects of ten builds")
        panel.legend(fontsize=8)


def _one(value: float | list[float]) -> float:
    return median(value) if isinstance(value, list) else value


def _follows(run: Run, figure: Figure) -> None:
    records = [record for record in run.follows if record["budget"] is None]
    sizes = [record["size"] for record in records]
    calls = [sum(record["calls"].values()) for record in records]
    panels = figure.subplots(1, 3)
    for panel, title, values in (
        (panels[0], "CodeShip calls a minute", [n / r["seconds"] * 60 for n, r in zip(calls, records, strict=True)]),
        (
            panels[1],
            "seconds from look to look",
            [r["size"] / n * r["seconds"] if n else 0.0 for n, r in zip(calls, records, strict=True)],
        ),
        (panels[2], "CPU in % of one core", [record["cpu_s"] / record["seconds"] * 100 for record in records]),
    ):
        panel.plot(sizes, values, "-o", color=COLOURS["bot"], markersize=4)
        panel.set_title(title)
        panel.set_xlabel("builds followed")
        panel.set_ylim(bottom=0)


def _logarithmic(panel: Axes, ticks: list[int]) -> None:
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    panel.minorticks_off()
