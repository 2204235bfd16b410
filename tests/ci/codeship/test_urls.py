"""Pasted addresses of CodeShip's pages are recognised, and no others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ci.codeship.api import build_page, parse_url, project_page
from bot.core.model.builds import Page

BUILD = Page(project_id="33837", build_id="3277309")
PROJECT = Page(project_id="33837")


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("https://app.codeship.com/projects/33837/builds/3277309", BUILD),
        ("http://app.codeship.com/projects/33837/builds/3277309/", BUILD),
        ("https://app.codeship.com/projects/33837/builds/3277309?pipeline=7c4d#log", BUILD),
        (" HTTPS://APP.CodeShip.com/projects/33837/builds/3277309 ", BUILD),
        ("https://www.codeship.com/projects/33837/builds/3277309", BUILD),
        ("https://codeship.com/projects/33837/builds/3277309", BUILD),
        ("https://www.codeship.io/projects/33837/builds/3277309", BUILD),
        ("app.codeship.com/projects/33837/builds/3277309", BUILD),
        ("https://app.codeship.com/projects/33837", PROJECT),
        ("https://app.codeship.com/projects/33837/", PROJECT),
        ("https://app.codeship.com/projects/33837/builds", PROJECT),
        ("https://app.codeship.com/projects/33837/configure", PROJECT),
        ("https://app.codeship.com/projects/", None),
        ("https://app.codeship.com/projects/acme", None),
        ("https://app.codeship.com/projects/33837x", None),
        ("https://app.codeship.com/projects/٣", None),
        ("https://app.codeship.com/user/edit", None),
        ("https://app.codeship.com:8443/projects/33837", None),
        ("https://app.codeship.com@evil.test/projects/33837", None),
        ("https://evil.test/projects/33837", None),
        ("ftp://app.codeship.com/projects/33837", None),
        ("https://[::1/projects/33837", None),
        ("https://app.codeship.com:x/projects/33837", None),
        ("acme/web", None),
        ("", None),
    ],
)
def test_a_page_names_its_project_and_build(url: str, named: Page | None) -> None:
    assert parse_url(url) == named


@pytest.mark.parametrize("web_url", ["http://127.0.0.1:8080", "https://ci.acme.test/ship/", "https://app.codeship.com"])
def test_the_pages_that_the_bot_links_are_recognised(web_url: str) -> None:
    assert parse_url(project_page(web_url, "33837"), web_url) == PROJECT
    assert parse_url(build_page(web_url, "33837", "3277309"), web_url) == BUILD


def test_another_host_is_recognised_only_by_its_port_and_path() -> None:
    assert parse_url("https://ci.acme.test/projects/1", "https://ci.acme.test/ship") is None
    assert parse_url("https://ci.acme.test:444/ship/projects/1", "https://ci.acme.test/ship") is None


@given(st.text(max_size=60) | st.text(max_size=40).map("https://app.codeship.com/projects/{}".format))
def test_no_text_raises(text: str) -> None:
    parse_url(text)
