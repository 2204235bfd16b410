"""One process or several on one rate limit: never more calls in any minute, and rarely a wait for the database."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Event, Thread

import pytest

from bot.core.model.rate_limit import Priority, Rejected
from bot.store import Store
from bot.store.rate_limit.rows import COUNTED_S, USABLE_S
from bot.store.rate_limit.shared import RENEWED_EVERY_S, SETTLED_EVERY_S, SharedRateLimit
from tests.store.conftest import HeldClock

PEOPLE, BACKGROUND = Priority.PEOPLE, Priority.BACKGROUND

Replicas = Callable[..., SharedRateLimit]


def counted(rate_limit: SharedRateLimit) -> None:
    """Waits for background counting."""
    rate_limit._counting.submit(lambda: None).result(10)


def renewed(rate_limit: SharedRateLimit, times: int = 2) -> None:
    """Reports calls and fills the local reserve, if there are enough calls."""
    for _ in range(times):
        rate_limit.renew()
        counted(rate_limit)


def made(rate_limit: SharedRateLimit, priority: Priority = PEOPLE, *, at_most: int = 1000) -> int:
    """Makes as many calls as it may, at once."""
    for calls in range(at_most):
        if rate_limit.reserve(1, priority) is not None:
            return calls
        assert rate_limit.start_call(priority) is None
    return at_most


@pytest.fixture
def said() -> list[tuple[Priority, str]]:
    return []


@pytest.fixture
def replica(opened: Callable[[], Store], said: list[tuple[Priority, str]]) -> Iterator[Replicas]:
    """A process of its own, without the timer: on one database with all the others."""
    rate_limits: list[SharedRateLimit] = []

    def make(calls_per_minute: int = 60, service: str = "codeship") -> SharedRateLimit:
        rate_limit = opened().rate_limit(
            service, calls_per_minute, lambda priority, result: said.append((priority, result))
        )
        rate_limits.append(rate_limit)
        renewed(rate_limit)
        return rate_limit

    yield make
    for rate_limit in rate_limits:
        rate_limit.close()


def test_a_minute_has_exactly_the_calls_of_the_limit(replica: Replicas, clock: HeldClock) -> None:
    rate_limit = replica(60)
    assert made(rate_limit) == 60
    refused = rate_limit.reserve(1, PEOPLE)
    assert refused is not None
    assert not refused.paused
    assert COUNTED_S - 1 <= refused.retry_after_s <= COUNTED_S + 1
    clock.wait(refused.retry_after_s)
    assert made(rate_limit) == 60


@pytest.mark.parametrize("calls_per_minute", [2, 3, 11, 12, 59, 600])
def test_one_process_can_use_a_limit_of_any_size_completely(replica: Replicas, calls_per_minute: int) -> None:
    assert made(replica(calls_per_minute)) == calls_per_minute


def test_each_call_is_free_again_a_minute_after_it_was_made(replica: Replicas, clock: HeldClock) -> None:
    rate_limit = replica(3)
    for _ in range(3):
        assert made(rate_limit, at_most=1) == 1
        clock.wait(10)
    refused = rate_limit.reserve(1, PEOPLE)
    assert refused is not None
    clock.wait(refused.retry_after_s)
    assert made(rate_limit) == 1


def test_several_processes_share_it(replica: Replicas, clock: HeldClock) -> None:
    replicas = [replica(60) for _ in range(3)]
    assert made(replicas[0]) + made(replicas[1]) + made(replicas[2]) == 60
    clock.wait(COUNTED_S + 1)
    assert sum(made(rate_limit, at_most=7) for rate_limit in replicas) == 21


def test_other_processes_release_their_local_reserve_when_people_need_it(replica: Replicas, clock: HeldClock) -> None:
    busy, *idle = [replica(60) for _ in range(4)]
    first = made(busy)
    assert 45 <= first < 60
    clock.wait(SETTLED_EVERY_S)
    for rate_limit in idle:
        renewed(rate_limit)
    assert made(busy) == 60 - first


def test_each_service_has_its_own_rate_limit(replica: Replicas) -> None:
    assert (made(replica(10)), made(replica(10, "another"))) == (10, 10)


@pytest.mark.serial  # a database that is too slow is replaced by a local count
@pytest.mark.parametrize("seed", range(4))
def test_no_sixty_seconds_have_more_calls_than_the_limit(replica: Replicas, clock: HeldClock, seed: int) -> None:
    """Three processes reserve calls, wait, renew, die and start, on a clock that moves at random.

    The service does not count one in ten calls.
    """
    chance, times = random.Random(seed), list[float]()
    rate_limits, reserved = [replica(24) for _ in range(3)], [0, 0, 0]
    for _ in range(250):
        at = chance.randrange(3)
        deeds = ["ask", "free", "reserve", "use", "wait", "renew", "die"]
        match chance.choices(deeds, [40, 10, 10, 15, 15, 15, 1])[0]:
            case "free" if made(rate_limits[at], chance.choice([PEOPLE, BACKGROUND]), at_most=1):
                clock.wait(chance.choice([0.1, 0.1, 4, 11]))
                if chance.random() < 0.3:
                    renewed(rate_limits[at], times=1)
                rate_limits[at].refund()
            case "ask":
                priority = chance.choice([PEOPLE, BACKGROUND])
                for _ in range(made(rate_limits[at], priority, at_most=chance.choice([1, 2, 30]))):
                    times.append(clock.monotonic())
            case "reserve":
                reserved[at] += 2 if rate_limits[at].reserve(2, PEOPLE) is None else 0
            case "use" if reserved[at]:
                reserved[at] -= 1
                assert rate_limits[at].start_call(PEOPLE) is None
                times.append(clock.monotonic())
            case "wait":
                clock.wait(chance.choice([0.3, 1.7, 5, 12, 31]))
            case "renew":
                rate_limits[at].renew()
            case "die":
                rate_limits[at], reserved[at] = replica(24), 0
    windows = [sum(begin <= time < begin + 60 for time in times) for begin in times]
    assert max(windows) <= 24
    assert max(windows) > 15, "else nothing was put to the test"


def test_a_request_does_not_wait_for_the_database_while_the_local_reserve_lasts(
    replica: Replicas, clock: HeldClock, said: list[tuple[Priority, str]]
) -> None:
    rate_limit = replica(60)
    for _ in range(40):
        assert made(rate_limit, at_most=1) == 1
        counted(rate_limit)
        clock.wait(2)
    assert set(said) == {(PEOPLE, "local")}


def test_after_an_idle_hour_there_is_still_a_local_reserve(
    replica: Replicas, clock: HeldClock, said: list[tuple[Priority, str]]
) -> None:
    rate_limit = replica(60)
    for _ in range(int(3600 / RENEWED_EVERY_S)):
        clock.wait(RENEWED_EVERY_S)
        rate_limit.renew()
    counted(rate_limit)
    assert made(rate_limit, at_most=3) == 3
    assert set(said) == {(PEOPLE, "local")}


def test_an_expired_local_reserve_is_not_used(
    replica: Replicas, clock: HeldClock, said: list[tuple[Priority, str]]
) -> None:
    rate_limit = replica(60)
    clock.wait(USABLE_S)
    assert made(rate_limit, at_most=1) == 1
    assert said == [(PEOPLE, "shared")]


def test_calls_held_by_dead_replicas_become_free(replica: Replicas, clock: HeldClock) -> None:
    dead, alive = replica(60), replica(60)
    assert dead.reserve(2, PEOPLE) is None
    first = made(alive)
    assert first == 60 - 5
    clock.wait(USABLE_S + COUNTED_S)
    assert made(alive) == 60


def test_close_releases_calls_that_were_not_made(replica: Replicas) -> None:
    leaving, staying = replica(60), replica(60)
    assert made(leaving, at_most=4) == 4
    counted(leaving)
    leaving.close()
    assert made(staying) == 56


def test_calls_are_reserved_all_or_none(replica: Replicas) -> None:
    rate_limit = replica(5)
    assert made(rate_limit, at_most=4) == 4
    assert rate_limit.reserve(2, PEOPLE) is not None
    assert made(rate_limit) == 1


def test_released_calls_are_free_for_other_processes(replica: Replicas) -> None:
    one, other = replica(5), replica(5)
    assert one.reserve(4, PEOPLE) is None
    assert made(other) == 1
    one.release(4)
    counted(one)
    assert made(other) == 4


@pytest.mark.parametrize("told", [False, True], ids=["not told yet", "told"])
def test_a_call_that_the_service_does_not_count_can_be_made_again_in_the_same_minute(
    replica: Replicas, clock: HeldClock, told: bool
) -> None:
    rate_limit = replica(10)
    assert made(rate_limit, at_most=4) == 4
    clock.wait(3)
    assert made(rate_limit) == 6
    if told:
        renewed(rate_limit)
    rate_limit.refund()
    rate_limit.refund()
    assert made(rate_limit) == 1, "only one call was free, however often it is refunded"
    clock.wait(COUNTED_S - 2)
    assert made(rate_limit) == 4, "the oldest calls expire first"


def test_calls_that_the_service_never_counts_do_not_use_the_limit(replica: Replicas, clock: HeldClock) -> None:
    rate_limit = replica(10)
    assert made(rate_limit, at_most=9) == 9
    for _ in range(50):
        assert made(rate_limit, at_most=1) == 1
        rate_limit.refund()
        clock.wait(0.5)
    clock.wait(COUNTED_S - 24)
    assert made(rate_limit) == 10


def test_a_refunded_call_is_free_for_other_processes(replica: Replicas) -> None:
    one, other = replica(10), replica(10)
    assert made(one) == 10
    counted(one)
    one.refund()
    renewed(one)
    assert made(other) == 1


def test_a_refund_takes_back_the_last_call_of_its_thread(replica: Replicas, clock: HeldClock) -> None:
    """Another thread's later call counts, and comes back when its own minute is over."""
    rate_limit = replica(2)
    assert made(rate_limit, at_most=1) == 1
    clock.wait(30)
    thread = Thread(target=made, args=(rate_limit,))
    thread.start()
    thread.join(10)
    rate_limit.refund()
    assert made(rate_limit) == 1
    clock.wait(COUNTED_S - 28)
    assert made(rate_limit) == 0, "the other thread's call still counts"
    clock.wait(30)
    assert made(rate_limit) == 2


