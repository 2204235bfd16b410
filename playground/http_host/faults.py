"""The moods of a sandbox's host, as values: what a service on a bad day answers. It serves nothing by itself.

Only what any service may do is here; what one service alone says stands beside its host.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Ending = Literal["whole", "cut", "closed"]

_PROXY_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"


@dataclass(frozen=True)
class CannedResponse:
    """An answer that stands in for the true one."""

    status: int
    body: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """How calls are answered. What a call reads or causes is settled when it arrives, also where the answer is late."""

    name: str = "fine"
    on: str | None = None
    """The only kind of call it holds for, by the name that the host gives it; None: all of them."""
    times: int | None = None
    """How many more calls it holds for, then all is fine again; None: until another mood is set."""
    canned: CannedResponse | None = None
    delay_s: float = 0
    """Seconds until the answer; `math.inf`: until the world releases it."""
    ending: Ending = "whole"
    takes: bool = True
    """Whether what is asked in this mood (a POST) has its effect."""
    padding_bytes: int = 0
    """Blanks sent after the body, which leave JSON valid."""
    redirects_to: str | None = None
    """Where `canned` redirects to: with `keeps_path` only the scheme and host, else the whole `Location`."""
    keeps_path: bool = True


FINE = Fault()


def slow(seconds: float, *, on: str | None = None, times: int | None = None) -> Fault:
    """The true answer, late. A POST takes at once."""
    return Fault("slow", on, times, delay_s=seconds)


def hang(*, on: str | None = None, times: int | None = None, takes: bool = True) -> Fault:
    """No answer until released; a POST that does not take is then hung up on."""
    return Fault("hang", on, times, delay_s=math.inf, takes=takes)


def refuse(*, on: str | None = None, times: int | None = None, takes: bool = False) -> Fault:
    """The connection is accepted, the request read, and the connection closed without an answer."""
    return Fault("refuse", on, times, ending="closed", takes=takes)


def cut(*, on: str | None = None, times: int | None = None, takes: bool = True) -> Fault:
    """`Content-Length` promises the whole answer, half of it comes, then the connection is closed."""
    return Fault("cut", on, times, ending="cut", takes=takes)


def huge(size_bytes: int, *, on: str | None = None, times: int | None = None) -> Fault:
    """The true answer, then that many blanks, chunked: its length is not told beforehand."""
    return Fault("huge", on, times, padding_bytes=size_bytes)


def down(status: int = 502, *, on: str | None = None, times: int | None = None, takes: bool = False) -> Fault:
    """A proxy's HTML page in place of the service. With `takes`, a POST went through and its answer was lost."""
    page = _PROXY_PAGE.format(f"{status} Service Down")
    return Fault("down", on, times, CannedResponse(status, page, "text/html"), takes=takes)


def html(*, on: str | None = None, times: int | None = None) -> Fault:
    """A sign-in page with status 200."""
    return says("html", CannedResponse(200, _PROXY_PAGE.format("Sign in"), "text/html"), on, times)


def garbage(body: str, *, on: str | None = None, times: int | None = None) -> Fault:
    """Status 200, called JSON, and not what the contract says: broken, or JSON of a wrong shape."""
    return says("garbage", CannedResponse(200, body), on, times)


def empty(*, on: str | None = None, times: int | None = None) -> Fault:
    return says("empty", CannedResponse(200), on, times)


def redirect(
    to: str,
    status: Literal[301, 302, 307, 308] = 301,
    *,
    keeps_path: bool = True,
    on: str | None = None,
    times: int | None = None,
) -> Fault:
    """`to` is a scheme and host, to which path and query (a key too) are added; without `keeps_path` it is all."""
    canned = CannedResponse(status, content_type="text/html")
    return Fault("redirect", on, times, canned, takes=False, redirects_to=to, keeps_path=keeps_path)


def says(name: str, canned: CannedResponse, on: str | None, times: int | None) -> Fault:
    """A mood that answers so, and in which nothing takes effect."""
    return Fault(name, on, times, canned, takes=False)
