"""Restricts the playground to this machine's browser: no other site's page may call, embed or read it."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_FROM_OUR_PAGE = frozenset({"same-origin", "none"})

HEADERS = {
    # Only what the playground itself serves: no font, image or script comes from another host.
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Returns 403 for requests that do not come from this machine's own page. Every response has `HEADERS`."""
    why = refused(request.headers.get("Host", ""), request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site"))
    if why:
        return web.json_response({"error": why}, status=403, headers=HEADERS)
    try:
        response = await handler(request)
    except web.HTTPException as answer:
        answer.headers.update(HEADERS)
        raise
    if not response.prepared:
        response.headers.update(HEADERS)
    return response


def refused(host: str, origin: str | None, fetch_site: str | None) -> str | None:
    """Why a request with these headers is refused; None if it is not.

    A Host that is not loopback is a name that was pointed at this machine (DNS rebinding). Any port is allowed, for
    tunnels.
    """
    if _name(f"//{host}") not in _LOOPBACK:
        return "the playground can only be opened at 127.0.0.1 or localhost"
    if origin is not None and origin != f"http://{host}":
        return "the playground accepts requests only from its own page"
    if fetch_site is not None and fetch_site not in _FROM_OUR_PAGE:
        return "the playground accepts requests only from its own page"
    return None


def _name(address: str) -> str | None:
    """The name in `//name:port`; None if there is more in it."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(address)
        if parts.port != 0 and not parts.path and parts.username is None:
            return parts.hostname
    return None
