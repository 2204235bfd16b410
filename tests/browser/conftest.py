"""A browser with the playground. Without a browser the tests are skipped, but in CI they must run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from playground.page.server import Site
from tests.browser.chromium import chromium, found
from tests.browser.serving import playground

WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}

# The browser and the playground are on this machine, so anything slower will not come.
PATIENCE_MS = 15_000


@pytest.fixture(scope="module")  # no longer: its event loop would run in this thread while other tests do
def browser() -> Iterator[Browser]:
    if found(os.environ) is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium is installed: .ci/run brings it")
        pytest.skip("no Chromium is installed (apt-get install chromium), and CHROMIUM names none")
    expect.set_options(timeout=PATIENCE_MS)
    with chromium() as browser:
        yield browser


@pytest.fixture
def site() -> Iterator[Site]:
    with playground() as site:
        yield site


Opens = Callable[..., Page]


@pytest.fixture
def opens(browser: Browser, site: Site) -> Iterator[Opens]:
    """Opens the playground: `opens(PHONE, "dark")`. At the end, no page may have complained."""
    complaints: list[str] = []
    contexts = []

    def opened(size: dict[str, int] = WIDE, colours: str = "light") -> Page:
        is_phone = size is PHONE
        context = browser.new_context(
            viewport=size,
            color_scheme=colours,
            timezone_id="UTC",
            locale="en-GB",
            reduced_motion="reduce",
            has_touch=is_phone,
            is_mobile=is_phone,
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda it: complaints.append(it.url) if not it.url.startswith(site.url) else None)
        page.goto(site.url)
        page.get_by_role("textbox", name="Message").wait_for()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
