"""What only real connections show: some that fail, break or are cut. All on loopback."""

from __future__ import annotations

import gzip
import socket
import ssl
from contextlib import ExitStack

import pytest

from bot.core.model.errors import NoResponse, NotConfirmed, Unauthorized, Unreachable
from tests.ci.acting import restart
from tests.ci.http_client.faulty_hosts import (
    BODY,
    BUILD,
    CUT,
    TAKEN,
    UNANSWERED,
    WEB,
    Clients,
    Hosts,
    Script,
    answer,
    at_most,
    hang_up,
    hold,
    reset,
    send,
    unused_port,
)

# --- what goes over the wire


def test_a_branch_is_percent_encoded_on_the_wire_and_the_key_too(host: Hosts, client: Clients) -> None:
    there = host(answer(BODY))
    client(there.url).builds(WEB, "feature/a&b#c +é?%")
    first_line = there.heads[0][1].split(b"\r\n")[0]
    assert first_line == (
        b"GET /api/v1/projects/33837.json?api_key=s3cret%2Fkey+%2B%25%26%C3%A9~"
        b"&branch=feature%2Fa%26b%23c+%2B%C3%A9%3F%25 HTTP/1.1"
    )


def test_fetches_share_a_connection_and_a_restart_has_its_own(host: Hosts, client: Clients) -> None:
    there = host(answer(BODY), answer(BODY), answer(TAKEN), answer(BODY))
    codeship = client(there.url)
    codeship.builds(WEB)
    codeship.builds(WEB)
    assert restart(codeship, BUILD).build_id == "3277310"
    codeship.builds(WEB)
    assert [number for number, _ in there.heads] == [1, 1, 2, 1]
    assert b"Connection: close" in there.heads[2][1]
    assert b"Content-Length: 0" in there.heads[2][1]


def test_a_stale_connection_is_replaced(host: Hosts, client: Clients) -> None:
    there = host(answer(BODY), hang_up, answer(BODY))
    codeship = client(there.url)
    codeship.builds(WEB)
    assert [build.id for build in codeship.builds(WEB)] == ["3277309"]
    assert [number for number, _ in there.heads] == [1, 1, 2]


def test_a_compressed_response_is_unpacked(host: Hosts, client: Clients) -> None:
    there = host(answer(gzip.compress(BODY), headers=b"Content-Encoding: gzip\r\n"))
    assert [build.id for build in client(there.url).builds(WEB)] == ["3277309"]


def test_a_chunked_response_is_read_and_its_connection_reused(host: Hosts, client: Clients) -> None:
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
    there = host(lambda wire: wire.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks))
    codeship = client(there.url)
    assert codeship.builds(WEB) == codeship.builds(WEB) != []
    assert there.connections == 1


# --- connections that fail: nothing was sent


def test_a_refused_connection_is_reported(client: Clients) -> None:
    codeship = client(f"http://127.0.0.1:{unused_port()}")
    for call in (codeship.projects, lambda: restart(codeship, BUILD)):
        with pytest.raises(Unreachable, match=r"^CodeShip: the connection was refused$") as raised:
            call()
        assert not raised.value.may_have_taken


def test_an_unknown_host_name_is_reported(client: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Unreachable, match="its name cannot be found"):
        restart(client("http://ci.acme.test"), BUILD)


def test_a_host_that_accepts_no_connection_is_reported(client: Clients) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as waiting:
        for _ in range(4):
            filler = waiting.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        with at_most(2), pytest.raises(Unreachable, match="no connection stood in time"):
            restart(client(f"http://127.0.0.1:{full.getsockname()[1]}", connect_s=0.1), BUILD)


@pytest.mark.parametrize("at_once", [hold, hang_up, reset, send(b"HTTP/1.1 400 Bad Request\r\n\r\n")])
def test_a_failed_handshake_is_reported(host: Hosts, client: Clients, at_once: Script) -> None:
    there = host(at_once=at_once)
    with at_most(2), pytest.raises(Unreachable):
        restart(client(there.url.replace("http:", "https:"), connect_s=0.15), BUILD)


