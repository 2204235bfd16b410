"""Requests that change something run as jobs: interrupted at any step and resumed by another process, they act once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.core.model.builds import Actor, Location, Run
from bot.core.model.claims import Claim
from bot.core.model.command_values import BranchCommand, ShowHelp, Verb, Word
from bot.slack.handler import RequestHandler
from bot.slack.incoming.payloads import PressedButton, SlackRequest, Source, parse_click
from playground.codeship import faults as moods
from playground.sandbox import Sandbox
from tests.held_clock import HeldClock
from tests.slack.durable import ask, conversation, does, posts, said
from tests.slack.messages.any_text import texts
from tests.slack.payloads import CLICK, HOME
from tests.slack.steps import DEATHS, STEPS, STORED, Steps
from tests.test_transcripts import UNHURRIED


@pytest.fixture
def clock() -> HeldClock:
    return HeldClock()


@pytest.fixture
def stage(clock: HeldClock) -> Iterator[Sandbox]:
    with Sandbox(clock, timeouts=UNHURRIED, ack_timeout_s=30.0) as made:
        assert made.settle()
        yield made


def answers_again_with(handler: RequestHandler, start: Callable[[str, Mapping[str, Any], float], Any]) -> None:
    handler._follow_ups = replace(handler._follow_ups, answer_again=start)


DEATHS_OF_A_FOLLOWING = [(when, name) for when, name in DEATHS if name != "act"]


def test_these_are_all_the_steps(stage: Sandbox) -> None:
    steps = Steps()
    does(stage, ask(stage, "restart acme/web main"), steps)
    assert steps.names == STEPS, "a new step needs a kill of its own"


@pytest.mark.slow
@pytest.mark.parametrize(("when", "name"), DEATHS)
def test_a_restart_interrupted_anywhere_is_sent_once_and_followed_to_its_end(
    stage: Sandbox, clock: HeldClock, when: str, name: str
) -> None:
    does(stage, ask(stage, "restart acme/web main"), Steps((when, name)))
    assert posts(stage) == 1
    # Posted, but not recorded: a second message is better than a restart without a reply.
    messages = 2 if (when, name) == ("after", "reply") else 1
    assert len(said(stage)) == messages
    assert all("*acme/web main restarted*" in each for each in said(stage))
    stage.codeship.finish("acme/web", "success")
    clock.advance(8)
    stage.poll()
    assert sum("on retry (flaky)" in each for each in said(stage)) == 2, "the message and its reply"
    assert len(said(stage)) == messages + 1


@pytest.mark.slow
@pytest.mark.parametrize(("when", "name"), DEATHS_OF_A_FOLLOWING)
def test_a_follow_interrupted_anywhere_ends_once(stage: Sandbox, clock: HeldClock, when: str, name: str) -> None:
    does(stage, ask(stage, "follow acme/web feature/login"), Steps((when, name)))
    stage.codeship.finish("acme/web", "error", branch="feature/login")
    clock.advance(8)
    stage.poll()
    replies = [each for each in said(stage) if "↳ @ada :x: *acme/web feature/login failed" in each]
    assert len(replies) == 1
    assert len(said(stage)) == (3 if (when, name) == ("after", "reply") else 2)


@pytest.mark.slow
@pytest.mark.parametrize(("when", "name"), DEATHS)
def test_a_restart_without_a_response_is_not_sent_again_after_a_crash(stage: Sandbox, when: str, name: str) -> None:
    stage.codeship.mood = moods.refuse(on="restart", takes=True)
    does(stage, ask(stage, "restart acme/web main"), Steps((when, name)))
    assert posts(stage) == 1
    assert "main restarted*" in said(stage)[0]


def test_a_restart_with_its_own_id_and_without_a_response_is_followed_under_that_id(
    stage: Sandbox, clock: HeldClock
) -> None:
    stage.codeship.restarts_make_new_builds = True
    stage.codeship.mood = moods.refuse(on="restart", takes=True)
    does(stage, ask(stage, "restart acme/web main"), Steps())
    stage.codeship.mood = moods.FINE
    project = str(stage.codeship.project("acme/web").id)
    assert stage.bot is not None
    (follow,) = stage.bot.store.follows.open_of("codeship", project)
    assert (follow.build_id, follow.run_number) == (str(stage.codeship.newest("acme/web").id), 1)
    stage.codeship.finish("acme/web", "success")
    clock.advance(8)
    stage.poll()
    assert "on retry (flaky)" in said(stage)[-1]


def test_if_no_reply_is_possible_the_job_ends_and_logs_that(stage: Sandbox) -> None:
    stage.workspace.refuse("chat.postMessage", "channel_not_found", None)
    steps = Steps(("once kept", "reply"))
    does(stage, ask(stage, "restart acme/web main", Source.DIRECT), steps)
    assert posts(stage) == 1
    assert steps.names == ["decide", "act", "reply"]
    assert stage.bot is not None
    assert stage.bot.metrics.registry.get_sample_value("bot_replies_not_delivered_total") == 1, "and it is no bug"


def test_a_refused_reply_is_sent_again_and_nothing_is_done_twice(stage: Sandbox) -> None:
    stage.workspace.refuse("chat.postMessage", "restricted_action", 1)
    told_later: list[tuple[str, dict[str, Any], float]] = []
    talk = conversation(stage)
    answers_again_with(talk, lambda key, payload, after_s: told_later.append((key, dict(payload), after_s)))
    heard = ask(stage, "restart acme/web main", Source.DIRECT)
    talk.job(json.loads(json.dumps(talk.job_of(heard))), Steps())
    ((key, payload, after_s),) = told_later
    assert (key, payload["tries"], after_s) == (f"{heard.delivery}:1", 1, 5.0)
    assert said(stage) == []
    talk.job(json.loads(json.dumps(payload)), Steps())
    assert posts(stage) == 1
    assert "*acme/web main restarted*" in said(stage)[0]
    assert len(told_later) == 1


def test_a_restart_that_waited_all_night_is_not_sent_the_next_morning(stage: Sandbox, clock: HeldClock) -> None:
    talk = conversation(stage)
    job = talk.job_of(ask(stage, "restart acme/web main"))
    clock.advance(20 * 3600)
    talk.job(json.loads(json.dumps(job)), Steps())
    assert posts(stage) == 0
    assert "Not restarted: the bot was down when you asked" in said(stage)[0]


def test_a_restart_that_was_claimed_and_never_sent_is_not_sent_the_next_morning(
    stage: Sandbox, clock: HeldClock
) -> None:
    talk, heard = conversation(stage), ask(stage, "restart acme/web main")
    assert stage.bot is not None
    build = stage.codeship.newest("acme/web")
    claim = Claim(
        "codeship",
        str(build.project_id),
        str(build.id),
        1,
        heard.actor,
        heard.location,
        Run(build.status, build.started_at, build.finished_at),
        clock.now(),
        key=heard.delivery or "",
    )
    assert stage.bot.store.claims.claim(claim) is not None
    job = talk.job_of(heard)
    clock.advance(20 * 3600)
    talk.job(json.loads(json.dumps(job)), Steps())
    assert posts(stage) == 0
    assert "Not restarted: the bot was down when you asked" in said(stage)[0]
    stage.workspace.types("bob", "#builds", "/codeship restart acme/web main")
    stage.settle()
    assert posts(stage) == 1, "and the next request may restart it"


def test_a_reply_that_slack_always_refuses_is_given_up(stage: Sandbox) -> None:
    stage.workspace.refuse("chat.postMessage", "restricted_action", None)
    talk, waits = conversation(stage), []
    answers_again_with(talk, lambda _key, payload, after_s: (waits.append(after_s), talk.job(payload, Steps())))
    talk.job(talk.job_of(ask(stage, "restart acme/web main", Source.DIRECT)), Steps())
    assert waits == [5.0, 30.0, 120.0, 600.0]
    assert posts(stage) == 1


def test_a_job_that_was_done_is_not_done_again(stage: Sandbox) -> None:
    steps, heard = Steps(), ask(stage, "restart acme/web main")
    for _ in range(3):
        does(stage, heard, steps)
    assert (posts(stage), len(said(stage))) == (1, 1)


def test_a_real_restart_leaves_only_json_in_the_database(stage: Sandbox) -> None:
    stage.workspace.types("ada", "#builds", "/codeship restart acme/web main")
    assert stage.settle()
    url = stage.settings().database_url.reveal()
    stage.stop_bot()
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
        inputs = database.execute("SELECT inputs FROM workflow_input").fetchall()
        steps = dict(database.execute("SELECT function_name, output FROM operation_outputs").fetchall())
        urls = [url for (url,) in database.execute("SELECT url FROM response_urls")]
        dump = "\n".join(line for line in database.iterdump() if 'INTO "response_urls"' not in line)
    assert len(urls) == 1
    assert urls[0].rpartition("/")[2] not in dump, "the secret part of the response URL"
    assert len([json.loads(text) for (text,) in inputs]) >= 1
    assert set(STORED) == set(steps) & set(STEPS)
    results = {name: json.loads(text)["value"] for name, text in steps.items()}
    assert results["decide"]["result"]["kind"] == "decision"
    assert results["act"]["v"] == 1
    assert results["act"]["command"]["verb"] == "restart"
    assert results["act"]["result"]["kind"] == "restarted"
    assert list(results["reply"]) == ["ts"]


def test_a_result_of_another_version_is_answered_as_a_bug_and_nothing_is_done_again(stage: Sandbox) -> None:
    def steps(name: str, work: Callable[[], Any]) -> Any:
        assert name == "decide"
        return {"v": 2, "of": "tomorrow"}

    talk = conversation(stage)
    job = talk.job_of(ask(stage, "restart acme/web main", Source.DIRECT))
    with capture_logs() as logs:
        talk.job(job, steps)
    assert posts(stage) == 0
    assert [event["event"] for event in logs if event["log_level"] == "error"] == ["internal_error"]
    assert job["ref"] in said(stage)[0]


# What is durable.


@pytest.mark.parametrize(
    ("text", "is_durable"),
    [
        ("restart acme/web main", True),
        ("stop acme/web main", True),
        ("cancel acme/web main", True),
        ("follow acme/web main", True),
        ("status acme/web main", False),
        ("builds acme/web", False),
        ("audit", False),
        ("restart", True),
        ("nonsense", False),
        ("", False),
    ],
)
def test_only_requests_that_change_something_are_durable(stage: Sandbox, text: str, is_durable: bool) -> None:
    assert conversation(stage).changes_something(ask(stage, text)) is is_durable


def test_a_request_without_an_id_is_answered_at_once(stage: Sandbox) -> None:
    nameless = replace(ask(stage, "restart acme/web main"), delivery=None)
    assert not conversation(stage).changes_something(nameless)


def test_a_button_is_durable_if_its_command_is(stage: Sandbox) -> None:
    build = '{"s":"codeship","p":"1","i":"2"}'
    acts = [(action, build, True) for action in ("restart", "restart_failed", "restart_again", "cancel", "follow")]
    for action, value, is_durable in [*acts, ("restart", "{", False), ("status", build, False)]:
        heard = parse_click({**CLICK, "actions": [{**CLICK["actions"][0], "action_id": action, "value": value}]}, HOME)
        assert heard is not None
        assert conversation(stage).changes_something(heard) is is_durable


# What was stored comes back.

plain = st.text(max_size=50)
heards = st.builds(
    SlackRequest,
    source=st.sampled_from(Source),
    actor=st.builds(Actor, plain),
    location=st.builds(Location, plain, st.none() | plain),
    delivery=st.none() | plain,
    from_elsewhere=st.booleans(),
    command=st.builds(ShowHelp, st.none() | plain)
    | st.builds(BranchCommand, st.sampled_from(Verb), st.builds(Word.of, texts)),
    typed=texts,
    response_url=st.none() | plain,
    opens_thread=st.booleans(),
    pressed=st.none() | st.builds(PressedButton, plain, st.booleans()),
)


@given(heards)
def test_a_request_survives_json(heard: SlackRequest) -> None:
    assert SlackRequest.from_json(json.loads(json.dumps(heard.as_json()))) == heard
