"""How GitHub's API filters and pages lists. Pure functions over a request's query.

https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

from playground.github.api.serializers import time_json
from playground.github.model import SandboxRun

DEFAULT_PER_PAGE, MAX_PER_PAGE = 30, 100

T = TypeVar("T")


@dataclass(frozen=True)
class Page:
    """`number` counts from 1. `last` is the last page that there is."""

    number: int
    per_page: int
    last: int

    def of(self, items: Sequence[T]) -> Sequence[T]:
        return items[(self.number - 1) * self.per_page : self.number * self.per_page]


def page_of(query: Mapping[str, str], count: int) -> Page:
    """Invalid values count as absent, and more than 100 as 100."""
    per_page = min(_positive(query.get("per_page"), DEFAULT_PER_PAGE), MAX_PER_PAGE)
    return Page(_positive(query.get("page"), 1), per_page, max(-(-count // per_page), 1))


def link_header(page: Page, url: str, query_string: str) -> str | None:
    """The `Link` header, its relations in GitHub's order; None if there is one page."""
    pages: dict[str, int] = {}
    if page.number > 1:
        pages["prev"] = min(page.number - 1, page.last)
    if page.number < page.last:
        pages |= {"next": page.number + 1, "last": page.last}
    if page.number > 1:
        pages["first"] = 1
    links = (f'<{url}?{_with_page(query_string, number)}>; rel="{name}"' for name, number in pages.items())
    return ", ".join(links) or None


def chosen(runs: Iterable[SandboxRun], query: Mapping[str, str]) -> list[SandboxRun]:
    """The requested runs. An empty or unknown parameter does not filter."""
    return [run for run in runs if all(_fits(run, name, value) for name, value in query.items() if value)]


def _fits(run: SandboxRun, name: str, value: str) -> bool:
    match name:
        case "branch":
            return run.head_branch == value
        case "event":
            return run.event == value
        case "head_sha":
            return run.head_sha == value
        case "actor":
            return (run.actor or "").lower() == value.lower()
        case "status":
            return value in (run.status, run.conclusion)
        case "created":
            return _is_within(time_json(run.created_at), value)
        case _:
            return True


def _is_within(moment: str, wanted: str) -> bool:
    """GitHub's search syntax for dates (`>=2026-03-01`, `2026-03-01..2026-03-02`, `*..2026-03-02`, `2026-03-01`)."""
    found = re.fullmatch(r"(>=|<=|>|<)?([^.]*)(?:\.\.(.*))?", wanted)
    if found is None:
        return False
    sign, first, last = found[1], found[2], found[3]
    if last is not None:
        return (first == "*" or moment >= first) and (last == "*" or moment <= _end_of(last))
    match sign:
        case ">=":
            return moment >= first
        case ">":
            return moment > _end_of(first)
        case "<=":
            return moment <= _end_of(first)
        case "<":
            return moment < first
        case _:
            return moment.startswith(first)


def _end_of(moment: str) -> str:
    """The last second of the day, if only a day is given."""
    return moment if "T" in moment else f"{moment}T23:59:59Z"


def _positive(word: str | None, otherwise: int) -> int:
    return int(word) if word and re.fullmatch(r"[0-9]{1,9}", word) and int(word) > 0 else otherwise


def _with_page(query_string: str, number: int) -> str:
    """The request's query with another page."""
    pairs = [(name, value) for name, value in parse_qsl(query_string, keep_blank_values=True) if name != "page"]
    return urlencode([*pairs, ("page", str(number))])
