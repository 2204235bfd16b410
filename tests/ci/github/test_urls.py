"""URLs of GitHub's pages are derived from the API's, and parsed when people paste them; others are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ci.github.urls import checks_page, parse_url, web_url
from bot.core.model.builds import Page

RUN = Page(name="acme/web", build_id="19440221001")
REPOSITORY = Page(name="acme/web")
SHA = "96943dc5269634c211b6fbb18896ecdcbd40a047"
PAGES = "https://github.com/acme/web"


@pytest.mark.parametrize(
    ("api", "web"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
        ("https://git.acme.test/api/v3", "https://git.acme.test"),
        ("https://git.acme.test:8443/api/v3/", "https://git.acme.test:8443"),
        ("http://127.0.0.1:8080", "https://github.com"),
        ("https://proxy.acme.test/github", "https://github.com"),
    ],
)
def test_pages_are_found_next_to_the_api(api: str, web: str) -> None:
    assert web_url(api) == web


@pytest.mark.parametrize(
    ("url", "named"),
    [
        (f"{PAGES}/actions/runs/19440221001", RUN),
        (f"{PAGES}/actions/runs/19440221001/", RUN),
        (f"{PAGES}/actions/runs/19440221001?pr=7#summary", RUN),
        (f"{PAGES}/actions/runs/19440221001/attempts/2", RUN),
        (f"{PAGES}/actions/runs/19440221001/attempts/2#artifacts", RUN),
        (f"{PAGES}/actions/runs/19440221001/job/54001700001#step:3:14", RUN),
        (f"{PAGES}/actions/runs/19440221001/workflow", RUN),
        (" HTTPS://GitHub.com/acme/web/actions/runs/19440221001 ", RUN),
        ("http://www.github.com/acme/web/actions/runs/19440221001", RUN),
        ("github.com/acme/web/actions/runs/19440221001", RUN),
        (f"{PAGES}/actions", REPOSITORY),
        (f"{PAGES}/actions/", REPOSITORY),
        (f"{PAGES}/actions/workflows/ci.yml", REPOSITORY),
        (f"{PAGES}/actions/workflows/ci.yml?query=branch%3Adev", Page(name="acme/web", branch="dev")),
        (f"{PAGES}/actions?query=event%3Apush+branch%3Afix%2F1", Page(name="acme/web", branch="fix/1")),
        (f"{PAGES}/actions?query=branch%3A%22a%3Db%22", Page(name="acme/web", branch="a=b")),
        (f"{PAGES}/actions?query=branch%3A", Page(name="acme/web", is_unclear=True)),
        (f"{PAGES}/actions/caches", None),
        (f"{PAGES}/actions/runs/", REPOSITORY),
        (f"{PAGES}/commit/{SHA}/checks", Page(name="acme/web", commit=SHA)),
        (f"{PAGES}/pull/12/checks", Page(name="acme/web", pull_request=12)),
        (PAGES, None),
        (f"{PAGES}/tree/main", None),
        (f"{PAGES}/commit/{SHA}", None),
        (f"{PAGES}/pull/12", None),
        (f"{PAGES}/actionsx", None),
        ("https://github.com/acme/actions", None),
        ("https://github.com/../web/actions", None),
        ("https://github.com/acme/a%20b/actions", None),
        ("https://github.com:8443/acme/web/actions", None),
        ("https://github.com@evil.test/acme/web/actions", None),
        ("https://evil.test/acme/web/actions/runs/1", None),
        ("https://api.github.com/repos/acme/web/actions/runs/1", None),
        ("ftp://github.com/acme/web/actions", None),
        ("https://[::1/acme/web/actions", None),
        ("acme/web", None),
        ("", None),
    ],
)
def test_a_page_names_its_repository_and_run(url: str, named: Page | None) -> None:
    assert parse_url(url) == named


def test_a_server_of_ones_own_is_recognised_and_github_com_is_not_it() -> None:
    own = "https://git.acme.test:8443"
    assert parse_url(f"{own}/acme/web/actions/runs/19440221001", own) == RUN
    assert parse_url("https://git.acme.test/acme/web/actions", own) is None
    assert parse_url("https://code.acme.test/acme/web/pull/12/files", "https://code.acme.test") == Page(
        name="acme/web", pull_request=12
    )
    assert parse_url(f"{PAGES}/actions", own) is None


def test_the_pages_that_the_bot_links_are_recognised() -> None:
    assert parse_url(checks_page(PAGES, SHA)) == Page(name="acme/web", commit=SHA)


@given(st.text(max_size=60) | st.text(max_size=40).map("https://github.com/{}".format))
def test_no_text_raises(text: str) -> None:
    parse_url(text)
