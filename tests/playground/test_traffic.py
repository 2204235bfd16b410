"""The traffic log: bounded, ordered, and without secrets."""

from __future__ import annotations

import pytest

from playground.traffic import MAX_BODY, WIRES_KEPT, TrafficLog


def test_an_exchange_is_shown_before_and_after_its_response():
    wires = TrafficLog()
    number = wires.begin("bot to codeship", "GET /projects.json", {})
    (waiting,) = wires.since(0)
    assert (waiting.took_ms, waiting.came_back) == (None, None)
    wires.end(number, 200, {"projects": []})
    (ended,) = wires.since(waiting.change)
    assert (ended.id, ended.status, ended.came_back) == (number, "200", {"projects": []})
    assert ended.took_ms is not None
    assert wires.since(ended.change) == []


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"token": "abc"}, {"token": "[redacted]"}),
        ({"deep": [{"api_key": "abc"}]}, {"deep": [{"api_key": "[redacted]"}]}),
        ({"Authorization": "Bearer abc"}, {"Authorization": "[redacted]"}),
        ("x?api_key=abc&branch=main", "x?api_key=[redacted]&branch=main"),
        ("the key is s3cret!", "the key is [redacted]!"),
        ("http://127.0.0.1:1/commands/T0/7/secret000007", "http://127.0.0.1:1/commands/T0/7/[redacted]"),
        ("/actions/T0/7/AbC-_9?x", "/actions/T0/7/[redacted]?x"),
        ("/repos/acme/shop/actions/runs/7/jobs", "/repos/acme/shop/actions/runs/7/jobs"),
        ("ws://127.0.0.1/link/?ticket=ticket-1&app_id=A", "ws://127.0.0.1/link/?ticket=[redacted]&app_id=A"),
        (
            {"text": "status acme/web main", "n": 1, "none": None},
            {"text": "status acme/web main", "n": 1, "none": None},
        ),
        ("x" * (MAX_BODY + 1), "(50,001 characters)"),
    ],
)
def test_no_secret_is_stored(sent, kept):
    wires = TrafficLog(secrets=["s3cret", ""])
    number = wires.begin("bot to slack", "title", sent)
    wires.end(number, 200, sent)
    (wire,) = wires.since(0)
    assert (wire.sent, wire.came_back) == (kept, kept)


def test_only_the_last_exchanges_are_kept():
    wires = TrafficLog()
    first = wires.begin("bot to slack", "first", {})
    for _ in range(WIRES_KEPT):
        wires.begin("bot to slack", "later", {})
    assert len(wires.since(0)) == WIRES_KEPT
    wires.end(first, 200)  # that entry was dropped, so this does nothing
    assert len(wires.since(0)) == WIRES_KEPT
