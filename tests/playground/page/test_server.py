"""The playground's site over HTTP, as its page uses it: its data, its actions, and who may use it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest
from slack_sdk import WebClient

from playground.page.server import Site
from playground.play.sessions import NOON, Sessions
from playground.sandbox import BOT_TOKEN, SECRETS
from playground.slack.outgoing.delivery import Ack, Payload
from tests.playground.page.page_client import BUILDS, Json, Page

OPTIONS = [{"text": {"type": "plain_text", "text": word}, "value": word} for word in ("main", "develop")]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site(Sessions(held_at=NOON, pause_s=0), port=0) as site:
        yield site


@pytest.fixture
def quiet_page(site: Site) -> Page:
    """For what changes nothing."""
    return Page(site)


@pytest.fixture
def page(site: Site) -> Page:
    """On a sandbox of its own."""
    site.sessions.start_over()
    return Page(site)


# Who is let in


def test_the_page_loads_everything_from_its_own_server(quiet_page):
    answer = quiet_page.get("/")
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "10.0.0.1", "", "[::2]:1"]
)
@pytest.mark.parametrize("path", ["/", "/api/events", "/assets/icon.svg"])
def test_a_foreign_host_header_is_refused(quiet_page, host, path):
    assert quiet_page.get(path, Host=host).status_code == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9000", "127.0.0.1:1", "[::1]:8765"])
def test_every_loopback_name_and_port_is_accepted(quiet_page, host):
    assert quiet_page.get("/", Host=host).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_foreign_origin_is_refused(quiet_page, headers):
    answer = quiet_page.post("say", {"who": "ada", "channel": BUILDS, "text": "hello"}, **headers)
    assert answer.status_code == 403
    assert quiet_page.get("/api/events", **headers).status_code == 403


def test_the_pages_own_origin_is_accepted(page):
    form = {"who": "ada", "channel": BUILDS, "text": "hello"}
    assert page.post("say", form, Origin=page.site.url, **{"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_a_form_of_another_site_is_refused(quiet_page):
    url = f"{quiet_page.site.url}/api/say"
    body = json.dumps({"who": "ada", "channel": BUILDS, "text": "hello"})
    answer = quiet_page.session.post(url, data=body, headers={"Content-Type": "text/plain"}, timeout=10)
    assert answer.status_code == 415


def test_only_the_loopback_address_is_listened_on(quiet_page):
    port = int(quiet_page.site.url.rpartition(":")[2])
    # 127.0.0.2 is this machine too; a server that listened everywhere would answer there.
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", port), timeout=2):
        pass


@pytest.mark.parametrize(
    ("name", "form", "status"),
    [
        ("fly", {}, 404),
        ("say", {"who": "ada"}, 400),
        ("say", {"who": "ada", "channel": BUILDS, "text": 1}, 400),
        ("say", {"who": "ada", "channel": BUILDS, "text": "x", "more": 1}, 400),
        ("say", [], 400),
        ("later", {"seconds": -1}, 400),
        ("say", {"who": "ada", "channel": BUILDS, "text": " "}, 200),
        ("say", {"who": "ada", "channel": BUILDS, "text": "x" * 12_001}, 200),
        ("say", {"who": "ada", "channel": BUILDS, "text": "x" * 300_000}, 413),
        ("say", {"who": "mallory", "channel": BUILDS, "text": "x"}, 200),
        ("say", {"who": "guest", "channel": "C0SECRET", "text": "x"}, 200),
        ("press", {"who": "ada", "channel": BUILDS, "ts": "1.1", "block_id": "b", "action_id": "a"}, 200),
        ("wave", {"words": "the sun shines"}, 200),
        ("scene", {"name": "../../etc/passwd"}, 200),
        ("replay", {"name": "../README"}, 200),
        ("submit", {"who": "ada", "view_id": "V1", "values": {}}, 200),
    ],
)
def test_an_impossible_action_is_refused_with_the_reason(quiet_page, name, form, status):
    answer = quiet_page.post(name, form)
    assert answer.status_code == status
    assert status in (404, 413) or answer.json().keys() - {"ok"} == {"error"}


# What is shown and done


def test_a_typed_command_is_answered_by_the_real_bot(page):
    page.says("/codeship status acme/web main")
    known = page.watch(lambda it: it["messages"])
    (message,) = known["messages"].values()
    assert "failed in 4m\N{NO-BREAK SPACE}7s" in message["text"]
    assert [it["text"] for it in known["parts"]["typed"]] == ["/codeship status acme/web main"]


def button_of(message: Json, label: str) -> Json:
    for block in message["blocks"]:
        for element in block.get("elements", ()):
            if element.get("text", {}) == {"type": "plain_text", "text": label, "emoji": False}:
                return {"block_id": block["block_id"], "action_id": element["action_id"]}
    raise AssertionError(f"no button {label}")


def test_a_pressed_button_does_what_it_says(page):
    page.says("/codeship status acme/web main")
    (status,) = page.messages(1)
    page.does("press", who="bob", channel=BUILDS, ts=status["ts"], is_confirmed=True, **button_of(status, "Restart"))
    known = page.watch(lambda it: any("<@U0BOB>" in message["text"] for message in it["messages"].values()))
    assert len(known["messages"]) == 1  # the pressed message is now the live one
    world = page.watch(lambda it: True)["parts"]["codeship"]
    assert [it["status"] for it in world["builds"] if (it["repo"], it["branch"]) == ("acme/web", "main")] == [
        "initiated"
    ]


def posted(site: Site, *blocks: Json) -> tuple[WebClient, str]:
    """A message of the bot's, posted as the bot does it."""
    client = WebClient(BOT_TOKEN, base_url=site.sessions.current.stage.slack.api_url)
    answer = client.chat_postMessage(channel=BUILDS, text="x", blocks=list(blocks))
    return client, answer["ts"]


