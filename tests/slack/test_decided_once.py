"""A request is decided once and carried out once. After that, at most its reply is repeated."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from bot.core.model.builds import Status
from bot.slack.incoming.payloads import SlackRequest, Source
from playground.codeship import faults
from playground.sandbox import HALF_MOVED, Sandbox
from tests.held_clock import HeldClock
from tests.slack.durable import ask, conversation, does, posts, said
from tests.slack.steps import Crash, Steps
from tests.test_transcripts import UNHURRIED

CHATS = ("chat.postMessage", "chat.postEphemeral")


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def stage(clock: HeldClock) -> Iterator[Sandbox]:
    with Sandbox(clock, timeouts=UNHURRIED, ack_timeout_s=30.0) as made:
        assert made.settle()
        yield made


@pytest.fixture
def half_moved(clock: HeldClock) -> Iterator[Sandbox]:
    """acme/shop is on GitHub, where a build can be cancelled."""
    with Sandbox(clock, timeouts=UNHURRIED, ack_timeout_s=30.0, environ=HALF_MOVED) as made:
        assert made.settle()
        yield made


Retries = list[tuple[str, Mapping[str, Any]]]


def collected(stage: Sandbox) -> Retries:
    """The jobs that would send a reply again."""
    retries: Retries = []
    handler = conversation(stage)

    def again(key: str, payload: Mapping[str, Any], _after_s: float) -> None:
        retries.append((key, json.loads(json.dumps(payload))))

    handler._follow_ups = replace(handler._follow_ups, answer_again=again)
    return retries


def asked(stage: Sandbox, heard: SlackRequest, steps: Steps | None = None) -> None:
    job = conversation(stage).job_of(heard)
    conversation(stage).job(json.loads(json.dumps(job)), steps or Steps())


def audited(stage: Sandbox) -> list[tuple[str, str, str | None]]:
    assert stage.bot is not None
    return [(entry.action, entry.result, entry.build_id) for entry in stage.bot.store.audit.last(20)]


def cancels(stage: Sandbox) -> list[str]:
    assert stage.github is not None
    return [request.path for request in stage.github.requests if request.call == "cancel"]


def cancelled(stage: Sandbox) -> list[int]:
    """The runs, in the order of the POSTs."""
    return [int(path.split("/")[-2]) for path in cancels(stage)]


def running(stage: Sandbox) -> list[int]:
    """Adds a commit to acme/shop's main. Returns the ids of its runs, which keep running."""
    assert stage.github is not None
    runs = stage.github.push("acme/shop", "main")
    return [stage.github.start(run).id for run in runs]


# --- only the reply is repeated


def test_a_cancel_whose_replies_are_retried_cancels_one_run(half_moved: Sandbox, clock: HeldClock) -> None:
    for method in CHATS:
        half_moved.workspace.refuse(method, "restricted_action", None)
    retries, first = collected(half_moved), running(half_moved)
    asked(half_moved, ask(half_moved, "cancel acme/shop main", Source.MENTION))
    for number in range(3):
        running(half_moved)
        clock.advance(40)
        conversation(half_moved).job(retries[number][1], Steps())
    assert cancelled(half_moved) == first
    assert [(action, result) for action, result, _ in audited(half_moved)] == [("cancel", "accepted")]


@pytest.mark.parametrize(
    ("error", "status", "may_be_there"),
    [("restricted_action", 200, False), ("ratelimited", 200, False), ("service_unavailable", 503, True)],
)
def test_while_slack_takes_nothing_for_20_s_only_replies_are_retried(
    stage: Sandbox, clock: HeldClock, error: str, status: int, may_be_there: bool
) -> None:
    """A restarts a build, B asks for the same, and C for one that runs. Both builds end before Slack is back."""
    for method in CHATS:
        stage.workspace.refuse(method, error, None, status=status)
    retries = collected(stage)
    asked(stage, ask(stage, "restart acme/web main", Source.DIRECT, number=1))
    asked(stage, ask(stage, "restart acme/web main", Source.DIRECT, person="U0BOB", number=2))
    asked(stage, ask(stage, "restart acme/web feature/login", Source.DIRECT, person="U0BOB", number=3))
    assert posts(stage) == 1
    for branch in ("main", "feature/login"):
        stage.codeship.finish("acme/web", "error", branch=branch)
    clock.advance(20)
    for method in CHATS:
        stage.workspace.refuse_no_more(method)
    for _key, payload in list(retries):
        conversation(stage).job(payload, Steps())
    assert posts(stage) == 1
    assert sorted(result for _, result, _ in audited(stage)) == ["accepted", "already asked for", "still running"]
    assert bool(retries) is not may_be_there, "what may be there already is not said again"
    assert any("*acme/web main restarted" in each for each in said(stage)) is not may_be_there


# --- the target stays the one that was decided on


@pytest.mark.parametrize("death", [("once kept", "decide"), ("before", "act"), ("after", "act"), ("once kept", "act")])
def test_an_interrupted_cancel_never_cancels_a_newer_run(half_moved: Sandbox, death: tuple[str, str]) -> None:
    first = running(half_moved)
    steps, heard = Steps(death), ask(half_moved, "cancel acme/shop main")
    job = json.loads(json.dumps(conversation(half_moved).job_of(heard)))
    with pytest.raises(Crash):
        conversation(half_moved).job(job, steps)
    newer = running(half_moved)
    half_moved.stop_bot()
    half_moved.start_bot()
    conversation(half_moved).job(job, steps)
    assert cancelled(half_moved) == first
    assert half_moved.github is not None
    assert {half_moved.github.run(run).status for run in newer} == {"in_progress"}


