"""Polling for channels: what is fetched, when, by which process, and what a list with holes leaves out."""

from __future__ import annotations

from bot.core.model.errors import OverLimit, Unreachable
from bot.core.model.notifications.health import WebhookResult
from bot.core.model.notifications.reasons import Reason
from bot.core.model.notifications.subscriptions import Event
from bot.core.model.rate_limit import Priority
from bot.core.polling.watch import LEASE_S
from tests.core.notifications.hearing import API, WEB, Hearing


def rounds(hearing: Hearing, seconds: float) -> None:
    """The watch's thread, for so long."""
    until = hearing.clock.monotonic() + seconds
    while hearing.clock.monotonic() < until:
        hearing.clock.advance(max(hearing.watch.tick("codeship"), 0.1))
        hearing.jobs.pass_time(0)


def test_nothing_is_fetched_and_no_lease_is_taken_while_no_channel_listens(hearing):
    rounds(hearing, 60)
    assert hearing.ci.calls == []
    assert hearing.store.watching.lease("codeship", "another", LEASE_S)


def test_one_call_in_fifteen_seconds_watches_every_project(hearing):
    hearing.subscribe()
    hearing.builds("10 ok")
    hearing.builds("20 ok", of=API)
    rounds(hearing, 60)
    assert hearing.ci.calls == ["recent"] * 4
    assert set(hearing.ci.asked_for) == {Priority.BACKGROUND}
    hearing.builds("11 bad", "10 ok")
    hearing.builds("21 bad", "20 ok", of=API)
    rounds(hearing, 16)
    assert sorted(hearing.heard()) == ["api main broke 21", "web main broke 11"]


def test_a_webhook_brings_the_next_list_forward(hearing):
    hearing.subscribe()
    hearing.builds("10 ok")
    rounds(hearing, 6)
    hearing.builds("11 bad", "10 ok")
    hearing.watch.poll_soon("codeship", WEB.id)
    rounds(hearing, 1)
    assert hearing.heard() == ["web main broke 11"]


def test_a_webhook_at_a_process_without_the_lease_leads_to_a_look_by_the_one_that_has_it(hearing):
    hearing.subscribe()
    hearing.builds("10 ok")
    rounds(hearing, 6)
    other, _ = hearing.process("replica 2")
    other.tick("codeship")
    hearing.builds("11 bad", "10 ok")
    other.poll_soon("codeship", WEB.id)
    rounds(hearing, 1)
    assert hearing.heard() == ["web main broke 11"]
    assert hearing.store.polling_log.hints("codeship") == {}


def test_a_webhook_whose_look_fails_is_looked_at_later(hearing):
    hearing.subscribe()
    hearing.builds("10 ok")
    rounds(hearing, 6)
    hearing.watch.poll_soon("codeship", WEB.id)
    hearing.ci.failures["recent"] = [Unreachable("CodeShip", "no connection")]
    rounds(hearing, 1)
    assert list(hearing.store.polling_log.hints("codeship")) == [WEB.id]


def test_lists_after_webhooks_are_five_seconds_apart(hearing):
    hearing.subscribe()
    for _ in range(30):
        hearing.watch.poll_soon("codeship", WEB.id)
        rounds(hearing, 1)
    assert len(hearing.ci.calls) <= 7


def test_another_process_takes_over_when_the_lease_has_ended(hearing):
    hearing.subscribe()
    hearing.builds("10 ok")
    rounds(hearing, 1)
    other, _ = hearing.process("replica 2")
    assert other.tick("codeship") > 0
    assert hearing.ci.calls == ["recent"]
    hearing.clock.advance(LEASE_S)
    hearing.builds("11 bad", "10 ok")
    other.tick("codeship")
    hearing.jobs.pass_time(0)
    assert hearing.heard() == ["web main broke 11"]


def test_a_process_that_stops_gives_its_lease_back(hearing):
    hearing.subscribe()
    rounds(hearing, 1)
    other, _ = hearing.process("replica 2")
    hearing.watch.leave("codeship")
    other.tick("codeship")
    assert hearing.ci.calls == ["recent", "recent"]


def test_two_processes_that_see_the_same_tell_it_once(hearing):
    hearing.subscribe()
    hearing.goes("10 ok")
    other, _ = hearing.process("replica 2")
    hearing.builds("11 bad", "10 ok")
    hearing.clock.advance(1)
    other.poll_all("codeship")
    hearing.poll()
    assert hearing.heard() == ["web main broke 11"]


def test_a_look_that_began_before_the_last_one_is_ignored(hearing):
    hearing.subscribe()
    hearing.goes("10 ok", "11 bad ; 10 ok")
    other, _ = hearing.process("replica 2")
    hearing.builds("12 ok", "11 bad")
    hearing.clock.advance(-0.5)
    other.poll_all("codeship")
    hearing.jobs.pass_time(0)
    assert hearing.heard() == ["web main broke 11"]


def test_after_the_clock_was_set_back_looks_count_again(hearing):
    hearing.subscribe()
    hearing.goes("10 ok")
    hearing.clock.advance(-3600)
    hearing.goes("11 bad ; 10 ok")
    assert hearing.heard() == ["web main broke 11"]


