"""With `flaky:quiet`, a failure that passes on retry within fifteen minutes is not posted, and `why` says so."""

from __future__ import annotations

from bot.core.model.notifications.reasons import Reason
from tests.core.notifications.hearing import API


def subscribed(hearing):
    hearing.subscribe(repo="acme/web", flaky_quiet=True)
    hearing.goes("10 ok", "11 bad ; 10 ok")
    assert hearing.heard() == []
    assert hearing.reasons()[0] is Reason.MAY_BE_FLAKY


def test_a_failure_that_passes_on_retry_is_not_posted_and_the_log_says_why(hearing):
    subscribed(hearing)
    hearing.goes("11' ok ; 10 ok")
    hearing.jobs.pass_time(3600)
    assert hearing.heard() == []
    assert hearing.reasons()[0] is Reason.FLAKY
    hearing.goes("12 bad ; 11' ok")
    hearing.jobs.pass_time(901)
    assert hearing.heard() == ["web main broke 12"]


def test_a_failure_without_a_retry_is_posted_after_fifteen_minutes(hearing):
    subscribed(hearing)
    hearing.jobs.pass_time(890)
    assert hearing.heard() == []
    hearing.jobs.pass_time(11)
    assert hearing.heard() == ["web main broke 11"]


def test_a_failure_that_fails_again_is_posted_at_once(hearing):
    subscribed(hearing)
    hearing.goes("11' bad ; 10 ok")
    hearing.jobs.pass_time(1)
    assert hearing.heard() == ["web main failed again 11", "  web main failed again 11"]


def test_a_second_commit_that_fails_has_the_failure_posted(hearing):
    subscribed(hearing)
    hearing.goes("12 bad ; 11 bad ; 10 ok")
    hearing.jobs.pass_time(1)
    assert hearing.heard() == ["web main still 12"]


def test_a_fix_by_another_commit_is_told(hearing):
    subscribed(hearing)
    hearing.goes("12 ok ; 11 bad ; 10 ok")
    assert hearing.heard() == ["web main fixed 12"]


def test_a_retry_that_passes_later_is_told_as_flaky(hearing):
    subscribed(hearing)
    hearing.jobs.pass_time(901)
    hearing.goes("11' ok ; 10 ok")
    assert hearing.heard() == ["web main flaky 11", "  *web main flaky 11"]


def test_other_news_of_the_channel_do_not_wait(hearing):
    hearing.subscribe(repo="acme/api")
    hearing.goes("20 ok", of=API)
    subscribed(hearing)
    hearing.goes("21 bad ; 20 ok", of=API)
    assert hearing.heard() == ["api main broke 21"]
    assert hearing.store.outbox.depth() == (0, None)


def test_a_second_subscription_without_the_option_is_told_at_once(hearing):
    hearing.subscribe(repo="acme/*")
    hearing.subscribe(repo="acme/web", flaky_quiet=True)
    hearing.goes("10 ok", "11 bad ; 10 ok")
    assert hearing.heard() == ["web main broke 11"]


def test_another_process_posts_what_was_held_back_if_the_job_was_lost(hearing):
    subscribed(hearing)
    hearing.jobs.lose_all()
    hearing.clock.advance(600)
    hearing.sender.restart_late()
    hearing.jobs.pass_time(0)
    assert hearing.heard() == []
    hearing.clock.advance(330)
    hearing.sender.restart_late()
    hearing.jobs.pass_time(0)
    assert hearing.heard() == ["web main broke 11"]
