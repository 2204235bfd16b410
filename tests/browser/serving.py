"""The playground for a browser."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from playground.page.server import Site
from playground.play.sessions import NOON, Sessions
from tests.playground.page.page_client import Page


@contextmanager
def playground() -> Iterator[Site]:
    """With a fixed time, and started on its own thread.

    Playwright has a running event loop in this one, and the bot's jobs refuse to start there.
    """
    site = Site(Sessions(held_at=NOON, pause_s=0.05), port=0)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(site.start).result()
        try:
            yield site
        finally:
            thread.submit(site.stop).result()


def happens(site: Site, words: str) -> None:
    """Triggers a simulated event as the page does: not from this thread, for the reason above."""
    Page(site).does("wave", words=words)


def later(site: Site, seconds: float) -> None:
    Page(site).does("later", seconds=seconds)
