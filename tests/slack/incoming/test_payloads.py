"""Parsing Slack's payloads: user, command and location. No payload raises."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import strategies as st

from bot.core.model.builds import Actor, Location
from bot.core.model.command_entries import Command
from bot.core.model.command_values import BranchCommand, ShowHelp, Verb, Word
from bot.core.model.errors import NotUnderstood
from bot.slack.incoming.payloads import (
    PressedButton,
    SlackRequest,
    Source,
    Workspace,
    parse_click,
    parse_command,
    parse_event,
)
from tests.examples import examples
from tests.slack.payloads import CLICK, COMMAND, DIRECT, GRID, HOME, MENTION, Payload, changed


def command(**fields: object) -> SlackRequest | None:
    return parse_command(changed(COMMAND, **fields), HOME)


def mention(**fields: object) -> SlackRequest | None:
    return parse_event(changed(MENTION, event=fields), HOME)


def direct(**fields: object) -> SlackRequest | None:
    return parse_event(changed(DIRECT, event=fields), HOME)


def click(**fields: object) -> SlackRequest | None:
    return parse_click(changed(CLICK, **fields), HOME)


def test_a_command_is_parsed_with_all_that_a_reply_needs() -> None:
    assert command() == SlackRequest(
        Source.COMMAND,
        Actor("U0ADA"),
        Location("C0BUILDS"),
        delivery="command:13345224609.738474920.8088930838d88f008e0",
        from_elsewhere=False,
        command=BranchCommand(Verb.STATUS, Word.of("acme/web"), Word.of("main")),
        typed="status acme/web main",
        response_url="https://hooks.slack.com/commands/T0ACME/1/abc",
        slash_command="/codeship",
    )


def test_a_mention_in_a_channel_opens_a_thread_of_its_own() -> None:
    assert mention() == SlackRequest(
        Source.MENTION,
        Actor("U0ADA"),
        Location("C0BUILDS", "1515449522.000016"),
        delivery="event:Ev0LAN670R",
        from_elsewhere=False,
        command=BranchCommand(Verb.STATUS, Word.of("acme/web"), Word.of("main")),
        typed="status acme/web main",
        opens_thread=True,
        written_at=1515449522.000016,
        is_shared=False,
    )


def test_a_mention_in_a_thread_is_answered_there() -> None:
    heard = mention(thread_ts="1515440000.000001")
    assert heard is not None
    assert heard.location == Location("C0BUILDS", "1515440000.000001")
    assert not heard.opens_thread


def test_a_direct_message_is_parsed_outside_and_inside_a_thread() -> None:
    heard, in_thread = direct(), direct(thread_ts="1355510000.000001")
    assert heard is not None
    assert in_thread is not None
    assert (heard.source, heard.location, heard.opens_thread) == (Source.DIRECT, Location("D0ADA"), False)
    assert in_thread.location == Location("D0ADA", "1355510000.000001")
    assert heard.location.is_between_two


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast", "me_message"])
def test_a_direct_message_with_a_file_or_as_me_is_parsed(subtype: str) -> None:
    heard, plain = direct(subtype=subtype), direct()
    assert heard == plain
    assert heard is not None


def test_a_mention_without_a_time_has_no_thread() -> None:
    heard = mention(ts=None)
    assert heard is not None
    assert heard.location == Location("C0BUILDS")


def test_a_click_is_parsed_with_its_button() -> None:
    assert click() == SlackRequest(
        Source.CLICK,
        Actor("U0ADA"),
        Location("C0BUILDS"),
        delivery="click:U0ADA:C0BUILDS:1548261231.000200:command:0:1548426417.840180",
        from_elsewhere=False,
        command=BranchCommand(Verb.STATUS, Word.of("acme/web")),
        response_url="https://hooks.slack.com/actions/T0ACME/1/abc",
        pressed=PressedButton("command:0", in_ephemeral=False, message_ts="1548261231.000200"),
    )


@pytest.mark.parametrize(
    ("fields", "place", "in_ephemeral"),
    [
        pytest.param({"container": {"thread_ts": "1.1"}}, Location("C0BUILDS", "1.1"), False, id="in a thread"),
        pytest.param(
            {"message": {"thread_ts": "1.2"}}, Location("C0BUILDS", "1.2"), False, id="of a thread, by message"
        ),
        pytest.param(
            {"container": {"is_ephemeral": True}, "message": None}, Location("C0BUILDS"), True, id="seen by one person"
        ),
        pytest.param(
            {"container": {"channel_id": "D0ADA"}, "channel": {"id": "D0ADA"}}, Location("D0ADA"), False, id="direct"
        ),
        pytest.param(
            {"container": {"channel_id": None}}, Location("C0BUILDS"), False, id="the container names no channel"
        ),
    ],
)
def test_a_click_is_parsed_if_its_message_exists(fields: Payload, place: Location, in_ephemeral: bool) -> None:
    heard = click(**fields)
    assert heard is not None
    assert heard.pressed is not None
    assert (heard.location, heard.pressed.in_ephemeral) == (place, in_ephemeral)


@pytest.mark.parametrize(
    ("hear", "fields"),
    [
        pytest.param(mention, {"bot_id": "B1"}, id="another bot"),
        pytest.param(mention, {"user": "U0BOT"}, id="ourselves"),
        pytest.param(mention, {"edited": {"user": "U0ADA", "ts": "1.1"}}, id="an edited mention"),
        pytest.param(mention, {"type": "reaction_added"}, id="another event"),
        pytest.param(mention, {"user": "USLACKBOT"}, id="a reminder"),
        pytest.param(mention, {"text": "say `<@U0BOT> restart acme/web main`"}, id="a code sample"),
        pytest.param(direct, {"user": "USLACKBOT"}, id="a reminder in direct messages"),
        pytest.param(mention, {"type": "message", "channel_type": "channel"}, id="a message in a channel"),
        pytest.param(mention, {"user": None}, id="nobody"),
        pytest.param(mention, {"channel": None}, id="nowhere"),
        pytest.param(direct, {"subtype": "message_changed", "hidden": True}, id="an edit"),
        pytest.param(direct, {"subtype": "message_deleted", "hidden": True}, id="a deletion"),
        pytest.param(direct, {"subtype": "bot_message", "bot_id": "B1", "user": None}, id="a bot in direct messages"),
        pytest.param(direct, {"subtype": "channel_join"}, id="a join"),
        pytest.param(direct, {"user": "U0BOT", "bot_id": "B0BOT"}, id="our own answer"),
        pytest.param(direct, {"hidden": True}, id="hidden"),
        pytest.param(direct, {"channel_type": "mpim"}, id="a conversation of several"),
        pytest.param(command, {"user_id": None}, id="a command of nobody"),
        pytest.param(command, {"channel_id": None}, id="a command from nowhere"),
        pytest.param(click, {"user": {"id": None}}, id="a click of nobody"),
        pytest.param(click, {"container": {"channel_id": None}, "channel": None}, id="a click from nowhere"),
        pytest.param(click, {"actions": []}, id="a click on nothing"),
        pytest.param(click, {"actions": [{"value": "x"}]}, id="a click on something without a name"),
        pytest.param(click, {"actions": "command:0"}, id="a click that is none"),
    ],
)
def test_payloads_that_are_not_for_the_bot_are_ignored(
    hear: Callable[..., SlackRequest | None], fields: Payload
) -> None:
    assert hear() is not None
    assert hear(**fields) is None


@pytest.mark.parametrize(
    ("hear", "fields"),
    [
        (command, {"trigger_id": None}),
        (click, {"trigger_id": None, "actions": [{"action_id": "command:0", "value": "{}"}]}),
    ],
)
def test_a_payload_without_an_id_has_no_delivery(hear: Callable[..., SlackRequest | None], fields: Payload) -> None:
    heard = hear(**fields)
    assert heard is not None
    assert heard.delivery is None


def test_a_redelivered_click_is_the_same_one_and_a_second_press_is_another() -> None:
    first, again = click(), click()
    second = click(actions=[{**CLICK["actions"][0], "action_ts": "1548426418.000001"}])
    other_person = click(user={"id": "U0BOB"})
    assert first is not None
    assert again is not None
    assert second is not None
    assert other_person is not None
    assert first.delivery == again.delivery
    assert len({first.delivery, second.delivery, other_person.delivery}) == 3


# The request.


@pytest.mark.parametrize("hear", [command, mention, direct])
def test_the_same_words_parse_to_the_same_command_from_every_source(hear: Callable[..., SlackRequest | None]) -> None:
    heard = hear()
    assert heard is not None
    asked = heard.command
    assert isinstance(asked, BranchCommand)
    assert asked.repo.cleanest == "acme/web"


def test_a_button_means_what_it_carries() -> None:
    heard = click()
    assert heard is not None
    assert isinstance(heard.command, BranchCommand)


def test_a_bare_mention_shows_help() -> None:
    heard = mention(text="<@U0BOT>")
    assert heard is not None
    assert heard.command == ShowHelp(None)


# No payload raises.

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = sorted(
    {*COMMAND, *MENTION, *MENTION["event"], *DIRECT["event"], *CLICK, *CLICK["user"], *CLICK["container"]}
    | {*CLICK["actions"][0], "thread_ts", "bot_id", "subtype", "user_team", "source_team", "enterprise_id"}
)
NAMED = st.dictionaries(st.sampled_from(FIELDS), ANY_JSON, max_size=12)


@st.composite
def spoilt(draw: st.DrawFn) -> Payload:
    """A true payload with some of its parts, at any depth, exchanged for any JSON."""
    payload: Payload = json.loads(json.dumps(draw(st.sampled_from([COMMAND, MENTION, DIRECT, CLICK]))))
    for _ in range(draw(st.integers(1, 4))):
        inside = [payload, *(value for value in payload.values() if isinstance(value, dict))]
        inside += [value for value in payload.get("actions") or [] if isinstance(value, dict)]
        part = draw(st.sampled_from(inside))
        part[draw(st.sampled_from([*part, *FIELDS]))] = draw(ANY_JSON | NAMED)
        if not isinstance(payload.get("actions", []), list):
            payload["actions"] = [payload["actions"]]
    return payload


@examples(25, 400, payload=spoilt() | NAMED, home=st.sampled_from([HOME, GRID]))
def test_no_payload_raises_and_every_request_has_a_person_and_a_place(payload: Payload, home: Workspace) -> None:
    for hear in (parse_command, parse_event, parse_click):
        heard = hear(payload, home)
        if heard is None:
            continue
        assert heard.actor.id
        assert heard.location.channel
        assert heard.actor.id != home.bot_user_id or heard.source in (Source.COMMAND, Source.CLICK)
        assert isinstance(heard.command, Command | NotUnderstood)