def test_a_failure_of_the_service_is_tried_again(hearing):
    hearing.subscribe()
    hearing.builds("10 ok")
    hearing.ci.failures["recent"] = [Unreachable("CodeShip", "no connection"), OverLimit("CodeShip", retry_after_s=40)]
    rounds(hearing, 75)
    assert hearing.ci.calls == ["recent"] * 4  # at 0, 15 and 55 s, and 15 s later


# Holes of a list: CodeShip shows a project's ten newest builds


def test_a_running_build_that_left_the_list_is_fetched_by_its_branch(hearing):
    hearing.subscribe()
    hearing.goes("11 run ; 10 ok")
    others = [f"{number} ok topic" for number in range(21, 11, -1)]
    hearing.builds(*others, "11 bad", "10 ok")
    hearing.poll()
    assert hearing.ci.branches_asked == ["main"]
    assert hearing.heard() == ["web main broke 11"]


def test_more_new_builds_than_a_list_shows_have_each_watched_branch_fetched(hearing):
    hearing.subscribe()
    hearing.goes("10 ok ; 9 ok")
    others = [f"{number} ok topic" for number in range(30, 20, -1)]
    hearing.builds(*others, "15 bad", "10 ok")
    hearing.poll()
    assert hearing.ci.branches_asked == ["main"]
    assert hearing.heard() == ["web main broke 15"]


def after_downtime(hearing):
    """Two repositories with two watched branches each, all of which may have changed."""
    hearing.subscribe(branch="*")
    hearing.goes("2 ok topic ; 1 ok")
    hearing.goes("4 ok topic ; 3 ok", of=API)
    hearing.ci.branches_asked.clear()
    others = [f"{number} ok other" for number in range(30, 20, -1)]
    hearing.builds(*others, "15 bad topic", "14 bad")
    hearing.builds(*others, "13 bad topic", "12 bad", of=API)


def test_after_downtime_the_default_branches_of_all_projects_are_fetched_first(hearing):
    after_downtime(hearing)
    hearing.poll()
    assert hearing.ci.branches_asked == ["main", "main", "topic", "topic"]


def test_what_was_fetched_before_the_rate_limit_is_told_and_not_fetched_again(hearing):
    after_downtime(hearing)
    hearing.ci.failures["builds"] = [None, OverLimit("CodeShip", retry_after_s=20), OverLimit("CodeShip")]
    hearing.poll()
    assert hearing.heard() == ["web main broke 14"]
    hearing.poll()
    assert hearing.ci.branches_asked == ["main", "main", "topic", "main", "topic", "topic"]


def test_a_list_without_a_gap_costs_no_more_calls(hearing):
    hearing.subscribe()
    hearing.goes("10 ok", *(f"{number} ok topic ; 10 ok" for number in range(11, 20)))
    assert hearing.ci.branches_asked == []


def test_a_restart_of_the_newest_build_shows_by_its_times(hearing):
    hearing.subscribe()
    hearing.goes("10 ok", "11 bad ; 10 ok", "11' ok ; 10 ok")
    assert hearing.heard() == ["web main flaky 11", "  *web main flaky 11"]


def test_what_broke_and_was_restarted_to_green_between_two_looks_is_not_said(hearing):
    hearing.subscribe()
    hearing.goes("10 ok", "11' ok ; 10 ok")
    assert hearing.heard() == []
    assert Reason.NO_TRANSITION in hearing.reasons()


def test_only_branches_that_a_channel_listens_to_are_remembered(hearing):
    hearing.subscribe()
    hearing.goes("11 bad topic ; 10 ok")
    assert [branch for branch, _ in hearing.store.watching.project("codeship", WEB.id).branches] == ["main"]


def test_nothing_is_stored_while_nothing_changes(hearing):
    hearing.subscribe()
    hearing.goes("10 ok", "10 ok", "10 ok")
    assert hearing.store.watching.project("codeship", WEB.id).version == 1


def test_a_new_subscription_has_what_was_known_looked_at_again(hearing):
    hearing.subscribe()
    hearing.goes("11 ok topic ; 10 ok")
    hearing.subscribe(branch="topic")
    hearing.goes("11 ok topic ; 10 ok", "12 bad topic ; 11 ok topic ; 10 ok")
    assert hearing.heard() == ["web topic broke 12"]


def test_what_broke_after_the_channel_subscribed_and_before_the_first_look_is_news(hearing):
    hearing.builds("10 ok")
    hearing.clock.advance(10)
    hearing.subscribe(since=hearing.clock.now())
    hearing.clock.advance(10)
    hearing.goes("11 bad ; 10 ok")
    assert hearing.heard() == ["web main broke 11"]


def test_a_quiet_branch_that_the_list_did_not_show_is_fetched_when_it_is_first_seen(hearing):
    hearing.builds("10 ok")
    hearing.clock.advance(10)
    hearing.subscribe(since=hearing.clock.now())
    hearing.clock.advance(10)
    others = [f"{number} ok topic" for number in range(21, 11, -1)]
    hearing.builds(*others, "10 ok")
    hearing.poll()
    hearing.builds("22 bad", *others, "10 ok")
    hearing.poll()
    assert hearing.ci.branches_asked == ["main"]
    assert hearing.heard() == ["web main broke 22"]