def test_background_work_leaves_the_reserve_to_people_and_is_told_when_to_retry(
    replica: Replicas, clock: HeldClock
) -> None:
    busy, other = replica(60), replica(60)
    assert made(busy, BACKGROUND) == 45
    refused = other.reserve(1, BACKGROUND)
    assert isinstance(refused, Rejected)
    assert not refused.paused
    renewed(busy)
    assert made(other) == 10, "five are reserved locally if the background is busy"
    clock.wait(COUNTED_S + 1)
    assert other.reserve(1, BACKGROUND) is None


def test_a_pause_holds_for_all_processes(replica: Replicas, clock: HeldClock, said: list[tuple[Priority, str]]) -> None:
    told, other = replica(60), replica(60)
    told.pause(20)
    counted(told)
    assert told.reserve(1, PEOPLE) == Rejected(20, paused=True)
    assert other.reserve(1, BACKGROUND) == Rejected(35, paused=True)
    assert other.reserve(1, PEOPLE) == Rejected(20, paused=True)
    assert {result for _, result in said} == {"paused"}
    assert (told.is_paused, other.is_paused) == (True, True)
    clock.wait(20)
    assert (made(told, at_most=1), made(other, at_most=1)) == (1, 1)
    assert other.reserve(1, BACKGROUND) == Rejected(15, paused=True)
    clock.wait(15)
    assert made(other, BACKGROUND, at_most=1) == 1


