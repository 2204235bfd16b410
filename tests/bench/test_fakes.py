"""The benchmark's fakes of Slack and CodeShip count exactly, wait as configured, and speak the protocols."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from bench.fakes.account import BUILDS, FIRST_PROJECT, Account
from bench.fakes.websocket import CLOSE, PING, TEXT, Frames, accepting, frame
from bench.names import API_KEY, BRANCH, repository
from bench.processes import Fake


@pytest.fixture
def codeship() -> Iterator[Fake]:
    with Fake("bench.fakes.codeship") as fake:
        fake.tell("set", delay_ms=0, projects=3)
        yield fake


def asked(fake: Fake, path: str, *, method: str = "GET", query: str = "") -> dict[str, object]:
    url = f"http://127.0.0.1:{fake.port}/api/v1{path}?api_key={API_KEY}{query}"
    with build_opener(ProxyHandler({})).open(Request(url, method=method), timeout=5) as answer:
        document: dict[str, object] = json.load(answer)
    return document


def test_each_call_is_counted_once_and_by_its_kind(codeship):
    asked(codeship, "/projects.json")
    asked(codeship, f"/projects/{FIRST_PROJECT}.json", query=f"&branch={BRANCH}")
    asked(codeship, f"/projects/{FIRST_PROJECT}.json")
    asked(codeship, f"/builds/{FIRST_PROJECT * 100}/restart.json", method="POST")
    assert codeship.tell("calls") == {"list": 1, "status": 1, "look": 1, "restart": 1}
    assert codeship.tell("calls") == {}


def test_a_restarted_build_runs_from_then_on(codeship):
    newest = FIRST_PROJECT * 100 + BUILDS - 1
    before = asked(codeship, f"/projects/{FIRST_PROJECT}.json")
    asked(codeship, f"/builds/{newest}/restart.json", method="POST")
    after = asked(codeship, f"/projects/{FIRST_PROJECT}.json")
    assert [shown["builds"][0]["status"] for shown in (before, after)] == ["error", "testing"]


def test_a_response_takes_the_configured_time(codeship):
    codeship.tell("set", delay_ms=80)
    began = time.monotonic()
    asked(codeship, "/projects.json")
    assert 0.08 <= time.monotonic() - began < 5


def test_polls_are_recorded_for_each_project(codeship):
    codeship.tell("watch")
    for _ in range(2):
        asked(codeship, f"/projects/{FIRST_PROJECT}.json")
    (stamps,) = codeship.tell("looks")
    assert len(stamps) == 2
    assert stamps[0] <= stamps[1]


def test_an_account_shows_each_project_as_the_list_does():
    account = Account(2)
    listed = json.loads(account.listed())["projects"]
    assert [project["repository_name"] for project in listed] == [repository(0), repository(1)]
    assert json.loads(account.shown(FIRST_PROJECT, BRANCH) or b"") == listed[0]
    assert account.shown(FIRST_PROJECT + 2, BRANCH) is None


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
@pytest.mark.parametrize("masked", [False, True])
def test_frames_of_any_length_are_unchanged(length, masked):
    data = frame(TEXT, b"x" * length, masked=masked) + frame(PING, b"there")
    frames = Frames()
    found = [got for at in range(0, len(data), 50_000) for got in frames.take(data[at : at + 50_000])]
    assert found == [(TEXT, b"x" * length), (PING, b"there")]


def test_a_masked_frame_is_unmasked_and_a_half_one_is_waited_for():
    # From RFC 6455, 5.7: "Hello", masked.
    data = bytes.fromhex("818537fa213d7f9f4d5158")
    frames = Frames()
    assert frames.take(data[:7]) == []
    assert frames.take(data[7:] + frame(CLOSE, b"")) == [(TEXT, b"Hello"), (CLOSE, b"")]


def test_a_handshake_is_accepted_as_in_the_standard():
    # From RFC 6455, 1.3.
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in accepting(
        b"GET / HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    )
    with pytest.raises(ValueError, match="handshake"):
        accepting(b"GET / HTTP/1.1\r\nHost: x")
