"""The playground in a real browser, as a person uses it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from slack_sdk import WebClient

from playground.page.server import Site
from playground.play.scenes import SCENES
from playground.sandbox import BOT_TOKEN
from tests.browser.acting import act_as, go_to, log, message, press, press_and_say_yes, say
from tests.browser.conftest import PHONE, WIDE, Opens
from tests.browser.serving import happens, later

pytestmark = pytest.mark.serial

FAILED = "failed in 4m"

each_size = pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@each_size
def test_a_failed_build_is_restarted_and_watched_to_its_end(opens: Opens, site: Site, size: dict[str, int]) -> None:
    page = opens(size)
    say(page, "/codeship status acme/web main")
    expect(message(page, FAILED)).to_contain_text("finished 7 min ago")
    expect(message(page, FAILED)).to_contain_text("“Fix login on slow networks” by ada")
    press_and_say_yes(page, FAILED, "Restart")
    expect(message(page, "acme/web main restarted")).to_be_visible()

    happens(site, "acme/web main starts")
    later(site, 30)
    say(page, "/codeship status acme/web main")
    expect(message(page, "acme/web main running")).to_contain_text("requested by @ada")
    happens(site, "acme/web main passes")
    later(site, 4)  # a live message changes at most once in three seconds
    live = message(page, "passed in 30s")
    expect(live).to_contain_text("flaky")  # it changed by itself: one failed run and one that passed, of one commit
    expect(log(page)).not_to_contain_text("acme/web main restarted")
    press(page, "acme/web main running", "Refresh")
    expect(log(page)).not_to_contain_text("acme/web main running")
    assert fits(page)


@each_size
def test_the_page_says_that_it_is_a_sandbox(opens: Opens, size: dict[str, int]) -> None:
    page = opens(size)
    expect(page.get_by_role("banner").filter(has_text="Sandbox")).to_contain_text("simulated on this machine")
    assert fits(page)


@each_size
def test_a_button_with_a_dialog_acts_only_after_yes(opens: Opens, site: Site, size: dict[str, int]) -> None:
    page = opens(size)
    say(page, "/codeship status acme/web main")
    expect(message(page, FAILED)).to_be_visible()
    stage = site.sessions.current.stage
    (status,) = [it for it in stage.workspace.conversations.everything() if it.bot_id]
    blocks = [dict(block) for block in status.blocks]
    actions = next(block for block in blocks if block["type"] == "actions")
    (restart, *rest) = actions["elements"]
    confirm = {
        "title": plain("Restart main?"),
        "text": plain("It runs again."),
        "confirm": plain("Yes, restart"),
        "deny": plain("Leave it"),
    }
    actions["elements"] = [{**restart, "text": plain("Restart …"), "confirm": confirm}, *rest]
    client = WebClient(BOT_TOKEN, base_url=stage.slack.api_url)
    client.chat_update(channel=status.channel_id, ts=status.ts, text=status.text, blocks=blocks)
    build = stage.codeship.newest("acme/web")

    press(page, FAILED, "Restart …")
    dialog = page.get_by_role("dialog", name="Restart main?")
    dialog.get_by_role("button", name="Leave it").click()
    expect(dialog).to_be_hidden()
    press(page, FAILED, "Restart …")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert stage.codeship.restarts_asked(build) == 0

    press(page, FAILED, "Restart …")
    dialog.get_by_role("button", name="Yes, restart").click()
    expect(message(page, "acme/web main restarted")).to_be_visible()
    assert stage.codeship.restarts_asked(build) == 1


@each_size
def test_a_mention_is_answered_in_its_thread_and_the_thread_goes_on(opens: Opens, size: dict[str, int]) -> None:
    page = opens(size)
    say(page, "@codeship status acme/web main")
    message(page, "@codeship status").get_by_role("button", name="1 reply").click()
    thread = page.get_by_role("complementary", name="Thread")
    expect(thread.get_by_role("article")).to_have_count(2)
    reply = thread.get_by_role("textbox", name="Reply")
    reply.fill("@codeship builds acme/web main")
    reply.press("Enter")
    expect(thread.get_by_role("article")).to_have_count(4)
    expect(thread.get_by_role("article").last).to_contain_text("the last 3 builds")
    assert fits(page)
    thread.get_by_role("button", name="Close Thread").click()
    expect(page.get_by_role("button", name="3 replies")).to_be_visible()


@each_size
def test_an_ephemeral_message_is_seen_by_one_person_only(opens: Opens, size: dict[str, int]) -> None:
    page = opens(size)
    say(page, "/codeship help")
    expect(message(page, "Check and restart CI builds")).to_contain_text("Only visible to you")
    act_as(page, "bob")
    expect(page.get_by_placeholder("Message #builds as bob")).to_be_visible()
    expect(message(page, "Check and restart CI builds")).to_be_hidden()
    act_as(page, "ada")
    expect(message(page, "Check and restart CI builds")).to_be_visible()


def test_each_person_has_the_channels_that_they_are_in(opens: Opens) -> None:
    page = opens()
    channels = page.get_by_role("navigation").locator("button.channel")
    expect(channels).to_have_text(["#builds", "#random", "🔒secret", "codeship", "Bbob"])
    go_to(page, "secret")
    act_as(page, "guest")
    expect(channels).to_have_text(["#builds", "codeship"])
    expect(page.get_by_role("heading", level=1)).to_have_text("#builds")


def test_a_direct_message_needs_no_mention(opens: Opens) -> None:
    page = opens()
    go_to(page, "codeship")
    say(page, "status acme/web main")
    message(page, "status acme/web main").get_by_role("button", name="1 reply").or_(
        message(page, FAILED)
    ).first.wait_for()


def test_a_bot_that_is_no_member_still_answers(opens: Opens) -> None:
    page = opens()
    go_to(page, "random")
    say(page, "/codeship status acme/web main")
    expect(message(page, FAILED)).to_be_visible()


def test_a_channel_with_news_is_marked(opens: Opens, site: Site) -> None:
    page = opens()
    site.sessions.current.stage.workspace.types("bob", "#random", "lunch?")
    expect(page.get_by_role("button", name=re.compile("random.*unread"))).to_be_visible()
    go_to(page, "random")
    go_to(page, "builds")
    expect(page.get_by_role("button", name=re.compile("unread"))).to_have_count(0)


# Writing


def test_enter_sends_and_shift_enter_adds_a_line(opens: Opens) -> None:
    page = opens()
    composer = page.get_by_role("textbox", name="Message")
    composer.press_sequentially("one")
    composer.press("Shift+Enter")
    composer.press_sequentially("two")
    expect(composer).to_have_value("one\ntwo")
    composer.press("Enter")
    expect(composer).to_have_value("")
    expect(message(page, "one")).to_contain_text("two")


def test_commands_are_completed_by_keyboard(opens: Opens) -> None:
    page = opens()
    composer = page.get_by_role("textbox", name="Message")
    composer.press_sequentially("/code")
    offers = page.get_by_role("listbox", name="Completions").get_by_role("option")
    expect(offers.first).to_contain_text("/codeship status <repo> [branch]")
    composer.press("ArrowDown")
    composer.press("ArrowDown")
    expect(offers.nth(1)).to_have_attribute("aria-selected", "true")
    composer.press("Enter")
    expect(composer).to_have_value("/codeship restart ")
    composer.fill("/codeship s")
    composer.press("Tab")
    expect(composer).to_have_value("/codeship status ")
    expect(offers).to_have_count(0)


def test_mentions_are_completed_by_click_and_closed_by_escape(opens: Opens) -> None:
    page = opens()
    composer = page.get_by_role("textbox", name="Message")
    composer.press_sequentially("please @")
    offers = page.get_by_role("listbox", name="Completions").get_by_role("option")
    expect(offers).to_have_count(4)
    offers.filter(has_text="@codeship").click()
    expect(composer).to_have_value("please @codeship ")
    composer.press_sequentially("@b")
    expect(offers).to_have_count(1)
    composer.press("Escape")
    expect(offers).to_have_count(0)


def test_a_complete_line_is_sent_despite_suggestions(opens: Opens) -> None:
    page = opens()
    say(page, "/codeship help")
    expect(message(page, "Check and restart CI builds")).to_be_visible()


def test_a_command_that_slack_does_not_know_is_answered_by_slackbot(opens: Opens) -> None:
    page = opens()
    say(page, "/deploy")
    expect(message(page, "/deploy is not a valid command.")).to_contain_text("slackbot")


def test_typed_text_is_shown_and_never_executed(opens: Opens) -> None:
    page = opens()
    text = "<img src=x onerror=alert(1)> <script>alert(2)</script> fix/a&b#c *as it is* `code` &amp;"
    say(page, text)
    expect(message(page, "onerror")).to_contain_text(text.replace("`", ""))
    assert page.locator("article img[src=x], article script").count() == 0


# What apps can show


def test_a_menu_is_typed_into_and_a_dialog_filled_in(opens: Opens, site: Site) -> None:
    page = opens()
    stage = site.sessions.current.stage
    client = WebClient(BOT_TOKEN, base_url=stage.slack.api_url)
    options = [{"text": plain(word), "value": word} for word in ("main", "feature/login", "release/1.2.io")]
    menu = {"type": "static_select", "action_id": "branch", "placeholder": plain("Branch"), "options": options}
    client.chat_postMessage(channel="C0BUILDS", text="x", blocks=[{"type": "actions", "elements": [menu]}])
    page.get_by_role("combobox", name="Branch").click()
    page.keyboard.type("rel")
    expect(page.get_by_role("option")).to_have_text(["release/1.2.io"])
    page.keyboard.press("Enter")
    assert stage.workspace.wait_until(lambda: len(stage.workspace.deliveries) == 1)
    (action,) = stage.workspace.deliveries[0].payload["actions"]
    assert action["selected_option"]["value"] == "release/1.2.io"

    element = {"type": "plain_text_input", "action_id": "name"}
    view = {
        "type": "modal",
        "title": plain("Follow a branch"),
        "submit": plain("Follow"),
        "blocks": [{"type": "input", "block_id": "b", "label": plain("Branch"), "element": element}],
    }
    client.views_open(trigger_id=stage.workspace.deliveries[0].payload["trigger_id"], view=view)
    dialog = page.get_by_role("dialog", name="Follow a branch")
    dialog.get_by_role("button", name="Follow").click()
    expect(dialog.get_by_role("alert")).to_have_text("Please complete this required field.")
    dialog.get_by_role("textbox", name="Branch").fill("main")
    # The bot opens no such dialog, and takes no such submission: Slack's own words for that.
    dialog.get_by_role("button", name="Follow").click()
    expect(dialog.get_by_role("alert")).to_have_text("We had some trouble connecting. Try again?")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


# Traffic, simulated events, scenes and replays


@each_size
def test_traffic_shows_each_request_and_its_response(opens: Opens, size: dict[str, int]) -> None:
    page = opens(size)
    expect(page.get_by_role("complementary", name="Traffic")).to_be_hidden()
    say(page, "/codeship status acme/web main")
    expect(message(page, FAILED)).to_be_visible()
    page.get_by_role("button", name="Traffic").click()
    traffic = page.get_by_role("complementary", name="Traffic")
    traffic.get_by_role("button", name="bot → CodeShip").click()
    asked = traffic.locator("details").filter(has_text="GET /api/v1/projects/33801.json").first
    expect(asked).to_contain_text(re.compile(r"200 [\d.]+ ms"))
    asked.locator("summary").click()
    expect(asked.get_by_label("Request", exact=True).locator("pre")).to_contain_text('"api_key": "[redacted]"')
    expect(asked.get_by_label("Response", exact=True).locator("pre")).to_contain_text('"status": "error"')
    traffic.get_by_role("button", name="Slack → bot").click()
    sent = traffic.locator("details").filter(has_text="/codeship status acme/web main")
    expect(sent).to_contain_text(re.compile(r"200 [\d.]+ ms"))
    assert fits(page)


@each_size
def test_events_at_codeship_are_simulated(opens: Opens, size: dict[str, int]) -> None:
    page = opens(size)
    page.get_by_role("button", name="Simulate").click()
    panel = page.get_by_role("complementary", name="Simulate")
    panel.get_by_role("combobox", name="Repository").select_option("acme/docs")
    panel.get_by_role("textbox", name="Commit").fill("Say “more”")
    panel.get_by_role("button", name="Push", exact=True).click()
    panel.get_by_role("button", name="Start acme/docs main").click()
    panel.get_by_role("button", name="Fail acme/docs main").click()
    expect(panel.get_by_role("button", name="Fail acme/docs main")).to_have_count(0)
    panel.get_by_role("button", name="Close Simulate").click()
    say(page, "/codeship status acme/docs main")
    expect(message(page, 'Say "more"')).to_be_visible()

    page.get_by_role("button", name="Simulate").click()
    down = panel.get_by_role("group", name="CodeShip status").get_by_role("button", name="Down", exact=True)
    down.click()
    expect(down).to_have_attribute("aria-pressed", "true")
    panel.get_by_role("button", name="Close Simulate").click()
    say(page, "/codeship status acme/web main")
    expect(message(page, "is unavailable (502)").get_by_role("button", name="Try again")).to_be_visible()


@each_size
def test_events_on_github_are_simulated(opens: Opens, site: Site, size: dict[str, int]) -> None:
    page = opens(size)
    page.get_by_role("button", name="Simulate").click()
    panel = page.get_by_role("complementary", name="Simulate")
    panel.get_by_role("combobox", name="Repository").select_option("acme/billing")
    panel.get_by_role("button", name="Push", exact=True).click()
    panel.get_by_role("button", name="Start CI of acme/billing main").click()
    panel.get_by_role("combobox", name="Where CI of acme/billing main fails").select_option("build, Build")
    panel.get_by_role("button", name="Fail CI of acme/billing main").click()
    panel.get_by_role("button", name="Cancel CI of acme/mobile main").click()
    runs = panel.get_by_role("region", name="GitHub workflow runs").get_by_role("listitem")
    expect(runs.filter(has_text="acme/mobile main")).to_contain_text("CI · cancelled")
    panel.get_by_role("button", name="Close Simulate").click()
    say(page, "/codeship status acme/billing main")
    expect(message(page, "acme/billing")).to_contain_text("build, step “Build”")
    assert fits(page)

    page.get_by_role("button", name="Simulate").click()
    panel.get_by_role("button", name="Re-run CI of acme/billing main").click()
    expect(runs.filter(has_text="acme/billing main")).to_contain_text("attempt 2")
    limit = panel.get_by_role("group", name="GitHub status").get_by_role("button", name="Rate limited")
    limit.click()
    expect(limit).to_have_attribute("aria-pressed", "true")
    panel.get_by_role("button", name="Close Simulate").click()
    say(page, "/codeship status acme/billing main")
    expect(message(page, "rate limit is reached")).to_be_visible()

    page.get_by_role("button", name="Traffic").click()
    traffic = page.get_by_role("complementary", name="Traffic")
    traffic.get_by_role("button", name="GitHub → bot").click()
    told = traffic.locator("details").filter(has_text="POST workflow_run completed").first
    expect(told).to_contain_text(re.compile(r"202 [\d.]+ ms"))
    traffic.get_by_role("button", name="bot → GitHub").click()
    asked = traffic.locator("details").filter(has_text="GET /repos/acme/billing/actions/runs").last
    asked.locator("summary").click()
    expect(asked.get_by_label("Request", exact=True).locator("pre")).to_contain_text('"Authorization": "[redacted]"')
    assert fits(page)


def test_a_request_can_be_redelivered_once_there_is_one(opens: Opens) -> None:
    page = opens()
    page.get_by_role("button", name="Simulate").click()
    panel = page.get_by_role("complementary", name="Simulate")
    expect(panel.get_by_role("button", name="Redeliver the last request")).to_be_disabled()
    say(page, "/codeship status acme/web main")
    expect(message(page, FAILED)).to_be_visible()
    panel.get_by_role("button", name="Redeliver the last request").click()
    expect(log(page).get_by_role("article")).to_have_count(1)


@pytest.mark.parametrize("name", [scene.name for scene in SCENES])
def test_a_scene_plays_by_itself(opens: Opens, name: str) -> None:
    page = opens()
    say(page, "before the scene")
    page.get_by_role("button", name="Simulate").click()
    page.get_by_role("button", name=name).click()
    scene = page.get_by_role("region", name="Scene", exact=True)
    expect(scene).to_contain_text("Finished.")
    expect(log(page)).not_to_contain_text("before the scene")
    scene.get_by_role("button", name="Leave").click()
    expect(scene).to_be_hidden()
    expect(log(page).get_by_role("article")).to_have_count(0)


@each_size
def test_a_transcript_is_replayed_step_by_step(opens: Opens, size: dict[str, int]) -> None:
    page = opens(size)
    page.get_by_role("button", name="Simulate").click()
    page.get_by_role("combobox", name="Conversation").select_option("status")
    page.get_by_role("button", name="Replay", exact=True).click()
    if size is PHONE:
        expect(page.get_by_role("complementary", name="Simulate")).to_be_hidden()
    replay = page.get_by_role("region", name="Replay")
    for number in (1, 2):
        replay.get_by_role("button", name="Next step").click()
        expect(replay).to_contain_text(re.compile(rf"step {number} of \d+ · ✓ matches"))
    expect(message(page, "feature/login")).to_contain_text("running")
    assert fits(page)


# Appearance


def test_the_theme_follows_the_system_and_a_button_switches_it(opens: Opens) -> None:
    page = opens(WIDE, "dark")
    html = page.locator("html")
    expect(html).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Light colours").click()
    expect(html).to_have_attribute("data-theme", "light")
    page.reload()
    expect(html).to_have_attribute("data-theme", "light")


def test_a_reloaded_page_shows_the_conversation(opens: Opens) -> None:
    page = opens()
    say(page, "/codeship status acme/web main")
    expect(message(page, FAILED)).to_be_visible()
    page.reload()
    expect(message(page, FAILED)).to_be_visible()
    expect(page.get_by_text("ada typed /codeship status acme/web main")).to_be_visible()


def test_a_reply_that_the_channel_shows_too_leads_to_its_thread(opens: Opens, site: Site) -> None:
    page = opens()
    for words in ("bob pushes acme/api main “Sort by date”", "acme/api main fails"):
        happens(site, words)
    later(site, 8)
    for words in ("ada pushes acme/api main “Sort by name”", "acme/api main passes"):
        happens(site, words)
    later(site, 8)
    reply = log(page).get_by_role("article").filter(has_text="replied to a thread")
    expect(reply).to_contain_text("acme/api main fixed")
    reply.get_by_role("button", name="acme/api main fixed").press("Enter")
    thread = page.get_by_role("log", name="Thread")
    expect(thread.get_by_role("article")).to_have_count(3)  # with the question who bob is
    expect(thread).not_to_contain_text("replied to a thread")
