"""Lock files and image. Docker is not run: its files are read."""

from __future__ import annotations

import http.server
import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.programs import PACKAGES

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = {
    "requirements.txt": (),
    "requirements-playground.txt": ("playground",),
    "requirements-dev.txt": ("playground", "bench", "dev"),
}
"""Each lock with the extras that it holds."""


@cache
def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def locked(lock: str) -> dict[str, str]:
    """Name and version of everything in a lock."""
    pins = re.findall(r"^([a-z0-9-]+)==([^\s;]+)", text_of(lock), flags=re.MULTILINE)
    return dict(pins)


@cache
def wanted(*extras: str) -> list[Requirement]:
    lists = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] for extra in extras)]
    return [
        Requirement(line) for requirements in lists for line in requirements if not line.startswith("codeship-bot[")
    ]


# The locks


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_every_package_with_its_version_and_hashes_and_no_address(lock):
    for entry in re.split(r"\n(?=[^\s#])", re.sub(r"^ *#.*\n", "", text_of(lock), flags=re.MULTILINE)):
        assert re.match(r"[a-z0-9-]+==\S+", entry), entry
        assert re.search(r" --hash=sha256:[0-9a-f]{64}", entry), entry
    assert not re.search(r"://|--index|--extra-index|--find-links|--trusted|@ ", text_of(lock))


@pytest.mark.parametrize(("lock", "extras"), LOCKS.items())
def test_a_lock_holds_what_the_project_requests(lock, extras):
    pins = locked(lock)
    for requirement in wanted(*extras):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def test_each_lock_holds_the_smaller_one_in_the_same_versions():
    runtime, playground, dev = (locked(lock).items() for lock in LOCKS)
    assert runtime <= playground <= dev


def test_what_serves_only_developers_is_in_neither_the_bots_lock_nor_the_playgrounds():
    tools = {canonicalize_name(requirement.name) for requirement in wanted("bench", "dev")} - {
        canonicalize_name(requirement.name) for requirement in wanted("playground")
    }
    assert {"pytest", "mypy", "ruff", "hypothesis", "playwright", "psutil"} <= tools
    assert locked("requirements-playground.txt").keys() & tools <= {"pyyaml"}, "which dbos needs too"
    assert "jsonschema" not in locked("requirements.txt")


def imported_by(path: Path) -> set[str]:
    """The top names of the modules that a file imports, read from its lines: parsing all files takes a second."""
    text = path.read_text(encoding="utf-8")
    lists = re.findall(r"^\s*import (\w[\w., ]*)", text, flags=re.MULTILINE)
    names = [name.split()[0] for each in lists for name in each.split(",")]
    names += re.findall(r"^\s*from (\w[\w.]*) import ", text, flags=re.MULTILINE)
    return {name.partition(".")[0] for name in names}


def test_the_package_imports_only_declared_dependencies():
    distributions = packages_distributions()
    paths = [path for package in ("bot", "playground") for path in sorted((ROOT / package).rglob("*.py"))]
    for path in paths:
        if "node_modules" in path.parts:
            continue
        extras = ("playground",) if path.relative_to(ROOT).parts[0] == "playground" else ()
        asked_for = {canonicalize_name(requirement.name) for requirement in wanted(*extras)}
        for name in imported_by(path) - set(sys.stdlib_module_names) - {"bot", "playground"}:
            held_by = {canonicalize_name(distribution) for distribution in distributions.get(name, [])}
            assert held_by & asked_for, f"{path.relative_to(ROOT)} imports {name}"


# CI


def test_ci_installs_the_package_of_every_program_that_a_test_runs():
    installed = re.findall(r"missing\+=\((\S+)\)", text_of(".ci/run"))
    assert set(PACKAGES.values()) <= set(installed)


