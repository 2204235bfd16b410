"""The document's tables, in Markdown."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from bench.report.goals import goals
from bench.report.numbers import LABELS, TRANSPORTS, Cell, Run, median, quantile

MIB = 2**20


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first column is text, the others are numbers."""
    lines = [" | ".join(head), " | ".join(["---", *["---:"] * (len(head) - 1)])]
    lines += [" | ".join(row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def of_goals(run: Run) -> str:
    lines = ["| goal | measured | met |", "| --- | --- | --- |"]
    for goal in goals(run):
        met = "not measured" if goal.is_met is None else "yes" if goal.is_met else "**no**"
        lines.append(f"| {goal.wanted} | {goal.measured} | {met} |")
    return "\n".join(lines)


def of_versions(run: Run) -> str:
    machine = run.about["machine"]
    rows = [("this bot and the floor", _listed(machine["versions"]))]
    if machine["node"]:
        rows.append(("Bolt for JavaScript", _listed(machine["node"])))
    if machine["slack_machine"]:
        rows.append(("slack-machine", _listed(machine["slack_machine"])))
    rows += [(who, f"left out: {why}") for who, why in run.about["absent"].items()]
    return "\n".join(["| | versions |", "| --- | --- |", *(f"| {who} | {what} |" for who, what in rows)])


def of_loads(run: Run, transport: str, delay_ms: int) -> str:
    head = ["", "ack p50", "ack p99", "acks over 3 s", "reply p50", "reply p99", "a second", "CPU a command", "memory"]
    return table(head, _load_rows(run, transport, delay_ms))


def _load_rows(run: Run, transport: str, delay_ms: int) -> Iterator[list[str]]:
    for load in run.loads:
        for contender in run.contenders(transport):
            cell = run.cell(contender, transport, delay_ms, load)
            if cell is not None:
                yield [f"{load_named(load)}: {LABELS[contender]}", *_load_figures(cell)]


def _load_figures(cell: Cell) -> list[str]:
    lost = f" ({cell.unanswered} unanswered)" if cell.unanswered else ""
    return [
        *(ms(cell.ack_ms(share)) for share in (0.5, 0.99)),
        f"{cell.late_acks * 100:.1f} %" if cell.late_acks else "none",
        *(ms(cell.reply_ms(share)) for share in (0.5, 0.99)),
        f"{cell.a_second:.0f}{lost}",
        f"{cell.cpu_ms:.2f} ms",
        f"{max(record['resident'] for record in cell.records) / MIB:.0f} MiB",
    ]


def of_ratios(run: Run) -> str:
    """Ours divided by the floor's, one line per load; in brackets the same for each round."""
    head = ["", "reply p50", "reply p99", "ack p50", "a second", "CPU a command"]
    rows = []
    for transport in TRANSPORTS:
        for delay_ms in run.delays_ms:
            for load in run.loads:
                ours, floor = (run.cell(who, transport, delay_ms, load) for who in ("bot", "floor"))
                if ours is not None and floor is not None:
                    words = f"{TRANSPORTS[transport]}, {delay_ms} ms, {load_named(load)}"
                    rows.append([words, *_ratio_figures(ours, floor)])
    return table(head, rows)


def _ratio_figures(ours: Cell, floor: Cell) -> list[str]:
    figures = []
    for of in _COMPARED:
        rounds = sorted(of(one) / of(other) for one, other in zip(ours.by_round, floor.by_round, strict=True))
        figures.append(f"{of(ours) / of(floor):.2f} ({rounds[0]:.2f}–{rounds[-1]:.2f})")
    return figures


_COMPARED: tuple[Callable[[Cell], float], ...] = (
    lambda cell: cell.reply_ms(0.5),
    lambda cell: cell.reply_ms(0.99),
    lambda cell: cell.ack_ms(0.5),
    lambda cell: cell.a_second,
    lambda cell: cell.cpu_ms,
)


def of_starts(run: Run) -> str:
    head = ["", "start to ready", "first ack", "first reply", "idle memory", "its own alone", "idle CPU"]
    rows = []
    for transport in TRANSPORTS:
        for contender in run.contenders(transport):
            took = [
                median(run.of_starts(contender, transport, name)) / 1000 for name in ("ready_us", "ack_us", "reply_us")
            ]
            idle = run.of_idle(contender, transport)
            rows.append([f"{LABELS[contender]}, {TRANSPORTS[transport]}", *map(ms, took), *_idle_figures(idle)])
    return table(head, rows)


def _idle_figures(idle: dict[str, float] | None) -> list[str]:
    if idle is None:
        return ["", "", ""]
    busy = idle["cpu_s"] / idle["seconds"] * 100
    return [f"{idle['resident'] / MIB:.0f} MiB", f"{idle['own'] / MIB:.0f} MiB", f"{busy:.1f} %"]


def of_beginning(run: Run, limit: int = 12) -> str:
    """The parts of a start: medians of the whole, and of the packages whose imports take most time."""
    records = [record for record in run.insides if record["what"] == "begin"]
    rows = [
        [words, ms(median(record[name] for record in records) / 1000)]
        for words, name in (
            ("imports", "imports_us"),
            ("putting together, the database opened", "together_us"),
            ("starting: durable work, Slack asked who we are, listening", "start_us"),
        )
    ]
    packages: dict[str, list[float]] = {}
    for record in records:
        for package, took in record["packages_us"].items():
            packages.setdefault(package, []).append(took)
    dearest = sorted(packages, key=lambda package: (-median(packages[package]), package))[:limit]
    rows += [[f"of the imports: {package}", ms(median(packages[package]) / 1000)] for package in dearest]
    return table(["", "time"], rows)


def of_weights(run: Run) -> str:
    found: dict[str, int] = next((record["imports"] for record in run.insides if record["what"] == "weigh"), {})
    rows = [[f"`{name}`", f"{size / MIB:.1f} MiB"] for name, size in found.items()]
    return table(["import", "memory"], [*rows, ["all of them", f"{sum(found.values()) / MIB:.0f} MiB"]])


def of_anatomy(run: Run, limit: int = 14) -> str:
    records = [record for record in run.insides if record["what"] == "anatomy"]
    if not records:
        return "Not measured."
    seen = records[0]["seen"]
    whole = sum(seen.values())
    rows = [[f"`{place}`", f"{count / whole * 100:.1f} %"] for place, count in list(seen.items())[:limit]]
    return table(["innermost function of the bot", "share"], rows)


def of_counts(run: Run) -> str:
    rows = [
        [
            f"{count['asked']} {count['scene']}, {TRANSPORTS[count['transport']]}",
            ", ".join(f"{call} {number}" for call, number in count["called"].items()),
            "as wanted" if count["called"] == count["wanted"] else "**not as wanted**",
        ]
        for count in run.counts
    ]
    return table(["", "called", ""], rows)


def of_lists(run: Run) -> str:
    head = ["", "size", "fetching alone", "`json.loads` alone", "first load", "ratio", "memory after: ours"]
    head += ["`json.loads`", "known name", "unknown name", "unknown, p99"]
    rows = []
    for size in sorted({record["size"] for record in run.lists}):
        of = [record for record in run.lists if record["size"] == size]
        plain, ours = (median(r[a][b] for r in of) / 1000 for a, b in (("plain", "loads_us"), ("ours", "first_us")))
        rows.append(
            [
                f"{size:,} projects",
                f"{of[0]['plain']['bytes'] / 1e6:.1f} MB",
                ms(median(record["plain"]["fetch_us"] for record in of) / 1000),
                ms(plain),
                ms(ours),
                f"{ours / plain:.2f}",
                *(f"{median(record[who]['grown'] for record in of) / MIB:.0f} MiB" for who in ("ours", "plain")),
                *(
                    ms(median(median(record["ours"][name]) for record in of) / 1000)
                    for name in ("known_us", "unknown_us")
                ),
                ms(max(sorted(record["ours"]["unknown_us"])[-3] for record in of) / 1000),
            ]
        )
    return table(head, rows)


def of_follows(run: Run) -> str:
    head = ["", "budget a minute", "calls a minute", "a build is looked at every", "CPU", "CPU a look", "memory"]
    rows = []
    for record in run.follows:
        calls = sum(record["calls"].values())
        rows.append(
            [
                f"{record['size']:,} builds",
                f"{record['budget']}" if record["budget"] else "out of the way",
                f"{calls / record['seconds'] * 60:.0f}",
                f"{record['size'] / calls * record['seconds']:.0f} s" if calls else "",
                f"{record['cpu_s'] / record['seconds'] * 100:.0f} %",
                ms(record["cpu_s"] / calls * 1000) if calls else "",
                f"{record['resident'] / MIB:.0f} MiB",
            ]
        )
    return table(head, rows)


def of_channels(run: Run) -> str:
    head = ["", "on", "budget a minute", "calls a minute", "CPU", "matching, p99", "polled", "webhooks", "memory"]
    rows = [
        [
            f"{record['subscriptions']:,} subscriptions, {record['projects']} repositories",
            record["date"],
            f"{record['budget']}",
            f"{sum(record['calls'].values()) / record['seconds'] * 60:.0f}",
            f"{record['cpu_s'] / record['seconds'] * 100:.1f} %",
            ms(quantile(record["match_us"], 0.99) / 1000),
            _lag(record["polled_us"]),
            _lag(record["hinted_us"]),
            f"{record['resident'] / MIB:.0f} MiB",
        ]
        for record in run.channels
    ]
    return table(head, rows)


def _lag(lags_us: Sequence[float | None]) -> str:
    p50, p99 = (quantile(lags_us, share) / 1e6 for share in (0.5, 0.99))
    return f"{p50:.1f} s, p99 {p99:.1f} s"


def load_named(load: str) -> str:
    kind, number = load.split()
    if kind == "open":
        return f"{number} a second"
    return "1 client" if number == "1" else f"{number} clients"


def ms(value: float) -> str:
    """Milliseconds, with as many digits as are significant."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "never"
    digits = 3 if value < 0.1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{digits}f} ms"


def _listed(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
