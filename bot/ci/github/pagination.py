"""GitHub's lists as values: one page of one, and the request for the page after it. Pure.

https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar
from urllib.parse import urljoin, urlsplit, urlunsplit

from bot.ci.http_client.responses import Request, header

A_PAGE_HAS = 100
A_PAGE = ("per_page", str(A_PAGE_HAS))

SMALLEST_PAGE_HAS = 25
"""Busy repositories answer 502 to pages of a hundred: the size is halved, down to this."""

_SIZE = re.compile(r"(?:^|[?&])per_page=([0-9]{1,3})(?:&|$)")
_NEXT = re.compile(r'<([^<>\s]{1,2000})>\s{0,9};\s{0,9}rel="next"')

_Entry = TypeVar("_Entry")


@dataclass(frozen=True, slots=True)
class ListPage(Generic[_Entry]):
    """What a page has to tell. `is_full`: as many entries are listed as a page can have, whatever is told of them."""

    entries: tuple[_Entry, ...]
    is_full: bool
    onward: Request | None

    @property
    def may_go_on_unseen(self) -> bool:
        """Whether a page may come after it one day without a change in this one."""
        return self.is_full and self.onward is None


def page_size(page: Request) -> int:
    """How many entries the page that `page` asks for can have."""
    asked = dict(page.params).get("per_page") or next(iter(_SIZE.findall(urlsplit(page.url).query)), None)
    return int(asked) if asked else A_PAGE_HAS


def with_page_size(page: Request, size: int) -> Request:
    """The request for a list's first page with so many entries."""
    params = tuple((name, str(size) if name == "per_page" else value) for name, value in page.params)
    return replace(page, params=params)


def onward(headers: Mapping[str, str], page: Request) -> Request | None:
    """The request for the page after `page`, as `Link` names it; None where that names none.

    It goes to `page`'s own origin, whichever is named: the token goes along, and an Enterprise Server behind a proxy
    knows itself by another name.
    """
    result = _NEXT.search(header(headers, "link")[:8_000])
    if result is None:
        return None
    try:
        target, here = urlsplit(urljoin(page.url, result[1])), urlsplit(page.url)
    except ValueError:
        return None
    if not target.path.startswith("/"):
        return None
    return Request("GET", urlunsplit((here.scheme, here.netloc, target.path, target.query, "")), headers=page.headers)