def test_other_processes_see_a_pause_at_the_next_renewal(replica: Replicas) -> None:
    told, other = replica(60), replica(60)
    told.pause(20)
    counted(told)
    renewed(other, times=1)
    assert other.reserve(1, PEOPLE) == Rejected(20, paused=True)


def test_a_call_reserved_before_a_pause_waits_for_its_end(replica: Replicas, clock: HeldClock) -> None:
    rate_limit = replica(60)
    assert rate_limit.reserve(1, PEOPLE) is None
    rate_limit.pause(20)
    assert rate_limit.start_call(PEOPLE) == Rejected(20, paused=True)
    clock.wait(20)
    assert rate_limit.start_call(PEOPLE) is None


def test_repeated_pauses_double_whichever_process_was_refused(replica: Replicas, clock: HeldClock) -> None:
    one, other = replica(60), replica(60)
    one.pause(None)
    counted(one)
    clock.wait(31)
    other.pause(None)
    counted(other)
    renewed(one, times=1)
    assert one.reserve(1, PEOPLE) == Rejected(60, paused=True)


def test_the_calls_left_are_known(replica: Replicas, clock: HeldClock) -> None:
    rate_limit = replica(60)
    assert rate_limit.calls_left == 60
    made(rate_limit, at_most=20)
    renewed(rate_limit)
    assert rate_limit.calls_left == 40
    made(rate_limit)
    assert rate_limit.calls_left == 0


def test_a_timer_renews_until_it_is_closed(opened: Callable[[], Store], clock: HeldClock) -> None:
    rate_limit = opened().rate_limit("codeship", 60)
    rate_limit.start()
    counted(rate_limit)
    assert rate_limit.calls_left == 60
    rate_limit.close()
    rate_limit.close()


def test_many_threads_never_exceed_the_limit(replica: Replicas) -> None:
    rate_limit, go, got = replica(60), Event(), list[int]()

    def ask() -> None:
        assert go.wait(10)
        got.append(made(rate_limit))

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join(30)
    assert sum(got) == 60


def test_clocks_two_seconds_apart_break_nothing(opened: Callable[[], Store]) -> None:
    right, late = HeldClock(), HeldClock()
    late.time -= timedelta(seconds=2)
    store = opened()
    one = SharedRateLimit(store._database, right, "codeship", store.rate_limit("codeship", 10)._shares)
    other = SharedRateLimit(store._database, late, "codeship", one._shares)
    assert made(other) == 10
    counted(other)
    renewed(other)
    for clock in (right, late):
        clock.wait(59)
    assert made(one) == 0
    one.close()
    other.close()


def test_a_clock_set_back_by_minutes_frees_counted_calls_and_ends_a_pause(replica: Replicas, clock: HeldClock) -> None:
    rate_limit = replica(12)
    assert made(rate_limit) == 12
    clock.time -= timedelta(minutes=4)
    assert made(replica(12)) == 12
    rate_limit.pause(60.0)
    assert rate_limit.reserve(1, PEOPLE) is not None
    clock.time -= timedelta(minutes=4)
    counted(rate_limit)
    assert made(rate_limit) > 0
