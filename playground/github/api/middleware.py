"""What the sandbox GitHub does for every request: authentication, API version, rate limit, `ETag`, headers.

It does not know the routes.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Awaitable, Callable
from email.utils import format_datetime

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from playground.github.model import NotFound, NotPossible
from playground.github.state import GitHubWorld

API_VERSIONS = ("2022-11-28",)
_READ, _WRITE = ("actions", "read"), ("actions", "write")
NEEDS = {
    **dict.fromkeys(("user repos", "installation repos", "org repos", "repo"), ("metadata", "read")),
    "branches": ("contents", "read"),
    **dict.fromkeys(("workflows", "runs", "run", "attempt", "jobs"), _READ),
    **dict.fromkeys(("rerun", "rerun failed", "cancel"), _WRITE),
    **dict.fromkeys(("job log", "pending deployments"), _READ),
    "review deployments": ("deployments", "write"),
    "branch": ("contents", "read"),
    "pull": ("pull_requests", "read"),
    **dict.fromkeys(("org hooks", "org deliveries"), ("organization_hooks", "read")),
    "org redelivery": ("organization_hooks", "write"),
    **dict.fromkeys(("repo hooks", "repo deliveries"), ("repository_hooks", "read")),
    "repo redelivery": ("repository_hooks", "write"),
}
"""The permission, and its level, that a token needs for a call:
https://docs.github.com/rest/authentication/permissions-required-for-fine-grained-personal-access-tokens
"""

_DOCS = "https://docs.github.com/rest"
_LIMIT_DOCS = f"{_DOCS}/overview/rate-limits-for-the-rest-api"
_FREE = "rate limit"
_BY_JWT = frozenset({"installation", "access token", "app", "app deliveries", "app delivery", "app redelivery"})
ELSEWHERE = "log file"
"""The call that another host serves, without GitHub's tokens, limits and headers."""
_NOBODY = "nobody"


def route_name(call: str, how: str = "") -> str:
    """A unique name for a route, of one word; `how` distinguishes two routes of one call."""
    return call.replace(" ", "_") + (f".{how}" if how else "")


def call_of(request: web.Request) -> str | None:
    """The kind of call; None for a request that no route serves."""
    name = request.match_info.route.name
    return None if name is None else name.partition(".")[0].replace("_", " ")


def refusal(status: int, words: str, docs: str = _DOCS, headers: dict[str, str] | None = None) -> web.Response:
    """basic-error"""
    body = {"message": words, "documentation_url": docs, "status": str(status)}
    return web.json_response(body, status=status, headers=headers)


def _refused(why: NotPossible) -> web.Response:
    return refusal(why.status, why.words, headers=dict(why.headers or {}))


def gate(world: GitHubWorld) -> Middleware:
    """Passes a request to its route, or refuses it in GitHub's words."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if call_of(request) == ELSEWHERE:
            return await handler(request)
        try:
            _check_form(request)
            _check_caller(request, world)
        except NotPossible as refused:
            return _refused(refused)
        key = rate_limit_owner(request, world)
        if call_of(request) == _FREE:
            return await _answer(request, handler)
        if _is_spent(world, key):
            words = f"API rate limit exceeded for {key}."
            return refusal(world.accounts.limits.refuses_with, words, _LIMIT_DOCS)
        answer = _or_unchanged(request, await _answer(request, handler))
        if answer.status != 304:
            world.accounts.limits.spend(key)
        return answer

    return middleware


def header_writer(world: GitHubWorld) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Adds the headers that every response of the API has; a proxy's HTML page has none of them."""
    requests_seen = itertools.count(1)

    async def write(request: web.Request, answer: web.StreamResponse) -> None:
        if answer.content_type == "text/html" or call_of(request) == ELSEWHERE:
            return
        # The sandbox's time, so that a client that reads `x-ratelimit-reset` and `Date` waits as long as it should.
        answer.headers["Date"] = format_datetime(world.now(), usegmt=True)
        answer.headers["X-GitHub-Api-Version-Selected"] = API_VERSIONS[0]
        answer.headers["X-GitHub-Media-Type"] = "github.v3; format=json"
        answer.headers["X-GitHub-Request-Id"] = f"5AB0:{next(requests_seen):08X}"
        needed = NEEDS.get(call_of(request) or "")
        if needed is not None:
            answer.headers["X-Accepted-GitHub-Permissions"] = "=".join(needed)
        window = world.accounts.limits.window(rate_limit_owner(request, world))
        if window is not None:
            answer.headers["X-RateLimit-Limit"] = str(window.limit)
            answer.headers["X-RateLimit-Remaining"] = str(window.remaining)
            answer.headers["X-RateLimit-Used"] = str(window.used)
            answer.headers["X-RateLimit-Reset"] = str(int(window.resets_at.timestamp()))
            answer.headers["X-RateLimit-Resource"] = "core"

    return write


