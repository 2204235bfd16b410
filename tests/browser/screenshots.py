"""`make screenshots`: the README's pictures, from a real conversation with the real bot and a fixed clock.

The text repeats exactly. The pixels depend on the system's fonts (emoji: Noto Color Emoji).
"""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

from playground.pace import BuildPace
from playground.page.server import Site
from tests.browser.acting import act_as, log, message, press, press_and_say_yes, say
from tests.browser.chromium import chromium
from tests.browser.serving import happens, later, playground

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
WIDTH, HEIGHT = 1000, 1400
SCALE = 1.5
MARGIN = 12


def restart(page: Page, site: Site) -> bytes:
    """Ada restarts a failed build, Bob requests the same, and the build passes."""
    answers = log(page).get_by_role("article")
    site.sessions.current.stage.codeship.pace = BuildPace(runs_s=600)  # so that no build finishes by itself meanwhile
    say(page, "/codeship status acme/web main")
    expect(answers).to_have_count(1)
    press_and_say_yes(page, "failed", "Restart")
    expect(message(page, "restarted")).to_be_visible()
    later(site, 8)
    act_as(page, "bob")
    say(page, "/codeship restart acme/web main")
    expect(answers).to_have_count(2)
    happens(site, "acme/web main starts")
    later(site, 233)
    happens(site, "acme/web main passes")
    later(site, 4)
    expect(message(page, "flaky")).to_be_visible()
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(0, 0)
    return page.screenshot(animations="disabled", clip=conversation(page))


def notification(page: Page, site: Site) -> bytes:
    return beneath_each_other(page, broken_and_fixed(page, site))


def broken_and_fixed(page: Page, site: Site) -> list[tuple[str, bytes]]:
    """A push breaks main, Ada takes it on, and the channel hears of the fix: one message, three times."""
    site.sessions.current.stage.codeship.pace = BuildPace(runs_s=600)
    pushed(site, "bob", "Sort by date", "fails", after_s=95)
    first = message(page, "acme/api main broke")
    expect(first).to_be_visible()
    taken = [("main breaks", shot(page, first))]
    press(page, "acme/api main broke", "I’m on it")
    expect(first).to_contain_text("is on it")
    page.get_by_role("article").filter(has_text="You’re on it").wait_for()
    taken.append(("Ada presses “I’m on it”", shot(page, first)))
    pushed(site, "ada", "Sort by name again", "passes", after_s=480)
    reply = log(page).get_by_role("article").filter(has_text="replied to a thread")
    expect(reply).to_be_visible()
    fixed = log(page).get_by_role("article").filter(has_text="fixed after").first
    return [
        *taken,
        ("main is fixed: the message changes, and the channel hears of it", shot(page, fixed)),
        ("", shot(page, reply)),
    ]


def pushed(site: Site, who: str, message: str, ends: str, *, after_s: float) -> None:
    """A push to acme/api is built, and ends so after so many seconds."""
    happens(site, f"{who} pushes acme/api main “{message}”")
    happens(site, "acme/api main starts")
    later(site, after_s)
    happens(site, f"acme/api main {ends}")
    later(site, 4)


def shot(page: Page, message: Locator) -> bytes:
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(0, 0)
    return message.screenshot(animations="disabled")


def beneath_each_other(page: Page, frames: Sequence[tuple[str, bytes]]) -> bytes:
    """The pictures in one, each under its words."""
    look = page.evaluate("(({color, backgroundColor}) => [color, backgroundColor])(getComputedStyle(document.body))")
    urls = [(escape(words), f"data:image/png;base64,{b64encode(taken).decode()}") for words, taken in frames]
    empty = page.context.new_page()  # the playground's own page shows no pictures of others
    empty.set_content(
        f"<!doctype html><style>body {{ margin: 0; padding: 0 0 12px; width: max-content; color: {look[0]};"
        f" background: {look[1]}; font: 15px system-ui }} img {{ display: block; zoom: {1 / SCALE} }}"
        " p { margin: 0; padding: 16px 20px 8px; opacity: 0.75 } p:empty { display: none }</style>"
        + "".join(f"<p>{words}</p><img src='{url}'>" for words, url in urls)
    )
    empty.wait_for_function("[...document.images].every((image) => image.complete)")
    return empty.locator("body").screenshot()


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


def picture(browser: Browser, colours: str, plays: Callable[[Page, Site], bytes]) -> bytes:
    with playground() as site:
        context = browser.new_context(
            viewport={"width": WIDTH, "height": HEIGHT},
            device_scale_factor=SCALE,
            color_scheme=colours,
            timezone_id="UTC",
            locale="en-GB",
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.goto(site.url)
        page.evaluate("document.fonts.ready")
        taken = plays(page, site)
        context.close()
        return taken


def main() -> int:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name, plays in (("restart", restart), ("notification", notification)):
            for colours in ("light", "dark"):
                path = PICTURES / f"{name}-{colours}.png"
                path.write_bytes(picture(browser, colours, plays))
                sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
