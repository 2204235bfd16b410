"""Which words can be a branch, and which branches a list of builds has. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.core.model import Build

_NEVER = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^/|/$|\.$|\.lock(?:/|$)|(?:^|/)\.|^-|^@$")


def may_be_branch(name: str) -> bool:
    """Whether git allows the name (the rules of `git check-ref-format --branch`)."""
    return 0 < len(name.encode(errors="replace")) <= 1024 and _NEVER.search(name) is None


def branches_of(builds: Sequence[Build]) -> tuple[str, ...]:
    """Each branch once, in the order of its newest build; builds without a branch do not count."""
    return tuple(dict.fromkeys(build.branch for build in builds if build.branch))


def newest_of_each(builds: Sequence[Build]) -> tuple[Build, ...]:
    """The first build of each branch (of none, too), from builds that stand newest first."""
    newest: dict[str | None, Build] = {}
    for build in builds:
        newest.setdefault(build.branch, build)
    return tuple(newest.values())
