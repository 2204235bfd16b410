"""How a pasted address of a repository is parsed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.lookup.repo_urls import MAX_CHARACTERS, repository_in

COMMIT = "96943dc5269634c211b6fbb18896ecdcd40a047a"


@pytest.mark.parametrize(
    ("url", "repository", "branch"),
    [
        ("https://github.com/acme/web", "acme/web", None),
        ("https://github.com/acme/web/", "acme/web", None),
        ("HTTPS://GitHub.com/Acme/Web", "Acme/Web", None),
        ("http://www.github.com/acme/web", "acme/web", None),
        ("https://github.com/acme/web.git", "acme/web", None),
        ("https://github.com/acme/web.io", "acme/web.io", None),
        ("https://github.com/acme/.github", "acme/.github", None),
        ("https://github.com/acme/web?tab=readme", "acme/web", None),
        ("https://github.com/acme/web#readme", "acme/web", None),
        ("https://ada:hunter2@github.com/acme/web", "acme/web", None),
        ("github.com/acme/web", "acme/web", None),
        ("www.github.com/acme/web/tree/main", "acme/web", "main"),
        ("git@github.com:acme/web.git", "acme/web", None),
        ("github.com:acme/web.git", "acme/web", None),
        ("ssh://git@github.com/acme/web.git", "acme/web", None),
        ("ssh://git@ssh.github.com:443/acme/web.git", "acme/web", None),
        ("git+ssh://git@github.com/acme/web.git", "acme/web", None),
        ("git://github.com/acme/web", "acme/web", None),
        ("https://github.com/acme/web/tree/main", "acme/web", "main"),
        ("https://github.com/acme/web/tree/main/", "acme/web", "main"),
        ("https://github.com/acme/web/tree/feature/x", "acme/web", "feature/x"),
        ("https://github.com/acme/web/tree/feature/a%26b%23c", "acme/web", "feature/a&b#c"),
        ("https://github.com/acme/web/tree/feature%2Fx+y", "acme/web", "feature/x+y"),
        ("https://github.com/acme/web/tree/caf%C3%A9", "acme/web", "café"),
        ("https://github.com/acme/web/tree/café", "acme/web", "café"),
        ("https://github.com/acme/web/tree/refs/heads/main", "acme/web", "main"),
        ("https://github.com/acme/web/tree", "acme/web", None),
        (f"https://github.com/acme/web/tree/{COMMIT}", "acme/web", None),
        ("https://github.com/acme/web/commits/feature/x", "acme/web", "feature/x"),
        (f"https://github.com/acme/web/commit/{COMMIT}", "acme/web", None),
        ("https://github.com/acme/web/pull/12", "acme/web", None),
        ("https://github.com/acme/web/blob/main/README.md", "acme/web", None),
        ("https://github.acme.example/acme/web/tree/main", "acme/web", "main"),
        ("https://bitbucket.org/acme/web", "acme/web", None),
        ("https://bitbucket.org/acme/web/src/main/", "acme/web", "main"),
        ("https://bitbucket.org/acme/web/src/main/README.md", "acme/web", None),
        (f"https://bitbucket.org/acme/web/src/{COMMIT}/?at=feature%2Fx", "acme/web", "feature/x"),
        (f"https://bitbucket.org/acme/web/src/{COMMIT}/", "acme/web", None),
        ("https://bitbucket.org/acme/web/branch/feature/x", "acme/web", "feature/x"),
        ("https://bitbucket.org/acme/web/branch/x?dest=main", "acme/web", "x"),
        ("https://bitbucket.org/acme/web/commits/branch/main", "acme/web", "main"),
        ("https://bitbucket.org/acme/web/pull-requests/3", "acme/web", None),
        ("git@bitbucket.org:acme/web.git", "acme/web", None),
        ("https://gitlab.com/group/sub/name", "group/sub/name", None),
        ("https://gitlab.com/group/sub/name.git", "group/sub/name", None),
        ("https://gitlab.com/group/sub/name/-/tree/main", "group/sub/name", "main"),
        ("https://gitlab.com/group/sub/name/-/tree/feature/x?ref_type=heads", "group/sub/name", "feature/x"),
        ("https://gitlab.com/group/name/tree/main", "group/name", "main"),
        ("https://gitlab.com/group/name/-/merge_requests/3", "group/name", None),
        ("https://gitlab.com/group/name/-/blob/main/a.py", "group/name", None),
        ("git@gitlab.acme.example:group/sub/name.git", "group/sub/name", None),
        ("git@code.acme.example:team/web.git", "team/web", None),
        ("git@code.acme.example:raw/web.git", "raw/web", None),
        ("https://code.acme.example/team/web.git", "team/web", None),
        ("https://code.acme.example/team/web/-/tree/main", "team/web", "main"),
    ],
)
def test_a_pasted_address_names_the_repository_and_the_branch(url: str, repository: str, branch: str | None) -> None:
    assert repository_in(url) == (repository, branch)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "web",
        "acme/web",
        "acme/web.git",
        "feature/x/y",
        "release/1.2.io",
        "git/acme/web",
        "github.com",
        "github.com/acme",
        "https://github.com/",
        "https://github.com/acme",
        "https://gist.github.com/ada/96943dc5",
        "https://x.io/acme/web",
        "https://notgithub.com/acme/web",
        "https://github/acme/web",
        "https://app.codeship.com/projects/33837/builds/3277309",
        "https://app.codeship.com/projects/33837",
        "mailto:ada@acme.example",
        "javascript://github.com/acme/web",
        "ftp://github.com/acme/web.git",
        "https://github.com/../web",
        "https://github.com/acme/..",
        "https://github.com/acme/.git",
        "https://github.com/acme/<!channel>",
        "https://github.com/acme/w%00b",
        "https://github.com/acme/web/tree/%FF",
        "https://github.com/acme/web main",
        "https://github.com/acme/we\u200bb",
        "https://github.com/acme/web/tree/ma\u200bin",
        "https://github.com/acme/we\nb",
        "x.io:acme/web",
        "https://[::1/acme/web",
        "https://github.com/acme/web/tree/" + "x" * MAX_CHARACTERS,
    ],
)
def test_anything_else_is_no_address_of_a_repository(url: str) -> None:
    assert repository_in(url) is None


@pytest.mark.parametrize("ending", [".", "*", "/..", "%0A", "~", "%20x"])
def test_an_address_with_an_invalid_branch_is_not_parsed_in_this_spelling(ending: str) -> None:
    url = "https://github.com/acme/web/tree/main"

    assert repository_in(url) == ("acme/web", "main")
    assert repository_in(url + ending) is None


def test_an_address_whose_name_ends_in_a_full_stop_is_not_parsed_in_this_spelling() -> None:
    assert repository_in("https://github.com/acme/web.") is None


HOSTS = ["https://", "ssh://", "git@", "github.com", "gitlab.com", "bitbucket.org", "x.io"]
PAGES = ["acme", "web", ".git", "tree", "src", "branch", "commits", "-", "?at=", "<!channel>", "é"]
SIGNS = ["/", ":", "#", "%2F", "%FF", "%00", "..", "[", "@"]
ADDRESSES = st.lists(st.sampled_from([*HOSTS, *PAGES, *SIGNS]), max_size=14).map("".join)


@given(st.one_of(st.text(), ADDRESSES, st.text().map("https://github.com/".__add__)))
def test_no_text_raises_and_what_is_found_is_a_name_and_a_possible_branch(text: str) -> None:
    found = repository_in(text)

    if found is not None:
        name, branch = found
        assert name.count("/") >= 1
        assert all(name.split("/"))
        assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-/")
        assert branch is None or (branch and not branch.startswith("/") and " " not in branch)
