"""What people see: every kind of message, kept in `golden/` (`pytest --update` rewrites it; its diff is the review)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core import errors
from bot.core.claims import Claim, ClaimState, Standing
from bot.core.commands import TABLE, BuildsOf, Command, RestartBuild, RestartOf, ShowBuild, StatusOf
from bot.core.model import Actor, Build, Place, Project, Status
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
from bot.core.policy import OPEN
from bot.core.words import Word
from bot.playground.blocks import message_faults
from bot.slack.builds_told import target_of
from bot.slack.buttons import command_of
from bot.slack.messages import Message, Wording, draw, draw_bug, draw_error, with_invitation
from bot.slack.states_told import SIGNS, WORDS
from bot.slack.wording import ServiceWords

GOLDEN = Path(__file__).parent / "golden"
NOW = datetime(2014, 12, 16, 14, 7, 12, tzinfo=UTC)
CODESHIP = ServiceWords("CodeShip", "CODESHIP_API_KEY", "CODESHIP_CALLS_PER_MINUTE")
HOW = Wording(
    command="/codeship",
    mention="@codeship",
    services={"codeship": CODESHIP},
    now=NOW,
    needs_confirmation=OPEN.needs_confirmation,
)
PAGES = "https://app.codeship.com/projects/33837"
WEB = Project("33837", "acme/web", "codeship", PAGES)
WEBBY = Project("33838", "acme/webby", "codeship", "https://app.codeship.com/projects/33838")
FAILED = Build(
    id="3277309",
    project=WEB,
    status=Status.FAILED,
    status_word="error",
    branch="main",
    commit="4f2c1e9a70bc013115c0088653824b4deadbeef0",
    message="Fix login\n\nThe session was lost.",
    author="ada",
    started_at=NOW - timedelta(minutes=8, seconds=7),
    finished_at=NOW - timedelta(minutes=4),
    url=f"{PAGES}/builds/3277309",
    commit_url="https://github.com/acme/web/commit/4f2c1e9a70bc013115c0088653824b4deadbeef0",
)
RUNNING = replace(
    FAILED, status=Status.RUNNING, status_word="testing", started_at=NOW - timedelta(seconds=192), finished_at=None
)
PASSED = replace(FAILED, id="3277300", status=Status.PASSED, status_word="success", branch="release/1.2.io")
QUEUED = replace(RUNNING, status=Status.QUEUED, status_word="waiting", started_at=None)
UNKNOWN = replace(QUEUED, status=Status.UNKNOWN, status_word="foo")
BARE = Build("1", Project("1", "acme/old", "codeship"), Status.PASSED, "success")
HOSTILE = replace(
    FAILED,
    branch="<!channel>*`_~&b",
    message="@here <!everyone> `rm -rf` *bold* _it_ ~no~ <https://x.io|y>",
    author="<@U0EVE>",
)
CLAIM = Claim(
    service="codeship",
    project_id="33837",
    build_id="3277309",
    run_number=1,
    actor=Actor("U0ADA"),
    place=Place("C0DEV"),
    replaced=FAILED.run,
    asked_at=NOW - timedelta(seconds=8),
    id=17,
    state=ClaimState.TAKEN,
)
SENT, HANGING = replace(CLAIM, state=ClaimState.SENT), replace(CLAIM, state=ClaimState.UNKNOWN)
ENDED = replace(CLAIM, state=ClaimState.ENDED)
SILENT = errors.NoAnswer("CodeShip")

OUTCOMES: dict[str, Outcome] = {
    "build_failed": BuildShown(FAILED),
    "build_running": BuildShown(RUNNING),
    "build_queued": BuildShown(QUEUED),
    "build_unknown": BuildShown(UNKNOWN),
    "build_blocked": BuildShown(replace(FAILED, status=Status.BLOCKED, status_word="blocked")),
    "build_bare": BuildShown(BARE),
    "build_hostile": BuildShown(HOSTILE),
    "build_restarted_list_lags": BuildShown(FAILED, Standing(1, CLAIM), 8),
    "build_restarted_runs": BuildShown(RUNNING, Standing(1, CLAIM), 8),
    "build_restart_hangs": BuildShown(FAILED, Standing(1, HANGING), 8),
    "build_in_its_second_run": BuildShown(PASSED, Standing(2, previous=ENDED)),
    "branches": BranchesShown(WEB, (FAILED, PASSED, replace(BARE, project=WEB))),
    "builds_of_a_branch": BuildsShown(WEB, "main", (RUNNING, FAILED)),
    "builds_of_all": BuildsShown(WEB, None, (RUNNING, PASSED)),
    "no_builds": NoBuilds(WEB),
    "projects": ProjectsShown("web", (WEB, WEBBY), 2, 3, 42),
    "projects_stale": ProjectsShown("", (WEB,), 1, 1, 1, stale=((SILENT, 720),)),
    "projects_none_like_it": ProjectsShown("wob", (), 1, 1, 0),
    "projects_none": ProjectsShown("", (), 1, 1, 0),
    "help": HelpShown(),
    "help_restart": HelpShown("restart"),
    "restarted": Restarted(FAILED, CLAIM),
    "restarted_seen": Restarted(RUNNING, CLAIM, seen=True),
    "restarted_under_another_id": Restarted(FAILED, replace(CLAIM, new_build_id="3277310")),
    "already_restarted": AlreadyRestarted(FAILED, CLAIM, 8),
    "already_restarted_runs": AlreadyRestarted(RUNNING, CLAIM, 8),
    "already_asked": AlreadyRestarted(FAILED, SENT, 2),
    "still_running": StillRunning(RUNNING),
    "still_queued": StillRunning(QUEUED),
    "run_again_since": RunAgainSince(PASSED, Standing(2, previous=ENDED), 300),
    "state_not_known": StateNotKnown(UNKNOWN),
    "could_not_tell": CouldNotTell(HANGING, FAILED, 12, found=FAILED),
    "could_not_tell_nor_look": CouldNotTell(HANGING, FAILED, 12, looked=errors.Unreachable("CodeShip")),
}


def known(error: errors.CIError, *builds: Build) -> errors.CIError:
    error.last_known = errors.LastKnown(builds, 240)
    return error


STATUS, RESTART = StatusOf(Word.of("acme/web"), Word.of("main")), RestartOf(Word.of("acme/web"), Word.of("main"))
TYPO = RestartOf(Word.of("acme/wbe"), Word.of("“main”", "main"))
PRESSED = RestartBuild(target_of(FAILED, 1))
ERRORS: dict[str, tuple[errors.BotError, Command | None]] = {
    "not_understood": (errors.NotUnderstood("I do not know “sttaus”.", "status", instead="status acme/web"), None),
    "not_understood_which_repository": (errors.NotUnderstood("Which repository?", "restart"), None),
    "not_understood_at_all": (errors.NotUnderstood("I do not know “<!here>”."), None),
    "no_such_project": (errors.NoSuchProject("acme/wbe", [WEB, WEBBY], known=42), TYPO),
    "no_such_project_none_like_it": (errors.NoSuchProject("zzz", known=42, stale_because=SILENT), STATUS),
    "no_such_project_at_all": (errors.NoSuchProject("zzz"), STATUS),
    "ambiguous_project": (errors.AmbiguousProject("web", [WEB, replace(WEB, name="umbrella/web")]), STATUS),
    "no_such_branch": (errors.NoSuchBranch(WEB, "mian", ["main", "dev"]), BuildsOf(Word.of("web"), Word.of("mian"))),
    "which_branch": (errors.WhichBranch(WEB, [f"b{n}" for n in range(12)]), RestartOf(Word.of("acme/web"))),
    "not_allowed": (errors.NotAllowed("Only people of this workspace may ask."), RESTART),
    "not_allowed_ask_somebody": (errors.NotAllowed("Ada restarts main.", ask="U0ADA"), RESTART),
    "not_allowed_ask_in_words": (errors.NotAllowed("Nobody deploys on Friday.", ask="<!here> the ops team"), PRESSED),
    "not_allowed_group_unknown": (
        errors.NotAllowed("For the release team.", ask="S0RELEASE", group_unknown=True),
        PRESSED,
    ),
    "needs_confirmation": (errors.NeedsConfirmation(FAILED, 2), RESTART),
    "needs_confirmation_of_a_try_again": (errors.NeedsConfirmation(HOSTILE, 1, (17, 1)), PRESSED),
    "no_such_branch_of_a_restart": (errors.NoSuchBranch(WEB, "mian", ["main", "dev"]), RESTART),
    "key_refused": (errors.KeyRefused("CodeShip", "401"), STATUS),
    "no_rights": (errors.NoRights("CodeShip"), PRESSED),
    "not_there": (errors.NotThere("CodeShip"), PRESSED),
    "over_limit": (errors.OverLimit("CodeShip", retry_after_s=39.2), RESTART),
    "over_limit_for_how_long": (errors.OverLimit("CodeShip"), STATUS),
    "budget_spent": (known(errors.BudgetSpent("CodeShip", retry_after_s=42.5), FAILED), STATUS),
    "budget_spent_on_a_restart": (errors.BudgetSpent("CodeShip", retry_after_s=0.2), RESTART),
    "paused": (known(errors.Paused("CodeShip", retry_after_s=25), FAILED), STATUS),
    "unreachable": (errors.Unreachable("CodeShip"), RESTART),
    "no_answer": (known(errors.NoAnswer("CodeShip"), FAILED, RUNNING), STATUS),
    "no_answer_what_ran": (known(errors.NoAnswer("CodeShip"), PASSED, RUNNING), ShowBuild(target_of(RUNNING))),
    "no_answer_all_branches": (known(errors.NoAnswer("CodeShip"), FAILED, PASSED), StatusOf(Word.of("acme/web"))),
    "bad_answer": (errors.BadAnswer("CodeShip"), STATUS),
}


def error(name: str) -> Message:
    raised, command = ERRORS[name]
    return draw_error(raised, command, words=HOW, reference="k3x9qd" if isinstance(raised, errors.CIError) else None)


MESSAGES: dict[str, Message] = {
    **{name: draw(outcome, words=HOW) for name, outcome in OUTCOMES.items()},
    **{name: error(name) for name in ERRORS},
    "bug": draw_bug("k3x9qd", STATUS, words=HOW),
    "bug_in_a_restart": draw_bug("k3x9qd", PRESSED, words=HOW),
    "invitation": with_invitation(draw(BuildShown(FAILED), words=HOW), "@codeship"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_looks_as_it_is_kept(name: str, update: bool) -> None:
    drawn, kept = MESSAGES[name], GOLDEN / f"{name}.json"
    seen = json.dumps({"text": drawn.text, "blocks": drawn.blocks}, ensure_ascii=False, indent=1) + "\n"
    if update:
        kept.write_text(seen, encoding="utf-8")
    assert kept.read_text(encoding="utf-8") == seen


def test_nothing_is_kept_that_is_no_longer_drawn() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(MESSAGES)


@pytest.mark.parametrize("name", MESSAGES)
def test_slack_takes_every_message(name: str) -> None:
    drawn = MESSAGES[name]
    assert message_faults(drawn.text, json.loads(json.dumps(drawn.blocks))) == []


def labels(drawn: Message) -> list[str]:
    return [
        element["text"]["text"] for block in drawn.blocks if block["type"] == "actions" for element in block["elements"]
    ]


def pressed(drawn: Message, label: str) -> Command:
    buttons = [element for block in drawn.blocks if block["type"] == "actions" for element in block["elements"]]
    button = next(button for button in buttons if button["text"]["text"] == label)
    return command_of(button["action_id"], button["value"])


def test_what_came_of_builds_is_public_and_the_rest_is_for_the_asker() -> None:
    hidden = {name for name, outcome in OUTCOMES.items() if not draw(outcome, words=HOW).in_public}
    assert hidden == {name for name in OUTCOMES if name.startswith(("help", "projects"))}
    assert not any(MESSAGES[name].in_public for name in (*ERRORS, "bug", "bug_in_a_restart"))


def test_every_status_has_a_sign_of_its_own_and_a_word() -> None:
    assert set(SIGNS) == set(Status)
    assert len(set(SIGNS.values())) == len(Status)
    assert {*WORDS, Status.UNKNOWN} == set(Status)
    assert len(set(WORDS.values())) == len(WORDS)


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("build_failed", ["Restart", "Refresh", "Open build"]),
        ("build_running", ["Refresh", "Open build"]),
        ("build_unknown", ["Refresh", "Open build"]),
        ("build_bare", ["Restart", "Refresh"]),
        ("build_restarted_list_lags", ["Refresh", "Open build"]),
        ("build_restart_hangs", ["Try again", "Refresh", "Open build"]),
        ("could_not_tell", ["Try again", "Refresh", "Open build"]),
        ("restarted", ["Refresh", "Open build"]),
        ("restarted_under_another_id", ["Refresh"]),
        ("already_restarted", ["Refresh", "Open build"]),
        ("still_running", ["Refresh", "Open build"]),
        ("projects", ["Previous", "Next"]),
        ("branches", ["main", "release/1.2.io"]),
        ("which_branch", [f"b{n}" for n in range(10)]),
    ],
)
def test_only_what_can_be_done_is_offered(name: str, drawn: list[str]) -> None:
    assert labels(MESSAGES[name]) == drawn


@pytest.mark.parametrize(
    ("name", "label", "command"),
    [
        ("build_failed", "Restart", RestartBuild(target_of(FAILED, 1), confirmed=True)),
        ("build_in_its_second_run", "Restart", RestartBuild(target_of(PASSED, 2), confirmed=True)),
        ("could_not_tell", "Try again", RestartBuild(target_of(FAILED, 1), (17, 1), confirmed=True)),
        (
            "restarted_under_another_id",
            "Refresh",
            ShowBuild(replace(target_of(FAILED), build_id="3277310", started_at=None)),
        ),
        ("no_such_project", "acme/web", RestartOf(Word.of("acme/web"), Word.of("“main”", "main"), confirmed=True)),
        ("no_such_branch_of_a_restart", "main", RestartOf(Word.of("acme/web"), Word.of("main"), confirmed=True)),
        ("no_such_branch_of_a_restart", "dev", RestartOf(Word.of("acme/web"), Word.of("dev"))),
        ("needs_confirmation", "Restart", RestartBuild(target_of(FAILED, 2), confirmed=True)),
        (
            "needs_confirmation_of_a_try_again",
            "Try again",
            RestartBuild(target_of(HOSTILE, 1), (17, 1), confirmed=True),
        ),
        ("no_such_branch", "dev", BuildsOf(Word.of("acme/web"), Word.of("dev"))),
        ("which_branch", "b3", RestartOf(Word.of("acme/web"), Word.of("b3"))),
        ("ambiguous_project", "umbrella/web", StatusOf(Word.of("umbrella/web"), Word.of("main"))),
    ],
)
def test_a_button_does_what_the_message_offers(name: str, label: str, command: Command) -> None:
    assert pressed(MESSAGES[name], label) == command


def test_text_says_everything_by_itself() -> None:
    text = MESSAGES["build_restarted_list_lags"].text
    for fact in ("acme/web", "main", "failed", "4 min 07 s", "4f2c1e9", "Fix login", "ada", "2014-12-16 14:03 UTC"):
        assert fact in text
    assert "restarted by <@U0ADA> · 2014-12-16 14:07 UTC" in text
    assert "The session was lost" not in text
    assert all(branch in MESSAGES["which_branch"].text for branch in ("b0", "b9", "b11"))


def test_foreign_words_ping_nobody_and_break_no_mark_up() -> None:
    text = MESSAGES["build_hostile"].text
    assert not any(mark in text for mark in ("<", "@here", "`", "~"))
    assert text.count("*") == 2  # the repository's name is bold


@pytest.mark.parametrize(
    "name", [name for name, (_, command) in ERRORS.items() if isinstance(command, RestartOf | RestartBuild)]
)
def test_a_restart_that_was_not_made_is_told_so(name: str) -> None:
    assert "Not restarted: " in MESSAGES[name].text or "Nothing has been restarted" in MESSAGES[name].text


def test_a_clock_that_runs_ahead_makes_no_negative_time() -> None:
    ahead = replace(RUNNING, started_at=NOW + timedelta(minutes=3))
    assert "running ·" in draw(BuildsShown(WEB, None, (ahead,)), words=HOW).text
    assert "by <@U0ADA> just now" in draw(AlreadyRestarted(FAILED, CLAIM, -3), words=HOW).text


def test_a_build_that_ran_when_last_seen_is_told_as_of_then() -> None:
    began = replace(RUNNING, started_at=NOW - timedelta(minutes=5))
    drawn = draw_error(known(errors.NoAnswer("CodeShip"), began), STATUS, words=HOW, reference=None)
    assert "running for 1 min 00 s" in drawn.text


def dialogs(drawn: Message) -> dict[str, str]:
    """What each button asks first, by its label."""
    buttons = [element for block in drawn.blocks if block["type"] == "actions" for element in block["elements"]]
    return {one["text"]["text"]: one["confirm"]["title"]["text"] for one in buttons if "confirm" in one}


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("build_failed", {"Restart": "Restart main?"}),
        ("build_in_its_second_run", {"Restart": "Restart release/1.2.io?"}),
        ("build_bare", {}),
        ("build_hostile", {}),
        ("build_restart_hangs", {"Try again": "Restart main?"}),
        ("could_not_tell", {"Try again": "Restart main?"}),
        ("no_such_branch", {}),
        ("no_such_branch_of_a_restart", {"main": "Restart main?"}),
        ("which_branch", {}),
        ("branches", {}),
        ("needs_confirmation", {"Restart": "Restart main?"}),
    ],
)
def test_a_button_that_restarts_a_main_branch_asks_first_and_no_other_does(name: str, asked: dict[str, str]) -> None:
    assert dialogs(MESSAGES[name]) == asked


def test_a_press_counts_as_confirmed_exactly_where_slack_asked() -> None:
    for drawn in MESSAGES.values():
        for block in drawn.blocks:
            for element in block["elements"] if block["type"] == "actions" else ():
                if "value" in element:
                    command = command_of(element["action_id"], element["value"])
                    assert getattr(command, "confirmed", False) == ("confirm" in element)


def test_who_is_asked_is_shown_by_name_or_in_words_that_ping_nobody() -> None:
    assert MESSAGES["not_allowed_ask_somebody"].text.endswith("Whom to ask: <@U0ADA>")
    assert MESSAGES["not_allowed_group_unknown"].text.endswith("Whom to ask: <!subteam^S0RELEASE>")
    assert MESSAGES["not_allowed_ask_in_words"].text.endswith("Whom to ask: &lt;!here&gt; the ops team")


def test_help_names_every_command_with_its_example() -> None:
    for entry in TABLE:
        assert f"`/codeship {entry.example}`" in MESSAGES["help"].text
