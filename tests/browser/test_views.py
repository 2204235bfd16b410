"""The form, its typeahead, the Home and the shortcuts, by keyboard, wide and on a phone. axe finds nothing grave."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from playground.page.server import Site
from tests.browser.acting import act_as, go_to, log, message, say
from tests.browser.conftest import PHONE, WIDE, Opens
from tests.browser.serving import happens
from tests.browser.test_for_everybody import findings

pytestmark = pytest.mark.serial

SIZES = pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])


def choose(page: Page, field: Locator, typed: str, option: str) -> None:
    """By keyboard alone: types, and takes the option with Enter."""
    field.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.type(typed)
    expect(page.get_by_role("option").first).to_have_text(option)
    page.keyboard.press("Enter")
    expect(field).to_have_value(option.partition(" ")[0])


@SIZES
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_form_is_filled_in_by_keyboard(opens: Opens, size: dict[str, int], colours: str) -> None:
    page = opens(size, colours)
    say(page, "/codeship")
    form = page.get_by_role("dialog", name="Check or restart builds")
    repository, branch = form.get_by_role("combobox", name="Repository"), form.get_by_role("combobox", name="Branch")
    expect(repository).to_be_visible()
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_role("alert")).to_have_text("Please complete this required field.")
    found = {"faulty": findings(page)}

    repository.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option").first).to_be_visible()
    found["options"] = findings(page)
    page.keyboard.press("Escape")
    choose(page, repository, "acme/w", "acme/web CodeShip")
    expect(branch).to_have_attribute("placeholder", "All branches")
    choose(page, branch, "mai", "main")
    found["filled in"] = findings(page)
    branch.press("Tab")
    form.get_by_role("button", name="Send").focus()
    page.keyboard.press("Enter")
    expect(form).to_be_hidden()
    expect(message(page, "acme/web main failed")).to_be_visible()
    assert {where: what for where, what in found.items() if what} == {}


@SIZES
def test_a_message_is_restarted_with_its_shortcut(opens: Opens, size: dict[str, int]) -> None:
    page = opens(size)
    say(page, "red: https://github.com/acme/shop/tree/main")
    shortcut = log(page).get_by_role("article").last.get_by_role("button", name="Restart this build")
    shortcut.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Restart this build?")
    expect(dialog).to_contain_text("Restart acme/shop main?")
    assert findings(page) == []
    dialog.get_by_role("button", name="Restart build").press("Enter")
    expect(dialog).to_be_hidden()
    expect(message(page, "acme/shop main restarted")).to_be_visible()


@SIZES
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_home_shows_what_was_used_and_opens_the_form(opens: Opens, size: dict[str, int], colours: str) -> None:
    page = opens(size, colours)
    say(page, "/codeship status acme/web main")
    expect(message(page, "acme/web main failed")).to_be_visible()
    go_to(page, "codeship")
    page.get_by_role("button", name="Home", exact=True).press("Enter")
    home = page.get_by_role("region", name="Home of codeship")
    expect(home).to_contain_text("acme/web main failed")
    expect(home).not_to_contain_text("Refreshing")
    found = findings(page)
    home.get_by_role("button", name="Refresh").press("Enter")
    home.get_by_role("button", name="Choose …").press("Enter")
    form = page.get_by_role("dialog", name="Check or restart builds")
    expect(form.get_by_role("combobox", name="Repository")).to_have_value("acme/web@codeship")
    found += findings(page)
    page.keyboard.press("Escape")
    expect(form).to_be_hidden()
    assert found == []


@SIZES
def test_the_global_shortcut_asks_where(opens: Opens, size: dict[str, int]) -> None:
    page = opens(size)
    shortcuts = page.get_by_role("combobox", name="Shortcuts")
    shortcuts.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", name="Check or restart a build")).to_be_visible()
    assert findings(page) == []
    page.keyboard.press("Enter")
    form = page.get_by_role("dialog", name="Check or restart builds")
    expect(form.get_by_role("combobox", name="Post the result in")).to_have_value("#builds")
    choose(page, form.get_by_role("combobox", name="Repository"), "acme/api", "acme/api CodeShip")
    form.get_by_role("button", name="Send").press("Enter")
    expect(message(page, "acme/api")).to_be_visible()


@SIZES
def test_the_next_step_is_a_button_that_works_by_keyboard(opens: Opens, site: Site, size: dict[str, int]) -> None:
    page = opens(size)
    say(page, "/codeship status acme/web")
    message(page, "3 branches").get_by_role("button", name="Follow").press("Enter")
    expect(message(page, "I’ll update this message until it finishes.")).to_be_visible()
    found = {"a live message": findings(page)}

    act_as(page, "bob")
    say(page, "/codeship status acme/web feature/login")
    pointed = message(page, "The live message shows it until it finishes")
    expect(pointed).to_be_visible()
    found["pointed to it"] = findings(page)
    pointed.get_by_role("button", name="Notify me").press("Enter")
    expect(message(page, "You’ll be notified when it finishes.")).to_be_visible()

    happens(site, "CodeShip is down")
    say(page, "/codeship status acme/api main")
    failed = message(page, "CodeShip is unavailable (502)")
    expect(failed).to_be_visible()
    found["failed"] = findings(page)
    happens(site, "CodeShip is fine")
    failed.get_by_role("button", name="Try again").press("Enter")
    expect(message(page, "acme/api main passed")).to_be_visible()

    say(page, "/codeship use acme/api main")
    expect(message(page, "The default of this channel is now acme/api@codeship main")).to_be_visible()
    go_to(page, "codeship")
    page.get_by_role("button", name="Home", exact=True).press("Enter")
    home = page.get_by_role("region", name="Home of codeship")
    expect(home).to_contain_text("#builds: acme/api@codeship main")
    expect(home).to_contain_text("in #builds · followed")
    found["the Home"] = findings(page)
    assert {where: what for where, what in found.items() if what} == {}


FORM_TREE = """
- dialog "Check or restart builds":
  - banner:
    - heading "Check or restart builds" [level=2]
    - button "Close"
  - group "Check or restart builds":
    - combobox "Action": Status
    - combobox "Repository"
    - combobox "Branch (optional)"
    - paragraph: "The result goes to #builds."
  - contentinfo:
    - button "Cancel"
    - button "Send"
