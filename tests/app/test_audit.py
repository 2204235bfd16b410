"""The whole bot's audit log: each action once, from every kind of request, and never instead of a reply."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from bot.core.model.audit import AuditEntry
from bot.store.audit import entries_since
from bot.store.engine import Database
from playground.codeship import faults as moods
from playground.sandbox import API_KEY, APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Sandbox
from playground.slack.plain_text import as_text
from tests.held_clock import HeldClock

RESTART = "/codeship restart acme/web main"


@pytest.fixture
def stage() -> Iterator[Sandbox]:
    with Sandbox(HeldClock()) as made:
        yield made


def said(stage: Sandbox, who: str, what: str, channel: str = "#builds") -> None:
    stage.workspace.types(who, channel, what)
    assert stage.settle()


def seen(stage: Sandbox) -> str:
    """The last message of the bot that ada sees."""
    return as_text(stage.workspace.conversation("#builds", "ada")[-1], stage.workspace.names)[0]


def kept(stage: Sandbox) -> list[AuditEntry]:
    database = Database.at(stage.settings().database_url.reveal())
    with database.reading() as connection:
        found = list(entries_since(connection, None))
    database.close()
    return found


def forget_the_table(stage: Sandbox) -> None:
    database = Database.at(stage.settings().database_url.reveal())
    with database.writing() as connection:
        connection.execute(sa.text("DROP TABLE audit"))
    database.close()


def test_requests_from_every_source_are_recorded(stage: Sandbox) -> None:
    said(stage, "ada", "/codeship status acme/web main")
    message = stage.workspace.conversation("#builds", "bob")[-1]
    stage.workspace.presses("bob", message, "Restart", confirm=True)
    stage.settle()
    said(stage, "ada", RESTART)
    said(stage, "ada", "@codeship restart acme/api main")
    said(stage, "bob", "restart acme/mobile", "@codeship")
    ways = [(entry.source, entry.action) for entry in kept(stage)]
    assert ways == [
        ("click", "restart"),
        ("command", "restart"),
        ("mention", "restart"),
        ("direct message", "restart"),
    ]


def test_questions_are_not_recorded(stage: Sandbox) -> None:
    for what in ("status acme/web", "builds acme/web", "projects", "help restart", "audit", "nonsense", "status"):
        said(stage, "ada", f"/codeship {what}")
    assert kept(stage) == []


@pytest.mark.parametrize("what", [RESTART, "@codeship restart acme/web main", "@codeship restart acme/wob"])
def test_a_redelivered_request_is_recorded_once(stage: Sandbox, what: str) -> None:
    said(stage, "ada", what)
    stage.workspace.deliver_again(3)
    stage.settle()
    assert len(kept(stage)) == 1


def test_a_restart_that_was_not_understood_is_recorded_as_typed(stage: Sandbox) -> None:
    said(stage, "ada", "hello all, @codeship restart acme/web main, or not?")
    (entry,) = kept(stage)
    assert (entry.result, entry.typed) == ("invalid", "restart acme/web main, or not?")


def test_requests_of_people_without_permission_are_recorded(stage: Sandbox) -> None:
    said(stage, "guest", "@codeship restart acme/web main")
    (entry,) = kept(stage)
    assert (entry.result, entry.branch) == ("refused by policy", "main")


def test_if_the_audit_cannot_be_written_nothing_is_sent_and_the_asker_is_told(
    stage: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stage.bot is not None
    forget_the_table(stage)
    said(stage, "ada", RESTART)
    assert "Something went wrong in the bot" in seen(stage)
    assert not any(request.call == "restart" for request in stage.codeship.requests)
    assert stage.bot.metrics.registry.get_sample_value("bot_audit_not_recorded_total") == 1
    logged = capsys.readouterr().out
    assert "action_not_recorded" in logged
    assert "r1" in logged


def test_an_entry_is_written_before_the_reply(stage: Sandbox) -> None:
    stage.workspace.refuse("chat.postMessage", "internal_error", None)
    stage.workspace.refuse("response_url", "used_url", None, status=404)
    said(stage, "ada", RESTART)
    (entry,) = kept(stage)
    assert entry.result == "accepted"


def test_no_row_has_a_secret(stage: Sandbox) -> None:
    secrets = (BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, API_KEY)
    for secret in (*secrets, "xoxp-12345678-of-somebody-else"):
        said(stage, "ada", f"/codeship restart acme/web {secret}")
        said(stage, "ada", f"/codeship restart {secret}")
        said(stage, "ada", f"@codeship restart acme/web main {secret}")
    for mood in (
        moods.down(),
        moods.wrong_key(),
        moods.garbage(),
        moods.redirect(f"http://127.0.0.1:9/?api_key={API_KEY}"),
    ):
        stage.codeship.mood = mood
        said(stage, "ada", RESTART)
    rows = kept(stage)
    assert len(rows) == 19
    assert [row for row in rows for secret in (*secrets, "xoxp-12345678") if secret in repr(row)] == []
    assert "[hidden]" in repr(rows)
