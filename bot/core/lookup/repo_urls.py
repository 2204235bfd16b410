"""Parses addresses of repositories that people paste into a name and a branch. Pure; contacts no host."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from bot.core.model.builds import Page

_NEVER = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^/|/$|\.$|\.lock(?:/|$)|(?:^|/)\.|^-|^@$")


MAX_CHARACTERS = 2_000

_PUBLIC_HOSTS = frozenset({"github.com", "gitlab.com", "bitbucket.org"})
_OWN_HOST_LABELS = frozenset({"git", "github", "gitlab"})
_WEB_SCHEMES = frozenset({"http", "https"})
_GIT_SCHEMES = frozenset({"ssh", "git", "git+ssh", "git+http", "git+https"})

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SCP = re.compile(r"(?P<user>[^@/:]+@)?(?P<host>[A-Za-z0-9.-]+):(?P<path>[^/].*)")
_NAME_PART = re.compile(r"[A-Za-z0-9_.~-]*[A-Za-z0-9_~-]")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA = re.compile(r"[0-9a-f]{7,64}")
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_SHORT = re.compile(r"(?P<name>[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100})#(?P<number>[0-9]{1,9})", re.ASCII)

_WITH_BRANCH = re.compile(r"(?P<name>[A-Za-z0-9_./-]{1,201})(?P<sign>[@:#])(?P<rest>.+)", re.ASCII)
_AFTER_SERVICE = re.compile(r"[@:#]")
_BUILD_NUMBER = re.compile(r"#?(?P<number>[0-9]{1,20})", re.ASCII)
_SHORT_SHA = re.compile(r"[0-9a-f]{7,40}")

_PAGES = frozenset({"-", "tree", "blob", "raw", "commit", "commits", "merge_requests"})
"""Path segments that end the name if groups nest: GitLab reserves these words, and `-` since its version 12."""


def may_be_branch(name: str) -> bool:
    """Whether git allows the name: https://git-scm.com/docs/git-check-ref-format, with `--branch`."""
    return 0 < len(name.encode(errors="replace")) <= 1024 and _NEVER.search(name) is None


def repository_in(url: str) -> tuple[str, str | None] | None:
    """The repository in `url`, as `org/name` or `group/…/name`, and the branch or None.

    None if `url` is not a repository's address; `acme/web` is not one. Also None if git or the hosts refuse the
    repository's or the branch's name, such as `main.`: another spelling of the same word may be right. Everything after
    `tree/` is the branch. The address of a file does not show where the branch ends, so it gives no branch. Other hosts
    than the three public ones count if the address shows that it is git's.
    """
    if len(url) > MAX_CHARACTERS or any(sign.isspace() or not sign.isprintable() for sign in url):
        return None
    try:
        address = _split(url)
        return _read(address) if address else None
    except ValueError:  # an invalid host or percent-encoding
        return None


def page_in(url: str) -> Page | None:
    """What `url` shows of a repository: a branch, a commit, a pull request, or something unknown.

    None if it is no address of a repository. `acme/web#12` is a pull request, too.
    """
    if short := _SHORT.fullmatch(url):
        return Page(name=short["name"], pull_request=int(short["number"]))
    found = repository_in(url)
    if found is None:
        return None
    name, branch = found
    if branch is not None:
        return Page(name=name, branch=branch)
    address = _split(url)
    parts = [unquote(part) for part in address.path.split("/") if part] if address else []
    return shown_in(name, [part for part in parts[len(name.split("/")) :] if part != "-"])


def split_branch(word: str, services: Container[str]) -> tuple[str, str | None]:
    """The repository and the branch in `acme/web@main`, `acme/web:main` or `acme/web#main`; else the word and None.

    What follows `@` and is one of `services` belongs to the repository: `acme/web@github:main`.
    """
    found = _WITH_BRANCH.fullmatch(word)
    if found is None:
        return word, None
    name, branch = found["name"], found["rest"]
    if found["sign"] == "@":
        service, rest = _AFTER_SERVICE.split(branch, maxsplit=1) if _AFTER_SERVICE.search(branch) else (branch, "")
        if service.lower() in services:
            name, branch = f"{name}@{service}", rest
    if not branch:
        return name, None
    return (name, branch) if may_be_branch(branch) else (word, None)


