"""Audit entries: only of actions, with their subject and result."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.audit_entries import MAX_NAME, MAX_REASON, MAX_TYPED, AuditedRequest, action_of, entry_of
from bot.core.model import errors
from bot.core.model.audit import TRY_AGAIN, AuditEntry, Result
from bot.core.model.builds import ActionResult, Build
from bot.core.model.claims import Claim
from bot.core.model.command_entries import Command
from bot.core.model.command_values import (
    BranchCommand,
    BuildCommand,
    ListProjects,
    NameCommand,
    ShowAudit,
    ShowHelp,
    ShowHistory,
    Verb,
    Word,
)
from bot.core.model.names.channel_names import ChannelName
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notification_commands.values import ShowSubscriptions, Unsubscribe
from bot.core.model.notifications.subscriptions import Filters, Mute, Subscription
from bot.core.model.outcomes import (
    AlreadyRestarted,
    Cancelled,
    ChannelNamesShown,
    CouldNotTell,
    Followed,
    HelpShown,
    Muted,
    NoBuilds,
    NothingToCancel,
    NothingToFollow,
    NotSubscribed,
    Outcome,
    Restarted,
    RunAgainSince,
    StateNotKnown,
    StillRunning,
    Subscribed,
    SubscriptionsPaused,
    Unmuted,
    UnsubscribeAll,
    Unsubscribed,
    WillNotify,
)
from tests.core.world import ADA, BOB, BUILDS, World, build, press, project, restart, status, target
from tests.held_clock import NOON

WEB = project(3, "acme/web")
FAILED = build(7, WEB)
CLAIM = Claim("codeship", "3", "7", 1, BOB, BUILDS, FAILED.run, NOON)
SITE = ChannelName("C0BUILDS", "site", "acme/web@codeship", "main", ADA, NOON)
QUESTIONS: list[Command] = [
    BranchCommand(Verb.STATUS, Word.of("acme/web")),
    BranchCommand(Verb.BUILDS, Word.of("acme/web")),
    ListProjects(),
    ShowHelp(),
    ShowHelp("restart"),
    BuildCommand(Verb.STATUS, target(FAILED)),
    ShowAudit(),
    ShowHistory(Verb.FLAKY),
    NameCommand(Verb.SETTINGS, is_question=True),
]


def kept(came: Outcome | Exception, command: Command | None = None, typed: str = "restart acme/web main") -> AuditEntry:
    command = command or restart("acme/web", "main")
    asked = AuditedRequest(NOON, ADA, "command", BUILDS, "r1", action_of(command), command, typed)
    entry = entry_of(asked, came, service="codeship", redact=lambda text: text.replace("secret", "***"))
    assert entry is not None
    return entry


@pytest.mark.parametrize("command", QUESTIONS, ids=lambda command: type(command).__name__)
def test_a_request_that_changes_nothing_is_not_recorded(command: Command) -> None:
    asked = AuditedRequest(NOON, ADA, "command", BUILDS, "r1", action_of(command), command, "")
    assert entry_of(asked, HelpShown(), service="codeship", redact=str) is None
    assert entry_of(asked, errors.NoSuchProject("x"), service="codeship", redact=str) is None


@pytest.mark.parametrize(
    ("command", "action"),
    [
        (BranchCommand(Verb.RESTART, Word.of("acme/web")), "restart"),
        (press(FAILED), "restart"),
        (BuildCommand(Verb.RESTART, target(FAILED), (17, 1)), TRY_AGAIN),
        (BranchCommand(Verb.FOLLOW, Word.of("acme/web")), "follow"),
        (BuildCommand(Verb.FOLLOW, target(FAILED)), "follow"),
        (BranchCommand(Verb.CANCEL, Word.of("acme/web")), "cancel"),
        (BuildCommand(Verb.CANCEL, target(FAILED)), "cancel"),
        (NameCommand(Verb.USE, "", Word.of("acme/web")), "use"),
        (NameCommand(Verb.ALIAS, "site"), "alias"),
    ],
)
def test_a_request_that_changes_something_is_recorded(command: Command, action: str) -> None:
    assert action_of(command) == action


@pytest.mark.parametrize(
    ("came", "result", "reason"),
    [
        (Restarted(FAILED, CLAIM), Result.TAKEN, ""),
        (Restarted(FAILED, CLAIM, seen=True), Result.TAKEN, "no answer came, and it was seen to run"),
        (Restarted(FAILED, CLAIM, taken=ActionResult("1")), Result.TAKEN, ""),
        (
            Restarted(FAILED, CLAIM, taken=ActionResult("1", ("CI", "Lint"), ("Docs",), (("E2E", "too old"),))),
            Result.TAKEN,
            "2 of 3 taken: CI, Lint; Docs left running; E2E not taken: too old",
        ),
        (Cancelled(FAILED, ActionResult("1", ("CI",))), Result.TAKEN, "CI"),
        (NothingToCancel(FAILED), Result.NOT_DONE, "it has ended already"),
        (AlreadyRestarted(FAILED, CLAIM, 8), Result.ALREADY, "by U0BOB at 2026-03-02T12:00:00Z"),
        (CouldNotTell(CLAIM, FAILED, 8), Result.UNKNOWN, "sent for U0BOB at 2026-03-02T12:00:00Z"),
        (StillRunning(FAILED), Result.RUNNING, ""),
        (RunAgainSince(FAILED), Result.RUN_AGAIN, ""),
        (
            StateNotKnown(replace(FAILED, status_word="foo")),
            Result.NOT_DONE,
            "the state “foo” says neither running nor ended",
        ),
        (Followed(FAILED, 2), Result.DONE, ""),
        (WillNotify(FAILED), Result.DONE, ""),
        (ChannelNamesShown((SITE,), "site"), Result.DONE, "“site”"),
        (ChannelNamesShown((), "site", SITE), Result.DONE, "“site” removed"),
        (ChannelNamesShown((), "site"), Result.NOT_DONE, "it was not set"),
        (NothingToFollow(FAILED), Result.NOT_DONE, "it has ended already"),
        (errors.NeedsConfirmation(FAILED, 1), Result.TO_BE_CONFIRMED, ""),
        (errors.RateLimitPaused("CodeShip"), Result.NOT_DONE, "rate limit reached"),
        (
            errors.RateLimitExhausted("CodeShip"),
            Result.NOT_DONE,
            "the bot’s own limit of calls is reached",
        ),
        (NoBuilds(WEB), Result.MISTAKE, "never been built"),
        (errors.NotAllowed("only the release team may."), Result.REFUSED_BY_POLICY, "only the release team may."),
        (errors.NotUnderstood("Which repository?", "restart"), Result.MISTAKE, "Which repository?"),
        (errors.NoSuchProject("wob"), Result.MISTAKE, "no repository of that name"),
        (errors.AmbiguousProject("web", [WEB]), Result.MISTAKE, "several repositories of that name"),
        (errors.NoSuchBranch(WEB, "mian"), Result.MISTAKE, "no recent build of that branch"),
        (errors.NoSuchBranch(WEB, "#99", (), 99), Result.MISTAKE, "no such pull request"),
        (errors.BranchRequired(WEB, ["main"]), Result.MISTAKE, "several branches, none named"),
        (errors.Unauthorized("CodeShip", "answered 401"), Result.REFUSED_BY_CI, "API key rejected"),
        (errors.NothingToDo("GitHub", "still running: CI"), Result.NOT_DONE, "still running: CI"),
        (errors.Forbidden("CodeShip"), Result.REFUSED_BY_CI, "the API key lacks permission"),
        (errors.NotFound("CodeShip"), Result.REFUSED_BY_CI, "no such project or build"),
        (errors.OverLimit("CodeShip"), Result.REFUSED_BY_CI, "rate limit reached"),
        (errors.Unreachable("CodeShip"), Result.NOT_DONE, "can’t be reached"),
        (errors.NoResponse("CodeShip", "timed out"), Result.NOT_DONE, "timed out or unavailable"),
        (errors.InvalidResponse("CodeShip"), Result.NOT_DONE, "unexpected response"),
        (KeyError("what a bug says"), Result.BUG, "KeyError"),
    ],
    ids=repr,
)
def test_each_outcome_has_its_result_and_reason(came: Outcome | Exception, result: Result, reason: str) -> None:
    entry = kept(came)
    assert (entry.result, entry.reason) == (result, reason)


def test_the_typed_text_is_stored_if_the_request_was_wrong_or_found_nothing() -> None:
    refused = errors.NotAllowed("no.")
    assert kept(errors.NoSuchProject("acme/wob"), typed="restart acme/wob").typed == "restart acme/wob"
    assert kept(errors.NoSuchBranch(WEB, "mian"), typed="restart web mian").typed == "restart web mian"
    assert kept(refused, typed="restart acme/web main").typed == "restart acme/web main"
    refused.about = FAILED
    assert kept(refused).typed == ""
    assert kept(Restarted(FAILED, CLAIM)).typed == ""


def test_the_known_fields_of_the_build_are_stored() -> None:
    entry = kept(Restarted(FAILED, CLAIM))
    assert (entry.service, entry.project_id, entry.project_name) == ("codeship", "3", "acme/web")
    assert (entry.branch, entry.build_id) == ("main", "7")
    assert (entry.at, entry.actor, entry.source, entry.location, entry.reference) == (
        NOON,
        ADA,
        "command",
        BUILDS,
        "r1",
    )


def test_a_button_that_found_nothing_is_recorded_with_its_target() -> None:
    entry = kept(errors.NoSuchProject("3"), press(FAILED))
    assert (entry.project_id, entry.project_name, entry.branch, entry.build_id) == ("3", None, "main", "7")


def test_free_text_is_cut_and_has_no_secret() -> None:
    long = "secret" * 1000
    entry = kept(errors.NotUnderstood(long), BranchCommand(Verb.RESTART, Word.of("x"), Word.of(long)), typed=long)
    assert (len(entry.reason), len(entry.typed), len(entry.branch or "")) == (
        MAX_REASON,
        MAX_TYPED,
        MAX_NAME,
    )
    assert "secret" not in repr(entry)
    assert "secret" not in repr(kept(Restarted(replace(FAILED, branch=long), CLAIM)))


@pytest.mark.parametrize(
    ("command", "failures", "about"),
    [
        (restart("acme/web", "main"), {"builds": errors.Unreachable("CI")}, WEB),
        (restart("acme/web", "main"), {"restart": errors.Forbidden("CI")}, FAILED),
        (press(FAILED), {"builds": errors.Unreachable("CI")}, WEB),
        (press(FAILED), {"restart": errors.Forbidden("CI")}, FAILED),
        (press(build(6, WEB)), {}, WEB),
        (restart("acme/web", "mian"), {}, WEB),
        (status("acme/web"), {"builds": errors.Unreachable("CI")}, WEB),
        (restart("acme/wob"), {}, None),
    ],
)
def test_an_error_is_recorded_with_its_subject(
    world: World, command: Command, failures: dict[str, errors.CIError], about: Build | None
) -> None:
    world.has(FAILED)
    for call, failure in failures.items():
        world.ci.failures[call] = [failure]
    with pytest.raises(errors.BotError) as raised:
        world.ask(command)
    assert raised.value.about == about


SUBSCRIPTION = Subscription("C1", Filters(NamePattern(("acme/*",), ("acme/old",))), ADA, NOON, id=3)
MUTED = Muted(Mute("C1", NOON, ADA, NOON, NamePattern(("acme/web",))), None, is_subscribed=True)


@pytest.mark.parametrize(
    ("came", "result", "reason"),
    [
        (Subscribed(SUBSCRIPTION, is_new=True, repositories=1), Result.DONE, "acme/* !acme/old"),
        (Subscribed(SUBSCRIPTION, is_new=False, repositories=1), Result.ALREADY, "acme/* !acme/old"),
        (Unsubscribed((SUBSCRIPTION,), (SUBSCRIPTION,), 1), Result.DONE, "acme/* !acme/old; now only acme/* !acme/old"),
        (SubscriptionsPaused((SUBSCRIPTION,)), Result.DONE, "acme/* !acme/old"),
        (NotSubscribed(("acme/web",), ()), Result.NOT_DONE, "not subscribed to that"),
        (UnsubscribeAll((SUBSCRIPTION,)), Result.TO_BE_CONFIRMED, ""),
        (MUTED, Result.DONE, "acme/web until 2026-03-02T12:00:00Z"),
        (Unmuted((MUTED.mute,)), Result.DONE, "acme/web"),
        (Unmuted(()), Result.NOT_DONE, "nothing was muted"),
    ],
)
def test_what_a_channel_hears_is_changed_with_a_reason_in_words(came: Outcome, result: Result, reason: str) -> None:
    entry = kept(came, Unsubscribe(numbers=(3,)), typed="")
    assert (entry.action, entry.result, entry.reason, entry.typed) == ("unsubscribe", result, reason, "unsubscribe #3")


def test_showing_subscriptions_is_no_action() -> None:
    assert action_of(ShowSubscriptions()) is None
