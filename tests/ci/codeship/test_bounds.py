"""The CodeShip client's limits: it never waits or reads forever, leaves its host, or reveals the key."""

from __future__ import annotations

import gzip
import logging
import socket
import ssl
import threading
import traceback
import tracemalloc

import pytest

from bot.core.model.errors import CIError, InvalidResponse, NoResponse, Unreachable
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
    pass_on,
    trickle,
    unused_port,
)

# --- bounds


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(trickle(b"HTTP/1.1 200 OK\r\nX: ", b"x"), id="head"),
        pytest.param(trickle(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", b"x"), id="body"),
        pytest.param(trickle(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"), id="chunks"),
        pytest.param(
            trickle(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x10\0\0\0\0\0\0", b"x"),
            id="a packed body of which nothing comes out",
        ),
    ],
)
def test_a_slow_trickle_ends_at_the_deadline(host: Hosts, client: Clients, script: Script) -> None:
    there = host(script)
    with at_most(1.5), pytest.raises(NoResponse, match="no whole answer came in time"):
        client(there.url, total_s=0.3).builds(WEB)
    assert len(there.heads) == 1


def test_a_length_that_is_too_large_is_not_even_read(host: Hosts, client: Clients) -> None:
    there = host(lambda wire: wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"))
    with pytest.raises(InvalidResponse, match="more than 4,194,304 bytes"):
        client(there.url).builds(WEB)


def test_an_endless_body_is_abandoned(host: Hosts, client: Clients) -> None:
    def pour(wire: socket.socket) -> None:
        wire.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(1_000):
            wire.sendall(b"10000\r\n" + b" " * 65_536 + b"\r\n")

    with pytest.raises(InvalidResponse, match="more than 100,000 bytes"):
        client(host(pour).url, max_bytes=100_000).builds(WEB)


def test_a_small_body_that_unpacks_to_a_large_one_is_abandoned(host: Hosts, client: Clients) -> None:
    packed = gzip.compress(b" " * 50_000_000)
    there = host(answer(packed, headers=b"Content-Encoding: gzip\r\n"))
    codeship = client(there.url, max_bytes=100_000)
    tracemalloc.start()
    try:
        with pytest.raises(InvalidResponse, match="more than 100,000 bytes"):
            codeship.builds(WEB)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_body_with_the_wrong_encoding_is_an_invalid_response(host: Hosts, client: Clients) -> None:
    there = host(answer(BODY, headers=b"Content-Encoding: gzip\r\n"))
    with pytest.raises(InvalidResponse, match="cannot be unpacked"):
        client(there.url).builds(WEB)


# --- other hosts


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"307 Temporary Redirect"])
def test_no_redirect_leads_to_another_host(host: Hosts, client: Clients, status: bytes) -> None:
    other = host(answer(BODY))
    location = b"Location: %b/projects/33837.json?api_key=x\r\n" % other.url.encode()
    there = host(answer(b"", status, headers=location))
    codeship = client(there.url)
    for call in (lambda: codeship.builds(WEB), lambda: restart(codeship, BUILD)):
        with pytest.raises(InvalidResponse, match=r"redirect to host 127\.0\.0\.1; check CODESHIP_API_URL"):
            call()
    assert (len(there.heads), other.connections) == (2, 0)


def test_a_redirect_within_the_host_keeps_its_query(host: Hosts, client: Clients) -> None:
    there = host(
        answer(b"x" * 10, b"301 Moved", headers=b"Location: /v1/there.json?api_key=k&branch=a%26b\r\n"), answer(BODY)
    )
    client(there.url).builds(WEB)
    assert there.heads[1][1].startswith(b"GET /v1/there.json?api_key=k&branch=a%26b HTTP/1.1\r\n")


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_proxy_is_used_if_the_environment_names_one(host: Hosts, client: Clients, name: str) -> None:
    proxy = host(answer(BODY))
    codeship = client("http://ci.acme.test/api/v1", environ={name: f"http://127.0.0.1:{proxy.port}"})
    assert codeship.builds(WEB) != []
    assert proxy.heads[0][1].startswith(b"GET http://ci.acme.test/api/v1/projects/33837.json?")


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "*", "127.0.0.0/8, elsewhere.test"])
def test_no_proxy_is_used_for_a_host_in_no_proxy(host: Hosts, client: Clients, no_proxy: str) -> None:
    proxy, there = host(answer(BODY)), host(answer(BODY))
    environ = {"HTTP_PROXY": f"http://127.0.0.1:{proxy.port}", "NO_PROXY": no_proxy}
    client(there.url, environ=environ).builds(WEB)
    assert (proxy.connections, len(there.heads)) == (0, 1)