def test_a_branch_that_cannot_be_fetched_now_does_not_hold_up_other_projects(hearing):
    hearing.subscribe()
    hearing.goes("11 run ; 10 ok")
    hearing.goes("20 ok", of=API)
    hearing.ci.failures["builds"] = [Unreachable("CodeShip", "no connection")]
    hearing.goes("12 ok ; 10 ok")
    hearing.goes("21 bad ; 20 ok", of=API)
    assert hearing.heard() == ["api main broke 21"]


# Branches that were deleted


def deleted(hearing):
    hearing.subscribe(branch="topic")
    hearing.builds("10 ok topic")
    rounds(hearing, 1)
    hearing.builds("11 bad topic", "10 ok topic")
    rounds(hearing, 16)
    assert hearing.heard() == ["web topic broke 11"]


def test_a_branch_that_was_deleted_while_broken_has_its_message_changed_silently(hearing):
    deleted(hearing)
    hearing.ci.deleted_branches = {"topic"}
    hearing.clock.advance(86_400)
    rounds(hearing, 20)
    assert hearing.heard() == ["web topic gone 11"]
    assert hearing.store.watching.broken(hearing.clock.now()) == []


def test_a_broken_branch_is_looked_up_once_a_day_and_an_hour_after_a_failure(hearing):
    deleted(hearing)
    hearing.ci.failures["has branch"] = [Unreachable("CodeShip", "no connection")]
    for _ in range(60):
        hearing.clock.advance(3600)
        rounds(hearing, 16)
    assert hearing.ci.calls.count("has branch") == 3
    assert hearing.heard() == ["web topic broke 11"]


# A service without such a list


def test_projects_are_looked_at_one_by_one_more_often_while_something_runs():
    hearing = Hearing(lists_builds=False)
    hearing.subscribe()
    hearing.builds("11 run", "10 ok")
    hearing.builds("20 ok", of=API)
    rounds(hearing, 100)
    assert hearing.ci.seen.count(WEB.id) in (5, 6)
    assert hearing.ci.seen.count(API.id) == 1
    hearing.builds("11 bad", "10 ok")
    rounds(hearing, 25)
    assert hearing.heard() == ["web main broke 11"]
    hearing.close()


def test_a_webhook_has_its_project_looked_at_next():
    hearing = Hearing(lists_builds=False)
    hearing.subscribe(Event.BROKE)
    hearing.builds("20 ok", of=API)
    rounds(hearing, 30)
    hearing.builds("21 bad", "20 ok", of=API)
    hearing.watch.poll_soon("codeship", API.id)
    rounds(hearing, 6)
    assert hearing.heard() == ["api main broke 21"]
    hearing.close()


def test_webhooks_are_counted_as_news_as_late_or_as_missed(hearing):
    hearing.subscribe()
    hearing.goes("10 ok")
    hearing.watch.poll_soon("codeship", WEB.id)
    hearing.goes("11 bad ; 10 ok")
    hearing.watch.poll_soon("codeship", WEB.id)
    hearing.poll()
    assert (hearing.counts["codeship news"], hearing.counts["codeship late"]) == (1, 1)
    hearing.goes("12 ok ; 11 bad")
    hearing.watch.poll_soon("codeship", WEB.id)
    hearing.poll()
    hearing.clock.advance(61)
    hearing.poll()
    assert (hearing.counts["codeship late"], hearing.counts["codeship missed"]) == (2, 0)
    hearing.goes("13 bad ; 12 ok")
    hearing.clock.advance(61)
    hearing.poll()
    assert hearing.counts["codeship missed"] == 1
    state = hearing.store.polling_log.state("codeship")
    assert [state.count(result) for result in WebhookResult] == [1, 2, 1]
    hearing.clock.advance(7 * 86400)
    assert hearing.store.polling_log.state("codeship").webhooks == ()


def test_how_polling_goes_is_stored_for_every_process(hearing):
    hearing.subscribe()
    hearing.ci.failures["recent"] = [None, Unreachable("CodeShip", "no connection")]
    began = hearing.clock.now()
    rounds(hearing, 14)
    state = hearing.store.polling_log.state("codeship")
    assert (state.polled_at, state.every_s, state.failed_at) == (began, 15.0, None)
    rounds(hearing, 2)
    assert "no connection" in hearing.store.polling_log.state("codeship").failure
    assert hearing.store.polling_log.state("codeship").polled_at == began
    rounds(hearing, 16)
    assert hearing.store.polling_log.state("codeship").failed_at is None


def test_without_webhooks_none_is_missed_and_each_silence_has_a_counted_reason(hearing):
    hearing.subscribe()
    hearing.goes("10 ok", "11 ok ; 10 ok", "12 bad other ; 11 ok")
    hearing.clock.advance(61)
    hearing.poll()
    assert hearing.counts == {Reason.BASELINE: 1, Reason.NO_TRANSITION: 1}