def test_a_button_with_a_dialog_needs_an_answer(site, page):
    confirm = {name: {"type": "plain_text", "text": name} for name in ("title", "text", "confirm", "deny")}
    element = {
        "type": "button",
        "action_id": "refresh",
        "text": {"type": "plain_text", "text": "Go"},
        "confirm": confirm,
    }
    _, ts = posted(site, {"type": "actions", "block_id": "b", "elements": [element]})
    form = {"who": "ada", "channel": BUILDS, "ts": ts, "block_id": "b", "action_id": "refresh"}
    assert "asks: title" in page.post("press", form).json()["error"]
    page.does("press", **form, is_confirmed=True)


def test_an_option_is_chosen_by_its_value(site, page):
    menus = [{"type": "static_select", "action_id": name, "options": OPTIONS} for name in ("one", "two")]
    _, ts = posted(site, {"type": "actions", "block_id": "b", "elements": menus})
    page.does("choose", who="ada", channel=BUILDS, ts=ts, block_id="b", action_id="two", value="develop")
    (action,) = site.sessions.current.stage.workspace.deliveries[-1].payload["actions"]
    assert (action["action_id"], action["selected_option"]["value"]) == ("two", "develop")


class Answering:
    """A far end that answers a submitted dialog as an app would; other payloads it only acknowledges."""

    def __init__(self, body: Json) -> None:
        self.body = body
        self.submitted: list[Json] = []

    def carry(self, parcel: Payload) -> Ack:
        if parcel.payload["type"] != "view_submission":
            return Ack("acked", 200)
        self.submitted.append(dict(parcel.payload["view"]["state"]["values"]))
        return Ack("acked", 200, json.dumps(self.body))


def test_a_modal_is_filled_in_rejected_and_closed(site, page):
    workspace = site.sessions.current.stage.workspace
    client, _ = posted(site, {"type": "divider"})
    page.says("/codeship help")
    element = {"type": "plain_text_input", "action_id": "name"}
    view = {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Follow"},
        "submit": {"type": "plain_text", "text": "Go"},
        "blocks": [
            {"type": "input", "block_id": "b", "label": {"type": "plain_text", "text": "Name"}, "element": element}
        ],
    }
    opened = client.views_open(trigger_id=workspace.deliveries[-1].payload["trigger_id"], view=view)["view"]
    app = Answering({"response_action": "errors", "errors": {"b": "There is no such branch."}})
    workspace.deliver_through(app)

    def errors() -> list[dict[str, str]]:
        return [it["errors"] for it in page.watch(lambda it: True)["parts"]["modals"]]

    form = {"who": "ada", "view_id": opened["id"]}
    empty = {"b": {"name": {"type": "plain_text_input", "value": None}}}
    page.does("submit", **form, values=empty)
    assert errors() == [{"b": "Please complete this required field."}]
    assert app.submitted == []

    whole = {"b": {"name": {"type": "plain_text_input", "value": "mian"}}}
    page.does("submit", **form, values=whole)
    assert errors() == [{"b": "There is no such branch."}]
    assert app.submitted == [whole]

    app.body = {}
    assert "error" in page.post("submit", {**form, "who": "bob", "values": whole}).json()
    page.does("submit", **form, values=whole)
    assert errors() == []


