"""A list of projects of any length: read in documents, with the same result and the same errors as a short one."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ci.codeship.api import ListedProject, recent_in
from bot.ci.codeship.project_list import ListReader
from bot.core.model.builds import Project
from bot.core.model.errors import InvalidResponse, NoResponse
from tests.ci.codeship.canned import parse_projects
from tests.ci.http_client.faulty_hosts import Clients, Hosts, answer, send

LIMIT = 800


def entry(number: int, **more: Any) -> dict[str, Any]:
    builds = [{"id": number * 10 + k, "message": 'a "quoted" ]} text \\', "branch": "main"} for k in range(3)]
    return {"id": number, "repository_name": f"acme/p{number}", "builds": builds, **more}


def names(body: bytes, max_bytes: int = LIMIT) -> list[str]:
    return [project.name for project in parse_projects(200, {}, body, max_bytes=max_bytes)]


MANY = [entry(number) for number in range(20)]
ALL = [f"acme/p{number}" for number in range(20)]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(json.dumps({"projects": MANY}), id="as the API sends it"),
        pytest.param(json.dumps({"projects": MANY}, indent=4), id="indented"),
        pytest.param(json.dumps({"projects": MANY}, separators=(",", ":")), id="without blanks"),
        pytest.param(
            json.dumps({"total": 20, "links": {"next": [None]}, "projects": MANY, "page": 1}), id="among others"
        ),
        pytest.param("\ufeff" + json.dumps({"projects": MANY}), id="with a byte order mark"),
        pytest.param(json.dumps({"projects": [None, 5, *MANY, "x", [], [{}], {}]}), id="with entries that are none"),
    ],
)
@pytest.mark.parametrize("max_bytes", [LIMIT, 1000, 10**6])
def test_a_list_is_read_whole_whatever_the_limit_of_a_project(body: str, max_bytes: int) -> None:
    assert names(body.encode(), max_bytes) == ALL


def test_bytes_that_are_no_text_spoil_no_other_project() -> None:
    body = json.dumps({"projects": MANY}).encode().replace(b"acme/p7", b"acme/\xffp7")
    assert names(body) == [name.replace("/p7", "/\ufffdp7") for name in ALL]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param('{"projects": [%s, {"id": }, {"id": 1}]}', "check CODESHIP_API_URL", id="damaged in the middle"),
        pytest.param('{"projects": [%s {"id": 1}]}', "check CODESHIP_API_URL", id="without a comma"),
        pytest.param('{"projects": [%s', "check CODESHIP_API_URL", id="without an end"),
        pytest.param('{"projects": [%s], ', "check CODESHIP_API_URL", id="without the object's end"),
        pytest.param('{"projects": [%s], "more": "a"b}', "check CODESHIP_API_URL", id="damaged behind the list"),
        pytest.param('{"projects": [%s], "more": [1]', "check CODESHIP_API_URL", id="cut off behind the list"),
        pytest.param('{"builds": [%s]}', "an answer of more than 800 bytes without projects", id="no list"),
        pytest.param("[%s]", "an answer of more than 800 bytes without projects", id="a bare list"),
        pytest.param("<html>%s", "an answer of more than 800 bytes without projects", id="a page"),
        pytest.param('{"projects": {"a": [%s]}}', "more than 800 bytes without projects", id="an object"),
        pytest.param('{"projects": [%s, ' + '{"a":' * 5000, "a project of more than 800 bytes", id="too deep"),
    ],
)
def test_a_broken_list_is_no_list(body: str, why: str) -> None:
    with pytest.raises(InvalidResponse, match=why):
        names((body % ", ".join(map(json.dumps, MANY))).encode())


def test_a_project_over_the_limit_is_told_from_a_long_list() -> None:
    huge = entry(99, uuid="x" * LIMIT)
    for at in (0, 10, 20):
        with pytest.raises(InvalidResponse, match=r"^CodeShip: a project of more than 800 bytes$"):
            names(json.dumps({"projects": [*MANY[:at], huge, *MANY[at:]]}).encode())
    with pytest.raises(InvalidResponse, match=r"^CodeShip: more after its projects than 800 bytes$"):
        names(json.dumps({"projects": MANY, "more": "x" * 1000}).encode())
    with pytest.raises(InvalidResponse, match=r"^CodeShip: more after its projects than 800 bytes$"):
        names(json.dumps({"projects": [], "more": "x" * 1000}).encode())


def test_a_long_list_without_a_readable_project_is_an_error() -> None:
    with pytest.raises(InvalidResponse, match="none of its projects can be read"):
        names(json.dumps({"projects": [None, {"id": 1}] * 100}).encode())


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(entries=st.lists(JSON | st.builds(entry, st.integers(0, 99)), max_size=12), indent=st.sampled_from([None, 1]))
def test_any_list_is_read_like_a_short_one(entries: list[object], indent: int | None) -> None:
    def read(max_bytes: int) -> object:
        body = json.dumps({"projects": entries}, indent=indent, ensure_ascii=False).encode()
        try:
            return names(body, max_bytes)
        except InvalidResponse as failure:
            return str(failure)

    assert read(1000) == read(10**6)


def test_only_the_builds_of_wanted_projects_are_kept() -> None:
    def wanted_in(entries: list[ListedProject | None]) -> list[Any]:
        return recent_in(entries, lambda project: project.name == "acme/p7")

    reader = ListReader(wanted_in, "", LIMIT)
    damaged = [entry(7, builds=[None, {"id": 3}, "x", {"id": 12, "message": 5}]), entry(7, builds="none")]
    reader.feed(json.dumps({"projects": [*MANY[:7], *damaged, *MANY[8:]]}).encode())
    [(project, builds), (_, none)] = reader.read(200, {}, b"")
    assert (project.name, [build.id for build in builds], none) == ("acme/p7", ["12", "3"], [])


# --- over a connection


def test_a_packed_list_that_never_ends_in_a_project_is_abandoned(host: Hosts, client: Clients) -> None:
    packed = gzip.compress(b'{"projects": [{"id": "' + b" " * 50_000_000)
    codeship = client(host(answer(packed, headers=b"Content-Encoding: gzip\r\n")).url, max_bytes=100_000)
    tracemalloc.start()
    try:
        with pytest.raises(InvalidResponse, match="a project of more than 100,000 bytes"):
            codeship.projects()
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_packed_list_is_read_and_the_next_call_uses_its_connection(host: Hosts, client: Clients) -> None:
    packed = gzip.compress(json.dumps({"projects": MANY}).encode())
    there = host(answer(packed, headers=b"Content-Encoding: gzip\r\n"))
    codeship = client(there.url, max_bytes=LIMIT)
    assert [[each.name for each in codeship.projects()] for _ in range(2)] == [ALL, ALL]
    assert there.connections == 1


@pytest.mark.parametrize(
    ("length", "why"),
    [
        pytest.param(b"Content-Length: 999999\r\n", "the connection broke before the whole answer came", id="length"),
        pytest.param(b"Transfer-Encoding: chunked\r\n", "the connection broke before", id="chunks"),
    ],
)
def test_a_list_that_is_cut_off_is_read_again_from_its_beginning(
    host: Hosts, client: Clients, length: bytes, why: str
) -> None:
    body = json.dumps({"projects": MANY}).encode()
    framed = body if b"Length" in length else b"%x\r\n%b\r\n" % (len(body), body)
    cut = send(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n", framed)
    there = host(cut, answer(body))
    assert [each.name for each in client(there.url, max_bytes=LIMIT).projects()] == ALL
    with pytest.raises(NoResponse, match=why):
        client(host(cut).url, max_bytes=LIMIT).projects()


@pytest.mark.parametrize("call", [lambda codeship: codeship.projects(), lambda codeship: codeship.recent(any_project)])
def test_a_damaged_list_is_not_fetched_again(host: Hosts, client: Clients, call: Callable[[Any], object]) -> None:
    body = json.dumps({"projects": MANY}).encode().replace(b'"acme/p7",', b",")
    there = host(answer(body))
    with pytest.raises(InvalidResponse, match="check CODESHIP_API_URL"):
        call(client(there.url, max_bytes=LIMIT))
    assert len(there.heads) == 1


def any_project(_project: Project) -> bool:
    return True