def rate_limit_owner(request: web.Request, world: GitHubWorld) -> str:
    try:
        if call_of(request) in _BY_JWT:
            return f"app ID {world.accounts.signer(token_of(request)).id}"
        return world.accounts.caller(token_of(request)).key
    except NotPossible:
        return _NOBODY


def token_of(request: web.Request) -> str:
    """The token in `Authorization`, after either of the two words that GitHub accepts. Raises NotPossible."""
    if "Authorization" not in request.headers:
        raise NotPossible(401, "Requires authentication")
    scheme, _, rest = request.headers["Authorization"].partition(" ")
    token = rest.strip()
    if scheme.lower() not in {"bearer", "token"} or not token or not token.isascii():
        raise NotPossible(401, "Bad credentials")
    return token


def _check_form(request: web.Request) -> None:
    if not request.headers.get("User-Agent"):
        raise NotPossible(
            403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent."
        )
    version = request.headers.get("X-GitHub-Api-Version", API_VERSIONS[0])
    if version not in API_VERSIONS:
        known = ", ".join(f'"{known}"' for known in API_VERSIONS)
        said = f'The version you specified in the "X-GitHub-API-Version" request header, "{version}", is not supported.'
        raise NotPossible(400, f"{said} The following versions are currently supported: {known} (most recent).")


def _check_caller(request: web.Request, world: GitHubWorld) -> None:
    """Raises NotPossible for a request without credentials."""
    if call_of(request) in _BY_JWT:
        world.accounts.signer(token_of(request))
    else:
        world.accounts.caller(token_of(request))


def _is_spent(world: GitHubWorld, key: str) -> bool:
    window = world.accounts.limits.window(key)
    return window is not None and window.remaining == 0


async def _answer(request: web.Request, handler: Handler) -> web.Response:
    try:
        answer = await handler(request)
    except (NotFound, web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return refusal(404, "Not Found")  # as GitHub does for what does not exist or must not be seen
    except NotPossible as refused:
        return _refused(refused)
    if not isinstance(answer, web.Response):
        raise TypeError("every route answers whole")
    return answer


def _or_unchanged(request: web.Request, answer: web.Response) -> web.Response:
    """A 304 if the caller already has this response. Each token gets its own `ETag`."""
    if request.method != "GET" or answer.status != 200 or not isinstance(answer.body, bytes):
        return answer
    seed = token_of(request).encode() + b" " + answer.body
    etag = f'W/"{hashlib.sha256(seed).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": "private, max-age=60, s-maxage=60", "Vary": "Accept, Authorization"}
    answer.headers.update(headers)
    held = {known.strip().removeprefix("W/") for known in request.headers.get("If-None-Match", "").split(",")}
    if held & {etag.removeprefix("W/"), "*"}:
        links = {"Link": answer.headers["Link"]} if "Link" in answer.headers else {}
        return web.Response(status=304, headers=headers | links)
    return answer