def builds_named(word: str) -> tuple[Page, ...]:
    """The build or the commit that the word may be: a number or a short sha, as the bot's messages show them."""
    pages: list[Page] = []
    if number := _BUILD_NUMBER.fullmatch(word):
        pages.append(Page(build_id=number["number"]))
    if _SHORT_SHA.fullmatch(word):
        pages.append(Page(commit=word))
    return tuple(pages)


def shown_in(name: str, page: Sequence[str]) -> Page:
    """What the page of repository `name` shows whose address goes on with the parts `page`."""
    match page:
        case []:
            return Page(name=name)
        case ["pull", number, *_] if _NUMBER.fullmatch(number):
            return Page(name=name, pull_request=int(number))
        case ["commit" | "commits", sha, *_] if _SHA.fullmatch(sha):
            return Page(name=name, commit=sha)
        case ["tree" | "commits", *rest] if may_be_branch(branch := "/".join(rest)):
            return Page(name=name, branch=branch.removeprefix("refs/heads/"))
        case ["compare", *rest] if "..." in (compared := "/".join(rest)):
            head = compared.partition("...")[2]
            return Page(name=name, branch=head) if may_be_branch(head.rpartition(":")[2]) else _unclear(name)
    return _unclear(name)


def _unclear(name: str) -> Page:
    return Page(name=name, is_unclear=True)


def _split(url: str) -> SplitResult | None:
    if _SCHEME.match(url):
        return urlsplit(url)
    if scp := _SCP.fullmatch(url):
        if not scp["user"] and not _is_public(scp["host"]):
            return None
        return urlsplit(f"ssh://{scp['host']}/{scp['path']}")
    address = urlsplit(f"https://{url}")
    return address if _is_public(address.hostname or "") else None


def _read(address: SplitResult) -> tuple[str, str | None] | None:
    host = _host(address.hostname or "")
    parts = [unquote(part, errors="strict") for part in address.path.split("/") if part]
    end = _name_ends_at(host, parts)
    name, page = parts[:end], parts[end:]
    if len(name) < 2 or not _is_git(address.scheme, host, name, page):
        return None
    name[-1] = name[-1].removesuffix(".git")
    if not all(_NAME_PART.fullmatch(part) for part in name):
        return None
    branch = _branch(page[1:] if page[:1] == ["-"] else page, address.query)
    if branch is not None and not may_be_branch(branch):
        return None
    return "/".join(name), branch


def _host(host: str) -> str:
    return host.lower().removeprefix("www.")


def _is_public(host: str) -> bool:
    return _host(host) in _PUBLIC_HOSTS


def _is_git(scheme: str, host: str, name: list[str], page: list[str]) -> bool:
    """Whether it is a repository's address: pages of CodeShip and of other sites also have two parts."""
    if scheme in _GIT_SCHEMES:
        return True
    if scheme not in _WEB_SCHEMES:
        return False
    label, dot, _ = host.partition(".")
    is_host = host in _PUBLIC_HOSTS or bool(dot and label in _OWN_HOST_LABELS)
    return is_host or name[-1].endswith(".git") or page[:1] == ["-"]


def _name_ends_at(host: str, parts: list[str]) -> int:
    if host == "bitbucket.org" or host.startswith("github."):
        return 2
    return next((at for at, part in enumerate(parts) if at >= 2 and part in _PAGES), len(parts))


def _branch(page: list[str], query: str) -> str | None:
    match page:
        case ["commits", "branch", *rest] | ["tree" | "branch" | "commits", *rest]:
            branch = "/".join(rest)
        case ["src", *rest]:  # Bitbucket: a branch or a commit, then a path; `at` is the branch if both are present
            branch = parse_qs(query).get("at", rest if len(rest) == 1 else [""])[0]
        case _:
            return None
    branch = branch.removeprefix("refs/heads/")
    return None if not branch or _COMMIT.fullmatch(branch) else branch
