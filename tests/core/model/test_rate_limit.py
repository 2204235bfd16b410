"""How the calls of a minute are divided, and how long a refusal pauses requests."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.model.rate_limit import BACKGROUND_LATER, MAX_PAUSE_S, Pause, Priority, Quota, Rejected
from tests.held_clock import NOON

PEOPLE, BACKGROUND = Priority.PEOPLE, Priority.BACKGROUND


def after(*refusals: tuple[float, float | None]) -> Pause:
    """The pause once the service has refused at these seconds after noon, and named these times."""
    pause = Pause()
    for at_s, named_s in refusals:
        pause = pause.after_refusal(NOON + timedelta(seconds=at_s), named_s)
    return pause


@pytest.mark.parametrize(
    ("refusals", "until_s"),
    [
        ([(0, None)], 30),
        ([(0, 7)], 7),
        ([(0, 0)], 1),
        ([(0, 900)], 900),
        ([(0, None), (31, None)], 31 + 60),
        ([(0, None), (31, None), (92, None)], 92 + 120),
        ([(0, 20), (21, 20)], 21 + 40),
        ([(0, 20), (21, 200)], 21 + 300),
        ([(0, 20), (21, 600)], 21 + 600),
        ([(0, None), (91, None)], 91 + 30),
        # On its way when the pause began: the same refusal, not another.
        ([(0, None), (1, None)], 30),
        ([(0, None), (1, 10)], 30),
        ([(0, None), (1, 60)], 61),
        ([(0, None), (1, None), (31, None)], 31 + 60),
    ],
)
def test_a_pause_lasts_as_long_as_the_service_says_and_doubles_if_that_was_too_short(
    refusals: list[tuple[float, float | None]], until_s: float
) -> None:
    assert after(*refusals).until == NOON + timedelta(seconds=until_s)


def test_repeated_pauses_last_five_minutes_at_most() -> None:
    pause, now, lengths = Pause(), NOON, []
    for _ in range(40):
        pause = pause.after_refusal(now, None)
        assert pause.until is not None
        lengths.append((pause.until - now).total_seconds())
        now = pause.until + timedelta(seconds=1)
    assert lengths == [30, 60, 120, 240, *[MAX_PAUSE_S] * 36]


@pytest.mark.parametrize(
    ("at_s", "people", "background"),
    [
        (0, Rejected(30, paused=True), Rejected(45, paused=True)),
        (29, Rejected(1, paused=True), Rejected(16, paused=True)),
        (30, None, Rejected(15, paused=True)),
        (45, None, None),
    ],
)
def test_after_a_pause_people_come_first(at_s: float, people: Rejected | None, background: Rejected | None) -> None:
    pause, now = after((0, None)), NOON + timedelta(seconds=at_s)
    assert timedelta(seconds=15) == BACKGROUND_LATER
    assert (pause.refuses(PEOPLE, now), pause.refuses(BACKGROUND, now)) == (people, background)


def test_without_a_refusal_there_is_no_pause() -> None:
    assert Pause().refuses(BACKGROUND, NOON) is None


def test_the_longer_of_two_pauses_counts() -> None:
    short, long = after((0, 5)), after((0, 50))
    for one, other in ((short, long), (long, short), (long, Pause()), (Pause(), long)):
        assert one.or_later(other) == long


@pytest.mark.parametrize(("calls", "shares"), [(60, (15, 5)), (2, (0, 0)), (4, (1, 0)), (12, (3, 1)), (600, (150, 50))])
def test_a_quarter_of_the_limit_is_for_people_and_a_twelfth_is_a_local_reserve(
    calls: int, shares: tuple[int, int]
) -> None:
    assert Quota.of(calls) == Quota(calls, *shares)


@pytest.mark.parametrize(
    ("used", "held", "people", "background"),
    [
        (0, 0, 60, 45),
        (44, 0, 16, 1),
        (45, 0, 15, 0),
        (59, 0, 1, 0),
        (60, 0, 0, 0),
        # Local reserves are part of what is reserved for people.
        (40, 15, 5, 5),
        (40, 20, 0, 0),
        (70, 0, 0, 0),
    ],
)
def test_background_work_leaves_peoples_share(used: int, held: int, people: int, background: int) -> None:
    shares = Quota.of(60)
    for priority, most in ((PEOPLE, people), (BACKGROUND, background)):
        can = [n for n in range(1, 61) if shares.missing(n, priority, used=used, held=held) <= 0]
        assert len(can) == most


@pytest.mark.parametrize(
    ("local_reserve", "used", "held", "more"),
    [
        (0, 0, 0, 5),
        (3, 0, 3, 2),
        (5, 0, 5, 0),
        (0, 0, 12, 3),
        (0, 0, 15, 0),
        (0, 45, 12, 3),
        (0, 46, 0, 0),
        (0, 45, 14, 1),
    ],
)
def test_the_local_reserve_is_small_and_empty_once_people_use_the_reserve(
    local_reserve: int, used: int, held: int, more: int
) -> None:
    assert Quota.of(60).to_keep(local_reserve, used=used, held=held) == more
