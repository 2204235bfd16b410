"""The moods of the sandbox CodeShip, as values: what a host on a bad day answers. It serves nothing by itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Call = Literal["list", "project", "restart"]
Ending = Literal["whole", "cut", "closed"]

_PROXY_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


@dataclass(frozen=True)
class Canned:
    """An answer that stands in for the true one."""

    status: int
    body: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Mood:
    """How calls are answered. What a call reads or causes is settled when it arrives, also where the answer is late."""

    name: str = "fine"
    on: Call | None = None
    """The only kind of call it holds for; None: all three."""
    times: int | None = None
    """How many more calls it holds for, then all is fine again; None: until another mood is set."""
    canned: Canned | None = None
    delay_s: float = 0
    """Seconds until the answer; `math.inf`: until the world releases it."""
    ending: Ending = "whole"
    takes: bool = True
    """Whether a restart asked in this mood has its effect."""
    padding_bytes: int = 0
    """Blanks sent after the body, which leave JSON valid."""
    redirects_to: str | None = None
    """Where `canned` redirects to: with `keeps_path` only the scheme and host, else the whole `Location`."""
    keeps_path: bool = True


FINE = Mood()


def slow(seconds: float, *, on: Call | None = None, times: int | None = None) -> Mood:
    """The true answer, late. A restart takes at once."""
    return Mood("slow", on, times, delay_s=seconds)


def hang(*, on: Call | None = None, times: int | None = None, takes: bool = True) -> Mood:
    """No answer until released; a restart that does not take is then hung up on."""
    return Mood("hang", on, times, delay_s=math.inf, takes=takes)


def refuse(*, on: Call | None = None, times: int | None = None, takes: bool = False) -> Mood:
    """The connection is accepted, the request read, and the connection closed without an answer."""
    return Mood("refuse", on, times, ending="closed", takes=takes)


def cut(*, on: Call | None = None, times: int | None = None, takes: bool = True) -> Mood:
    """`Content-Length` promises the whole answer, half of it comes, then the connection is closed."""
    return Mood("cut", on, times, ending="cut", takes=takes)


def huge(size_bytes: int, *, on: Call | None = None, times: int | None = None) -> Mood:
    """The true answer, then that many blanks, chunked: its length is not told beforehand."""
    return Mood("huge", on, times, padding_bytes=size_bytes)


def down(status: int = 502, *, on: Call | None = None, times: int | None = None, takes: bool = False) -> Mood:
    """A proxy's HTML page in place of the service. With `takes`, the restart went through and its answer was lost."""
    page = _PROXY_PAGE.format(f"{status} Service Down")
    return Mood("down", on, times, Canned(status, page, "text/html"), takes=takes)


def wrong_key(*, on: Call | None = None, times: int | None = None) -> Mood:
    return _says("wrong key", Canned(401, '{"errors":["Invalid API key"]}'), on, times)


def no_rights(*, on: Call | None = None, times: int | None = None) -> Mood:
    return _says("no rights", Canned(403, '{"errors":["Forbidden"]}'), on, times)


def over_the_limit(
    status: Literal[403, 429] = 403,
    retry_after: str | None = None,
    *,
    on: Call | None = None,
    times: int | None = None,
) -> Mood:
    """Too many requests, in either of the two ways it is said; `retry_after` goes into the header as it is."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return _says("over the limit", Canned(status, "Rate Limit Exceeded", "text/plain", headers=headers), on, times)


def html(*, on: Call | None = None, times: int | None = None) -> Mood:
    """A sign-in page with status 200."""
    return _says("html", Canned(200, _PROXY_PAGE.format("Sign in"), "text/html"), on, times)


def garbage(body: str = '{"projects": [{"id": ', *, on: Call | None = None, times: int | None = None) -> Mood:
    """Status 200, called JSON, and not what the contract says; give `body` for JSON of a wrong shape."""
    return _says("garbage", Canned(200, body), on, times)


def empty(*, on: Call | None = None, times: int | None = None) -> Mood:
    return _says("empty", Canned(200), on, times)


def redirect(
    to: str,
    status: Literal[301, 302, 307, 308] = 301,
    *,
    keeps_path: bool = True,
    on: Call | None = None,
    times: int | None = None,
) -> Mood:
    """`to` is a scheme and host, to which path and query (the key too) are added; without `keeps_path` it is all."""
    canned = Canned(status, content_type="text/html")
    return Mood("redirect", on, times, canned, takes=False, redirects_to=to, keeps_path=keeps_path)


def _says(name: str, canned: Canned, on: Call | None, times: int | None) -> Mood:
    return Mood(name, on, times, canned, takes=False)
