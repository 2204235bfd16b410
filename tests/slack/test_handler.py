"""Requests from payload to reply with the whole bot: there is always a reply, and each failure has its own."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from bot.app.timeouts import Timeouts
from playground.codeship import faults as moods
from playground.sandbox import SIGNING_SECRET, Sandbox
from playground.slack.model import Message
from playground.slack.plain_text import as_text
from tests.held_clock import HeldClock
from tests.log_lines import configured, process_put_back

STATUS = "/codeship status acme/web main"
RESTART = "/codeship restart acme/web main"
WAYS = [
    pytest.param("#builds", STATUS, id="command"),
    pytest.param("#builds", "@codeship status acme/web main", id="mention"),
    pytest.param("@codeship", "status acme/web main", id="direct message"),
]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the operator reads."""
    with process_put_back():
        yield configured("text", "INFO")


@pytest.fixture
def stage(log: io.StringIO) -> Iterator[Sandbox]:
    with Sandbox(HeldClock(), timeouts=Timeouts(slack_s=30.0), ack_timeout_s=30.0) as made:
        assert made.settle()
        yield made


def said(stage: Sandbox, where: str = "#builds", viewer: str = "ada") -> list[Message]:
    """What the bot has said there, as `viewer` sees it now."""
    assert stage.settle()
    return [message for message in stage.workspace.conversation(where, viewer) if message.bot_id]


def words(stage: Sandbox, message: Message) -> str:
    return "\n".join(as_text(message, stage.workspace.names))


def press(stage: Sandbox, who: str, label: str) -> None:
    """The newest message's button."""
    stage.workspace.presses(who, said(stage, viewer=who)[-1], label, confirm=True)
    assert stage.settle()


def loses(stage: Sandbox, table: str) -> None:
    """Drops a table of the database: an unexpected error, and so a bug."""
    database = stage.settings().database_url.reveal().removeprefix("sqlite:///")
    with sqlite3.connect(database) as connection:
        connection.execute(f"DROP TABLE {table}")
    connection.close()


def answers_not_delivered(stage: Sandbox) -> float | None:
    assert stage.bot is not None
    return stage.bot.metrics.registry.get_sample_value("bot_replies_not_delivered_total")


# Bugs.


@pytest.mark.parametrize(
    ("where", "ask", "table"),
    [
        pytest.param(*way.values, table, id=f"{way.id}-{table}")
        for way in WAYS
        for table in ("claims", "idempotency_keys")
        if (way.id, table) != ("command", "idempotency_keys")  # a command that changes nothing stores nothing
    ],
)
def test_a_bug_is_shown_with_a_reference_that_finds_its_traceback(
    stage: Sandbox, log: io.StringIO, where: str, ask: str, table: str
) -> None:
    loses(stage, table)
    stage.workspace.types("ada", where, ask)
    answer = words(stage, said(stage, where)[-1])
    assert "Reference r1" in answer
    assert table not in answer, "what is wrong inside is for the log"
    if where == "#builds":
        assert said(stage, where, "bob") == []
    (bug,) = [line for line in log.getvalue().splitlines() if " internal_error " in line]
    assert "ref=r1" in bug
    assert "Traceback" in bug
    assert f"no such table: {table}" in bug
    assert SIGNING_SECRET not in log.getvalue()


