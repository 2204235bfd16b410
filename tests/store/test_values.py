"""All that people and services send is returned unchanged: any strings, times to the microsecond."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import count

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy.exc import StatementError

from bot.core.model.builds import Location, Project, Run
from bot.core.model.claims import Claim, ClaimState
from bot.store import Store, open_store
from bot.store.tables import AnyText
from tests.held_clock import HeldClock

STRINGS = st.text(st.characters(exclude_categories=()), max_size=20)  # NUL and half surrogate pairs included
run_numbers = count(1)


@pytest.fixture(scope="module", params=["memory", pytest.param("postgresql", marks=pytest.mark.slow)])
def shared(request: pytest.FixtureRequest) -> Iterator[Store]:
    """One for all the examples of a property."""
    is_memory = request.param == "memory"
    url = "sqlite:///:memory:" if is_memory else request.getfixturevalue("postgres").new_database()
    opened = open_store(url, HeldClock())
    yield opened
    opened.close()


@given(STRINGS, STRINGS, STRINGS, STRINGS)
@example("\x00", "\\u0000", "\ud800", "\\")
@example("", "'; DROP TABLE claims; --", "%s ? :name", "é\N{COMBINING ACUTE ACCENT}\U0001f680")
def test_any_string_in_a_claim_survives(
    shared: Store, wanted: Callable[..., Claim], a: str, b: str, c: str, d: str
) -> None:
    claim = wanted(
        a, next(run_numbers), service=b, project_id=c, actor=d, location=Location(a, b), replaced=Run(d, None, None)
    )
    got = shared.claims.claim(claim)
    assert got == replace(claim, id=got.id if got else 0, changed_at=claim.requested_at)
    after = replace(got, new_build_id=c, state=ClaimState.TAKEN)
    assert shared.claims.move(got, after)
    assert after in shared.claims.newest(b, [a])


@given(st.lists(st.tuples(STRINGS, STRINGS, st.none() | STRINGS), max_size=5), STRINGS)
def test_any_string_in_the_project_list_survives(
    shared: Store, names: list[tuple[str, str, str | None]], service: str
) -> None:
    projects = [Project(id, name, service, link) for id, name, link in names]
    shared.projects.save_projects(service, projects, datetime.now(UTC))
    assert shared.projects.load_projects(service)[0] == projects


@given(STRINGS)
def test_stored_strings_are_valid_in_both_databases(text: str) -> None:
    written = AnyText().process_bind_param(text, None)  # type: ignore[arg-type]
    assert written is not None
    assert "\x00" not in written
    written.encode()


def test_strings_with_similar_escapes_stay_distinct(store: Store, wanted: Callable[..., Claim]) -> None:
    for build_id in ("\x00", "\\u0000", "\\u005cu0000", "\\", "\\\\", ""):
        assert store.claims.claim(wanted(build_id)) is not None, build_id


@pytest.mark.parametrize(
    "time",
    [
        datetime(2026, 3, 1, 12, 0, 0, 1, UTC),
        datetime(2026, 3, 1, 12, 0, 0, 0, UTC),
        datetime(2026, 3, 1, 1, 30, 0, 999999, timezone(timedelta(hours=5, minutes=45))),
        datetime(2026, 12, 31, 23, 30, 0, 0, timezone(timedelta(hours=-8))),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
    ],
    ids=str,
)
def test_a_time_is_returned_in_utc(store: Store, wanted: Callable[..., Claim], time: datetime) -> None:
    got = store.claims.claim(wanted(requested_at=time, replaced=Run("error", time, None), changed_at=time))
    assert got is not None
    for stored in (got.requested_at, got.changed_at, got.replaced.started_at):
        assert stored == time
        assert stored.tzinfo is UTC


def test_a_time_without_a_zone_raises(store: Store, wanted: Callable[..., Claim]) -> None:
    with pytest.raises(StatementError, match="without a zone"):
        store.claims.claim(wanted(requested_at=datetime(2026, 3, 1)))  # noqa: DTZ001
    assert store.claims.newest("codeship", ["7"]) == []
