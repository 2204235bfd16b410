"""`make screenshots`: the README's pictures, from a real conversation with the real bot and a fixed clock.

The text repeats exactly. The pixels depend on the system's fonts (emoji: Noto Color Emoji).
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Browser, FloatRect, Page, expect

from playground.pace import BuildPace
from playground.page.server import Site
from tests.browser.acting import act_as, log, message, press_and_say_yes, say
from tests.browser.chromium import chromium
from tests.browser.serving import happens, later, playground

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
WIDTH, HEIGHT = 1000, 1400
MARGIN = 12


def restart(page: Page, site: Site) -> None:
    """Ada restarts a failed build, Bob requests the same, and the build passes."""
    answers = log(page).get_by_role("article")
    site.sessions.current.stage.codeship.pace = BuildPace(runs_s=600)  # so that no build finishes by itself meanwhile
    say(page, "/codeship status acme/web main")
    expect(answers).to_have_count(1)
    press_and_say_yes(page, "failed", "Restart")
    expect(answers).to_have_count(2)
    later(site, 8)
    act_as(page, "bob")
    say(page, "/codeship restart acme/web main")
    expect(answers).to_have_count(3)
    happens(site, "acme/web main starts")
    later(site, 233)
    happens(site, "acme/web main passes")
    later(site, 4)
    expect(message(page, "flaky")).to_be_visible()


def conversation(page: Page) -> FloatRect:
    """The part of the page from the first command to the last message, without sidebar and composer."""
    top = page.locator(".typed").first.bounding_box()
    bottom = log(page).get_by_role("article").last.bounding_box()
    around = log(page).bounding_box()
    assert top is not None
    assert bottom is not None
    assert around is not None
    y = max(top["y"] - MARGIN, around["y"])
    end = min(bottom["y"] + bottom["height"] + MARGIN, around["y"] + around["height"])
    return {"x": around["x"], "y": y, "width": around["width"], "height": end - y}


def picture(browser: Browser, colours: str) -> bytes:
    with playground() as site:
        context = browser.new_context(
            viewport={"width": WIDTH, "height": HEIGHT},
            device_scale_factor=1.5,
            color_scheme=colours,
            timezone_id="UTC",
            locale="en-GB",
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.goto(site.url)
        page.evaluate("document.fonts.ready")
        restart(page, site)
        page.evaluate("document.activeElement.blur()")
        page.mouse.move(0, 0)
        taken = page.screenshot(animations="disabled", clip=conversation(page))
        context.close()
        return taken


def main() -> int:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for colours in ("light", "dark"):
            path = PICTURES / f"restart-{colours}.png"
            path.write_bytes(picture(browser, colours))
            sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
