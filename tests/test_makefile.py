"""`make` on a bare machine: what it says, what it refuses, what it installs and starts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    for name in ("Makefile", "requirements-dev.txt"):
        if not (folder / name).exists():
            shutil.copy(ROOT / name, folder)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "PYTHON"}
    return subprocess.run(["make", *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=False)


def program(path: Path, script: str) -> Path:
    """Puts a program there that stands in for a Python, which would take long to install into."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_make_alone_says_what_can_be_made(tmp_path):
    said = make(tmp_path).stdout
    assert re.findall(r"^make ([\w-]+) ", said, flags=re.MULTILINE) == [
        "help",
        "run",
        "playground",
        "doctor",
        "test",
        "check",
        "bench",
        "lock",
        "web",
        "web-check",
        "screenshots",
    ]


def test_a_python_that_is_too_old_is_refused_in_words(tmp_path):
    old = program(tmp_path / "old", '[ "$1" = -V ] && echo "Python 3.9.2" || exit 1')
    made = make(tmp_path, "test", f"PYTHON={old}")
    assert made.returncode != 0
    assert f"Python 3.11 or newer is needed; {old} is Python 3.9.2." in made.stderr
    assert "make test PYTHON=python3.13" in made.stderr


def test_a_python_that_is_not_there_is_told_as_missing(tmp_path):
    assert "python-of-nowhere is missing." in make(tmp_path, "run", "PYTHON=python-of-nowhere").stderr


@pytest.mark.parametrize(("with_env", "module"), [(True, "bot"), (False, "bot.playground")])
def test_make_run_starts_the_bot_where_there_is_a_dot_env_and_the_playground_where_not(tmp_path, with_env, module):
    program(tmp_path / ".venv/bin/python", 'echo "ran $*"')
    if with_env:
        (tmp_path / ".env").write_text("")
    assert make(tmp_path, "run").stdout.splitlines()[-1] == f"ran -m {module}"


def test_what_was_installed_is_installed_again_only_where_the_lock_has_changed(tmp_path):
    program(tmp_path / ".venv/bin/python", 'echo "ran $*"')
    assert "--require-hashes -r requirements-dev.txt" in make(tmp_path, "test").stdout
    assert "requirements-dev.txt" not in make(tmp_path, "test").stdout
    installed = (tmp_path / ".venv/.installed").stat().st_mtime
    os.utime(tmp_path / "requirements-dev.txt", (installed + 1, installed + 1))
    assert "--require-hashes -r requirements-dev.txt" in make(tmp_path, "test").stdout


def test_an_environment_without_pip_is_made_anew(tmp_path):
    program(tmp_path / ".venv/bin/python", '[ "$2" != pip ]')
    python = program(tmp_path / "new", 'echo "ran $*"')
    assert "ran -m venv --clear .venv" in make(tmp_path, "test", f"PYTHON={python}").stdout
