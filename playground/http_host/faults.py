"""Faults of a simulated service, as values.

Only faults that any service may have. Those of one service are in its own package.
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
    """A response that replaces the real one."""

    status: int
    body: str = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """How calls are answered. What a call reads or changes is decided when it arrives, even if the response is late."""

    name: str = "fine"
    on: str | None = None
    """The only kind of call that it affects, by the host's name for it; None: all calls."""
    times: int | None = None
    """How many more calls it affects; None: until another fault is set."""
    canned: CannedResponse | None = None
    delay_s: float = 0
    """Seconds until the response; `math.inf`: until the service releases it."""
    ending: Ending = "whole"
    takes: bool = True
    """Whether a POST has its effect despite the fault."""
    padding_bytes: int = 0
    """Blanks sent after the body; JSON stays valid."""
    redirects_to: str | None = None
    """The target of a redirect in `canned`: with `keeps_path` scheme and host only, else the whole `Location`."""
    keeps_path: bool = True


FINE = Fault()


def slow(seconds: float, *, on: str | None = None, times: int | None = None) -> Fault:
    """The real response, late. A POST has its effect at once."""
    return Fault("slow", on, times, delay_s=seconds)


def hang(*, on: str | None = None, times: int | None = None, takes: bool = True) -> Fault:
    """No response until released. With `takes` False, the connection is then closed."""
    return Fault("hang", on, times, delay_s=math.inf, takes=takes)


def refuse(*, on: str | None = None, times: int | None = None, takes: bool = False) -> Fault:
    """Reads the request and closes the connection without a response."""
    return Fault("refuse", on, times, ending="closed", takes=takes)


def cut(*, on: str | None = None, times: int | None = None, takes: bool = True) -> Fault:
    """`Content-Length` promises the whole response, but the connection closes after half of it."""
    return Fault("cut", on, times, ending="cut", takes=takes)


def huge(size_bytes: int, *, on: str | None = None, times: int | None = None) -> Fault:
    """The real response and then so many blanks, chunked, so that the length is not announced."""
    return Fault("huge", on, times, padding_bytes=size_bytes)


def down(status: int = 502, *, on: str | None = None, times: int | None = None, takes: bool = False) -> Fault:
    """A proxy's HTML page instead of the service. With `takes`, a POST succeeded and its response was lost."""
    page = _PROXY_PAGE.format(f"{status} Service Down")
    return Fault("down", on, times, CannedResponse(status, page, "text/html"), takes=takes)


def html(*, on: str | None = None, times: int | None = None) -> Fault:
    """A sign-in page with status 200."""
    return says("html", CannedResponse(200, _PROXY_PAGE.format("Sign in"), "text/html"), on, times)


def garbage(body: str, *, on: str | None = None, times: int | None = None) -> Fault:
    """Status 200 with a JSON content type, but broken or not as the contract says."""
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
    """`to` is a scheme and host, and path and query (even a key) are added. Without `keeps_path` it is the whole
    target.
    """
    canned = CannedResponse(status, content_type="text/html")
    return Fault("redirect", on, times, canned, takes=False, redirects_to=to, keeps_path=keeps_path)


def says(name: str, canned: CannedResponse, on: str | None, times: int | None) -> Fault:
    """This response instead of the real one. A POST has no effect."""
    return Fault(name, on, times, canned, takes=False)
