"""`make` on a bare machine: its messages, what it refuses, what it installs and starts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements-playground.txt", "requirements-dev.txt")


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    for name in ("Makefile", *LOCKS):
        if not (folder / name).exists():
            shutil.copy(ROOT / name, folder)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "PYTHON"}
    return subprocess.run(["make", *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=False)


def program(path: Path, script: str) -> Path:
    """Creates a program that replaces a Python, into which installing would take long."""
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
        "sbom",
        "web-check",
        "soak",
        "screenshots",
    ]


def test_a_python_that_is_too_old_is_refused_in_words(tmp_path):
    old = program(tmp_path / "old", '[ "$1" = -V ] && echo "Python 3.9.2" || exit 1')
    made = make(tmp_path, "test", f"PYTHON={old}")
    assert made.returncode != 0
    assert f"Python 3.11 or newer is needed; {old} is Python 3.9.2." in made.stderr
    assert "make test PYTHON=python3.13" in made.stderr


def test_a_missing_python_is_reported(tmp_path):
    assert "python-of-nowhere is missing." in make(tmp_path, "run", "PYTHON=python-of-nowhere").stderr


@pytest.mark.parametrize(("with_env", "module"), [(True, "bot"), (False, "playground")])
def test_make_run_starts_the_bot_if_there_is_a_dot_env_and_the_playground_if_not(tmp_path, with_env, module):
    program(tmp_path / ".venv/bin/python", 'echo "ran $*"')
    if with_env:
        (tmp_path / ".env").write_text("")
    assert make(tmp_path, "run").stdout.splitlines()[-1] == f"ran -m {module}"


def installed_by(folder: Path, target: str) -> list[str]:
    """The locks that a target installs."""
    return re.findall(r"--require-hashes -r (\S+)", make(folder, target).stdout)


@pytest.mark.parametrize(
    ("target", "lock"),
    [
        *((target, "requirements-playground.txt") for target in ("run", "playground", "doctor")),
        *((target, "requirements-dev.txt") for target in ("test", "check", "bench", "screenshots", "sbom")),
    ],
)
def test_a_target_installs_what_it_needs_and_again_only_if_its_lock_is_newer(tmp_path, target, lock):
    program(tmp_path / ".venv/bin/python", 'echo "ran $*"')
    assert installed_by(tmp_path, target) == [lock]
    assert installed_by(tmp_path, target) == []
    for stamp in (tmp_path / ".venv").glob(".*"):
        os.utime(stamp, (0, 0))
    assert installed_by(tmp_path, target) == [lock]


def test_the_playground_needs_nothing_more_if_the_tools_are_installed(tmp_path):
    program(tmp_path / ".venv/bin/python", 'echo "ran $*"')
    assert installed_by(tmp_path, "run") == ["requirements-playground.txt"]
    assert installed_by(tmp_path, "test") == ["requirements-dev.txt"]
    assert installed_by(tmp_path, "run") == []


def runs_of_tests(folder: Path, target: str) -> list[str]:
    program(folder / ".venv/bin/python", 'echo "ran $*"')
    return re.findall(r"^ran -m pytest (.*)$", make(folder, target).stdout, flags=re.MULTILINE)


def test_make_test_runs_the_quick_tests_and_make_check_the_slow_ones_too(tmp_path):
    (quick,) = runs_of_tests(tmp_path, "test")
    assert quick.startswith("-m not slow --hypothesis-profile quick ")
    first, second, third = runs_of_tests(tmp_path, "check")
    assert first == quick.replace("--hypothesis-profile quick", "--hypothesis-profile full")
    assert second.startswith("-m slow and not serial ")
    assert third == "-m serial"


def test_an_environment_without_pip_is_made_again(tmp_path):
    program(tmp_path / ".venv/bin/python", '[ "$2" != pip ]')
    python = program(tmp_path / "new", 'echo "ran $*"')
    assert "ran -m venv --clear .venv" in make(tmp_path, "test", f"PYTHON={python}").stdout
