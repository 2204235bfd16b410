"""How polling goes and which webhooks wait, on each database."""

from __future__ import annotations

from datetime import timedelta

from bot.core.model.notifications.health import PollingState, WebhookResult
from tests.store.conftest import NOON

WEB, API = "3", "pr\x00j\\4"
MINUTE = timedelta(minutes=1)


def test_nothing_is_known_at_first(store):
    assert store.polling_log.state("codeship") == PollingState("codeship")
    assert store.polling_log.hints("codeship") == {}


def test_a_failure_keeps_its_beginning_and_a_success_ends_it(store):
    log = store.polling_log
    log.failed("codeship", "no connection")
    log.failed("codeship", "no \\ route")
    state = log.state("codeship")
    assert (state.failed_at, state.failure, state.polled_at) == (NOON, "no \\ route", None)
    log.polled("codeship", NOON + MINUTE, 15.0)
    state = log.state("codeship")
    assert (state.failed_at, state.failure, state.polled_at, state.every_s) == (None, "", NOON + MINUTE, 15.0)
    log.polled("codeship", NOON + 2 * MINUTE, None)
    assert log.state("codeship").every_s is None


def test_a_hint_stays_until_it_is_followed_and_again_if_another_came_meanwhile(store, clock):
    log = store.polling_log
    log.heard("codeship", WEB)
    log.heard("codeship", API)
    log.heard("github", WEB)
    hints = log.hints("codeship")
    assert hints == {WEB: NOON, API: NOON}
    clock.wait(1)
    log.heard("codeship", WEB)
    log.followed("codeship", hints)
    assert log.hints("codeship") == {WEB: NOON + timedelta(seconds=1)}
    assert log.state("codeship").heard_at == NOON + timedelta(seconds=1)
    assert log.hints("github") == {WEB: NOON}


def test_webhooks_count_for_seven_days(store, clock):
    log = store.polling_log
    for result in (WebhookResult.NEWS, WebhookResult.NEWS, WebhookResult.LATE):
        log.counted("codeship", result)
    clock.wait(6 * 86_400)
    log.counted("codeship", WebhookResult.MISSED)
    assert [log.state("codeship").count(result) for result in WebhookResult] == [2, 1, 1]
    clock.wait(86_400)
    log.counted("codeship", WebhookResult.LATE)
    assert [log.state("codeship").count(result) for result in WebhookResult] == [0, 1, 1]