@pytest.mark.parametrize(("asks", "hears"), [(True, ["view_closed"]), (False, [])])
def test_the_app_is_notified_of_a_closed_dialog_if_it_asked_to(site, page, asks, hears):
    workspace = site.sessions.current.stage.workspace
    client, _ = posted(site, {"type": "divider"})
    page.says("/codeship help")
    view = {"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": [], "notify_on_close": asks}
    opened = client.views_open(trigger_id=workspace.deliveries[-1].payload["trigger_id"], view=view)["view"]
    page.does("close", who="ada", view_id=opened["id"])
    assert [it.payload["type"] for it in workspace.deliveries[1:]] == hears


def test_events_change_builds_faults_and_time(site, page):
    world = site.sessions.current.stage.codeship
    page.does("wave", words="bob pushes acme/docs main “Write it down”")
    page.does("wave", words="acme/docs main fails")
    page.does("wave", words="CodeShip is down")
    assert (world.newest("acme/docs").status, world.mood.name) == ("error", "down")
    before = site.sessions.current.clock.now()
    page.does("later", seconds=60)
    assert (site.sessions.current.clock.now() - before).total_seconds() >= 60  # and what the bot waits for CodeShip
    assert world.newest("acme/web", "feature/login").status == "success"  # it was to take a minute


def test_runs_are_shown_with_their_state_and_the_steps_that_can_fail(site, page):
    page.does("wave", words="bob pushes acme/shop main “Sell more”")
    page.does("wave", words="the workflow CI of acme/shop fails on main at test, Install")
    page.does("wave", words="bob re-runs the failed jobs of the workflow CI of acme/shop on main")
    page.does("wave", words="GitHub is over its limit")
    github = page.watch(lambda it: it["parts"]["github"]["mood"] != "fine")["parts"]["github"]
    assert github["mood"] == "over the limit"
    assert "acme/handbook" not in github["repos"]  # it has no workflow that a push would start
    (run,) = [it for it in github["runs"] if (it["repo"], it["branch"], it["workflow"]) == ("acme/shop", "main", "CI")]
    assert (run["state"], run["attempt"], run["is_over"]) == ("queued", 2, False)
    assert run["breaks_at"] == ["test, Check out", "test, Install", "test, Run the tests", "deploy, Deploy"]
    (fork,) = [it for it in github["runs"] if (it["repo"], it["branch"]) == ("acme/site", "main")]
    assert fork["state"] == "startup_failure"  # the repository's own, although a fork's is newer


def test_the_deployment_button_starts_one_that_waits_for_its_environment(page):
    (deploy,) = [it for it in page.watch(lambda it: True)["parts"]["github"]["events"] if "deploys" in it["words"]]
    page.does("wave", words=deploy["words"])
    runs = page.watch(lambda it: any(run["waits_for"] for run in it["parts"]["github"]["runs"]))["parts"]["github"][
        "runs"
    ]
    (run,) = [run for run in runs if run["waits_for"]]
    assert (run["workflow"], run["state"], run["waits_for"]) == ("Deploy", "waiting", ["production"])


def test_start_over_leaves_nothing_behind(page):
    page.says("hello")
    first = page.watch(lambda it: it["messages"])
    page.does("start_over")
    second = page.watch(lambda it: True)
    assert (second["session"], second["messages"]) == (first["session"] + 1, {})


def test_no_secret_reaches_the_page(page):
    page.says("/codeship status acme/web main")
    page.says("@codeship help")
    page.does("wave", words="the workflow CI of acme/mobile passes on main")
    known = page.watch(lambda it: len([wire for wire in it["wires"].values() if wire["took_ms"] is not None]) >= 8)
    told = json.dumps(known)
    assert [secret for secret in (*SECRETS, "/secret0") if secret in told] == []
    assert "/commands/T0ACME/1/[redacted]" in told
    assert {wire["way"] for wire in known["wires"].values()} == {
        "slack to bot",
        "bot to slack",
        "bot to codeship",
        "bot to github",
        "github to bot",
    }