# The image


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order, each with its arguments in one line."""
    text = re.sub(r"^\s*#.*\n", "", text_of("Dockerfile"), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in text.splitlines() if line.strip()]


def final_stage() -> list[tuple[str, str]]:
    lines = instructions()
    starts = [number for number, (word, _) in enumerate(lines) if word == "FROM"]
    assert len(starts) == 2
    return lines[starts[-1] :]


def arguments_of(word: str) -> list[str]:
    return [arguments for instruction, arguments in final_stage() if instruction == word]


def health_check() -> list[str]:
    (check,) = arguments_of("HEALTHCHECK")
    command: list[str] = json.loads(check.partition("CMD ")[2])
    return command


def test_the_image_runs_the_bot_directly_and_not_as_root():
    assert arguments_of("CMD") == ['["python", "-m", "bot"]']
    assert arguments_of("ENTRYPOINT") == []
    assert arguments_of("STOPSIGNAL") == ["SIGTERM"]
    (user,) = arguments_of("USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    assert final_stage()[-1][0] == "CMD"


def test_the_base_is_named_once_with_a_tag_that_a_digest_can_follow():
    arguments = [arguments for word, arguments in instructions() if word in ("ARG", "FROM")]
    assert arguments == ["BASE=python:3.13.9-slim-bookworm", "${BASE} AS packages", "${BASE}"]


def test_only_locked_packages_are_installed_and_only_by_their_hashes():
    installing = [arguments for _, arguments in instructions() if "install" in arguments and "pip" in arguments]
    (install, uninstall) = (json.loads(arguments) for arguments in installing)
    assert install[-2:] == ["-r", "/tmp/requirements.txt"]
    assert {"--require-hashes", "--only-binary", ":all:", "--no-cache-dir"} <= set(install)
    assert "uninstall" in uninstall
    assert not re.search(r"apt-get|curl|wget", text_of("Dockerfile"))


def test_the_image_is_built_only_from_the_package_and_the_runtime_lock():
    copied = [arguments for word, arguments in instructions() if word in ("COPY", "ADD")]
    assert copied == [
        "requirements.txt /tmp/requirements.txt",
        "bot /app/bot",
        "--from=packages /venv /venv",
        "--from=packages /app /app",
    ]


def test_no_layer_has_a_place_for_a_secret():
    assert not re.search(r"TOKEN|SECRET|KEY|PASSWORD", "".join(arguments for _, arguments in instructions()))


def test_the_database_is_on_the_volume_and_the_port_is_set_so_that_health_is_served_in_both_transports():
    (environment,) = arguments_of("ENV")
    assert arguments_of("VOLUME") == ["/data"]
    assert "DATABASE_URL=sqlite:////data/" in environment
    assert "PORT=3000" in environment
    assert arguments_of("EXPOSE") == ["3000"]


class _Health(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(params=[200, 503])
def serving(request) -> Iterator[tuple[int, int]]:
    """A port at which /healthz answers with a status, and that status."""
    handler = type("Health", (_Health,), {"status": request.param})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port, request.param
        server.shutdown()
        thread.join()


def run_health_check(port: int) -> int:
    command = [sys.executable, *health_check()[1:]]
    environ = {**os.environ, "PORT": str(port), "http_proxy": "http://127.0.0.1:9"}
    return subprocess.run(command, env=environ, capture_output=True, check=False).returncode


def test_the_health_check_passes_if_healthz_does_and_fails_if_it_does_not(serving):
    port, status = serving
    assert health_check()[:2] == ["python", "-c"]
    assert run_health_check(port) == (0 if status == 200 else 1)


def test_the_health_check_fails_if_nothing_listens():
    with http.server.HTTPServer(("127.0.0.1", 0), _Health) as server:
        port = server.server_port
    assert run_health_check(port) == 1


def goes_into_the_image(path: str) -> bool:
    """Docker's rule: the last line that fits the path or a folder above it decides."""
    parts = path.split("/")
    above = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
    taken = True
    for line in text_of(".dockerignore").splitlines():
        pattern = line.removeprefix("!")
        anywhere = pattern.removeprefix("**/")
        fits = (
            any(fnmatchcase(part, anywhere) for part in parts)
            if anywhere != pattern
            else any(fnmatchcase(folder, pattern) and folder.count("/") == pattern.count("/") for folder in above)
        )
        if line and not line.startswith("#") and fits:
            taken = line.startswith("!")
    return taken


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("bot/__main__.py", True),
        ("bot/slack/listeners.py", True),
        ("requirements.txt", True),
        ("requirements-playground.txt", False),
        ("playground/__main__.py", False),
        ("bot/core/__pycache__/model.cpython-313.pyc", False),
        ("bot/store/left-over.sqlite3-wal", False),
        *(
            (path, False)
            for path in [".env", ".env.production", ".git/config", ".venv/bin/python", "tests/test_logs.py"]
        ),
        *(
            (path, False)
            for path in [
                "codeship-bot.sqlite3",
                "requirements-dev.txt",
                "requirements-playground.txt",
                "docs/decisions.md",
                "id_rsa",
            ]
        ),
    ],
)
def test_only_the_package_and_its_lock_go_into_the_image(path, taken):
    assert goes_into_the_image(path) is taken


def test_the_files_with_secrets_and_the_database_are_ignored_by_git_too():
    assert {".env", "*.sqlite3", "*.sqlite3-*"} <= set(text_of(".gitignore").splitlines())
