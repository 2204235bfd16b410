"""Requests to GitHub's REST API, each with the bot's token. After a 304 it returns the cached page.

Knows neither builds nor restarts and logs nothing; every failure is a `CIError`.
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar, cast

from bot.ci.github import api as wire
from bot.ci.github.http.auth import App, Identity, InstallationTokens, Token
from bot.ci.github.http.errors import TITLE, PageTooLarge
from bot.ci.github.http.pagination import A_PAGE_HAS, SMALLEST_PAGE_HAS, ListPage, onward, page_size, with_page_size
from bot.ci.http_client.client import HttpClient
from bot.ci.http_client.responses import Request, header, origin
from bot.ci.http_client.transport import HttpTransport
from bot.ci.lru_cache import LRUCache
from bot.ci.service import ClientContext
from bot.config.parsers import Secret
from bot.core.model.errors import InvalidResponse, Unauthorized

SMALLER_FOR_S = 3600.0
"""Seconds that a list is requested in smaller pages after a 502."""

MAX_LOG_BYTES = 20 * 1024 * 1024

_REMEMBERED = 400

_T = TypeVar("_T")
_Page = TypeVar("_Page", bound=ListPage[Any])


@dataclass(frozen=True, slots=True)
class _Known:
    etag: str | None
    page: ListPage[Any]


class GitHubRequests:
    """`read` parses a response. It gets `secret`, the token that was sent, and for a list `page`, the request.

    A `deadline` is on the clock `monotonic`. `max_bytes` limits each response. `as_app`: the App itself asks, not its
    installation.
    """

    def __init__(self, api_url: str, who: Secret | App, context: ClientContext, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._tries = HttpClient(TITLE, api_url, context)
        self._identity: Identity = (
            InstallationTokens(who, api_url, self._tries, now=context.now, monotonic=context.monotonic)
            if isinstance(who, App)
            else Token(who)
        )
        self._context = context
        self._monotonic = context.monotonic
        self._smaller: LRUCache[str, tuple[float, int]] = LRUCache(1_000)
        self._unchanged: LRUCache[Hashable, _Known] = LRUCache(_REMEMBERED)

    @property
    def repositories(self) -> str:
        """The path of the list of repositories."""
        return self._identity.repositories

    def granted(self, permission: str) -> str | None:
        """What the App's installation grants: `read`, `write` or empty; None if unknown, as for a token."""
        return self._identity.granted(permission)

    def deadline_after(self, at_most_s: float | None = None) -> float:
        return self._tries.deadline_after(at_most_s)

    def post(self, call: str, request: Request, deadline: float, *, as_app: bool = False) -> None:
        """Sends it once. https://docs.github.com/en/rest/actions/workflow-runs"""

        def send(token: str) -> None:
            read = partial(wire.parse_done, secret=token)
            self._tries.ask_once(call, wire.signed(request, token), read, max_bytes=self._max_bytes, deadline=deadline)

        self._with_a_token(send, deadline, as_app=as_app)

    def get(self, call: str, request: Request, read: Callable[..., _T], deadline: float, *, as_app: bool = False) -> _T:
        def send(token: str) -> _T:
            signed = wire.signed(request, token)
            return self._tries.ask(
                call, signed, partial(read, secret=token), max_bytes=self._max_bytes, deadline=deadline
            )

        return self._with_a_token(send, deadline, as_app=as_app)

    def pages(
        self,
        call: str,
        request: Request,
        read: Callable[..., _Page],
        *,
        of: Hashable = None,
        max_pages: int,
        deadline: float | None = None,
    ) -> Iterator[_Page]:
        """A list page by page, at most `max_pages`, each requested when it is consumed. Without `deadline` each page
        has its own time.

        `of` is what `read` depends on besides the response; it is part of the cache key. An unchanged page costs
        nothing of GitHub's primary limit. On 502 the list begins again with half the page size, which is kept for an
        hour: entries may then come twice.
        """
        asked_until = self.deadline_after() if deadline is None else deadline
        size = self._page_size(request)
        page: Request | None = with_page_size(request, size)
        for _ in range(max_pages):
            while page is not None:
                try:
                    result = self._page(call, page, read, of, asked_until)
                    break
                except PageTooLarge:
                    size //= 2
                    self._smaller.put(request.url, (self._monotonic() + SMALLER_FOR_S, size))
                    page = with_page_size(request, size)
            else:
                return
            yield result
            page = result.onward
            asked_until = self.deadline_after() if deadline is None else deadline

    def log(self, request: Request, take: Callable[[bytes], None], deadline: float) -> None:
        """Passes a job's log to `take`, at most 20 MB. It is on another host, which never gets the token."""
        place = self.get("logs", request, wire.parse_log, deadline)
        if isinstance(place, bytes):
            take(place)
            return
        if origin(place)[0] != origin(request.url)[0]:
            raise InvalidResponse(TITLE, "the log is not where it can be read safely")
        transport = HttpTransport(
            TITLE,
            place,
            environ=self._context.environ,
            workers=1,
            connect_s=self._context.connect_s,
            read_s=self._context.read_s,
            monotonic=self._monotonic,
        )
        try:
            transport.stream(Request("GET", place), take, deadline=deadline, max_bytes=MAX_LOG_BYTES)
        finally:
            transport.close()

    def close(self) -> None:
        self._tries.close()

    def _page_size(self, request: Request) -> int:
        until, size = self._smaller.get(request.url) or (self._monotonic(), A_PAGE_HAS)
        return size if self._monotonic() < until else A_PAGE_HAS

    def _page(self, call: str, page: Request, read: Callable[..., _Page], of: Hashable, deadline: float) -> _Page:
        known = self._unchanged.get((call, of, page))
        if known is not None and known.page.may_go_on_unseen:
            known = None  # a 304 would not show that another page has been added after a full one

        def send(token: str) -> _Known:
            def read_or_known(status: int, headers: Mapping[str, str], body: bytes) -> _Known:
                if status == 304 and known is not None:
                    if not header(headers, "link"):
                        return known
                    # The next page's address may change while this page stays the same.
                    return replace(known, page=replace(known.page, onward=onward(headers, page)))
                if status == 502 and page_size(page) > SMALLEST_PAGE_HAS:
                    raise PageTooLarge(TITLE, "answered 502")
                return _Known(wire.etag_of(headers), read(status, headers, body, page=page, secret=token))

            signed = wire.signed(page, token, known.etag if known else None)
            return self._tries.ask(call, signed, read_or_known, max_bytes=self._max_bytes, deadline=deadline)

        now = self._with_a_token(send, deadline)
        if now.etag:
            self._unchanged.put((call, of, page), now)
        return cast("_Page", now.page)

    def _with_a_token(self, send: Callable[[str], _T], deadline: float, *, as_app: bool = False) -> _T:
        """Repeats the request with a new token if GitHub rejects the first: a rejected request had no effect."""
        if as_app:
            return send(self._identity.proof())
        token = self._identity.token(deadline)
        try:
            return send(token)
        except Unauthorized:
            if not self._identity.forget(token):
                raise
        return send(self._identity.token(deadline))