def test_a_request_taken_over_late_does_not_restart_a_build_that_ran_again(stage: Sandbox, clock: HeldClock) -> None:
    for death in (("before", "decide"), ("once kept", "decide")):
        number = {"before": 1, "once kept": 2}[death[0]]
        steps, heard = Steps(death), ask(stage, "restart acme/web main", person="U0BOB", number=number)
        job = json.loads(json.dumps(conversation(stage).job_of(heard)))
        with pytest.raises(Crash):
            conversation(stage).job(job, steps)
        before = posts(stage)
        asked(stage, ask(stage, "restart acme/web main", number=number + 10))
        clock.advance(10)
        stage.codeship.finish("acme/web", "error")
        clock.advance(7)
        stage.stop_bot()
        stage.start_bot()
        conversation(stage).job(job, steps)
        assert posts(stage) == before + 1, death


def test_a_delayed_request_offers_the_newest_build_if_that_may_be_a_later_one(stage: Sandbox, clock: HeldClock) -> None:
    steps, heard = Steps(("before", "decide")), ask(stage, "restart acme/web main")
    job = json.loads(json.dumps(conversation(stage).job_of(heard)))
    with pytest.raises(Crash):
        conversation(stage).job(job, steps)
    clock.advance(5)
    stage.codeship.push("acme/web", "main")
    stage.codeship.finish("acme/web", "error")
    clock.advance(15)
    stage.stop_bot()
    stage.start_bot()
    conversation(stage).job(job, steps)
    assert posts(stage) == 0
    assert "Nothing was restarted: I got to your request late" in said(stage)[-1]
    assert "[Restart]" in said(stage)[-1]


def test_an_event_that_slack_sends_again_was_made_when_its_message_was_written(
    stage: Sandbox, clock: HeldClock
) -> None:
    heard = replace(ask(stage, "restart acme/web main"), written_at=clock.now().timestamp())
    clock.advance(60)
    stage.codeship.push("acme/web", "main")
    stage.codeship.finish("acme/web", "error")
    job = conversation(stage).job_of(heard, is_again=True)
    conversation(stage).job(json.loads(json.dumps(job)), Steps())
    assert posts(stage) == 0
    assert "Nothing was restarted: I got to your request late" in said(stage)[-1]


def test_a_delayed_request_restarts_a_build_that_existed_when_it_was_made(stage: Sandbox, clock: HeldClock) -> None:
    steps, heard = Steps(("before", "decide")), ask(stage, "restart acme/web main")
    clock.advance(30)
    does(stage, heard, steps)
    assert posts(stage) == 1


# --- true messages


class Mending(HeldClock):
    """A clock whose first wait repairs the database."""

    def __init__(self) -> None:
        super().__init__()
        self.mend = lambda: None

    def wait(self, seconds: float) -> None:
        self.mend()
        super().wait(seconds)


def test_a_restart_that_could_not_be_stored_is_reported_so_and_followed_later() -> None:
    clock = Mending()
    with Sandbox(clock, timeouts=UNHURRIED, ack_timeout_s=30.0) as stage:
        assert stage.settle()
        database = stage.settings().database_url.reveal().removeprefix("sqlite:///")

        def execute(statement: str) -> None:
            with closing(sqlite3.connect(database)) as connection:
                connection.execute(statement)

        execute(
            "CREATE TRIGGER gone BEFORE UPDATE ON claims WHEN NEW.state = 'taken' "
            "BEGIN SELECT RAISE(FAIL, 'the database is gone'); END"
        )
        clock.mend = lambda: execute("DROP TRIGGER IF EXISTS gone")
        asked(stage, ask(stage, "restart acme/web main"))
        assert posts(stage) == 1
        first, *_, last = said(stage)
        assert "Restart of acme/web main was accepted" in first.replace("*", "")
        assert "couldn’t store the result" in first
        assert "*acme/web main restarted" in last
        assert [(action, result) for action, result, _ in audited(stage)] == [("restart", "accepted")]


def test_a_crash_between_the_post_and_its_record_leaves_an_audit_entry_with_its_target(stage: Sandbox) -> None:
    database = stage.settings().database_url.reveal().removeprefix("sqlite:///")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(
            "CREATE TRIGGER gone BEFORE UPDATE ON claims WHEN NEW.state <> 'sent' BEGIN SELECT RAISE(FAIL, 'gone'); END"
        )
    build = str(stage.codeship.newest("acme/web").id)
    asked(stage, ask(stage, "restart acme/web main"))
    assert posts(stage) == 1
    assert audited(stage) == [("restart", "unknown", build)]


@pytest.mark.parametrize("answer", [faults.html(on="restart"), faults.empty(on="restart")], ids=["html", "empty"])
def test_a_success_that_breaks_codeships_contract_is_never_reported_as_done(stage: Sandbox, answer: Any) -> None:
    stage.codeship.mood = answer
    asked(stage, ask(stage, "restart acme/web main"))
    assert posts(stage) == 1
    assert "@ada restarted" not in said(stage)[0]
    assert [(action, result) for action, result, _ in audited(stage)] == [("restart", "unknown")]


def test_a_request_that_was_withdrawn_is_not_carried_out(stage: Sandbox) -> None:
    talk = conversation(stage)
    talk._begin = lambda _key: False
    asked(stage, ask(stage, "restart acme/web main"))
    assert posts(stage) == 0
    assert said(stage) == []


def test_a_refused_action_is_reported_as_refused_after_a_crash(stage: Sandbox) -> None:
    stage.codeship.mood = faults.no_rights(on="restart")
    does(stage, ask(stage, "restart acme/web main"), Steps(("after", "act")))
    assert posts(stage) == 1
    assert "Not restarted" in said(stage)[-1]
    assert stage.codeship.newest("acme/web").status != Status.RUNNING.value
