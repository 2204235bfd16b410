"""GitHub's lists as values: one page of one, and the request for the page after it. Pure.

https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urljoin, urlsplit, urlunsplit

from bot.ci.http_client.responses import Request, header

A_PAGE_HAS = 100
A_PAGE = ("per_page", str(A_PAGE_HAS))

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