def test_the_process_own_environment_is_not_read(host: Hosts, client: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    there = host(answer(BODY))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/bundle.pem")
    assert client(there.url).builds(WEB) != []


@pytest.mark.parametrize("script", [answer(b"", b"407 Proxy Authentication Required"), hang_up, hold])
def test_a_proxy_that_refuses_a_tunnel_is_reported(host: Hosts, client: Clients, script: Script) -> None:
    proxy = host(script)
    codeship = client("https://ci.acme.test", environ={"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}"}, read_s=0.15)
    with at_most(2), pytest.raises(Unreachable):
        restart(codeship, BUILD)
    assert proxy.heads[0][1].startswith(b"CONNECT ci.acme.test:443")


def test_a_request_passes_through_a_proxys_tunnel(
    host: Hosts, client: Clients, tls: tuple[ssl.SSLContext, str]
) -> None:
    there = host(answer(TAKEN), tls=tls[0])

    def tunnel(wire: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", there.port)) as onward:
            wire.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pass_on, args=(onward, wire), daemon=True)
            back.start()
            pass_on(wire, onward)
            back.join(2)

    proxy = host(tunnel)
    environ = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}", "SSL_CERT_FILE": tls[1]}
    assert restart(client(there.url, environ=environ), BUILD).build_id == "3277310"
    assert proxy.heads[0][1].startswith(b"CONNECT 127.0.0.1:")
    assert there.heads[0][1].startswith(b"POST /api/v1/builds/3277309/restart.json?")


def test_a_missing_proxy_is_reported(client: Clients) -> None:
    environ = {"HTTP_PROXY": f"http://user:pass@127.0.0.1:{unused_port()}"}
    with pytest.raises(Unreachable, match="the proxy let no connection through"):
        restart(client("http://ci.acme.test", environ=environ), BUILD)


# --- the key


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(answer(BODY), id="whole"),
        pytest.param(answer(BODY, headers=b"Broken header\r\n"), id="header that cannot be read"),
        pytest.param(answer(b"", b"302 Found", headers=b"Location: /elsewhere\r\n"), id="redirect"),
        *UNANSWERED[:4],
        *CUT[:1],
    ],
)
def test_the_key_is_in_no_log_and_no_traceback_at_any_level(
    host: Hosts, client: Clients, caplog: pytest.LogCaptureFixture, script: Script
) -> None:
    caplog.set_level(logging.DEBUG)
    codeship = client(host(script).url, read_s=0.1)
    told = ""
    for call in (lambda: codeship.builds(WEB, "main"), lambda: restart(codeship, BUILD)):
        try:
            call()
        except CIError as error:
            told += "".join(traceback.format_exception(error))
    told += "".join(f"{record.getMessage()} {record.args} {record.exc_text}\n" for record in caplog.records)
    told += caplog.text
    assert "Starting new HTTP connection" in told
    assert "s3cret" not in told


@pytest.mark.parametrize("script", UNANSWERED)
def test_no_error_chains_the_librarys_own(host: Hosts, client: Clients, script: Script) -> None:
    codeship = client(host(script).url, read_s=0.1, total_s=0.3)
    for call in (codeship.projects, lambda: restart(codeship, BUILD)):
        with pytest.raises(CIError) as raised:
            call()
        assert (raised.value.__context__, raised.value.__cause__) == (None, None)
