"""`make screenshots`: the README's pictures, made from real conversations with the real bot, time held.

What they show repeats itself word by word; the pixels are the system's fonts' (emoji: Noto Color Emoji).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from playground.pace import BuildPace
from playground.page.server import Site
from tests.browser.acting import act_as, message, press_and_say_yes, say
from tests.browser.chromium import chromium
from tests.browser.serving import happens, later, playground

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
WIDTH, HEIGHT = 1000, 900
FAILED = "failed after 4 min 07 s"


def status(page: Page, _site: Site) -> None:
    say(page, "/codeship status acme/web main")
    expect(message(page, FAILED)).to_be_visible()
    say(page, "@codeship builds acme/web main")
    page.get_by_role("button", name="1 reply").click()
    thread = page.get_by_role("complementary", name="Thread")
    expect(thread.get_by_role("article")).to_have_count(2)


def restart(page: Page, site: Site) -> None:
    site.sessions.current.stage.codeship.pace = BuildPace(runs_s=600)  # so that no build ends by itself meanwhile
    say(page, "/codeship status acme/web main")
    press_and_say_yes(page, FAILED, "Restart")
    expect(message(page, "ada restarted acme/web")).to_be_visible()
    later(site, 8)
    act_as(page, "bob")
    say(page, "/codeship restart acme/web main")
    expect(message(page, "already restarted by @ada 8 s ago")).to_be_visible()
    happens(site, "acme/web main starts")
    later(site, 233)
    happens(site, "acme/web main passes")
    later(site, 4)
    expect(message(page, "passed after 4 min 01 s")).to_contain_text("flaky")


def error(page: Page, site: Site) -> None:
    say(page, "/codeship status acme/web main")
    expect(message(page, FAILED)).to_be_visible()
    happens(site, "CodeShip is down")
    later(site, 240)
    say(page, "/codeship status acme/web main")
    expect(message(page, "What I saw last, 4 min ago")).to_be_visible()


SCENES: dict[str, Callable[[Page, Site], None]] = {"status": status, "restart": restart, "error": error}


def cut(page: Page) -> None:
    """Makes the window as high as the conversation is, from its first command on."""
    above = page.evaluate(
        """() => document.querySelector(".typed").getBoundingClientRect().top
            - document.querySelector("[role=log]").getBoundingClientRect().top"""
    )
    page.set_viewport_size({"width": page.viewport_size["width"], "height": round(HEIGHT - above + 8)})


def taken(browser: Browser, name: str, colours: str) -> bytes:
    with playground() as site:
        context = browser.new_context(
            viewport={"width": WIDTH + 200 * (name == "status"), "height": HEIGHT},
            device_scale_factor=1.5,
            color_scheme=colours,
            timezone_id="UTC",
            locale="en-GB",
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.goto(site.url)
        page.evaluate("document.fonts.ready")
        SCENES[name](page, site)
        page.evaluate("document.activeElement.blur()")
        page.mouse.move(0, 0)
        if name == "status":
            page.set_viewport_size({"width": WIDTH + 200, "height": 560})  # as high as its thread needs
        else:
            cut(page)
        picture = page.screenshot(animations="disabled")
        context.close()
        return picture


def main() -> int:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name in SCENES:
            for colours in ("light", "dark"):
                path = PICTURES / f"{name}-{colours}.png"
                path.write_bytes(taken(browser, name, colours))
                sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
