"""Slack's requests over real HTTP: which are accepted, and how fast they are answered."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from structlog.testing import capture_logs

from tests.slack.incoming.over_http import FORM, SECRET, command, post, sign
from tests.slack.incoming.served import NOW, Served

BODY = command("status acme/web")


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    served.server.start()
    yield served
    served.stop()


# Who gets in.


def test_a_signed_command_is_handled_and_its_acknowledgement_measured(served: Served) -> None:
    answer = post(served.server.port, BODY, sign(BODY, at=NOW))
    assert (answer.status, answer.body) == (200, b"")
    assert served.workers.wait_idle(5)
    assert served.heard == ["status acme/web"]
    assert [(kind, 0 < seconds < 1) for kind, seconds in served.acks] == [("command", True)]


@pytest.mark.parametrize("off_s", [-300, 300])
def test_a_request_five_minutes_off_is_still_taken(served: Served, off_s: int) -> None:
    assert post(served.server.port, BODY, sign(BODY, at=NOW + off_s)).status == 200


def test_the_challenge_is_answered_if_it_is_signed(served: Served) -> None:
    body = '{"type": "url_verification", "challenge": "c"}'
    answer = post(served.server.port, body, {**sign(body, at=NOW), "Content-Type": "application/json"})
    assert (answer.status, answer.json) == (200, {"challenge": "c"})
    assert post(served.server.port, body, {"Content-Type": "application/json"}).status == 401


@pytest.mark.parametrize("signed", [True, False])
def test_slacks_check_of_the_certificate_is_answered_and_nothing_is_done(served: Served, signed: bool) -> None:
    body = "ssl_check=1&token=t"
    assert post(served.server.port, body, sign(body, at=NOW) if signed else {"Content-Type": FORM}).status == 200
    assert (served.heard, served.workers.under_way) == ([], 0)


@pytest.mark.parametrize("body", [f"{BODY}&ssl_check=1", "ssl_check=0", f"ssl_check=1&x={'x' * 600}"])
def test_no_other_unsigned_request_is_mistaken_for_that_check(served: Served, body: str) -> None:
    status = post(served.server.port, body, {"Content-Type": FORM}).status
    assert (status, served.heard) == (200 if "command" in body else 401, [])


def headers(**changes: str | None) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in {**sign(BODY, at=NOW), **named}.items() if value is not None}


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="another secret's"),
        pytest.param(headers(X_Slack_Signature=None), id="no signature"),
        pytest.param(headers(X_Slack_Request_Timestamp=None), id="no timestamp"),
        pytest.param({"Content-Type": FORM}, id="neither"),
        pytest.param(sign(BODY, at=NOW - 301), id="stale"),
        pytest.param(sign(BODY, at=NOW + 301), id="from the future"),
        pytest.param(sign(BODY + "x", at=NOW), id="another body's"),
        pytest.param(headers(X_Slack_Request_Timestamp=str(int(NOW) + 1)), id="another time's"),
        pytest.param(headers(X_Slack_Signature=""), id="empty signature"),
        pytest.param(headers(X_Slack_Signature="v0=" + "ä" * 64), id="signature not ASCII"),
        pytest.param(headers(X_Slack_Signature="v1=" + "0" * 64), id="another version"),
        pytest.param(headers(X_Slack_Signature=headers()["X-Slack-Signature"].upper()), id="in capitals"),
        pytest.param(headers(X_Slack_Signature="v0=" + "0" * 20_000), id="huge signature"),
        pytest.param(headers(X_Slack_Request_Timestamp="9" * 20_000), id="huge timestamp"),
        pytest.param(headers(X_Slack_Request_Timestamp=""), id="empty timestamp"),
        pytest.param(headers(X_Slack_Request_Timestamp="soon"), id="timestamp in words"),
        pytest.param(headers(X_Slack_Request_Timestamp="1_700_000_000"), id="timestamp as Python reads it"),
        pytest.param(headers(X_Slack_Request_Timestamp="²"), id="timestamp not ASCII"),
        pytest.param(headers(X_Slack_Request_Timestamp="-1"), id="before time began"),
        pytest.param(headers(X_Slack_Request_Timestamp="NaN"), id="no number"),
    ],
)
def test_a_request_without_slacks_signature_is_refused_and_not_handled(
    served: Served, changed: Mapping[str, str]
) -> None:
    answer = post(served.server.port, BODY, changed or sign(BODY, at=NOW, secret="another"))
    assert (answer.status, answer.json) == (401, {"error": "not signed by Slack"})
    assert served.workers.wait_idle(5)
    assert (served.heard, served.acks) == ([], [])


@pytest.mark.parametrize("twice", ["X-Slack-Signature", "X-Slack-Request-Timestamp"])
def test_a_duplicate_header_is_refused(served: Served, twice: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.server.port, timeout=10)
    try:
        connection.putrequest("POST", "/slack/events")
        for name, value in [*headers().items(), (twice, headers()[twice]), ("Content-Length", str(len(BODY)))]:
            connection.putheader(name, value)
        connection.endheaders(BODY.encode())
        assert connection.getresponse().status == 401
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\xff\xfe", FORM),
        (BODY.encode() + b"\xff", FORM),
        (b"{", "application/json"),
        (b"[null]", "application/json"),
        (b"payload={", FORM),
        (BODY.encode(), "text/plain"),
        (BODY.encode(), ""),
        (b"", ""),
        (b'{"event": null}', "application/json"),
    ],
)
def test_a_signed_body_that_slack_never_sends_is_a_bad_request(served: Served, body: bytes, content_type: str) -> None:
    signed = sign(body if _is_utf8(body) else b"x", at=NOW)
    answer = post(served.server.port, body, {**signed, "Content-Type": content_type})
    assert answer.status == 400
    assert answer.headers["Content-Type"].startswith("application/json")


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_refusals_are_logged_once_a_minute_however_many_come(served: Served) -> None:
    with capture_logs() as logs:
        for _ in range(5):
            post(served.server.port, BODY, sign(BODY, at=NOW, secret="another"))
        served.now += 60
        post(served.server.port, BODY, sign(BODY, at=served.now, secret="another"))
    assert [(entry["log_level"], entry["so_far"]) for entry in logs] == [("warning", 1), ("warning", 6)]
    assert "SLACK_SIGNING_SECRET" in logs[0]["why"]
    assert SECRET not in str(logs)


def test_the_log_line_of_an_old_request_mentions_the_clock(served: Served) -> None:
    with capture_logs() as logs:
        post(served.server.port, BODY, sign(BODY, at=NOW - 301))
    assert "clock" in logs[0]["why"]


# In time.


def test_forty_commands_a_second_with_300_ms_of_upstream_work_are_all_acknowledged_in_time(served: Served) -> None:
    never, pace = Event(), Event()
    served.upstream = lambda: never.wait(0.3)
    began = time.monotonic()

    def send(number: int) -> tuple[int, float]:
        pace.wait(max(0.0, began + number / 40 - time.monotonic()))
        body, sent_at = command(f"status {number}"), time.monotonic()
        return post(served.server.port, body, sign(body, at=NOW)).status, time.monotonic() - sent_at

    with ThreadPoolExecutor(16) as clients:
        answers = list(clients.map(send, range(40)))
    assert {status for status, _ in answers} == {200}
    assert max(took_s for _, took_s in answers) < 3
    assert served.workers.wait_idle(5)
    assert sorted(served.heard) == sorted(f"status {number}" for number in range(40))


def test_an_acknowledgement_waits_for_no_work_at_all(served: Served) -> None:
    upstream = Event()
    served.upstream = lambda: upstream.wait(10)
    answers = [post(served.server.port, BODY, sign(BODY, at=NOW)).status for _ in range(100)]
    assert (set(answers), served.heard) == ({200}, [])
    upstream.set()
    assert served.workers.wait_idle(5)
    assert len(served.heard) == 100
