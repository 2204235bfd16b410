"""The audit message: whole lines, newest first, and harmless for any entries."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.core.model.audit import TRY_AGAIN, AuditEntry, Result
from bot.core.model.builds import Actor, Location, Project
from bot.core.model.command_values import ShowAudit, Word
from bot.core.model.errors import NoSuchProject
from bot.core.model.outcomes import AuditShown
from bot.slack.blocks.button_values import command_of
from bot.slack.blocks.message import Message
from bot.slack.messages.audit import render_audit
from bot.slack.messages.errors import render_error
from playground.slack.block_rules import message_faults
from tests.slack.messages.one_service import HOW as ONE_SERVICE

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOW = replace(ONE_SERVICE, now=NOON)
WEB = Project("3", "acme/web", "codeship")
TAKEN = AuditEntry(
    at=NOON,
    actor=Actor("U0ADA"),
    source="command",
    location=Location("C0BUILDS"),
    action="restart",
    service="codeship",
    result=Result.TAKEN,
    reference="k3x9qd",
    project_id="3",
    project_name="acme/web",
    branch="main",
    build_id="7",
)
MISTAKE = replace(
    TAKEN,
    source="direct message",
    location=Location("D0ADA"),
    result=Result.MISTAKE,
    reason="no repository of that name",
    typed="restart acme/wob",
    project_id=None,
    project_name=None,
    branch=None,
    build_id=None,
)
HOSTILE = replace(
    TAKEN,
    actor=Actor("<!channel>"),
    location=Location("<!here>"),
    source="<!everyone>",
    action="*@here*",
    result="`x`",
    project_name="<!channel>*`_~&a",
    branch="@channel <@U0EVE>",
    build_id="<#C1>",
    reason="<https://x.io|y>\n<!subteam^S1>",
    reference="_@everyone_",
)


def told(*entries: AuditEntry, project: Project | None = None) -> Message:
    drawn = render_audit(AuditShown(project, entries), HOW)
    assert message_faults(drawn.text, json.loads(json.dumps(drawn.blocks))) == []
    assert not drawn.in_public
    return drawn


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (
            TAKEN,
            "• 2026-03-02 12:00 UTC · <@U0ADA> by command in <#C0BUILDS> · restart acme/web · main · #7 · accepted · "
            "ref k3x9qd",
        ),
        (
            replace(TAKEN, source="click", action=TRY_AGAIN, result=Result.ALREADY, reason="by U0BOB"),
            "• 2026-03-02 12:00 UTC · <@U0ADA> with a button in <#C0BUILDS> · try again acme/web · main · #7 · "
            "already asked for · ref k3x9qd",
        ),
        (
            replace(TAKEN, source="mention", branch=None, build_id=None, result=Result.NOT_DONE, reason="no answer"),
            "• 2026-03-02 12:00 UTC · <@U0ADA> by mention in <#C0BUILDS> · restart acme/web · not done: no answer · "
            "ref k3x9qd",
        ),
        (
            MISTAKE,
            "• 2026-03-02 12:00 UTC · <@U0ADA> in a direct message · “restart acme/wob” · "
            "invalid: no repository of that name · ref k3x9qd",
        ),
        (
            replace(MISTAKE, typed="", reference="", reason="", build_id="7"),
            "• 2026-03-02 12:00 UTC · <@U0ADA> in a direct message · restart #7 · invalid",
        ),
    ],
)
def test_a_line_says_who_when_where_what_and_the_result(entry: AuditEntry, line: str) -> None:
    assert told(entry).text.splitlines()[1] == line


@pytest.mark.parametrize(
    ("entries", "project", "head"),
    [
        ([], None, "*No actions are on record.*"),
        ([], WEB, "*No actions on acme/web are on record.*"),
        ([TAKEN], None, "*The last action:*"),
        ([TAKEN, MISTAKE], WEB, "*The last 2 actions on acme/web, newest first:*"),
    ],
)
def test_the_head_says_how_many_on_what(entries: list[AuditEntry], project: Project | None, head: str) -> None:
    assert told(*entries, project=project).text.splitlines()[0] == head


def test_untrusted_text_pings_no_one_and_breaks_no_markup() -> None:
    drawn = told(HOSTILE, project=replace(WEB, name="<!here>"))
    line = drawn.text.splitlines()[1]
    assert not any(mark in line for mark in ("<", "*", "`", "~", "@here", "@channel", "@everyone"))
    assert line.startswith("• 2026-03-02 12:00 UTC · someone ")
    kinds = {element["type"] for part in drawn.blocks[0]["elements"] for element in part["elements"]}
    assert kinds == {"text", "date"}


def test_twenty_long_entries_are_cut_at_whole_lines_and_usual_ones_are_not() -> None:
    long = replace(TAKEN, project_name="漢" * 200, branch="b" * 200, reason="r" * 300, typed="t" * 200)
    assert len(told(*[long] * 20).text.splitlines()) > 10
    usual = replace(TAKEN, project_name="acme/some-repository", branch="feature/quite-long-name", build_id="3277314")
    assert len(told(*[usual] * 20).text.splitlines()) == 21


def test_a_mistyped_repository_is_offered_for_the_audit_that_was_requested() -> None:
    drawn = render_error(NoSuchProject("wob", [WEB]), ShowAudit(Word.of("wob")), context=HOW, reference=None)
    (pressed,) = next(block for block in drawn.blocks if block["type"] == "actions")["elements"]
    assert command_of(pressed["action_id"], pressed["value"]) == ShowAudit(Word.of("acme/web"))
