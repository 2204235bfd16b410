"""Slow and hostile clients, over real sockets on loopback: what is cut, while others are still served."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from bot.http_connections import Limits
from bot.http_server import WebServer
from tests.slack.incoming.over_http import call

WITHIN_S = 10.0
HEAD = b"POST /x HTTP/1.1\r\nHost: x\r\n"

Serve = Callable[..., int]


def echo(environ: Any, start_response: Any) -> Iterable[bytes]:
    """Answers with the length of what was sent."""
    length = len(environ["wsgi.input"].read())
    body = str(length).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def huge(environ: Any, start_response: Any) -> Iterable[bytes]:
    if environ["PATH_INFO"] != "/huge":
        return echo(environ, start_response)
    start_response("200 OK", [("Content-Length", str(64 * 2**20))])
    return [b"x" * 64 * 2**20]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server with these limits, and returns its port."""
    with ExitStack() as stack:

        def start(*, app: Any = echo, threads: int = 4, **limits: Any) -> int:
            server = WebServer(app, "127.0.0.1", 0, threads=threads, limits=Limits(**limits))
            server.start()
            stack.callback(server.stop)
            return server.port

        yield start


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=WITHIN_S)


def rest(connection: socket.socket) -> bytes:
    """All that comes until the server closes. Raises TimeoutError if it does not."""
    said = b""
    with suppress(ConnectionError):
        while part := connection.recv(65_536):
            said += part
    return said


def echoed(connection: socket.socket, body: bytes) -> bytes:
    """What is answered on a connection that stays open."""
    connection.sendall(HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer.read()


# In time.


@pytest.mark.parametrize(
    ("limits", "begun"),
    [
        pytest.param({"header_s": 0.1}, HEAD, id="headers"),
        pytest.param({"request_s": 0.1}, HEAD + b"Content-Length: 10\r\n\r\nx", id="a body"),
        pytest.param({"request_s": 0.1}, HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nx", id="chunks"),
    ],
)
def test_what_takes_too_long_to_arrive_is_cut_with_a_message(
    serve: Serve, limits: dict[str, Any], begun: bytes
) -> None:
    with connect(serve(**limits)) as connection:
        connection.sendall(begun)
        assert rest(connection).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("begun", [HEAD + b"X-Drip: ", HEAD + b"Content-Length: 1000000\r\n\r\n"])
def test_a_byte_now_and_then_buys_no_time(serve: Serve, begun: bytes) -> None:
    with connect(serve(header_s=0.3, request_s=0.3)) as connection:
        connection.sendall(begun)
        connection.settimeout(0.02)
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            try:
                if not connection.recv(4096):
                    return
            except TimeoutError:
                with suppress(ConnectionError):
                    connection.sendall(b"x")
            except ConnectionError:
                return
    pytest.fail("was never cut")


def test_a_connection_that_says_nothing_is_cut(serve: Serve) -> None:
    with connect(serve(header_s=0.1)) as connection:
        assert rest(connection) == b""


def test_a_connection_may_idle_for_longer_after_an_answer(serve: Serve) -> None:
    with connect(serve(header_s=0.1, idle_s=0.8)) as connection:
        connection.sendall(HEAD + b"Content-Length: 2\r\n\r\nab")
        answered = time.monotonic()
        assert rest(connection).endswith(b"\r\n\r\n2")
        assert time.monotonic() - answered > 0.5


def test_a_client_that_does_not_take_its_answer_holds_a_thread_for_so_long_only(serve: Serve) -> None:
    port = serve(app=huge, threads=1, answer_s=0.2)
    with connect(port) as connection:
        connection.sendall(b"GET /huge HTTP/1.1\r\nHost: x\r\n\r\nGET /huge HTTP/1.1\r\nHost: x\r\n\r\n")
        assert call(port, "POST", "/", "abc").body == b"3"


# In number and in memory.


def test_beyond_the_most_connections_the_slowest_are_cut_and_a_new_one_is_served(serve: Serve) -> None:
    port = serve(connections=5)
    with ExitStack() as stack:
        crowd = [stack.enter_context(connect(port)) for _ in range(10)]
        for connection in crowd:
            connection.sendall(HEAD)
        assert call(port, "POST", "/", "abc").body == b"3"
        for connection in crowd[:5]:
            rest(connection)


def test_the_oldest_connection_is_cut_first_even_if_its_request_began_last(serve: Serve) -> None:
    port = serve(connections=2)
    with connect(port) as older, connect(port) as newer:
        older.sendall(HEAD + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert older.recv(4096).startswith(b"HTTP/1.1 100 ")
        assert call(port, "POST", "/", "abc").body == b"3"
        assert echoed(newer, b"ab") == b"2"


def test_an_idle_connection_that_has_been_of_use_outlives_a_crowd(serve: Serve) -> None:
    port = serve(connections=5)
    with ExitStack() as stack:
        useful = stack.enter_context(connect(port))
        assert echoed(useful, b"a") == b"1"
        crowd = [stack.enter_context(connect(port)) for _ in range(10)]
        rest(crowd[0])
        assert echoed(useful, b"ab") == b"2"


def test_half_sent_bodies_are_held_up_to_a_limit_and_small_requests_are_served_next_to_them(serve: Serve) -> None:
    port = serve(held_bytes=500_000, crowded_s=0.1)
    with ExitStack() as stack:
        crowd = [stack.enter_context(connect(port)) for _ in range(20)]
        for connection in crowd:
            connection.setblocking(False)
            with suppress(BlockingIOError):
                connection.send(HEAD + b"Content-Length: 500000\r\n\r\n" + b"x" * 400_000)
        assert call(port, "POST", "/", "abc").body == b"3"
        crowd[0].settimeout(WITHIN_S)
        assert rest(crowd[0])[:13] in (b"", b"HTTP/1.1 408 ")


@pytest.mark.slow  # sends 64 MB
def test_who_sends_many_requests_ahead_is_cut(serve: Serve) -> None:
    with connect(serve(app=huge, threads=1)) as connection:
        connection.sendall(b"GET /huge HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        assert len(rest(connection)) < 2 * 64 * 2**20


# In shape.


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        b"Content-Length: 3\r\nContent-Length: 3\r\n",
    ],
)
def test_a_request_with_two_lengths_is_refused(serve: Serve, lengths: bytes) -> None:
    with connect(serve()) as connection:
        connection.sendall(HEAD + lengths + b"\r\n0\r\n\r\n")
        assert rest(connection).startswith(b"HTTP/1.1 400 ")


def test_chunks_in_the_old_http_are_refused(serve: Serve) -> None:
    with connect(serve()) as connection:
        connection.sendall(b"POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        assert rest(connection).startswith(b"HTTP/1.0 400 ")


def test_chunks_alone_are_read(serve: Serve) -> None:
    with connect(serve()) as connection:
        connection.sendall(HEAD + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        assert rest(connection).endswith(b"\r\n\r\n3")


def test_many_large_requests_are_read_in_turns_and_all_answered(serve: Serve) -> None:
    port, body = serve(), b"x" * 40_000
    head = HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode()
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(port)) for _ in range(150)]
        for client in clients:
            client.sendall(head + body[:20_000])
        assert echoed(stack.enter_context(connect(port)), b"small") == b"5"
        for client in clients:
            client.sendall(body[20_000:])
        for client in clients:
            answer = http.client.HTTPResponse(client)
            answer.begin()
            assert answer.read() == b"40000"
