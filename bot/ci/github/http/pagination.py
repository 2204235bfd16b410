"""Pages of GitHub's lists, and the requests for the next ones. Pure.

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
"""Busy repositories respond 502 to pages of a hundred. The size is then halved, down to this."""

_SIZE = re.compile(r"(?:^|[?&])per_page=([0-9]{1,3})(?:&|$)")
_NEXT = re.compile(r'<([^<>\s]{1,2000})>\s{0,9};\s{0,9}rel="next"')

_Entry = TypeVar("_Entry")


@dataclass(frozen=True, slots=True)
class ListPage(Generic[_Entry]):
    """The parsed entries of a page. `is_full`: the page lists as many as it can, parsed or not."""

    entries: tuple[_Entry, ...]
    is_full: bool
    onward: Request | None

    @property
    def may_go_on_unseen(self) -> bool:
        """Whether a page may be added after it later without a change in this one."""
        return self.is_full and self.onward is None


def page_size(page: Request) -> int:
    """How many entries the requested page can have."""
    asked = dict(page.params).get("per_page") or next(iter(_SIZE.findall(urlsplit(page.url).query)), None)
    return int(asked) if asked else A_PAGE_HAS


def with_page_size(page: Request, size: int) -> Request:
    """The request for a list's first page with this size."""
    params = tuple((name, str(size) if name == "per_page" else value) for name, value in page.params)
    return replace(page, params=params)


def onward(headers: Mapping[str, str], page: Request) -> Request | None:
    """The request for the page after `page`, from the header `Link`; None if there is none.

    It keeps `page`'s origin: the token goes along, and an Enterprise Server behind a proxy names another host.
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
