"""axe finds nothing serious or critical: in light and dark, wide and on a phone, on every part of the page."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from slack_sdk import WebClient

from playground.page.server import Site
from playground.sandbox import BOT_TOKEN
from tests.browser.acting import message, press_and_say_yes, say
from tests.browser.conftest import PHONE, WIDE, Opens

pytestmark = pytest.mark.serial

GRAVE = ("serious", "critical")


def findings(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{it['id']}: {node['html'][:120]} {node['failureSummary']}"
        for it in found
        if it["impact"] in GRAVE
        for node in it["nodes"]
    ]


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_every_part_of_the_page_is_accessible(opens: Opens, site: Site, size: dict[str, int], colours: str) -> None:
    page = opens(size, colours)
    found = {"beginning": findings(page)}

    say(page, "/codeship status acme/web main")
    press_and_say_yes(page, "failed in 4m", "Restart")
    expect(message(page, "acme/web main restarted")).to_be_visible()
    say(page, "/codeship help")
    expect(message(page, "Check and restart CI builds")).to_be_visible()
    found["conversation"] = findings(page)

    say(page, "/codeship status acme/shop main")
    expect(message(page, "step “Run the tests”")).to_be_visible()
    found["workflows"] = findings(page)

    page.get_by_role("textbox", name="Message").fill("/code")
    page.keyboard.press("ArrowDown")
    found["completions"] = findings(page)
    page.get_by_role("textbox", name="Message").fill("")

    say(page, "@codeship builds acme/web")
    page.get_by_role("button", name="1 reply").click()
    expect(page.get_by_role("complementary", name="Thread").get_by_role("article")).to_have_count(2)
    found["thread"] = findings(page)
    page.get_by_role("button", name="Close Thread").click()

    page.get_by_role("button", name="Traffic").click()
    page.locator("details summary").first.click()
    found["traffic"] = findings(page)
    page.get_by_role("button", name="Close Traffic").click()

    page.get_by_role("button", name="Simulate").click()
    found["simulate"] = findings(page)
    page.get_by_role("combobox", name="Conversation").select_option("restart")
    page.get_by_role("button", name="Replay", exact=True).click()
    page.get_by_role("button", name="Next step").click()
    expect(page.get_by_role("region", name="Replay")).to_contain_text("✓ matches")
    found["replay"] = findings(page)

    if size is PHONE:
        page.get_by_role("button", name="Channels", exact=True).click()
        page.get_by_role("radio", name="bob").wait_for()
        found["drawer"] = findings(page)
    assert {where: what for where, what in found.items() if what} == {}


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_dialogs_and_menus_are_accessible(opens: Opens, site: Site, colours: str) -> None:
    page = opens(WIDE, colours)
    stage = site.sessions.current.stage
    client = WebClient(BOT_TOKEN, base_url=stage.slack.api_url)

    def plain(text: str) -> dict[str, str]:
        return {"type": "plain_text", "text": text}

    options = [{"text": plain(word), "value": word} for word in ("main", "develop")]
    confirm = {name: plain(name) for name in ("title", "text", "confirm", "deny")}
    buttons = [
        {"type": "button", "action_id": style, "text": plain(style), "style": style, "confirm": confirm}
        for style in ("primary", "danger")
    ]
    menu = {"type": "static_select", "action_id": "menu", "placeholder": plain("Branch"), "options": options}
    client.chat_postMessage(channel="C0BUILDS", text="x", blocks=[{"type": "actions", "elements": [*buttons, menu]}])

    page.get_by_role("combobox", name="Branch").click()
    expect(page.get_by_role("option")).to_have_count(2)
    found = {"menu": findings(page)}
    page.get_by_role("button", name="danger").click()
    page.get_by_role("dialog").wait_for()
    found["question"] = findings(page)
    page.keyboard.press("Escape")

    say(page, "/codeship help")
    expect(message(page, "Check and restart CI builds")).to_be_visible()
    kinds = ("plain_text_input", "datepicker", "users_select", "number_input")
    inputs = [
        {
            "type": "input",
            "block_id": kind,
            "label": plain(kind),
            "hint": plain("A hint."),
            "element": {"type": kind, "action_id": "a"} | ({"is_decimal_allowed": False} if "number" in kind else {}),
        }
        for kind in kinds
    ]
    choices = {"type": "checkboxes", "action_id": "a", "options": options}
    inputs.append({"type": "input", "block_id": "choices", "label": plain("Choices"), "element": choices})
    view = {"type": "modal", "title": plain("Dialog"), "submit": plain("Go"), "blocks": inputs}
    client.views_open(trigger_id=stage.workspace.deliveries[-1].payload["trigger_id"], view=view)
    dialog = page.get_by_role("dialog", name="Dialog")
    dialog.get_by_role("button", name="Go").click()
    expect(dialog.get_by_role("alert")).to_have_count(5)
    found["dialog"] = findings(page)
    assert {where: what for where, what in found.items() if what} == {}
