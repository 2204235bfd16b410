"""`python -m playground`: its output, its address, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

pytestmark = pytest.mark.serial

ROOT = Path(__file__).parents[2]


def start(*arguments: str, **environ: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PLAYGROUND_")}
    return subprocess.Popen(
        [sys.executable, "-m", "playground", *arguments],
        cwd=ROOT,
        env=clean | {"CI": "true"} | environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_prints_and_serves_the_page_and_ends_on_a_signal():
    process = start(PLAYGROUND_PORT="0")
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found, line + process.stderr.read()
    with requests.Session() as session:
        session.trust_env = False
        assert session.get(found[0], timeout=10).status_code == 200
    process.send_signal(signal.SIGTERM)
    _, complaints = process.communicate(timeout=20)
    assert (process.returncode, complaints) == (0, "")


def test_a_used_port_is_reported_with_a_remedy():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        _, complaints = start(PLAYGROUND_PORT=str(port)).communicate(timeout=20)
    assert complaints.startswith(f"Cannot listen on 127.0.0.1, port {port}: ")
    assert "PLAYGROUND_PORT=8766 make playground" in complaints


@pytest.mark.parametrize(
    ("environ", "complaint"),
    [
        ({"PLAYGROUND_PORT": "http"}, "PLAYGROUND_PORT is not a port"),
        ({"PLAYGROUND_PORT": "65536"}, "PLAYGROUND_PORT is not a port"),
        ({"PLAYGROUND_CODESHIP_API_URL": "https://ci.example/api/v1"}, "belong together: set both or neither."),
        (
            {"PLAYGROUND_CODESHIP_API_URL": "ftp://x", "PLAYGROUND_CODESHIP_API_KEY": "key-of-mine-0123456789"},
            "CODESHIP_API_URL",
        ),
    ],
)
def test_a_wrong_setting_is_reported_without_any_key(environ, complaint):
    process = start(**{"PLAYGROUND_PORT": "0", **environ})
    _, complaints = process.communicate(timeout=20)
    assert process.returncode == 1
    assert complaint in complaints
    assert "Traceback" not in complaints
    assert "key-of-mine" not in complaints


def test_the_terminal_is_there_for_people_without_a_browser():
    said, complaints = start("--terminal").communicate("/codeship status acme/web main\n:quit\n", timeout=30)
    assert "failed in 4m 7s" in said
    assert complaints == ""
