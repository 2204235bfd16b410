"""Whatever people, a CI service or an old button say: no message raises, pings, breaks Slack's limits or its types."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core import errors
from bot.core.claims import Claim, ClaimState, Standing
from bot.core.commands import BuildsOf, ListProjects, RestartBuild, RestartOf, ShowBuild, ShowHelp, StatusOf
from bot.core.model import Actor, Build, Place, Project, Run, Status, Target
from bot.core.outcomes import (
    AlreadyRestarted,
    BranchesShown,
    BuildShown,
    BuildsShown,
    CouldNotTell,
    HelpShown,
    NoBuilds,
    Outcome,
    ProjectsShown,
    Restarted,
    RunAgainSince,
    StateNotKnown,
    StillRunning,
)
from bot.core.words import Word
from bot.playground.blocks import message_faults
from bot.slack.buttons import ACTION_IDS, OPENS, command_of
from bot.slack.drawing import LARGEST_JSON, LONGEST_TEXT
from bot.slack.messages import Message, Wording, draw, draw_bug, draw_error, with_invitation
from bot.slack.pieces import told

NOW = datetime(2014, 12, 16, 14, 7, 12, tzinfo=UTC)
HOW = Wording("/codeship", "@codeship", "CodeShip", NOW, lambda _repository, _branch: True)

NASTY = [
    "",
    " \n\t ",
    "\u200b\u2060",
    "\ud83d",
    "\udc00\ud800x",
    "\x00\x07\x1b[31m",
    "<!channel>",
    "<!here|here> @channel @HERE @everyone",
    "<@U0EVE> <#C1|x> <!subteam^S1> <https://evil.io|acme/web>",
    "*b* _i_ ~s~ `c` ```x``` > q",
    "\u202etxet\u202c \u2066x",
    "شعار 🏳️‍🌈 é",
    "x" * 100_000,
    "&" * 100_000,
    "🚀" * 50_000,
    "\\" * 5000,
    '"' * 5000,
    "\n" * 100_000 + "late",
    "a b " * 5000,
    "\ud800" * 5000,
    "https://x.io/" + "y" * 2000,
    "javascript:alert(1)",
    "https://x.io/a b",
    "https://x.io/<|>",
]
texts = st.sampled_from(NASTY) | st.text(st.characters(), max_size=200)
maybe = st.none() | texts
seconds = st.floats(allow_nan=False) | st.integers(-100, 100_000).map(float)
moments = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))]))
maybe_moment = st.none() | moments
projects = st.builds(Project, id=texts, name=texts, service=texts, url=maybe)
builds = st.builds(
    Build,
    id=texts,
    project=projects,
    status=st.sampled_from(Status),
    status_word=texts,
    branch=maybe,
    commit=maybe,
    message=maybe,
    author=maybe,
    started_at=maybe_moment,
    finished_at=maybe_moment,
    url=maybe,
    commit_url=maybe,
)
claims = st.builds(
    Claim,
    service=texts,
    project_id=texts,
    build_id=texts,
    run_number=st.integers(),
    actor=st.builds(Actor, texts | st.just("U0ADA")),
    place=st.just(Place("C0DEV")),
    replaced=st.builds(Run, texts, maybe_moment, maybe_moment),
    asked_at=moments,
    id=st.integers(),
    attempt=st.integers(),
    state=st.sampled_from(ClaimState),
    new_build_id=maybe,
)
standings = st.builds(Standing, st.integers(0, 9), st.none() | claims, st.none() | claims)
many_builds = st.lists(builds, max_size=14).map(tuple)
many_texts = st.lists(texts, max_size=14).map(tuple)
many_projects = st.lists(projects, max_size=25).map(tuple)
failures = st.builds(
    lambda kind, service, known: _knowing(kind(service), known),
    st.sampled_from(
        [
            errors.CIError,
            errors.KeyRefused,
            errors.NoRights,
            errors.NotThere,
            errors.OverLimit,
            errors.BudgetSpent,
            errors.Paused,
            errors.Unreachable,
            errors.NoAnswer,
            errors.BadAnswer,
        ]
    ),
    texts,
    st.none() | st.builds(errors.LastKnown, many_builds, seconds),
)
maybe_failure = st.none() | failures
ago = st.none() | seconds
outcomes: st.SearchStrategy[Outcome] = st.one_of(
    st.builds(BuildShown, builds, standings, ago),
    st.builds(BranchesShown, projects, many_builds),
    st.builds(BuildsShown, projects, maybe, many_builds),
    st.builds(NoBuilds, projects),
    st.builds(ProjectsShown, texts, many_projects, st.integers(), st.integers(), st.integers(), maybe_failure, seconds),
    st.builds(HelpShown, maybe),
    st.builds(Restarted, builds, claims, st.booleans()),
    st.builds(AlreadyRestarted, builds, claims, seconds),
    st.builds(StillRunning, builds, standings),
    st.builds(RunAgainSince, builds, standings, ago),
    st.builds(StateNotKnown, builds),
    st.builds(CouldNotTell, claims, builds, seconds, st.none() | builds, maybe_failure),
)
mistakes = st.one_of(
    st.builds(errors.NotUnderstood, texts, maybe | st.just("status"), instead=maybe),
    st.builds(errors.NoSuchProject, texts, many_projects, known=st.integers(0, 9), stale_because=maybe_failure),
    st.builds(errors.AmbiguousProject, texts, many_projects),
    st.builds(errors.NoSuchBranch, projects, texts, many_texts),
    st.builds(errors.WhichBranch, projects, many_texts),
    st.builds(
        errors.NotAllowed,
        texts,
        ask=maybe | st.sampled_from(["U0ADA", "S0RELEASE", "C0OPS"]),
        group_unknown=st.booleans(),
    ),
    st.builds(errors.NeedsConfirmation, builds, st.integers(), st.none() | st.tuples(st.integers(), st.integers())),
    st.builds(errors.BotError, texts),
    st.builds(errors.OverLimit, texts, retry_after_s=st.none() | st.floats()),
    st.builds(errors.BudgetSpent, texts, retry_after_s=st.none() | st.floats()),
)
words = st.lists(texts, min_size=1, max_size=3).map(lambda spellings: Word.of(*spellings))
targets = st.builds(Target, texts, texts, maybe, maybe, st.none() | st.integers(), maybe_moment)
commands = st.one_of(
    st.builds(StatusOf, words, st.none() | words),
    st.builds(RestartOf, words, st.none() | words),
    st.builds(BuildsOf, words, st.none() | words),
    st.builds(ListProjects, texts, st.integers()),
    st.builds(ShowHelp, maybe),
    st.builds(ShowBuild, targets),
    st.builds(RestartBuild, targets, st.none() | st.tuples(st.integers(), st.integers())),
)


def _knowing(error: errors.CIError, known: errors.LastKnown | None) -> errors.CIError:
    error.last_known = known
    return error


def parts(node: object) -> list[dict[str, Any]]:
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list | tuple) else ()
    return [*([node] if isinstance(node, dict) else []), *(part for value in inner for part in parts(value))]


def hold(drawn: Message) -> None:
    """Fails where Slack, a channel or a reader would suffer from the message."""
    sent = json.dumps(drawn.blocks, ensure_ascii=False)
    sent.encode()
    drawn.text.encode()
    assert message_faults(drawn.text, json.loads(sent)) == []
    assert len(sent) <= LARGEST_JSON
    assert len(drawn.text) <= LONGEST_TEXT
    assert re.sub(r"<(@|#|!subteam\^)[A-Z0-9]+>", "", drawn.text).count("<") == 0
    assert not re.search(r"@(channel|here|everyone|group)", drawn.text, re.IGNORECASE)
    unmarked = re.sub(r"`[^`\n]+`|\*[^*\n]+\*", "", drawn.text)
    assert not re.search(r"[*~`]|(?<![^\W_])_|_(?![^\W_])", unmarked)
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069\x00-\x09\x0b-\x1f\x7f]", drawn.text + sent)
    all_parts = [part for block in drawn.blocks for part in parts(block)]
    assert all(part.get("text", "x") and part.get("name", "x") and part.get("elements", [1]) for part in all_parts)
    assert {part["type"] for part in all_parts if "type" in part} <= KINDS
    ids = [part["action_id"] for part in all_parts if "action_id" in part]
    assert not ids or max(Counter(ids).values()) == 1
    for part in all_parts:
        if "action_id" in part:
            assert any(pattern.search(part["action_id"]) for pattern in ACTION_IDS)
            assert bool(OPENS.search(part["action_id"])) == ("url" in part)
            assert "url" in part or command_of(part["action_id"], part["value"])


KINDS = {"rich_text", "rich_text_section", "text", "link", "user", "usergroup", "channel", "emoji", "date"} | {
    "actions",
    "button",
    "plain_text",
    "context",
}


@settings(deadline=None, max_examples=300)
@given(outcomes)
def test_any_outcome_can_be_shown(outcome: Outcome) -> None:
    drawn = draw(outcome, words=HOW)
    hold(drawn)
    assert with_invitation(drawn, "@codeship").text.startswith(drawn.text)


@settings(deadline=None, max_examples=300)
@given(error=mistakes | failures, command=st.none() | commands, reference=maybe)
def test_any_error_can_be_told(
    error: errors.BotError, command: StatusOf | RestartOf | None, reference: str | None
) -> None:
    drawn = draw_error(error, command, words=HOW, reference=reference)
    hold(drawn)
    assert not drawn.in_public


@given(reference=texts, command=st.none() | commands)
def test_any_bug_can_be_told(reference: str, command: StatusOf | None) -> None:
    hold(draw_bug(reference, command, words=HOW))


@given(texts, st.integers(2, 200))
def test_what_is_told_is_one_line_of_bounded_length(foreign: str, most: int) -> None:
    shown = told(foreign, most)
    assert len(shown.encode("utf-16-le")) <= 2 * most
    assert shown == shown.strip()
    assert not re.search(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]", shown)


LONG = Build(
    id="3" * 40,
    project=Project("33837", "n" * 400, "codeship", "https://app.codeship.com/" + "p" * 500),
    status=Status.UNKNOWN,
    status_word="w" * 400,
    branch="b" * 240,
    commit="c" * 40,
    message="m" * 400,
    author="a" * 400,
    finished_at=HOW.now,
    url="https://app.codeship.com/" + "u" * 500,
    commit_url="https://github.com/" + "v" * 500,
)
FULL: list[Callable[[], Message]] = [
    lambda: draw(BuildShown(LONG), words=HOW),
    lambda: draw(BuildsShown(LONG.project, None, (LONG,) * 10), words=HOW),
    lambda: draw(BranchesShown(LONG.project, (LONG,) * 10), words=HOW),
    lambda: draw(ProjectsShown("w", (LONG.project,) * 20, 1, 2, 40), words=HOW),
    lambda: draw_error(errors.WhichBranch(LONG.project, ["b" * 240] * 10), None, words=HOW, reference=None),
    lambda: draw_error(errors.NeedsConfirmation(LONG, 1, (17, 2)), None, words=HOW, reference=None),
]


@pytest.mark.parametrize("drawing", FULL)
def test_a_message_at_its_fullest_keeps_its_head_and_fits(drawing: Callable[[], Message]) -> None:
    drawn = drawing()
    hold(drawn)
    assert "nnn" in drawn.text


def test_one_build_at_its_fullest_keeps_its_buttons_and_their_dialogs() -> None:
    for message in (draw(BuildShown(LONG), words=HOW), FULL[-1]()):
        (dialog,) = [
            part["confirm"]
            for block in message.blocks
            for part in parts(block)
            if "confirm" in part and "value" in part
        ]
        assert "bbb…" in dialog["title"]["text"]
        assert "nnn… · bbb" in dialog["text"]["text"]
