"""Button values: from a command, and back to it."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model.builds import BuildRef
from bot.core.model.command_entries import Command
from bot.core.model.command_values import (
    HERE,
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
from bot.core.model.commands import parse
from bot.core.model.errors import NotUnderstood
from bot.core.model.notification_commands.values import OnIt, Unsubscribe
from bot.slack.blocks.button_values import (
    ACTION_IDS,
    ACTS,
    MAX_VALUE,
    action_id_of,
    command_of,
    entry_of_button,
    value_of,
)

STARTED = datetime(2014, 12, 16, 11, 14, 8, 271000, tzinfo=UTC)
TARGET = BuildRef("codeship", "33837", "feature/a&b#c", "3277309", 2, STARTED)

CARRIED = [
    ("restart", BuildCommand(Verb.RESTART, TARGET)),
    ("restart", BuildCommand(Verb.RESTART, BuildRef("codeship", "33837", None, "3277309"))),
    ("restart", BuildCommand(Verb.RESTART, TARGET, confirmed=True, in_live=True)),
    ("restart_failed", BuildCommand(Verb.RESTART, TARGET, failed_jobs_only=True)),
    ("restart_debug", BuildCommand(Verb.RESTART, TARGET, failed_jobs_only=True, debug_logs=True)),
    ("logs", BuildCommand(Verb.LOGS, TARGET)),
    ("restart_again", BuildCommand(Verb.RESTART, TARGET, (17, 2), failed_jobs_only=True)),
    ("restart_failed", BuildCommand(Verb.RESTART, TARGET, confirmed=True, in_live=True, failed_jobs_only=True)),
    ("cancel", BuildCommand(Verb.CANCEL, TARGET)),
    ("cancel", BuildCommand(Verb.CANCEL, TARGET, in_live=True)),
    ("command:4", BranchCommand(Verb.CANCEL, Word.of("acme/web@github"), Word.of("main"))),
    ("status", BuildCommand(Verb.STATUS, TARGET)),
    (
        "status",
        BuildCommand(
            Verb.STATUS, BuildRef("codeship", "1", "m", "2", 1, STARTED.astimezone(timezone(timedelta(hours=2))))
        ),
    ),
    ("restart_again", BuildCommand(Verb.RESTART, TARGET, (17, 2))),
    ("command:0", BranchCommand(Verb.STATUS, Word.of("acme/web"))),
    ("command:3", BranchCommand(Verb.STATUS, Word.of("acme/web"), Word.of("<!channel>"))),
    ("command:9", BranchCommand(Verb.RESTART, Word.of("acme/web"), Word.of("“main”", "main"))),
    ("command:1", BranchCommand(Verb.BUILDS, Word.of("acme/web"), Word.of("ветка/漢字/🚀"))),
    ("command:2", ShowAudit(Word.of("acme/web"))),
    ("command:0", BranchCommand(Verb.STATUS, HERE)),
    ("command:0", ShowAudit()),
    ("command:0", ShowHelp()),
    ("command:0", ShowHistory(Verb.FLAKY)),
    ("command:0", NameCommand(Verb.SETTINGS, is_question=True)),
    ("command:0", NameCommand(Verb.USE, "", Word.of("acme/web"), Word.of("main"))),
    ("command:0", NameCommand(Verb.ALIAS, "site", Word.of("acme/web"))),
    ("page:1", ListProjects()),
    ("page:12", ListProjects("web & “x”", 12)),
]


@pytest.mark.parametrize(("action_id", "command"), CARRIED)
def test_a_button_value_parses_to_its_command(action_id: str, command: Command) -> None:
    value = value_of(command)
    assert value is not None
    assert command_of(action_id, value) == command


@pytest.mark.parametrize("command", [command for _, command in CARRIED])
def test_a_value_has_only_characters_that_never_change_in_transit(command: Command) -> None:
    value = value_of(command) or ""
    assert value.isascii()
    assert value.isprintable()
    assert not set("&<>") & set(value)


@pytest.mark.parametrize(
    "command",
    [
        BranchCommand(Verb.STATUS, Word.of("acme/web"), Word.of("b" * 1025)),
        BranchCommand(Verb.STATUS, Word.of("acme/web"), Word.of("漢" * 400)),
        BranchCommand(Verb.STATUS, Word.of("acme/web"), Word.of("half \ud83d of a pair")),
        BranchCommand(Verb.STATUS, Word.of("acme/web"), Word.of("")),
        BranchCommand(Verb.STATUS, HERE, Word.of("main")),
        BuildCommand(Verb.CANCEL, BuildRef("github", "77", "main", build_id=None)),
        BuildCommand(Verb.RESTART, BuildRef("codeship", "33837", "main", build_id=None)),
        BuildCommand(Verb.RESTART, BuildRef("codeship", "33837", "main", "1", started_at=datetime(2014, 1, 1))),  # noqa: DTZ001
    ],
)
def test_a_command_that_fits_no_value_gets_no_button(command: Command) -> None:
    assert value_of(command) is None


GOOD: dict[str, object] = {"s": "codeship", "p": "33837", "b": "main", "i": "3277309", "n": 1}


@pytest.mark.parametrize(
    ("action_id", "value"),
    [
        ("restart", ""),
        ("restart", "null"),
        ("restart", "[]"),
        ("restart", "{}"),
        ("restart", "{"),
        ("restart", "[" * 1900),
        ("restart", "1" * 1900),
        ("restart", json.dumps({**GOOD, "i": None})),
        ("restart", json.dumps({**GOOD, "i": 3277309})),
        ("restart", json.dumps({**GOOD, "i": ""})),
        ("restart", json.dumps({**GOOD, "p": "3" * 201})),
        ("restart", json.dumps({**GOOD, "b": ["main"]})),
        ("restart", json.dumps({**GOOD, "b": "\ud800"})),
        ("restart", json.dumps({**GOOD, "n": True})),
        ("restart", json.dumps({**GOOD, "n": 0})),
        ("restart", json.dumps({**GOOD, "n": 1.5})),
        ("restart", json.dumps({**GOOD, "n": 2**40})),
        ("restart", json.dumps({**GOOD, "t": "yesterday"})),
        ("restart", json.dumps({**GOOD, "t": "2014-12-16T11:14:08"})),
        ("restart", json.dumps(GOOD) + " " * MAX_VALUE),
        ("restart_failed", json.dumps({**GOOD, "c": 1})),
        ("restart_again", json.dumps({**GOOD, "x": [1, 1], "f": "yes"})),
        ("restart_failed\n", json.dumps(GOOD)),
        ("cancel", json.dumps({**GOOD, "i": None})),
        ("cancel", "{}"),
        ("builds", json.dumps(GOOD)),
        ("command:0", json.dumps({"v": "status", "b": ["main"]})),
        ("restart_again", json.dumps({**GOOD, "x": [1]})),
        ("restart_again", json.dumps({**GOOD, "x": ["1", "2"]})),
        ("command:0", json.dumps({"v": "delete", "r": ["acme/web"]})),
        ("command:0", json.dumps({"v": ["status"], "r": ["acme/web"]})),
        ("command:0", json.dumps({"v": "status", "r": "acme/web"})),
        ("command:0", json.dumps({"v": "status", "r": []})),
        ("command:0", json.dumps({"v": "status", "r": ["x"] * 9})),
        ("page:2", json.dumps({"f": "web", "n": -1})),
        ("page:2", json.dumps({"n": 1})),
        ("open:build", json.dumps(GOOD)),
        ("restart\n", json.dumps(GOOD)),
        ("restarted", json.dumps(GOOD)),
        ("", json.dumps(GOOD)),
    ],
)
def test_a_foreign_button_is_not_understood(action_id: str, value: str) -> None:
    with pytest.raises(NotUnderstood, match="too old"):
        command_of(action_id, value)


def test_the_value_that_the_table_changes_is_itself_valid() -> None:
    assert command_of("restart", json.dumps(GOOD)) == BuildCommand(
        Verb.RESTART, BuildRef("codeship", "33837", "main", "3277309", 1)
    )


ACTIONS = st.sampled_from(["restart", "restart_failed", "cancel", "status", "restart_again", "command:0", "page:1"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("spbintxvrf"), inner, max_size=8),
    max_leaves=8,
)


@given(action_id=ACTIONS | st.text(), value=st.text() | JSON.map(json.dumps))
def test_no_press_raises_another_error(action_id: str, value: str) -> None:
    with contextlib.suppress(NotUnderstood):
        command_of(action_id, value)


@given(branch=st.text(st.characters(), max_size=1200), name=st.text(st.characters(), max_size=300))
def test_a_value_is_exact_and_short_enough_or_none(branch: str, name: str) -> None:
    command = BranchCommand(Verb.STATUS, Word.of(name), Word.of(branch))
    value = value_of(command)
    if value is not None:
        assert len(value) <= MAX_VALUE
        assert command_of("command:0", value) == command


@pytest.mark.parametrize(
    "action_id",
    ["restart", "restart_failed", "cancel", "status", "restart_again", "command:0", "page:2", "open:build"],
)
def test_each_action_id_is_in_exactly_one_pattern(action_id: str) -> None:
    assert [bool(pattern.search(action_id)) for pattern in ACTION_IDS].count(True) == 1


def test_several_build_buttons_in_one_message_are_distinguished_and_parsed() -> None:
    command = BuildCommand(Verb.RESTART, TARGET)
    assert [action_id_of(command, number) for number in range(3)] == ["restart", "restart:1", "restart:2"]
    assert command_of("restart:2", value_of(command) or "") == command
    entry = entry_of_button("restart:2")
    assert entry is not None
    assert entry.verb is Verb.RESTART


@pytest.mark.parametrize(
    "text",
    [
        "subscribe acme/*@github !acme/old branch:main,release/* on:all workflow:ci",
        "unsubscribe acme/web #7",
        "unsubscribe all",
        "subscriptions",
        "mute acme/web until mon 9:00 Europe/Berlin",
        "mute 2h",
        "unmute",
        "unmute acme/web",
        "why acme/web main",
    ],
)
def test_a_command_about_notifications_is_a_button(text: str) -> None:
    command = parse([Word.of(word) for word in text.split()])
    value = value_of(command)
    assert value is not None
    assert command_of(action_id_of(command, 3), value) == command
    assert ACTS.match(action_id_of(command, 3))


@pytest.mark.parametrize("owner", [None, "U0ADA"])
def test_being_on_it_is_a_button(owner: str | None) -> None:
    command = OnIt(Word.of("acme/web@github"), "feature/a&b", "812.1.1700000000", owner)
    assert command_of("command:3", value_of(command) or "") == command


def test_no_other_verb_is_about_a_broken_branch() -> None:
    with pytest.raises(NotUnderstood):
        command_of("command:3", '{"v":"restart","r":["acme/web"],"b":["main"],"q":"1"}')


def test_only_a_button_confirms_that_all_are_removed() -> None:
    command = Unsubscribe(everything=True, confirmed=True)
    assert value_of(command) == '{"v":"unsubscribe","a":["all"],"c":true}'
    assert command_of("command:0", value_of(command) or "") == command


@pytest.mark.parametrize(
    "value",
    [
        '{"v":"mute","a":["for ever"]}',
        '{"v":"mute","a":"2h"}',
        '{"v":"mute","a":[7]}',
        '{"v":"help","a":["restart"]}',
        '{"v":"restart","a":["acme/web","main"]}',
        '{"v":"unsubscribe","a":["all"],"c":1}',
        json.dumps({"v": "subscribe", "a": ["acme/web"] * 51}),
    ],
)
def test_other_words_on_a_button_are_not_read(value: str) -> None:
    with pytest.raises(NotUnderstood):
        command_of("command:0", value)
