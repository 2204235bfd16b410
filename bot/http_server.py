"""The bot's HTTP server: /healthz, /readyz, /metrics, and POST handlers by path. waitress serves them.

Knows nothing of Slack. A handler is a WSGI application that gets a body of known, bounded length.
"""

from __future__ import annotations

import errno
import json
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from waitress import wasyncore  # type: ignore[import-untyped]

from bot.http_connections import BoundedServer, Limits

MAX_BODY = 1024 * 1024
"""In bytes. Slack's largest payloads are a few hundred kilobytes."""

LIMITS = Limits()
CUTS_LOGGED_EVERY_S = 60.0

Ready = Callable[[], tuple[bool, Mapping[str, Any]]]
"""Returns whether the bot is ready, and what that depends on."""

_JSON = "application/json"

log = structlog.get_logger(__name__)


class CannotListen(Exception):
    """The server cannot listen on its address. `str()` says on which and why, and what to do."""


class WebApp:
    """The WSGI application. `posts` maps a path to its POST handler; `reference()` returns a new id for a bug.

    A path that ends in a slash stands for every path that adds one part to it.

    Without `ops_pages` it serves /healthz but not /readyz and /metrics, which another port serves.
    """

    def __init__(
        self,
        *,
        ready: Ready,
        registry: CollectorRegistry,
        reference: Callable[[], str],
        posts: Mapping[str, WSGIApplication],
        ops_pages: bool = True,
    ) -> None:
        self._ready = ready
        self._registry = registry
        self._reference = reference
        self._posts = dict(posts)
        self._pages = {"/healthz": self._healthz}
        if ops_pages:
            self._pages |= {"/readyz": self._readyz, "/metrics": self._metrics}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            return self._route(environ, start_response)
        except Exception:
            reference = self._reference()
            log.exception("http_internal_error", ref=reference, path=environ["PATH_INFO"])
            body = json.dumps({"error": "internal error", "reference": reference})
            return _answer(start_response, HTTPStatus.INTERNAL_SERVER_ERROR, body, exc_info=True)

    def _route(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if page := self._pages.get(path):
            if method not in ("GET", "HEAD"):
                return _not_allowed(start_response, "GET, HEAD")
            status, content_type, body = page()
            return _answer(start_response, status, body, content_type, head=method == "HEAD")
        if post := self._posts.get(path) or self._posts.get(path[: path.rfind("/") + 1]):
            if method != "POST":
                return _not_allowed(start_response, "POST")
            length = environ.get("CONTENT_LENGTH", "")
            if not (length.isascii() and length.isdigit()):
                return _answer(start_response, HTTPStatus.LENGTH_REQUIRED, _error("the body's length must be given"))
            if len(length) > 12 or int(length) > MAX_BODY:
                return _answer(start_response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _error("the body is too large"))
            return post(environ, start_response)
        return _answer(start_response, HTTPStatus.NOT_FOUND, _error("not found"), head=method == "HEAD")

    def _healthz(self) -> tuple[HTTPStatus, str, str]:
        return HTTPStatus.OK, _JSON, json.dumps({"alive": True})

    def _readyz(self) -> tuple[HTTPStatus, str, str]:
        ready, facts = self._ready()
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return status, _JSON, json.dumps({"ready": ready, **facts})

    def _metrics(self) -> tuple[HTTPStatus, str, str]:
        return HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self._registry).decode()


class WebServer:
    """Serves `app` on its own threads from `start` to `stop`. With `port` 0, `port` then holds the port in use.

    `setting` is the name of the setting that holds the port, for errors.
    """

    def __init__(
        self,
        app: WSGIApplication,
        host: str,
        port: int,
        *,
        threads: int = 16,
        limits: Limits = LIMITS,
        setting: str = "PORT",
    ) -> None:
        self._app = app
        self._host = host
        self._threads = threads
        self._limits = limits
        self._setting = setting
        self._sockets: dict[int, Any] = {}
        self._stopping = threading.Event()
        self._server: BoundedServer | None = None
        self._thread: threading.Thread | None = None
        self._drain_s = 0.0
        self.port = port

    def start(self) -> None:
        """Returns when connections are accepted. Raises `CannotListen`."""
        listening = _listen(self._host, self.port, self._setting)
        self.port = listening.getsockname()[1]
        # In a burst, requests wait milliseconds for a thread. waitress would warn, but acknowledgement times are
        # measured.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self._server = server = BoundedServer(
            self._app,
            listening,
            sockets=self._sockets,
            threads=self._threads,
            limits=self._limits,
            max_body=MAX_BODY,
        )
        self._thread = threading.Thread(target=self._run, args=(server,), name="web", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Accepts no new connections, and lets requests finish for up to `timeout_s` seconds."""
        if self._server is None or self._thread is None or self._stopping.is_set():
            return
        self._drain_s = timeout_s
        self._stopping.set()
        self._server.pull_trigger()
        self._thread.join()
        wasyncore.close_all(self._sockets)  # last: the trigger used above is one of the sockets

    def _run(self, server: BoundedServer) -> None:
        """Runs the loop. waitress' own cannot be ended from another thread without closing connections in use."""
        logged, log_at = 0, 0.0
        while not self._stopping.is_set():
            wasyncore.loop(timeout=server.wait_s, use_poll=True, map=self._sockets, count=1)
            server.enforce()
            if server.cut_connections > logged and time.monotonic() >= log_at:
                log.warning("http_connections_cut", number=server.cut_connections - logged)
                logged, log_at = server.cut_connections, time.monotonic() + CUTS_LOGGED_EVERY_S
        wasyncore.dispatcher.close(server)  # closes the listening socket only; `server.close` also closes the trigger
        deadline = time.monotonic() + self._drain_s
        while time.monotonic() < deadline and any(
            channel.requests or channel.total_outbufs_len for channel in server.active_channels.values()
        ):
            wasyncore.loop(timeout=0.05, use_poll=True, map=self._sockets, count=1)
        server.task_dispatcher.shutdown(timeout=0.2)


def _listen(host: str, port: int, setting: str) -> socket.socket:
    if not 0 <= port <= 65535:
        raise CannotListen(f"Cannot listen on {host}, port {port}: {setting} must be between 0 and 65535.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as failure:
        match failure.errno:
            case errno.EADDRINUSE:
                why = f"another process listens there already. Set {setting} to a free one"
            case errno.EACCES:
                why = f"this user may not use that port. Set {setting} to one above 1023"
            case _:
                why = f"{failure.strerror or failure}. Set HOST to an address of this machine, or 0.0.0.0 for all"
        raise CannotListen(f"Cannot listen on {host}, port {port}: {why}.") from None


def _answer(
    start_response: StartResponse,
    status: HTTPStatus,
    body: str,
    content_type: str = _JSON,
    *,
    allow: str | None = None,
    head: bool = False,
    exc_info: bool = False,
) -> Iterable[bytes]:
    content = body.encode()
    headers = [("Content-Type", content_type), ("Content-Length", str(len(content)))]
    if allow is not None:
        headers.append(("Allow", allow))
    start_response(f"{status.value} {status.phrase}", headers, sys.exc_info() if exc_info else None)
    return [] if head else [content]


def _not_allowed(start_response: StartResponse, allow: str) -> Iterable[bytes]:
    return _answer(start_response, HTTPStatus.METHOD_NOT_ALLOWED, _error(f"use {allow}"), allow=allow)


def _error(why: str) -> str:
    return json.dumps({"error": why})
