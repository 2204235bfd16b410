"""`python -m bench`: measures, writes raw samples, and generates the document from them. See --help."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench.contenders.table import Contender, of_node, of_python, of_slack_machine
from bench.installs import Installed, install, nothing
from bench.machine import described, others_share
from bench.plan import SCENES, Plan, short, small
from bench.processes import ROOT, NotReady
from bench.samples import Samples
from bench.scenes import channels, counts, follows, idle, lists, loads, replies, starts
from bench.scenes.stage import Stage, stage

RESULTS = ROOT / "bench/results"
TRIED = ROOT / "bench/tried"
"""The folder of partial runs, which do not go into the document."""

TITLES = {
    "counts": "What a request costs, counted",
    "replies": "Replies, with the services a round trip away",
    "loads": "CPU, throughput and acknowledgements",
    "starts": "Cold starts",
    "idle": "Doing nothing",
    "lists": "Large accounts",
    "follows": "Builds that are followed",
    "channels": "Channels that subscribe",
}
KINDS = ("bot", "floor", "lean", "bolt-js", "slack-machine")
TRANSPORTS = ("http", "socket")

PLAYS: dict[str, Callable[[Stage], object]] = {
    "replies": replies.play,
    "loads": loads.play,
    "starts": starts.play,
    "idle": idle.play,
    "lists": lists.play,
    "follows": follows.play,
    "channels": channels.play,
}


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status: 1 if a count is over its limit, or a process did not start."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.render:
        return _render(RESULTS)
    plan = short() if chosen.short else small() if chosen.small else Plan()
    words = set(chosen.only or ())
    if unknown := words - {*SCENES, *KINDS, *TRANSPORTS}:
        parser.error(f"what is {', '.join(sorted(unknown))}? There are {', '.join([*SCENES, *KINDS, *TRANSPORTS])}")
    if scenes := words & set(SCENES):
        plan = replace(plan, scenes=tuple(scene for scene in SCENES if scene in scenes))
    is_whole = not (chosen.short or chosen.small or chosen.only)
    folder = RESULTS if is_whole else TRIED
    began = time.monotonic()
    # So that every process that was started is stopped, too.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))
    installed = nothing() if chosen.short else install(_say)
    contenders = _chosen(_all(installed), words)
    try:
        wrong = run(plan, contenders, installed, folder)
    except NotReady as problem:
        print(problem, file=sys.stderr)
        return 1
    _say(f"\nTook {time.monotonic() - began:.0f} s. The raw samples are in {folder.relative_to(ROOT)}.")
    if is_whole:
        return _render(folder) or wrong
    return wrong


def run(plan: Plan, contenders: Sequence[Contender], installed: Installed, folder: Path) -> int:
    """Returns 1 if a count is over its limit, else 0. Raises NotReady."""
    samples = Samples(folder)
    about = {"date": datetime.now(UTC).date().isoformat(), "machine": described(installed), "absent": installed.absent}
    samples.describe(about | {"rtt_ms": plan.rtt_ms, "pause_s": plan.pause_s})
    wrong = 0
    with stage(plan, contenders, samples, _say) as on:
        for scene in plan.scenes:
            _say(f"\n{TITLES[scene]}")
            own = replace(on, folder=on.folder / scene)
            own.folder.mkdir()
            if scene == "counts":
                wrong = int(any(count.over for count in counts.play(own)))
                continue
            samples.write("noise", {"scene": scene, "share": others_share()})
            PLAYS[scene](own)
            samples.write("noise", {"scene": scene, "share": others_share()})
    return wrong


def _all(installed: Installed) -> list[Contender]:
    found = of_python()
    if installed.node is not None:
        found += of_node(installed.node)
    if installed.slack_machine is not None:
        found += of_slack_machine(installed.slack_machine)
    return found


def _chosen(contenders: list[Contender], words: set[str]) -> list[Contender]:
    kinds, transports = words & set(KINDS), words & set(TRANSPORTS)
    return [
        one
        for one in contenders
        if (not kinds or one.kind in kinds) and (not transports or one.transport in transports)
    ]


def _render(folder: Path) -> int:
    from bench.report.document import write

    _say(f"Wrote {write(folder).relative_to(ROOT)}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures the bot and the alternatives to it, and writes docs/benchmarks.md. "
        "A run with any option goes to bench/tried instead, and leaves the document alone.",
    )
    parser.add_argument("--short", action="store_true", help="count calls, and nothing else: what CI runs")
    parser.add_argument("--small", action="store_true", help="play every scene in small, to try it")
    scenes, contenders = ", ".join(SCENES), ", ".join([*KINDS, *TRANSPORTS])
    parser.add_argument(
        "--only", nargs="+", metavar="WORD", help=f"these scenes ({scenes}) and these contenders ({contenders})"
    )
    parser.add_argument("--render", action="store_true", help="measure nothing; write the document from bench/results")
    return parser


def _say(words: str) -> None:
    print(words, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
