"""The memory of a bot whose CodeShip account has very many projects."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.processes.bot_process import MAX_S, Runs, Sandbox

pytestmark = pytest.mark.serial

PROJECTS = 20_000
MAX_MIB = 180
MIB_OF_JSON = 65
"""The size of the list, so that a bot that keeps it whole is over the limit."""


class LargeAccount(ThreadingHTTPServer):
    """A host that shows projects of ten builds each. `lists` counts the lists that were sent whole."""

    daemon_threads = True

    def __init__(self, projects: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.projects = projects
        self.sent = 0
        self.lists = 0
        self.listed = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def wait_for_lists(self, count: int) -> bool:
        with self.listed:
            return self.listed.wait_for(lambda: self.lists >= count, MAX_S)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LargeAccount

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        is_list = self.path.startswith("/projects.json")
        pieces = _list(self.server.projects) if is_list else iter([_project(int(self.path[10:].partition(".")[0]))])
        for piece in pieces:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.server.sent += len(piece)
        self.wfile.write(b"0\r\n\r\n")
        if is_list:
            with self.server.listed:
                self.server.lists += 1
                self.server.listed.notify_all()

    def log_message(self, *arguments: Any) -> None:
        pass


def _list(projects: int) -> Iterator[bytes]:
    yield b'{"projects": ['
    for begin in range(0, projects, 100):
        yield (b", " if begin else b"") + b", ".join(map(_project, range(begin, min(begin + 100, projects))))
    yield b"]}"


def _project(number: int) -> bytes:
    builds = [
        {
            "id": number * 100 + k,
            "uuid": "cc059370-9a70-0131-c115-0088653824b4",
            "project_id": number,
            "status": "success",
            "branch": "main",
            "commit_id": "96943dc5269634c211b6fbb18896ecdcbd40a047",
            "github_username": "ada",
            "message": "Fix login on slow networks",
            "started_at": "2014-12-16T11:08:34.123Z",
            "finished_at": "2014-12-16T11:14:08.271Z",
            "debug_connection": None,
        }
        for k in range(10)
    ]
    return json.dumps({"id": number, "repository_name": f"acme/project-{number}", "builds": builds}).encode()


@contextmanager
def large_account(projects: int) -> Iterator[LargeAccount]:
    host = LargeAccount(projects)
    threading.Thread(target=host.serve_forever, daemon=True).start()
    yield host
    host.shutdown()
    host.server_close()


def peak_mib(pid: int) -> float:
    """The largest resident memory so far."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not record the largest memory")
def test_a_list_of_any_length_takes_little_memory_to_read_and_to_poll_for_channels(http: Sandbox, runs: Runs) -> None:
    with large_account(PROJECTS) as host:
        bot = runs.ready(runs.start(CODESHIP_API_URL=host.url, SLACK_ALLOW_OTHER_WORKSPACES="yes"))
        assert host.wait_for_lists(1)
        assert host.sent > MIB_OF_JSON * 2**20
        http.says(f"/codeship status acme/project-{PROJECTS - 1} main")
        assert http.sees(f"acme/project-{PROJECTS - 1}")
        http.says("/codeship subscribe acme/project-7")
        assert http.sees("Subscribed to acme/project-7")
        assert host.wait_for_lists(2)
        assert peak_mib(bot.process.pid) < MAX_MIB
