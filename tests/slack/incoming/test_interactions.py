"""Parsing shortcuts, forms, typeahead and the Home: who acts, where, with what. No payload raises."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import strategies as st

from bot.core.model.builds import Actor, Location
from bot.core.model.command_values import BranchCommand, ShowHelp, Verb, Word
from bot.slack.incoming import interactions
from bot.slack.incoming.payloads import SlackRequest, Source
from bot.slack.views.elements import Place
from bot.slack.views.form import BRANCH, REPO, FormState, Preset
from tests.examples import examples
from tests.slack.payloads import CLICK, COMMAND, HOME, Payload, changed

URL = "https://hooks.slack.com/app/T0ACME/1/abc"
HERE = Place(Location("C0BUILDS"), URL)


def acts(kind: str, **more: Any) -> Payload:
    return {
        "type": kind,
        "user": {"id": "U0ADA", "team_id": "T0ACME"},
        "team": {"id": "T0ACME"},
        "trigger_id": "1.2.3",
        **more,
    }


def view(state: FormState, **fields: str) -> Payload:
    values = {
        block: {"a": {"type": "external_select", "selected_option": {"value": value}}}
        for block, value in fields.items()
    }
    return {"id": "V1", "private_metadata": state.metadata(), "state": {"values": values}}


SHORTCUT = acts("shortcut", callback_id="form")
MESSAGE = acts(
    "message_action",
    callback_id="restart",
    response_url=URL,
    channel={"id": "C0BUILDS"},
    message={"ts": "1.2", "thread_ts": "1.1", "text": "red"},
)
SENT = acts("view_submission", view=view(FormState(HERE), **{"form:action": "restart", REPO: "acme/web"}))
SUGGESTION = acts("block_suggestion", action_id=BRANCH, value="ma", view=view(FormState(HERE, "acme/web", 1)))
CHOSEN = acts(
    "block_actions",
    view=view(FormState(HERE), **{"form:action": "follow"}),
    actions=[{"action_id": REPO, "selected_option": {"value": "acme/web"}}],
)
OPENED: Payload = {"team_id": "T0ACME", "event": {"type": "app_home_opened", "user": "U0ADA", "tab": "home"}}
ELSEWHERE = {"user": {"id": "U0GUEST", "team_id": "T0OTHER"}}

PARSERS = [
    (interactions.parse_bare_command, changed(COMMAND, text="")),
    (interactions.parse_open_click, changed(CLICK)),
    (interactions.parse_shortcut, SHORTCUT),
    (interactions.parse_message_shortcut, MESSAGE),
    (interactions.parse_suggestion, SUGGESTION),
    (interactions.parse_repo_chosen, CHOSEN),
    (interactions.parse_form_sent, SENT),
    (interactions.parse_restart_sent, SENT),
    (interactions.parse_home_opened, OPENED),
    (interactions.parse_refresh_click, CHOSEN),
]


def test_only_a_command_without_words_opens_the_form() -> None:
    opening = interactions.parse_bare_command(changed(COMMAND, text="  "), HOME)
    assert opening is not None
    assert opening.trigger_id == COMMAND["trigger_id"]
    assert opening.place == Place(Location("C0BUILDS"), COMMAND["response_url"])
    assert opening.request.command == ShowHelp()
    assert interactions.parse_bare_command(COMMAND, HOME) is None


def test_a_shortcut_has_no_place_and_is_answered_directly() -> None:
    opening = interactions.parse_shortcut(SHORTCUT, HOME)
    assert opening is not None
    assert opening.place is None
    assert (opening.request.source, opening.request.location) == (Source.DIRECT, Location("U0ADA"))


def test_a_shortcut_on_a_message_is_answered_in_its_thread() -> None:
    found = interactions.parse_message_shortcut(MESSAGE, HOME)
    assert found is not None
    assert found.opening.place == Place(Location("C0BUILDS", "1.1"), URL)
    assert found.message == MESSAGE["message"]


def test_a_form_that_was_sent_is_a_request_with_one_id() -> None:
    assert interactions.parse_form_sent(SENT, HOME) == SlackRequest(
        Source.FORM,
        Actor("U0ADA"),
        Location("C0BUILDS"),
        delivery="form:V1",
        from_elsewhere=False,
        command=BranchCommand(Verb.RESTART, Word.of("acme/web")),
        response_url=URL,
    )


def test_a_form_that_asks_where_goes_there_with_the_url_for_it() -> None:
    fields = {"form:action": "status", REPO: "acme/web"}
    sent = view(FormState(None), **fields)
    sent["state"]["values"]["form:place"] = {"a": {"selected_conversation": "C0RANDOM"}}
    urls = [{"channel_id": "C0BUILDS", "response_url": "no"}, {"channel_id": "C0RANDOM", "response_url": URL}]
    got = interactions.parse_form_sent(acts("view_submission", view=sent, response_urls=urls), HOME)
    assert isinstance(got, SlackRequest)
    assert (got.location, got.response_url) == (Location("C0RANDOM"), URL)


def test_a_form_with_a_problem_says_where() -> None:
    got = interactions.parse_form_sent(acts("view_submission", view=view(FormState(HERE))), HOME)
    assert isinstance(got, interactions.Problems)
    assert set(got.by_block) == {"form:action", REPO}


def test_a_suggestion_knows_the_repository_that_was_chosen_before() -> None:
    got = interactions.parse_suggestion(SUGGESTION, HOME)
    assert got is not None
    assert (got.action_id, got.typed, got.state.repo) == (BRANCH, "ma", "acme/web")


def test_a_chosen_repository_comes_with_the_action_that_stays() -> None:
    got = interactions.parse_repo_chosen(CHOSEN, HOME)
    assert got is not None
    assert (got.view_id, got.preset) == ("V1", Preset(Verb.FOLLOW, "acme/web"))


def test_a_press_in_the_home_has_no_place() -> None:
    value = Preset(Verb.STATUS, "acme/web").value
    opening = interactions.parse_open_click(acts("block_actions", view={}, actions=[{"value": value}]), HOME)
    assert opening is not None
    assert (opening.place, opening.preset) == (None, Preset(Verb.STATUS, "acme/web"))


def test_only_the_tab_home_is_the_home() -> None:
    assert interactions.parse_home_opened(OPENED, HOME) == interactions.Visitor(Actor("U0ADA"), from_elsewhere=False)
    assert interactions.parse_home_opened(changed(OPENED, event={"tab": "messages"}), HOME) is None


@pytest.mark.parametrize("parse", [interactions.parse_suggestion, interactions.parse_repo_chosen])
def test_people_from_elsewhere_are_known_as_such(parse: Any) -> None:
    body = {**(SUGGESTION if parse is interactions.parse_suggestion else CHOSEN), **ELSEWHERE}
    assert parse(body, HOME).visitor == interactions.Visitor(Actor("U0GUEST"), from_elsewhere=True)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@examples(15, 500, st.data())
def test_no_payload_raises(data: st.DataObject) -> None:
    parse, body = data.draw(st.sampled_from(PARSERS))
    spoilt = json.loads(json.dumps(body))
    node: Any = spoilt
    while isinstance(node, dict) and node:
        name = data.draw(st.sampled_from(sorted(node)))
        if data.draw(st.booleans()) or not isinstance(node[name], dict):
            node[name] = data.draw(ANY)
            break
        node = node[name]
    parse(spoilt, HOME)