def test_a_full_disk_is_shown_as_such_and_not_as_a_bug(stage: Sandbox, log: io.StringIO) -> None:
    def refuse(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO idempotency_keys"):
            full = sqlite3.OperationalError("database or disk is full")
            full.sqlite_errorname = "SQLITE_FULL"
            raise full

    event.listen(sa.Engine, "before_cursor_execute", refuse)
    try:
        stage.workspace.types("ada", "#builds", "@codeship status acme/web main")
        answer = words(stage, said(stage)[-1])
    finally:
        event.remove(sa.Engine, "before_cursor_execute", refuse)
    assert "The disk of my database is full." in answer
    assert " database_unusable " in log.getvalue()
    assert "its disk is full. Make room there" in log.getvalue()
    assert "Traceback" not in log.getvalue()


def test_after_a_bug_the_next_request_is_answered(stage: Sandbox) -> None:
    loses(stage, "claims")
    stage.workspace.types("ada", "#builds", STATUS)
    assert stage.settle()
    stage.workspace.types("ada", "#builds", "/codeship help")
    assert "restart" in said(stage)[-1].text


# Mistakes and failures.


@pytest.mark.parametrize(
    ("mistake", "answer"),
    [
        ("/codeship statsu acme/web", "status"),
        ("/codeship status acme/wbe", "acme/wbe"),
        ("/codeship status acme/web no-such-branch", "no-such-branch"),
        ("/codeship restart acme/web", "main"),
    ],
)
def test_a_user_error_is_shown_to_the_asker_alone(stage: Sandbox, mistake: str, answer: str) -> None:
    stage.workspace.types("ada", "#builds", mistake)
    (message,) = said(stage)
    assert answer in message.text
    assert "ref " not in words(stage, message)
    assert said(stage, viewer="bob") == []


def test_an_error_of_the_ci_service_is_shown_with_a_reference_and_logged(stage: Sandbox, log: io.StringIO) -> None:
    stage.codeship.mood = moods.wrong_key()
    stage.workspace.types("ada", "#builds", STATUS)
    (message,) = said(stage)
    assert "Reference r1" in words(stage, message)
    (line,) = [line for line in log.getvalue().splitlines() if "ci_failed" in line]
    assert "ref=r1" in line
    assert "error=Unauthorized" in line


def test_people_of_another_workspace_get_a_reply_and_nothing_is_done_for_them(stage: Sandbox) -> None:
    before = len(stage.codeship.requests)
    stage.workspace.types("guest", "#builds", "@codeship restart acme/web main")
    (message,) = said(stage, viewer="guest")
    assert message.ephemeral_to == "U0GUEST"
    assert len(stage.codeship.requests) == before


# There is always a reply; if Slack takes none, the log says so.


@pytest.mark.parametrize(("where", "ask"), WAYS)
@pytest.mark.parametrize("mood", [moods.FINE, moods.wrong_key()], ids=["an answer", "an error"])
def test_a_reply_that_reaches_no_one_is_logged_and_counted(
    stage: Sandbox, log: io.StringIO, where: str, ask: str, mood: moods.Fault
) -> None:
    stage.codeship.mood = mood
    stage.workspace.refuse("*", "account_inactive", None, status=404)
    stage.workspace.types("ada", where, ask)
    assert said(stage, where) == []
    (line,) = [line for line in log.getvalue().splitlines() if "reply_not_delivered" in line]
    assert "account_inactive" in line
    assert answers_not_delivered(stage) == 1


def test_a_bug_whose_reply_fails_is_logged(stage: Sandbox, log: io.StringIO) -> None:
    loses(stage, "claims")
    stage.workspace.refuse("*", "account_inactive", None, status=404)
    stage.workspace.types("ada", "#builds", STATUS)
    assert said(stage) == []
    assert "Traceback" in log.getvalue()
    assert "reply_not_delivered" in log.getvalue()


def test_every_request_is_logged_with_its_actor_outcome_and_duration(stage: Sandbox, log: io.StringIO) -> None:
    stage.workspace.types("ada", "#builds", STATUS)
    assert stage.settle()
    (line,) = [line for line in log.getvalue().splitlines() if " answered " in line]
    fields = ("command=status", "result=BuildShown", "user=U0ADA", "source=command", "channel=C0BUILDS", "ref=r1")
    for field in (*fields, "repository=acme/web", "branch=main", 'outcome="build shown: failed"'):
        assert field in line
    assert "took_ms=" in line


# What a press does to its message.


def test_refresh_replaces_the_message_with_the_current_state(stage: Sandbox) -> None:
    stage.workspace.types("ada", "#builds", STATUS)
    (shown,) = said(stage)
    stage.codeship.start(stage.codeship.newest("acme/web", "main"))
    press(stage, "bob", "Refresh")
    (now,) = said(stage)
    assert (now.ts, len(now.versions)) == (shown.ts, 2)


def test_a_restart_is_answered_in_public_in_the_place_of_the_pressed_button(stage: Sandbox) -> None:
    stage.workspace.types("ada", "#builds", STATUS)
    press(stage, "bob", "Restart")
    (news,) = said(stage, viewer="ada")
    assert "requested by <@U0BOB>" in news.text
    assert len(news.versions) == 2
    assert "[Restart]" not in words(stage, news)


def test_a_message_that_cannot_be_changed_is_answered_by_a_new_one_and_loses_its_button(stage: Sandbox) -> None:
    stage.workspace.types("ada", "#builds", STATUS)
    stage.workspace.refuse("chat.update", "cant_update_message")
    press(stage, "bob", "Restart")
    pressed, news = said(stage, viewer="ada")
    assert "requested by <@U0BOB>" in news.text
    assert "[Restart]" not in words(stage, pressed)


def test_one_who_asks_for_the_same_is_pointed_to_the_live_message(stage: Sandbox) -> None:
    stage.workspace.types("ada", "#builds", RESTART)
    assert stage.settle()
    stage.workspace.types("bob", "#builds", RESTART)
    live, told = said(stage, viewer="bob")
    assert told.ephemeral_to is not None
    assert f"/archives/{live.channel_id}/p{live.ts.replace('.', '')}" in str(told.blocks)


def test_already_restarted_is_told_to_the_presser_alone_and_changes_nothing(stage: Sandbox) -> None:
    stage.workspace.types("ada", "#builds", STATUS)
    shown = said(stage)[-1]
    stage.workspace.types("ada", "#builds", RESTART)
    assert stage.settle()
    stage.codeship.stale_calls_after_restart = 100
    stage.workspace.presses("bob", shown, "Restart", confirm=True)
    last = said(stage, viewer="bob")[-1]
    assert "already restarted" in last.text or len(said(stage)[0].versions) == 2
    assert stage.codeship.restarts_asked(stage.codeship.newest("acme/web", "main")) == 1


def test_an_ephemeral_choice_is_removed_once_it_is_made(stage: Sandbox) -> None:
    stage.workspace.types("ada", "#builds", "/codeship restart acme/web")
    (question,) = said(stage)
    assert question.ephemeral_to == "U0ADA"
    press(stage, "ada", "main")
    (news,) = said(stage)
    assert news.ephemeral_to is None
    assert "requested by <@U0ADA>" in news.text


def test_the_next_page_of_repositories_replaces_the_first(stage: Sandbox) -> None:
    for number in range(30):
        stage.codeship.add_project(f"acme/service-{number:02d}")
    stage.stop_bot()
    stage.start_bot()
    assert stage.settle()
    stage.workspace.types("ada", "#builds", "/codeship projects service")
    press(stage, "ada", "Next")
    (page,) = said(stage)
    assert "Page 2 of 2" in page.text


def test_if_the_pressed_message_cannot_be_replaced_the_presser_still_gets_a_reply(
    stage: Sandbox, log: io.StringIO
) -> None:
    stage.workspace.types("ada", "#builds", STATUS)
    before = len(said(stage, viewer="bob"))
    stage.workspace.refuse("response_url", "message_not_found", 1, status=404)
    press(stage, "bob", "Refresh")
    assert len(said(stage, viewer="ada")) == before
    answer = said(stage, viewer="bob")[-1]
    assert answer.ephemeral_to == "U0BOB"
    assert "pressed_message_not_updated" in log.getvalue()


def test_a_restart_whose_message_cannot_be_replaced_is_answered_once(stage: Sandbox) -> None:
    stage.workspace.types("ada", "#builds", STATUS)
    stage.workspace.refuse("response_url", "message_not_found", None, status=404)
    press(stage, "bob", "Restart")
    assert sum("restarted" in message.text for message in said(stage, viewer="bob")) == 1
    assert answers_not_delivered(stage) == 0
