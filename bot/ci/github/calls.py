"""Calls of GitHub's REST API, each signed with the bot's token; what GitHub says has not changed is told from memory.

It knows neither builds nor restarts, and logs nothing: what goes wrong is raised, always as a `CIError`.
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar, cast

from bot.ci.github import api as wire
from bot.ci.github.auth import App, AppTokens, Identity, Token
from bot.ci.github.errors import TITLE
from bot.ci.github.pagination import ListPage, onward
from bot.ci.http_client.client import Tries
from bot.ci.http_client.responses import Request, header
from bot.ci.lru_cache import Remembered
from bot.ci.service import Surroundings
from bot.config.parsers import Secret
from bot.core.model.errors import KeyRefused

_REMEMBERED = 400

_T = TypeVar("_T")
_Page = TypeVar("_Page", bound=ListPage[Any])


@dataclass(frozen=True, slots=True)
class _Known:
    etag: str | None
    page: ListPage[Any]


class GitHubCalls:
    """`read` deciphers an answer: it is given `secret`, the token that was sent; of a list also `page`, the request.

    `until`: when what is asked must be over, on the clock `monotonic`. `max_bytes` bounds each answer.
    """

    def __init__(self, api_url: str, who: Secret | App, around: Surroundings, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._tries = Tries(TITLE, api_url, around)
        self._identity: Identity = (
            AppTokens(who, api_url, self._tries, now=around.now, monotonic=around.monotonic)
            if isinstance(who, App)
            else Token(who)
        )
        self._unchanged: Remembered[Hashable, _Known] = Remembered(_REMEMBERED)

    @property
    def repositories(self) -> str:
        """The path of the list of what the bot can see."""
        return self._identity.repositories

    def until(self, at_most_s: float | None = None) -> float:
        return self._tries.until(at_most_s)

    def post(self, call: str, request: Request, until: float) -> None:
        """Sent once, whatever comes. https://docs.github.com/en/rest/actions/workflow-runs"""

        def send(token: str) -> None:
            read = partial(wire.decipher_done, secret=token)
            self._tries.ask_once(call, wire.signed(request, token), read, max_bytes=self._max_bytes, until=until)

        self._with_a_token(send, until)

    def get(self, call: str, request: Request, read: Callable[..., _T], until: float) -> _T:
        def send(token: str) -> _T:
            signed = wire.signed(request, token)
            return self._tries.ask(call, signed, partial(read, secret=token), max_bytes=self._max_bytes, until=until)

        return self._with_a_token(send, until)

    def pages(
        self,
        call: str,
        request: Request,
        read: Callable[..., _Page],
        *,
        of: Hashable = None,
        most: int,
        until: float | None = None,
    ) -> Iterator[_Page]:
        """A list page by page, `most` at most, each asked for when it is wanted; without `until` each has its own time.

        `of` is what `read` knows beside the answer: with another, the same answer tells something else. A page that
        has not changed since it was last read costs nothing of GitHub's limit.
        """
        page: Request | None = request
        for _ in range(most):
            if page is None:
                return
            found = self._page(call, page, read, of, self.until() if until is None else until)
            yield found
            page = found.onward

    def close(self) -> None:
        self._tries.close()

    def _page(self, call: str, page: Request, read: Callable[..., _Page], of: Hashable, until: float) -> _Page:
        known = self._unchanged.get((call, of, page))
        if known is not None and known.page.may_go_on_unseen:
            known = None  # only a whole answer is certain to tell of a page that has come after it

        def send(token: str) -> _Known:
            def read_or_known(status: int, headers: Mapping[str, str], body: bytes) -> _Known:
                if status == 304 and known is not None:
                    if not header(headers, "link"):
                        return known
                    # What comes after a page may change without it.
                    return replace(known, page=replace(known.page, onward=onward(headers, page)))
                return _Known(wire.etag_of(headers), read(status, headers, body, page=page, secret=token))

            signed = wire.signed(page, token, known.etag if known else None)
            return self._tries.ask(call, signed, read_or_known, max_bytes=self._max_bytes, until=until)

        now = self._with_a_token(send, until)
        if now.etag:
            self._unchanged.put((call, of, page), now)
        return cast("_Page", now.page)

    def _with_a_token(self, send: Callable[[str], _T], until: float) -> _T:
        """Once more with a new token where the one that was sent holds no longer: refused, it did nothing."""
        token = self._identity.token(until)
        try:
            return send(token)
        except KeyRefused:
            if not self._identity.forget(token):
                raise
        return send(self._identity.token(until))