"""
RESTART_TREE = """
- dialog "Restart this build?":
  - banner:
    - heading "Restart this build?" [level=2]
    - button "Close"
  - group "Restart this build?":
    - paragraph: Restart acme/shop main?
  - contentinfo:
    - button "Don’t restart"
    - button "Restart build"
"""
HOME_TREE = """
- region "Home of codeship":
  - button "Open form"
  - button "Refresh"
"""


def test_the_accessibility_tree_names_every_part_of_a_view(opens: Opens) -> None:
    page = opens()
    say(page, "/codeship")
    expect(page.get_by_role("dialog")).to_match_aria_snapshot(FORM_TREE)
    page.get_by_role("dialog").get_by_role("button", name="Cancel").press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()

    say(page, "red: https://github.com/acme/shop/tree/main")
    message(page, "red:").get_by_role("button", name="Restart this build").press("Enter")
    expect(page.get_by_role("dialog")).to_match_aria_snapshot(RESTART_TREE)
    page.get_by_role("dialog").get_by_role("button", name="Don’t restart").press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()

    go_to(page, "codeship")
    page.get_by_role("button", name="Home", exact=True).press("Enter")
    expect(page.get_by_role("region", name="Home of codeship")).to_match_aria_snapshot(HOME_TREE)


@SIZES
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_a_channel_is_subscribed_and_its_subscription_changed_by_keyboard(
    opens: Opens, size: dict[str, int], colours: str
) -> None:
    page = opens(size, colours)
    say(page, "/codeship subscribe")
    form = page.get_by_role("dialog", name="Subscribe to builds")
    form.get_by_role("textbox", name="Repositories").focus()
    page.keyboard.type("acme/web acme/a?b")
    page.keyboard.press("Tab")
    page.keyboard.type("main")
    page.keyboard.press("Tab")
    still = form.get_by_role("checkbox", name="It is still broken")
    for _event in range(2):
        page.keyboard.press("Tab")
    expect(still).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(form.get_by_role("alert")).to_contain_text("“acme/a?b” is not a pattern")
    found = {"faulty": findings(page)}
    form.get_by_role("textbox", name="Repositories").fill("acme/web")
    form.get_by_role("button", name="Subscribe").press("Enter")
    expect(form).to_be_hidden()
    expect(message(page, "Subscribed to acme/web")).to_contain_text("main · broke, fixed, still")

    say(page, "/codeship subscriptions")
    message(page, "2 subscriptions").get_by_role("button", name="Change #2").press("Enter")
    form = page.get_by_role("dialog", name="Change subscription")
    expect(form.get_by_role("textbox", name="Repositories")).to_have_value("acme/web")
    expect(form.get_by_role("checkbox", name="It is still broken")).to_be_checked()
    found["filled in"] = findings(page)
    form.get_by_role("textbox", name="Branches").fill("")
    form.get_by_role("button", name="Change").press("Enter")
    expect(form).to_be_hidden()
    expect(message(page, "changed: acme/web")).to_contain_text("default branch · broke, fixed, still")
    assert {where: what for where, what in found.items() if what} == {}
