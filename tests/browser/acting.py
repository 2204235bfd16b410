"""Helpers that do what a person does on the page."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect


def say(page: Page, text: str) -> None:
    composer = page.get_by_role("textbox", name="Message")
    composer.fill(text)
    composer.press("Enter")


def log(page: Page) -> Locator:
    return page.get_by_role("log", name="Messages in")


def message(page: Page, text: str) -> Locator:
    """The last message with this text."""
    return log(page).get_by_role("article").filter(has_text=text).last


def press(page: Page, text: str, label: str) -> None:
    """Presses the button of the last message with `text`."""
    message(page, text).get_by_role("button", name=label, exact=True).click()


def act_as(page: Page, name: str) -> None:
    drawer = page.get_by_role("button", name="Channels", exact=True)
    is_narrow = drawer.is_visible()
    if is_narrow:
        drawer.click()
    page.get_by_role("radio", name=name).check()
    if is_narrow:
        page.get_by_role("button", name="Close the channel list").click(position={"x": 370, "y": 400})


def go_to(page: Page, channel: str) -> None:
    drawer = page.get_by_role("button", name="Channels", exact=True)
    if drawer.is_visible():
        drawer.click()
    page.get_by_role("navigation").get_by_role("button", name=re.compile(rf"^\W*{channel}")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(channel))


def press_and_say_yes(page: Page, text: str, label: str) -> None:
    """Presses the button, and confirms if a dialog asks."""
    press(page, text, label)
    if page.evaluate("document.querySelector('dialog[open]') !== null"):
        page.get_by_role("dialog").locator(".primary, .danger").click()
