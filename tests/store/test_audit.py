"""What the core's `AuditLog` guarantees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.core.model.audit import AuditEntry, RequestEntry, Result
from bot.core.model.builds import Actor, Location, Project
from bot.core.model.claims import Claim, ClaimState
from bot.store import Store, open_store
from bot.store.audit import entries_since
from bot.store.engine import Database
from tests.store.conftest import NOON

WHOLE = AuditEntry(
    at=NOON,
    actor=Actor("U0ADA"),
    source="command",
    location=Location("C0BUILDS", "1700000000.000100"),
    action="restart",
    service="codeship",
    result=Result.TAKEN,
    reference="k3x9qd",
    project_id="3",
    project_name="acme/web",
    branch="main",
    build_id="7",
    reason="no answer came",
    typed="restart \ud83d\x00 \\u0000 '; DROP TABLE audit; --",
)
BARE = AuditEntry(NOON, Actor("U"), "click", Location("D1"), "restart", "codeship", "mistake", "r1")


def last(store: Store, count: int = 20, project_id: str | None = None) -> list[AuditEntry]:
    of = Project(project_id, "acme/web", "codeship") if project_id else None
    return store.audit.last(count, of=of)


def exported(url: str, since: datetime | None = None) -> list[AuditEntry]:
    database = Database.at(url)
    with database.reading() as connection:
        found = list(entries_since(connection, since))
    database.close()
    return found


@pytest.mark.parametrize("entry", [WHOLE, BARE], ids=["whole", "bare"])
def test_an_entry_is_returned_unchanged(store: Store, entry: AuditEntry) -> None:
    store.audit.record(entry, request_key="command:1")
    assert last(store) == [entry]


def test_words_of_a_newer_version_are_readable(store: Store) -> None:
    newer = replace(BARE, action="approve", result="approved")
    store.audit.record(newer, request_key=None)
    assert last(store) == [newer]


def test_the_last_entries_come_first_even_within_one_moment(store: Store) -> None:
    for number in range(25):
        store.audit.record(
            replace(BARE, at=NOON + timedelta(seconds=number // 5), reference=f"r{number}"), request_key=None
        )
    assert [entry.reference for entry in last(store)] == [f"r{number}" for number in range(24, 4, -1)]


def test_entries_are_selected_by_service_and_project(store: Store) -> None:
    mine, other, unknown = replace(WHOLE, reference="mine"), replace(WHOLE, project_id="4"), BARE
    elsewhere = replace(WHOLE, service="another", reference="elsewhere")
    for entry in (mine, other, unknown, elsewhere):
        store.audit.record(entry, request_key=None)
    assert last(store, project_id="3") == [mine]
    assert len(last(store)) == 4


def test_one_request_is_recorded_once_and_its_first_entry_counts(store: Store) -> None:
    store.audit.record(WHOLE, request_key="event:Ev1")
    store.audit.record(replace(WHOLE, result=Result.ALREADY), request_key="event:Ev1")
    assert last(store) == [WHOLE]


@pytest.mark.parametrize(
    ("before", "after"), [(Result.NOT_DONE, Result.UNKNOWN), (Result.TAKEN, Result.TAKEN)], ids=["refused", "accepted"]
)
def test_what_is_sent_replaces_what_says_that_nothing_was_done(
    store: Store, wanted: Callable[..., Claim], before: Result, after: Result
) -> None:
    """A process dies after it has recorded a refusal. The next one decides again, and sends."""
    store.audit.record(replace(WHOLE, result=before), request_key="event:Ev1")
    claim = store.claims.claim(wanted())
    assert claim is not None
    sent = RequestEntry(replace(WHOLE, result=Result.UNKNOWN), "event:Ev1")
    assert store.claims.move(claim, replace(claim, state=ClaimState.SENT), audit=sent)
    assert [entry.result for entry in last(store)] == [after]


def test_requests_without_a_key_are_each_recorded(store: Store) -> None:
    store.audit.record(WHOLE, request_key=None)
    store.audit.record(WHOLE, request_key=None)
    assert len(last(store)) == 2


@pytest.mark.parametrize(("passed_days", "there"), [(0, True), (29.9, True), (30, False), (400, False)])
def test_an_entry_is_returned_until_it_expires(url: str, clock: Any, passed_days: float, there: bool) -> None:
    store = open_store(url, clock, audit_kept=timedelta(days=30))
    store.audit.record(WHOLE, request_key=None)
    clock.wait(passed_days * 86_400)
    assert bool(last(store)) is there
    store.close()


def test_a_purge_is_due_once_an_hour(opened: Callable[[], Store], url: str, clock: Any) -> None:
    audit = opened().audit
    audit.record(WHOLE, request_key=None)
    clock.wait(365 * 86_400 - 1)
    audit.purge()
    clock.wait(3599)
    audit.purge()
    assert exported(url) == [WHOLE]
    clock.wait(1)
    audit.purge()
    assert exported(url) == []


def test_a_purge_deletes_old_entries_at_once(opened: Callable[[], Store], url: str, clock: Any) -> None:
    audit = opened().audit
    audit.record(WHOLE, request_key=None)
    clock.wait(365 * 86_400)
    audit.purge()
    assert exported(url) == []


def test_entries_since_returns_the_oldest_first(opened: Callable[[], Store], url: str) -> None:
    audit = opened().audit
    entries = [replace(BARE, at=NOON + timedelta(hours=hour), reference=f"r{hour}") for hour in range(4)]
    for entry in reversed(entries):
        audit.record(entry, request_key=None)
    assert exported(url) == entries
    assert exported(url, NOON + timedelta(hours=2)) == entries[2:]


def test_the_key_of_a_request_is_stored_only_as_a_hash(opened: Callable[[], Store], url: str) -> None:
    opened().audit.record(BARE, request_key="command:1337.trigger.secret")
    database = Database.at(url)
    with database.reading() as connection:
        (row,) = connection.execute(sa.text("SELECT * FROM audit"))
    database.close()
    assert row.request_hash
    assert "trigger" not in repr(row)
