"""Compares every view with its golden text, and holds it to Slack's types and limits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.model.builds import Location, Page, Project
from bot.core.model.command_values import BranchCommand, BuildCommand, Verb, Word
from bot.core.model.commands import parse
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notification_commands.values import Subscribe
from bot.core.model.outcomes import BuildShown
from bot.slack.incoming.text import words_of_command
from bot.slack.messages.builds import target_of
from bot.slack.messages.render import render
from bot.slack.views.elements import Place, View
from bot.slack.views.form import BRANCH, REPO, FormState, Preset, branch_options, filled, repo_options
from bot.slack.views.restart import chosen, found_in, restart_dialog
from bot.slack.views.subscription_form import SubscriptionState, filled_subscription, fits_form, subscription_form
from playground.slack.block_rules import options_judged, view_judged
from playground.slack.plain_text import draw_view
from tests.slack.messages.one_service import FAILED, HOW
from tests.slack.views.views_drawn import HERE, LARGEST, SUBSCRIPTION, VIEWS, dialog, message

GOLDEN = Path(__file__).parent / "golden.txt"
BYTES_OF_A_VIEW = 250_000
POPPER = "\N{PARTY POPPER}"


def written(name: str, view: View) -> str:
    lines = [f"## {name}", *draw_view(view, {"C0BUILDS": "builds"}, links=True)]
    return "\n".join([*lines, *([f"metadata {view['private_metadata']}"] if "private_metadata" in view else [])])


def test_views_equal_their_golden_text(update: bool) -> None:
    text = "\n\n".join(written(name, view) for name, view in VIEWS.items()) + "\n"
    if update:
        GOLDEN.write_text(text, encoding="utf-8")
    assert GOLDEN.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("view", [*VIEWS.values(), *LARGEST.values()], ids=[*VIEWS, *(f"large {it}" for it in LARGEST)])
def test_slack_takes_every_view(view: View) -> None:
    sent = json.loads(json.dumps(view))
    assert [str(problem) for problem in view_judged(sent)] == []
    assert len(json.dumps(view).encode()) < BYTES_OF_A_VIEW
    assert len(sent["blocks"]) <= 100


def test_what_does_not_fit_into_the_metadata_is_not_offered() -> None:
    (which,) = LARGEST["restart_which"]["blocks"]
    offered = which["element"]["options"]
    assert 1 < len(offered) < 10
    assert len(json.loads(LARGEST["restart_which"]["private_metadata"])["o"]) == len(offered)


def test_the_options_of_a_large_account_are_a_hundred_that_slack_takes() -> None:
    projects = [Project(str(n), f"acme/{POPPER * n}web{n}", "codeship") for n in range(300)]
    options = repo_options(projects, HOW)
    assert len(options) == 100
    assert options_judged(json.loads(json.dumps(options))) == []


def test_a_branch_that_the_bot_has_not_seen_can_be_typed() -> None:
    seen = ["main", "feature/login"]
    assert [it["value"] for it in branch_options(seen, " MA ")] == ["main", "MA"]
    assert [it["value"] for it in branch_options(seen, "main")] == ["main"]
    assert branch_options(seen, "no branch") == []
    assert len(branch_options([f"b{n}" for n in range(300)], "b")) == 100
    assert branch_options(["x" * 151], "") == []


def values(repo: str | None = "acme/web", branch: str | None = "main", turn: int = 0, verb: str = "restart") -> View:
    def field(action: str, value: str | None) -> View:
        selected = None if value is None else {"value": value}
        return {action: {"type": "external_select", "selected_option": selected}}

    return {
        "form:action": field("form:action", verb),
        REPO: field(REPO, repo),
        f"{BRANCH}:{turn}": field(BRANCH, branch),
    }


def test_a_form_means_what_a_typed_command_means() -> None:
    sent = filled(values(), FormState(HERE))
    assert (sent.command, sent.channel) == (
        BranchCommand(Verb.RESTART, Word.of("acme/web"), Word.of("main")),
        "C0BUILDS",
    )
    assert filled(values(branch=None), FormState(HERE)).command == BranchCommand(Verb.RESTART, Word.of("acme/web"))


@pytest.mark.parametrize(
    ("sent", "state", "at"),
    [
        (values(repo=None), FormState(HERE), REPO),
        (values(verb="audit"), FormState(HERE), "form:action"),
        (values(turn=1), FormState(HERE, "acme/api", 1), f"{BRANCH}:1"),
        (values(), FormState(None), "form:place"),
        ({}, FormState(HERE), REPO),
        ({REPO: [], "form:action": {"a": {"selected_option": 7}}}, FormState(HERE), REPO),
    ],
)
def test_what_is_wrong_with_a_form_stands_at_its_field(sent: View, state: FormState, at: str) -> None:
    got = filled(sent, state)
    assert got.command is None
    assert at in got.problems


def test_a_branch_of_the_repository_before_does_not_count() -> None:
    assert filled(values(turn=0), FormState(HERE, "acme/web", 1)).command == BranchCommand(
        Verb.RESTART, Word.of("acme/web")
    )


def test_the_state_of_a_form_survives_slack() -> None:
    state = FormState(HERE).chosen("acme/web").chosen("acme/api")
    assert FormState.read(state.metadata()) == state
    assert FormState.read(FormState(None).metadata()) == FormState(None)


def test_a_response_url_that_is_too_long_is_left_out() -> None:
    state = FormState(Place(Location("C1"), f"https://hooks.slack.com/{'x' * 3000}"), "acme/web")
    assert FormState.read(state.metadata()).place == Place(Location("C1"))


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"n":true}', '{"n":-1}', '{"n":1,"c":7}', '{"n":1,"r":""}'])
def test_metadata_that_is_not_the_bots_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        FormState.read(text)
    with pytest.raises(ValueError, match=r"\w"):
        chosen(text, {})


@pytest.mark.parametrize(
    "value", ["", "{}", "[]", "7", '{"v":"audit"}', '{"v":"nothing"}', '{"v":["status"]}', "x" * 9000]
)
def test_a_button_with_another_value_opens_the_plain_form(value: str) -> None:
    assert Preset.read(value) == Preset()


def test_the_value_of_a_button_says_which_form_opens() -> None:
    for preset in (Preset(Verb.RESTART, "acme/web"), Preset(Verb.SUBSCRIBE), Preset(Verb.SUBSCRIBE, number=7)):
        assert Preset.read(preset.value) == preset


def answers(
    repos: str = "acme/web",
    branches: str = "",
    events: tuple[str, ...] = ("broke", "fixed"),
    workflows: str = "",
    replies: str | None = None,
) -> View:
    def field(name: str, **held: object) -> View:
        return {f"subscription:{name}": {f"subscription:{name}": held}}

    return {
        **field("repos", type="plain_text_input", value=repos or None),
        **field("branches", type="plain_text_input", value=branches or None),
        **field("on", type="checkboxes", selected_options=[{"value": event} for event in events]),
        **field("workflows", type="plain_text_input", value=workflows or None),
        **field("to", type="static_select", selected_option={"value": replies} if replies else None),
    }


NEW = SubscriptionState(HERE)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (answers(), "acme/web"),
        (answers("acme/web, acme/api"), "acme/web acme/api"),
        (answers("“acme/web”\nacme/* !acme/old"), "acme/web acme/* !acme/old"),
        (answers("acme/web@github branch:dev"), "acme/web@github branch:dev"),
        (answers("https://github.com/acme/web"), "https://github.com/acme/web"),
        (answers(branches="main, release/*  !release/0"), "acme/web branch:main,release/*,!release/0"),
        (answers(branches="*"), "acme/web branch:*"),
        (answers(events=("still:5", "failed")), "acme/web on:still:5,failed"),
        (answers(workflows="ci,!nightly"), "acme/web workflow:ci,!nightly"),
        (answers(replies="thread"), "acme/web to:thread"),
        (answers("acme/web mention:@S0ONCALL", replies="usual"), "acme/web mention:@S0ONCALL"),
    ],
)
def test_the_form_of_a_subscription_means_what_the_words_mean(sent: View, words: str) -> None:
    got = filled_subscription(sent, NEW)
    assert got.problems == {}
    assert got.command == parse(words_of_command(f"subscribe {words}"))
    again = filled_subscription(sent, SubscriptionState(HERE, 7)).command
    assert again == parse(words_of_command(f"subscribe #7 {words}"))


def test_the_name_of_a_workflow_may_have_blanks_in_the_form() -> None:
    command = filled_subscription(answers(workflows="Build and test, !Nightly build"), NEW).command
    assert command is not None
    assert command.filters.workflows == NamePattern(("Build and test",), ("Nightly build",))


def test_a_subscription_that_is_not_changed_in_its_form_stays_the_same() -> None:
    view = subscription_form(HERE, SUBSCRIPTION)
    elements = {block["block_id"]: block["element"] for block in view["blocks"] if block["type"] == "input"}
    sent = {
        block: {
            block: {
                "value": it.get("initial_value"),
                "selected_options": it.get("initial_options"),
                "selected_option": it.get("initial_option"),
            }
        }
        for block, it in elements.items()
    }
    state = SubscriptionState.read(view["private_metadata"])
    assert filled_subscription(json.loads(json.dumps(sent)), state).command == Subscribe(SUBSCRIPTION.filters, 7)


@pytest.mark.parametrize(
    ("sent", "at", "why"),
    [
        (answers(""), "repos", "Which repository?"),
        (answers("acme/a[b]"), "repos", "is not a pattern"),
        (answers("acme/web main"), "repos", "“main” is not a repository"),
        (answers("acme/web@github acme/api@codeship"), "repos", "one CI service"),
        (answers("acme/web on:brok"), "repos", "Unknown event “brok”"),
        (answers(branches="a?b"), "branches", "is not a pattern"),
        (answers(branches=" ".join(f"b{n}" for n in range(21))), "branches", "20 names"),
        (answers(events=()), "on", "Choose at least one."),
        (answers(events=("brok",)), "on", "Unknown event “brok”"),
        (answers(workflows=",".join(f"w{n}" for n in range(21))), "workflows", "20 names"),
        (answers("#3 #4 acme/web"), "repos", "One subscription"),
        (answers("acme/web mention:@oncall"), "repos", "A typed command"),
        (answers(replies="here"), "to", "Unknown place"),
    ],
)
def test_what_is_wrong_with_a_subscription_stands_at_its_field(sent: View, at: str, why: str) -> None:
    got = filled_subscription(sent, NEW)
    assert got.command is None
    assert [*got.problems] == [f"subscription:{at}"]
    assert why in got.problems[f"subscription:{at}"]


@pytest.mark.parametrize("values", [{}, {"subscription:repos": [], "subscription:on": {"x": {"selected_options": 7}}}])
def test_values_that_no_client_sends_are_problems(values: View) -> None:
    assert {*filled_subscription(values, NEW).problems} == {"subscription:repos", "subscription:on"}


@pytest.mark.parametrize("text", ["", "null", "{}", '{"n":1}', '{"c":"C1","n":0}', '{"c":"C1","n":true}'])
def test_metadata_of_another_view_is_no_subscription(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        SubscriptionState.read(text)


def test_the_bots_own_message_is_about_the_build_of_its_buttons() -> None:
    drawn = render(BuildShown(FAILED), context=HOW, asker=None)
    own = {"text": drawn.text, "blocks": json.loads(json.dumps(drawn.blocks))}
    found = found_in(own, is_own=True, name_of=lambda _: "acme/web", page_of=lambda _: None)
    assert [(it.label, it.command) for it in found] == [
        ("acme/web main", BuildCommand(Verb.RESTART, target_of(FAILED, 1), confirmed=True))
    ]
    assert found_in(own, is_own=False, name_of=lambda _: "acme/web", page_of=lambda _: None) == []


def test_links_are_found_in_text_blocks_and_attachments_once_each() -> None:
    url = "https://github.com/acme/shop/pull/7"
    link = {"type": "rich_text", "elements": [{"elements": [{"type": "link", "url": url}]}]}
    parts = [
        {"text": f"see <{url}|this>!"},
        {"blocks": [link]},
        {"attachments": [{"title_link": url}]},
        {"text": f"{url}.", "blocks": [link]},
    ]
    for part in parts:
        pages = {url: Page(name="acme/shop", pull_request=7)}
        found = found_in(part, is_own=False, name_of=lambda _: None, page_of=pages.get)
        assert [it.label for it in found] == ["acme/shop #7"]


def test_a_page_that_shows_only_a_repository_is_no_build() -> None:
    page = Page(name="acme/shop")
    assert found_in(message("https://x.io"), is_own=False, name_of=lambda _: None, page_of=lambda _: page) == []


def test_the_dialog_restarts_what_was_chosen_in_it_and_has_confirmed_it() -> None:
    urls = ("https://github.com/acme/shop/pull/1", "https://github.com/acme/shop/pull/2")
    which = {"restart:which": {"restart:which": {"selected_option": {"value": "1"}}}}
    restart = BranchCommand(Verb.RESTART, Word.of(urls[1]), confirmed=True)
    assert chosen(dialog(*urls)["private_metadata"], which) == (HERE, restart)
    one = BranchCommand(Verb.RESTART, Word.of(urls[0]), confirmed=True)
    assert chosen(dialog(urls[0])["private_metadata"], {}) == (HERE, one)
    for nothing in ({}, {"restart:which": {"restart:which": {"selected_option": {"value": "2"}}}}):
        with pytest.raises(ValueError, match=r"chosen|bot's"):
            chosen(dialog(*urls)["private_metadata"], nothing)


def test_a_dialog_restarts_and_does_nothing_else() -> None:
    metadata = json.dumps({"c": "C1", "o": [["command:0", '{"v":"status","r":["acme/web"]}']]})
    with pytest.raises(ValueError, match="no restart"):
        chosen(metadata, {})


def test_a_dialog_without_a_build_has_nothing_to_send() -> None:
    view = restart_dialog([], HERE, HOW)
    assert "submit" not in view
    with pytest.raises(ValueError, match="bot's"):
        chosen(view["private_metadata"], {})


@pytest.mark.parametrize(("length", "fits"), [(100, True), (200, False)])
def test_a_subscription_that_would_be_cut_has_no_form(length: int, fits: bool) -> None:
    names = tuple(f"acme/{number:02}{'x' * (length - 7)}" for number in range(20))
    changed = replace(SUBSCRIPTION, filters=replace(SUBSCRIPTION.filters, repositories=NamePattern(names)))
    assert fits_form(changed) is fits
