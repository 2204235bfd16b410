"""Followed builds whose updates Slack refuses: they end or pause, never loop, and reply once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.core.model.builds import Status
from bot.core.model.errors import Unreachable
from bot.core.model.follows import MessageGone, RetryLater
from bot.core.polling.poller import Poller
from tests.core.actions.ada_restarts import WEB
from tests.core.polling.world import Followers
from tests.core.world import ADA, BUILDS, build

DAY_S = 24 * 3600.0


@pytest.fixture
def web() -> Iterator[Followers]:
    made = Followers()
    yield made
    made.close()


def _look(process: Poller) -> None:
    process.poll("codeship", WEB.id)


def test_a_deleted_message_ends_the_follow_silently(web: Followers) -> None:
    web.restarts()
    web.notifier.failures["show"] = [MessageGone("message_not_found", is_told=False)]
    web.passes_time(60)
    assert (web.open, web.notifier.told, web.notifier.calls) == ([], [], ["show"])
    assert web.jobs.waiting == 0


@pytest.mark.parametrize("why", ["is_archived", "not_in_channel", "channel_not_found"])
def test_a_closed_channel_ends_the_follow_and_the_asker_is_told_once(web: Followers, why: str) -> None:
    web.restarts()
    web.notifier.failures["show"] = [MessageGone(why, is_told=True)]
    web.passes_time(60)
    assert web.notifier.told == [(ADA, BUILDS, why)]
    assert (web.open, web.notifier.calls) == ([], ["show"])


def test_if_two_processes_find_the_channel_closed_one_tells_the_asker(web: Followers) -> None:
    web.restarts()
    web.clock.advance(5)
    web.notifier.failures["show"] = [MessageGone("is_archived", is_told=True) for _ in range(2)]
    web.notifier.meanwhile = [lambda: _look(web.another_process())]
    web.following.poll("codeship", WEB.id)
    assert web.notifier.calls == ["show", "show"]
    assert len(web.notifier.told) == 1


def test_a_follow_continues_while_slack_is_away_and_shows_the_end_afterwards(web: Followers) -> None:
    web.restarts()
    web.notifier.failures["show"] = [RetryLater("timeout", is_everywhere=True) for _ in range(1000)]
    web.passes_time(120)
    assert 6 <= len(web.notifier.calls) <= 9, "every 15 s"
    web.ends()
    web.notifier.failures["show"] = []
    web.passes_time(15)
    assert web.states == ["ended passed"]
    assert len(web.notifier.replies) == 1


def test_slacks_retry_after_is_respected(web: Followers) -> None:
    web.restarts()
    web.notifier.failures["show"] = [RetryLater("ratelimited", retry_after_s=45)]
    web.passes_time(5 + 44)
    assert len(web.notifier.calls) == 1
    web.passes_time(1)
    assert web.states == ["running"]


def test_a_bot_without_access_tries_once_a_minute_and_gives_up_in_the_end(web: Followers) -> None:
    web.restarts()
    web.notifier.failures["show"] = [
        RetryLater("token_revoked", retry_after_s=60, is_everywhere=True) for _ in range(5000)
    ]
    web.passes_time(1200)
    assert 19 <= len(web.notifier.calls) <= 21
    web.clock.advance(DAY_S)
    web.passes_time(120)
    assert web.open == []
    assert web.jobs.waiting == 0


def test_if_slack_is_away_the_remaining_messages_wait_for_the_next_poll(web: Followers) -> None:
    builds = [build(10 + n, WEB, f"b/{n}", Status.RUNNING) for n in range(10)]
    web.world.has(*builds)
    for each in builds:
        web.follows(each)
    web.notifier.failures["show"] = [RetryLater("timeout", is_everywhere=True) for _ in range(3)]
    web.passes_time(5)
    assert len(web.notifier.calls) == 3
    web.passes_time(15)
    assert len(web.notifier.shown) == 10


def test_a_refused_message_does_not_delay_the_others(web: Followers) -> None:
    builds = [build(10 + n, WEB, f"b/{n}", Status.RUNNING) for n in range(6)]
    web.world.has(*builds)
    for each in builds:
        web.follows(each)
    web.notifier.failures["show"] = [RetryLater("msg_too_long") for _ in range(5)]
    web.passes_time(5)
    assert [shown.build.id for shown in web.notifier.shown] == ["15"]


# The reply.


def test_the_reply_is_posted_once_even_if_the_poll_is_repeated(web: Followers) -> None:
    web.restarts()
    web.ends()
    for _ in range(3):
        web.passes_time(10)
        web.following.poll("codeship", WEB.id)
    assert len(web.notifier.replies) == 1


def test_if_two_processes_see_the_end_one_replies(web: Followers) -> None:
    web.restarts()
    web.ends()
    web.clock.advance(5)
    web.notifier.meanwhile = [lambda: _look(web.another_process())]
    web.following.poll("codeship", WEB.id)
    assert web.states == ["ended passed", "ended passed"], "a repeated change is invisible"
    assert len(web.notifier.replies) == 1
    assert web.open == []


def test_a_refused_reply_is_tried_again(web: Followers) -> None:
    web.restarts()
    web.ends()
    web.notifier.failures["reply"] = [
        RetryLater("ratelimited", retry_after_s=30),
        RetryLater("ratelimited", retry_after_s=30),
    ]
    web.passes_time(120)
    assert web.states == ["ended passed"], "the message has said it"
    assert len(web.notifier.replies) == 1
    assert web.open == []


@pytest.mark.parametrize("did", [True, False])
def test_a_reply_with_an_unknown_result_is_not_repeated(web: Followers, did: bool) -> None:
    web.restarts()
    web.ends()
    web.notifier.did = did
    web.notifier.failures["reply"] = [RetryLater("timeout", may_have_happened=True)]
    web.passes_time(120)
    assert web.notifier.calls.count("reply") == 1
    assert web.states == ["ended passed"]
    assert web.open == []


def test_a_reply_whose_thread_is_gone_is_dropped(web: Followers) -> None:
    web.restarts()
    web.ends()
    web.notifier.failures["reply"] = [MessageGone("thread_not_found", is_told=False)]
    web.passes_time(120)
    assert (web.open, web.notifier.told) == ([], [])


def test_a_reply_that_can_never_be_posted_is_given_up(web: Followers) -> None:
    web.restarts()
    web.ends()
    web.notifier.failures["reply"] = [RetryLater("ratelimited", retry_after_s=60) for _ in range(10_000)]
    web.passes_time(600)
    assert len(web.open) == 1
    web.clock.advance(DAY_S)
    web.passes_time(120)
    assert web.open == []


def test_a_final_message_stays_while_its_reply_waits_and_ci_is_down(web: Followers) -> None:
    web.restarts()
    web.ends()
    web.notifier.failures["reply"] = [RetryLater("ratelimited", retry_after_s=30)]
    web.passes_time(5)
    web.is_down(lambda: Unreachable("CodeShip"))
    web.passes_time(300)
    web.clock.advance(timedelta(hours=3).total_seconds())
    web.passes_time(60)
    web.is_up()
    web.passes_time(60)
    assert web.states == ["ended passed"]
    assert len(web.notifier.replies) == 1
