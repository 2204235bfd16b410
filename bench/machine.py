"""What the figures of a run depend on: the machine, and the versions of all participants."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import ssl
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from bench.installs import Installed
from bench.processes import ROOT

OURS = ("aiohttp", "dbos", "msgspec", "rapidfuzz", "requests", "slack-bolt", "slack-sdk", "sqlalchemy", "waitress")
THEIRS = ("aiohttp", "slack-machine", "slack-sdk")


def described(installed: Installed) -> dict[str, Any]:
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "versions": {
            "Python": platform.python_version(),
            "SQLite": sqlite3.sqlite_version,
            "OpenSSL": ssl.OPENSSL_VERSION.split()[1],
            **{name: _version(name) for name in OURS},
        },
        "node": _node(installed.node),
        "slack_machine": _slack_machine(installed.slack_machine),
    }


def others_share(seconds: float = 2.0) -> float:
    """How much of the machine's CPU other processes use, from 0 to 1, while those of the benchmark wait."""
    before = psutil.cpu_times()
    time.sleep(seconds)
    after = psutil.cpu_times()
    idle = after.idle - before.idle + getattr(after, "iowait", 0.0) - getattr(before, "iowait", 0.0)
    return round(max(0.0, 1.0 - idle / (seconds * (os.cpu_count() or 1))), 3)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def _node(node: str | None) -> dict[str, str] | None:
    if node is None:
        return None
    lock = json.loads((ROOT / "bench/node/package-lock.json").read_text(encoding="utf-8"))["packages"]
    packages = ("@slack/bolt", "@slack/socket-mode", "@slack/web-api", "undici")
    found = {name: lock[f"node_modules/{name}"]["version"] for name in packages if f"node_modules/{name}" in lock}
    return {"Node": _said(node, "--version").lstrip("v"), **found}


def _slack_machine(python: str | None) -> dict[str, str] | None:
    if python is None:
        return None
    words = f"from importlib.metadata import version as v; print(*(v(n) for n in {THEIRS!r}))"
    return dict(zip(THEIRS, _said(python, "-c", words).split(), strict=True))


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
