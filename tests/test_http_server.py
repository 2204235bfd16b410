"""The bot's HTTP server, over real HTTP on loopback: its limits, its pages, how it starts and stops."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter
from structlog.testing import capture_logs

from bot.http_server import MAX_BODY, CannotListen, WebApp, WebServer
from tests.slack.incoming.over_http import call, post, sign
from tests.slack.incoming.served import NOW, Served


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    served.server.start()
    yield served
    served.stop()


# What is bounded.


def _raw(port: int, request: str) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request.encode())
        return connection.makefile(encoding="latin-1", newline="").read()


@pytest.mark.parametrize(
    ("length", "status"),
    [
        (str(MAX_BODY + 1), 413),
        ("9" * 4_000, 413),
        ("-1", 400),
        ("x", 400),
    ],
)
def test_a_body_that_is_too_long_is_refused_by_its_announcement(served: Served, length: str, status: int) -> None:
    head = f"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
    assert _raw(served.server.port, head).startswith(f"HTTP/1.1 {status} ")


def test_a_body_of_the_largest_size_is_accepted(served: Served) -> None:
    body = "x" * MAX_BODY
    assert post(served.server.port, body, sign(body, at=NOW)).json == {
        "error": "the payload is of no kind that the bot knows"
    }


@pytest.mark.parametrize(("length", "status"), [("", "411"), ("-1", "411"), ("²", "411"), (str(MAX_BODY + 1), "413")])
def test_the_application_itself_wants_a_bounded_length(length: str, status: str) -> None:
    answers: list[str] = []
    environ = {"PATH_INFO": "/x", "REQUEST_METHOD": "POST", "CONTENT_LENGTH": length}
    app = WebApp(
        ready=lambda: (True, {}),
        registry=CollectorRegistry(),
        reference=lambda: "r3f",
        posts={"/x": lambda environ, start_response: pytest.fail("was let through")},
    )
    app(environ, lambda status, headers, exc_info=None: answers.append(status) or (lambda data: None))  # type: ignore[func-returns-value]
    assert answers[0].startswith(status)


def test_headers_that_are_too_long_are_refused(served: Served) -> None:
    assert call(served.server.port, "GET", "/healthz", headers={"X-Long": "x" * 40_000}).status == 431


# The other pages.


def test_it_is_alive(served: Served) -> None:
    assert call(served.server.port, "GET", "/healthz").status == 200


@pytest.mark.parametrize(("ready", "status"), [(True, 200), (False, 503)])
def test_it_is_ready_if_it_says_so_and_reports_what_it_judged_by(served: Served, ready: bool, status: int) -> None:
    served.ready = (ready, {"slack": "connecting"})
    answer = call(served.server.port, "GET", "/readyz")
    assert (answer.status, answer.json) == (status, {"ready": ready, "slack": "connecting"})


def test_the_metrics_are_those_of_the_registry(served: Served) -> None:
    Counter("asks", "How many.", registry=served.registry).inc()
    answer = call(served.server.port, "GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert b"asks_total 1.0" in answer.body


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_head_answers_as_get_without_the_body(served: Served, path: str) -> None:
    got, head = call(served.server.port, "GET", path), call(served.server.port, "HEAD", path)
    whole = _raw(served.server.port, f"HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert whole.endswith("\r\n\r\n")
    assert (head.status, head.headers["Content-Length"]) == (got.status, str(len(got.body)))


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("path", ["/", "/slack", "/slack/events/", "/healthz/x", "/%00", "/..%2f", "//"])
def test_a_path_that_is_not_there_is_not_found(served: Served, method: str, path: str) -> None:
    assert call(served.server.port, method, path).status == 404


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/slack/events", "POST"),
        ("HEAD", "/slack/events", "POST"),
        ("PUT", "/slack/events", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("DELETE", "/metrics", "GET, HEAD"),
    ],
)
def test_the_error_for_a_wrong_method_names_the_right_one(served: Served, method: str, path: str, allow: str) -> None:
    answer = call(served.server.port, method, path)
    assert (answer.status, answer.headers["Allow"]) == (405, allow)


def test_a_bug_is_logged_once_and_the_caller_gets_only_a_reference(served: Served) -> None:
    with capture_logs() as logs:
        answer = call(served.server.port, "POST", "/broken", "x")
    assert (answer.status, answer.json) == (500, {"error": "internal error", "reference": "r3f"})
    assert [(entry["event"], entry["ref"]) for entry in logs] == [("http_internal_error", "r3f")]


def test_a_bug_in_the_judgement_of_readiness_is_a_bug(served: Served) -> None:
    served.ready = (True, {"not": object()})
    with capture_logs() as logs:
        assert call(served.server.port, "GET", "/readyz").status == 500
    assert len(logs) == 1


@pytest.mark.parametrize("path", ["/healthz", "/nothing", "/broken"])
def test_no_answer_says_what_serves_it(served: Served, path: str) -> None:
    with capture_logs():
        answer = call(served.server.port, "POST" if path == "/broken" else "GET", path, "x")
    assert "Server" not in answer.headers
    assert b"waitress" not in answer.body.lower()


# Starting and stopping.


def test_a_port_that_is_taken_is_reported_with_the_setting_to_change(served: Served) -> None:
    second = WebServer(lambda environ, start_response: [], "127.0.0.1", served.server.port)
    with pytest.raises(CannotListen, match=r"another process listens there already\. Set PORT to a free one"):
        second.start()
    second.stop()


@pytest.mark.parametrize(
    ("host", "port", "why"),
    [("192.0.2.1", 0, "Set HOST"), ("no.such.host.invalid", 0, "Set HOST"), ("127.0.0.1", 70_000, "PORT must be")],
)
def test_an_address_that_is_not_ours_is_reported_with_the_setting_to_change(host: str, port: int, why: str) -> None:
    with pytest.raises(CannotListen, match=why):
        WebServer(lambda environ, start_response: [], host, port).start()


def test_it_serves_over_ipv6_too() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 on this machine")
    server = WebServer(lambda environ, start_response: [], "::1", 0)
    try:
        server.start()
    except CannotListen:
        pytest.skip("no IPv6 on this machine")
    server.stop()


def test_a_stop_lets_requests_in_flight_finish_and_takes_no_new_ones() -> None:
    begun, release = Event(), Event()

    def slow(environ: object, start_response: Any) -> Iterable[bytes]:
        begun.set()
        assert release.wait(5)
        start_response("200 OK", [("Content-Length", "4")])
        return [b"done"]

    server = WebServer(slow, "127.0.0.1", 0, threads=1)
    server.start()
    with ThreadPoolExecutor(2) as clients:
        in_flight = clients.submit(call, server.port, "GET", "/")
        assert begun.wait(5)
        stopping = clients.submit(server.stop)
        _until_refused(server.port)
        with pytest.raises(TimeoutError):
            stopping.result(0.3)
        release.set()
        assert in_flight.result(5).body == b"done"
        stopping.result(5)


def test_a_stop_waits_no_longer_than_its_timeout() -> None:
    begun, release = Event(), Event()

    def hanging(environ: object, start_response: Any) -> Iterable[bytes]:
        begun.set()
        release.wait(10)
        start_response("200 OK", [])
        return []

    server = WebServer(hanging, "127.0.0.1", 0, threads=1)
    server.start()
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert begun.wait(5)
        stopping = Thread(target=server.stop, args=(0.0,))
        stopping.start()
        stopping.join(5)
        assert not stopping.is_alive()
        release.set()


def test_a_stop_before_the_start_and_a_second_one_do_nothing(served: Served) -> None:
    WebServer(lambda environ, start_response: [], "127.0.0.1", 0).stop()
    served.server.stop()
    served.server.stop()


def _until_refused(port: int) -> None:
    for _ in range(10_000):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionError:
            return
    raise AssertionError("still accepting")
