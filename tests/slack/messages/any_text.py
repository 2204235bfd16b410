"""Any text of people, a CI service or an old button, as hypothesis strategies; and what each message must satisfy."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, timedelta, timezone

from hypothesis import strategies as st

from bot.core.model import errors
from bot.core.model.audit import AuditEntry
from bot.core.model.builds import (
    ActionResult,
    Actor,
    Build,
    BuildRef,
    FailedJob,
    FailureLog,
    Location,
    Project,
    Run,
    Status,
    Workflow,
)
from bot.core.model.claims import Claim, ClaimState, RestartState
from bot.core.model.command_values import BranchCommand, BuildCommand, ListProjects, ShowHelp, Verb, Word
from bot.core.model.ended_builds import FlakyBranch, FlakyShown, SlowBranch, SlowShown
from bot.core.model.outcomes import (
    AlreadyRestarted,
    AuditShown,
    BranchesShown,
    BuildShown,
    BuildsShown,
    Cancelled,
    CouldNotTell,
    HelpShown,
    LogShown,
    NoBuilds,
    NothingToCancel,
    Outcome,
    ProjectsShown,
    Restarted,
    RunAgainSince,
    StateNotKnown,
    StillRunning,
)
from bot.slack.blocks.button_values import ACTION_IDS, OPENS, OPENS_FORM, command_of
from bot.slack.blocks.message import LARGEST_JSON, MAX_TEXT
from bot.slack.messages.builds import OF_WORKFLOWS
from bot.slack.messages.render import Message, RenderContext
from bot.slack.views.form import Preset
from playground.slack.block_rules import message_faults
from tests.slack.messages.drawn import parts
from tests.slack.several import BOTH, NOW

HOW = RenderContext("/codeship", "@codeship", BOTH.services, NOW, lambda _repository, _branch: True)

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
projects = st.builds(Project, id=texts, name=texts, service=texts | st.sampled_from(list(BOTH.services)), url=maybe)
status_words = texts | st.sampled_from(list(OF_WORKFLOWS))
workflows = st.builds(
    Workflow,
    run_id=texts,
    name=texts,
    status=st.sampled_from(Status),
    status_word=status_words,
    attempt=st.integers(),
    started_at=maybe_moment,
    finished_at=maybe_moment,
    url=maybe,
    commit=maybe,
    failed_jobs=st.lists(st.builds(FailedJob, texts, maybe, maybe), max_size=6).map(tuple),
)
builds = st.builds(
    Build,
    id=texts,
    project=projects,
    status=st.sampled_from(Status),
    status_word=status_words,
    branch=maybe,
    commit=maybe,
    message=maybe,
    author=maybe,
    started_at=maybe_moment,
    finished_at=maybe_moment,
    url=maybe,
    commit_url=maybe,
    workflows=st.just(()) | st.lists(workflows, max_size=12).map(tuple),
    earlier=st.lists(st.sampled_from(Status), max_size=4).map(tuple),
)
many_texts = st.lists(texts, max_size=14).map(tuple)
takens = st.builds(
    ActionResult, texts, many_texts, many_texts, st.lists(st.tuples(texts, texts), max_size=9).map(tuple)
)
claims = st.builds(
    Claim,
    service=texts,
    project_id=texts,
    build_id=texts,
    run_number=st.integers(),
    actor=st.builds(Actor, texts | st.just("U0ADA")),
    location=st.just(Location("C0DEV")),
    replaced=st.builds(Run, texts, maybe_moment, maybe_moment),
    requested_at=moments,
    id=st.integers(),
    attempt=st.integers(),
    state=st.sampled_from(ClaimState),
    new_build_id=maybe,
)
standings = st.builds(RestartState, st.integers(0, 9), st.none() | claims, st.none() | claims)
many_builds = st.lists(builds, max_size=14).map(tuple)
many_projects = st.lists(projects, max_size=25).map(tuple)
failures = st.builds(
    lambda kind, service, detail, known, found: _knowing(kind(service, detail), known, found),
    st.sampled_from(
        [
            errors.CIError,
            errors.Unauthorized,
            errors.Forbidden,
            errors.SignOnRequired,
            errors.NotFound,
            errors.NotPossible,
            errors.NothingToDo,
            errors.OverLimit,
            errors.RateLimitExhausted,
            errors.RateLimitPaused,
            errors.Unreachable,
            errors.NoResponse,
            errors.InvalidResponse,
        ]
    ),
    texts | st.sampled_from(["CodeShip", "GitHub Actions"]),
    texts,
    st.none() | st.builds(errors.LastKnown, many_builds, seconds),
    st.none() | builds | projects,
)
maybe_failure = st.none() | failures
entries = st.builds(
    AuditEntry,
    at=moments,
    actor=st.builds(Actor, texts),
    source=texts,
    location=st.builds(Location, texts),
    action=texts,
    service=texts | st.sampled_from(list(BOTH.services)),
    result=texts,
    reference=texts,
    project_id=maybe,
    project_name=maybe,
    branch=maybe,
    build_id=maybe | st.just("7"),
    reason=texts,
    typed=texts,
)
logs = st.builds(FailureLog, st.builds(FailedJob, texts, maybe, maybe), st.lists(texts, max_size=20).map(tuple))
outcomes: st.SearchStrategy[Outcome] = st.one_of(
    st.builds(BuildShown, builds, standings, st.none() | seconds),
    st.builds(LogShown, builds, st.none() | logs, standings),
    st.builds(BranchesShown, projects, many_builds),
    st.builds(BuildsShown, projects, maybe, many_builds),
    st.builds(NoBuilds, projects),
    st.builds(
        ProjectsShown,
        texts,
        many_projects,
        st.integers(),
        st.integers(),
        st.integers(),
        st.lists(st.tuples(failures, st.none() | seconds), max_size=3).map(tuple),
        st.booleans(),
    ),
    st.builds(HelpShown, maybe),
    st.builds(AuditShown, st.none() | projects, st.lists(entries, max_size=20).map(tuple)),
    st.builds(
        FlakyShown,
        st.none() | projects,
        maybe,
        st.lists(st.builds(FlakyBranch, projects, texts, commit=texts, at=moments), max_size=10).map(tuple),
        st.integers(0, 99),
        st.integers(0, 999),
        st.just(30),
    ),
    st.builds(
        SlowShown,
        st.none() | projects,
        maybe,
        st.lists(st.builds(SlowBranch, projects, texts, st.integers(3), seconds, st.none() | seconds), max_size=10).map(
            tuple
        ),
        st.integers(0, 99),
        st.integers(0, 999),
        st.just(30),
    ),
    st.builds(Restarted, builds, claims, st.booleans(), st.none() | takens),
    st.builds(Cancelled, builds, takens),
    st.builds(NothingToCancel, builds, standings),
    st.builds(AlreadyRestarted, builds, claims, seconds),
    st.builds(StillRunning, builds, standings),
    st.builds(RunAgainSince, builds, standings, st.none() | seconds),
    st.builds(StateNotKnown, builds),
    st.builds(CouldNotTell, claims, builds, seconds, st.none() | builds, maybe_failure),
)
mistakes = st.one_of(
    st.builds(errors.NotUnderstood, texts, maybe | st.just("status"), instead=maybe),
    st.builds(errors.NoSuchProject, texts, many_projects, known=st.integers(0, 9), stale_because=maybe_failure),
    st.builds(errors.AmbiguousProject, texts, many_projects),
    st.builds(errors.NoSuchBranch, projects, texts, many_texts, st.none() | st.integers(1, 10**9)),
    st.builds(errors.BranchRequired, projects, many_texts),
    st.builds(errors.NotSupported, projects, texts, texts, is_read_only=st.booleans()),
    st.builds(
        errors.NotAllowed,
        texts,
        ask=maybe | st.sampled_from(["U0ADA", "S0RELEASE", "C0OPS"]),
        group_unknown=st.booleans(),
    ),
    st.builds(errors.NeedsConfirmation, builds, st.integers(), st.none() | st.tuples(st.integers(), st.integers())),
    st.builds(errors.BotError, texts),
    st.builds(errors.OverLimit, texts, retry_after_s=st.none() | st.floats()),
    st.builds(errors.RateLimitExhausted, texts, retry_after_s=st.none() | st.floats()),
)
words = st.lists(texts, min_size=1, max_size=3).map(lambda spellings: Word.of(*spellings))
targets = st.builds(BuildRef, texts, texts, maybe, maybe, st.none() | st.integers(), maybe_moment)
commands = st.one_of(
    st.builds(BranchCommand, st.just(Verb.STATUS), words, st.none() | words),
    st.builds(BranchCommand, st.just(Verb.RESTART), words, st.none() | words),
    st.builds(BranchCommand, st.just(Verb.BUILDS), words, st.none() | words),
    st.builds(ListProjects, texts, st.integers()),
    st.builds(ShowHelp, maybe),
    st.builds(BuildCommand, st.just(Verb.STATUS), targets),
    st.builds(
        BuildCommand,
        st.just(Verb.RESTART),
        targets,
        st.none() | st.tuples(st.integers(), st.integers()),
        failed_jobs_only=st.booleans(),
    ),
    st.builds(BranchCommand, st.just(Verb.CANCEL), words, st.none() | words),
    st.builds(BuildCommand, st.just(Verb.CANCEL), targets),
)


def _knowing(error: errors.CIError, known: errors.LastKnown | None, found: Build | Project | None) -> errors.CIError:
    error.last_known, error.about = known, found
    return error


MADE_HERE = re.compile(
    r"<(?:@[A-Z0-9]+|#[A-Z0-9]+|!subteam\^[A-Z0-9]+|!date\^\d+\^[^<>|]+\|[^<>|]+|https?://[^<>|]+\|[^<>]+)>"
)
"""The mentions, dates and links that the bot itself writes in mrkdwn."""


def _hold_mrkdwn(text: str) -> None:
    bare = MADE_HERE.sub("", text)
    assert "<" not in bare
    assert not re.search(r"@(channel|here|everyone|group)", bare, re.IGNORECASE)
    assert not re.search(r"[*~`]|(?<![^\W_])_|_(?![^\W_])", re.sub(r"`[^`\n]+`|\*[^*\n]+\*", "", bare))


def hold(drawn: Message) -> None:
    """Fails if the message breaks Slack's limits, pings anyone, or confuses a reader."""
    sent = json.dumps(drawn.blocks, ensure_ascii=False)
    sent.encode()
    drawn.text.encode()
    assert message_faults(drawn.text, json.loads(sent)) == []
    assert len(sent) <= LARGEST_JSON
    assert len(drawn.text) <= MAX_TEXT
    assert re.sub(r"<(@|#|!subteam\^)[A-Z0-9]+>", "", drawn.text).count("<") == 0
    assert not re.search(r"@(channel|here|everyone|group)", drawn.text, re.IGNORECASE)
    unmarked = re.sub(r"`[^`\n]+`|\*[^*\n]+\*", "", drawn.text)
    assert not re.search(r"[*~`]|(?<![^\W_])_|_(?![^\W_])", unmarked)
    for part in parts(drawn.blocks):
        if part.get("type") == "mrkdwn":
            _hold_mrkdwn(part["text"])
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069\x00-\x09\x0b-\x1f\x7f]", drawn.text + sent)
    all_parts = list(parts(drawn.blocks))
    assert all(part.get("text", "x") and part.get("name", "x") and part.get("elements", [1]) for part in all_parts)
    assert {part["type"] for part in all_parts if "type" in part} <= KINDS
    ids = [part["action_id"] for part in all_parts if "action_id" in part]
    assert not ids or max(Counter(ids).values()) == 1
    for part in all_parts:
        if "action_id" in part:
            assert any(pattern.search(part["action_id"]) for pattern in ACTION_IDS)
            assert bool(OPENS.search(part["action_id"])) == ("url" in part)
            if OPENS_FORM.search(part["action_id"]):
                assert Preset.read(part["value"]).value == part["value"]
                continue
            values = [option["value"] for option in part.get("options", [part])] if "url" not in part else []
            assert all(command_of(part["action_id"], value) for value in values)


KINDS = {
    "rich_text",
    "rich_text_section",
    "rich_text_preformatted",
    "text",
    "link",
    "user",
    "usergroup",
    "channel",
    "emoji",
    "date",
} | {
    "rich_text_preformatted",
    "actions",
    "button",
    "overflow",
    "plain_text",
    "context",
    "mrkdwn",
}
