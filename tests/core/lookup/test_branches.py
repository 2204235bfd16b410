"""Which words can be a branch, compared with git itself."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.lookup.repo_urls import may_be_branch
from bot.core.model.builds import branches_of, newest_of_each
from tests.core.world import build, project

GOOD = ["main", "feature/a&b#c", "release/1.2.io", "x.y", "a-b", "ü", "“main”", "a`b", "#1", "@x", "x{y}", "a.lockx"]
BAD = ["", "-x", "@", "main.", "a b", "a..b", "a@{b", "/a", "a/", "a//b", "a~b", "a^b", "a:b", "a?b", "a*b", "a[b"]
BAD += ["a\\b", ".a", "a/.b", "a.lock", "a.lock/b", "a\x7fb", "a\nb"]


@pytest.mark.parametrize("name", GOOD)
def test_a_name_that_git_allows_may_be_a_branch(name: str) -> None:
    assert may_be_branch(name)


@pytest.mark.parametrize("name", BAD)
def test_a_name_that_git_refuses_cannot_be_a_branch(name: str) -> None:
    assert not may_be_branch(name)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed, so there is nothing to agree with")
@pytest.mark.parametrize("name", [*GOOD, *BAD])
def test_git_itself_agrees(name: str) -> None:
    answer = subprocess.run(["git", "check-ref-format", f"refs/heads/{name}"], check=False, capture_output=True)
    # As a branch, git also refuses a leading dash and a lone @, which a reference may have.
    assert may_be_branch(name) == (answer.returncode == 0 and not name.startswith("-") and name != "@")


@given(st.text())
def test_no_text_raises(name: str) -> None:
    may_be_branch(name)


def test_the_default_branch_comes_first_if_it_is_known() -> None:
    web = replace(project(1, "acme/web"), default_branch="trunk")
    builds = [build(4, web, "b"), build(3, web, None), build(2, web, "trunk"), build(1, web, "main")]
    assert branches_of(builds) == ("trunk", "b", "main")
    assert [b.id for b in newest_of_each(builds)] == ["2", "4", "3", "1"]


def test_branches_come_in_the_order_of_their_newest_build() -> None:
    web = project(1, "acme/web")
    builds = [build(4, web, "b"), build(3, web, None), build(2, web, "a"), build(1, web, "b")]
    assert branches_of(builds) == ("b", "a")
    assert [b.id for b in newest_of_each(builds)] == ["4", "3", "2"]
