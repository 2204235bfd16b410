"""Reads the bot's source: the metrics it registers and the events it logs."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

from prometheus_client import Metric

from bot.metrics import Metrics

BOT = Path(__file__).parent.parent / "bot"
LEVELS = {"debug": "DEBUG", "info": "INFO", "warning": "WARNING", "error": "ERROR", "exception": "ERROR"} | {
    "critical": "CRITICAL"
}
"""Each method of a logger with the level of its lines."""


class MetricFacts(NamedTuple):
    """A metric as Prometheus sees it. `samples` are the names of its series."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str
    samples: frozenset[str]


class LogEvent(NamedTuple):
    name: str
    level: str


@cache
def _read() -> tuple[list[tuple[str, ast.Call]], set[str]]:
    """Every call in the source with its module, and every string literal."""
    calls, literals = list[tuple[str, ast.Call]](), set[str]()
    for path in sorted(BOT.rglob("*.py")):
        name = str(path.relative_to(BOT.parent))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                calls.append((name, node))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                literals.add(node.value)
    return calls, literals


def strings() -> set[str]:
    """Every string literal in the source."""
    return _read()[1]


@cache
def metrics() -> dict[str, MetricFacts]:
    """By name, without the suffixes of series.

    A gauge that is registered outside `bot.metrics` is recognized by its two arguments: a name and a sentence.
    """
    found = {}
    registry = Metrics().registry
    for collector, names in registry._collector_to_names.items():
        family: Metric = next(iter(collector.describe() if hasattr(collector, "describe") else collector.collect()))
        labels = tuple(getattr(collector, "_labelnames", ()))
        samples = frozenset(name for name in names if not name.endswith("_created") and name != family.name)
        own = samples if family.type in ("counter", "histogram") else frozenset({family.name})
        found[family.name] = MetricFacts(family.name, family.type, labels, family.documentation, own)
    for _, call in _read()[0]:
        match call.args:
            case [ast.Constant(value=str(name)), ast.Constant(value=str(meaning)), *_] if name.startswith("bot_"):
                if not ({name, f"{name}_total"} & found.keys()) and meaning.endswith("."):
                    found[name] = MetricFacts(name, "gauge", (), meaning, frozenset({name}))
    return found


def log_events() -> set[LogEvent]:
    """Every event passed to a structlog logger. Raises AssertionError for one that is not a literal."""
    found = set()
    for path, call in _read()[0]:
        if not (isinstance(call.func, ast.Attribute) and call.func.attr in LEVELS and _is_logger(call.func.value)):
            continue
        for event in _literals(call.args[0]):
            assert event is not None, f"{path}:{call.lineno} logs an event whose name is not a literal"
            found.add(LogEvent(event, LEVELS[call.func.attr]))
    return found


def _is_logger(node: ast.expr) -> bool:
    """`log`, or `structlog.get_logger(…)` called on the spot."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr == "get_logger"
    return isinstance(node, ast.Name) and node.id == "log"


def _literals(node: ast.expr) -> list[str | None]:
    if isinstance(node, ast.IfExp):
        return [*_literals(node.body), *_literals(node.orelse)]
    return [node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None]