def test_an_untrusted_certificate_is_reported(host: Hosts, client: Clients, tls: tuple[ssl.SSLContext, str]) -> None:
    there = host(answer(TAKEN), tls=tls[0])
    with pytest.raises(Unreachable, match="certificate is not trusted"):
        restart(client(there.url), BUILD)
    assert there.heads == []


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_certificate_in_the_environments_bundle_is_trusted(
    host: Hosts, client: Clients, tls: tuple[ssl.SSLContext, str], name: str
) -> None:
    there = host(answer(TAKEN), answer(BODY), tls=tls[0])
    codeship = client(there.url, environ={name: tls[1]})
    assert restart(codeship, BUILD).build_id == "3277310"
    assert codeship.builds(WEB) != []


def test_a_missing_bundle_is_reported(host: Hosts, client: Clients, tls: tuple[ssl.SSLContext, str]) -> None:
    there = host(answer(TAKEN), tls=tls[0])
    with pytest.raises(Unreachable):
        restart(client(there.url, environ={"SSL_CERT_FILE": "/nowhere/bundle.pem"}), BUILD)


# --- requests without a complete response: the result is unknown


@pytest.mark.parametrize("script", UNANSWERED)
def test_a_restart_without_a_response_may_have_been_accepted(host: Hosts, client: Clients, script: Script) -> None:
    there = host(script)
    with at_most(2), pytest.raises(NoResponse) as raised:
        restart(client(there.url, read_s=0.15, total_s=0.4), BUILD)
    assert raised.value.may_have_taken
    assert len(there.heads) == 1


@pytest.mark.parametrize("script", [hang_up, reset, hold])
def test_a_restart_without_a_response_over_tls_may_have_been_accepted(
    host: Hosts, client: Clients, tls: tuple[ssl.SSLContext, str], script: Script
) -> None:
    there = host(script, tls=tls[0])
    with pytest.raises(NoResponse):
        restart(client(there.url, environ={"SSL_CERT_FILE": tls[1]}, read_s=0.15), BUILD)
    assert len(there.heads) == 1


@pytest.mark.parametrize("script", UNANSWERED[:-1])
def test_a_read_without_a_response_is_retried(host: Hosts, client: Clients, script: Script) -> None:
    there = host(script, answer(BODY))
    assert client(there.url, read_s=0.15).builds(WEB) != []
    assert len(there.heads) == 2


@pytest.mark.parametrize("script", CUT)
def test_a_truncated_response_is_no_response(host: Hosts, client: Clients, script: Script) -> None:
    there = host(script)
    with at_most(3), pytest.raises(NoResponse):
        client(there.url, read_s=0.15).builds(WEB)
    assert len(there.heads) == 3


@pytest.mark.parametrize("script", CUT)
def test_a_response_truncated_once_is_retried(host: Hosts, client: Clients, script: Script) -> None:
    there = host(script, answer(BODY))
    assert [build.id for build in client(there.url, read_s=0.15).builds(WEB)] == ["3277309"]


@pytest.mark.parametrize("script", CUT)
def test_a_truncated_success_does_not_confirm_a_restart(host: Hosts, client: Clients, script: Script) -> None:
    there = host(script)
    with pytest.raises(NotConfirmed):
        restart(client(there.url, read_s=0.15), BUILD)
    assert len(there.heads) == 1


def test_a_truncated_refusal_is_still_a_refusal(host: Hosts, client: Clients) -> None:
    there = host(send(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 999\r\n\r\nInvalid API key"))
    with pytest.raises(Unauthorized):
        client(there.url).builds(WEB)
    with pytest.raises(Unauthorized):
        restart(client(there.url), BUILD)
    assert len(there.heads) == 2
