"""Connections to Slack: opened before they are needed, and kept for a few seconds after use.

Slack may close an idle connection just when a request is sent. Then it is unknown whether Slack received it. So a
connection is kept for seconds only, and checked before it is used again.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from urllib.parse import urlsplit

import structlog
from requests.utils import get_auth_from_url, get_environ_proxies, select_proxy
from urllib3 import HTTPConnectionPool, PoolManager, ProxyManager, make_headers
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError, ProtocolError
from urllib3.util import Timeout
from urllib3.util.proxy import connection_requires_http_tunnel

KEPT_S = 5.0
"""Seconds that an unused connection is kept."""

TOO_OLD_SOON_S = 2.0
"""In seconds. A connection with less time left does not count: the request to the CI service takes a while."""

MAX_IDLE = 16
MAX_ANSWER = 1024 * 1024
"""In bytes. Slack's responses to the bot are a few thousand."""

FAILURES = (OSError, HTTPException, HTTPError, ValueError)
_CUT_OFF = (ConnectionError, HTTPException, ProtocolError)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Response:
    """A response. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NotSent(Exception):
    """The request was not sent, or only in part, so Slack cannot have done it. `str()` is the cause's class."""


class NotAnswered(Exception):
    """The request was sent, but no complete response came: it is unknown whether Slack did it.

    `str()` is the cause's class. `is_cut_off`: the connection broke; otherwise the time was up.
    """

    def __init__(self, why: str, *, is_cut_off: bool) -> None:
        super().__init__(why)
        self.is_cut_off = is_cut_off


class Connections:
    """Thread-safe. `timeout_s` limits connecting, and each wait for a part of the response.

    Uses `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` of the environment. Does not follow redirects.
    """

    def __init__(
        self,
        timeout_s: float,
        *,
        tls: ssl.SSLContext | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timeout_s = timeout_s
        self._tls = tls or ssl.create_default_context()
        self._monotonic = monotonic
        self._opener = ThreadPoolExecutor(1, thread_name_prefix="slack-connection")
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}
        self._is_closed = False

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Sends the request. Raises NotSent, NotAnswered."""
        host, target = self._host(url)
        try:
            connection = host.take()
        except FAILURES as failure:
            raise NotSent(type(failure).__name__) from None
        try:
            connection.request("POST", target, body=body, headers={**host.headers, **headers}, preload_content=False)
        except FAILURES as failure:  # Slack waits for the whole body, whose last part it did not accept
            connection.close()
            raise NotSent(type(failure).__name__) from None
        try:
            response = connection.getresponse()
            data = response.read(MAX_ANSWER + 1)
            if len(data) > MAX_ANSWER:
                raise ValueError("the answer is too long")
        except FAILURES as failure:
            connection.close()
            raise NotAnswered(type(failure).__name__, is_cut_off=isinstance(failure, _CUT_OFF)) from None
        host.release(connection)
        return Response(response.status, {name.lower(): value for name, value in response.headers.items()}, data)

    def open_ahead(self, url: str) -> None:
        """Opens a connection for the next request to `url`, unless one is kept or being opened. Returns at once."""
        host, _ = self._host(url)
        opening = host.begin_opening()
        if opening is not None:
            try:
                self._opener.submit(host.open_ahead, opening)
            except RuntimeError:  # closed
                host.finish_opening(opening, None)

    def close(self) -> None:
        """Closes idle connections. Later requests use a connection of their own."""
        self._opener.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._is_closed = True
            hosts = list(self._hosts.values())
        for host in hosts:
            host.close()

    def _host(self, url: str) -> tuple[_Host, str]:
        """The host, and the request's target there."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        with self._lock:
            host = self._hosts.get(origin)
            if host is None:
                host = self._hosts[origin] = _Host(self._pool(origin), parts.scheme, self._monotonic)
                if self._is_closed:
                    host.close()
        if host.takes_whole_urls:
            return host, url
        return host, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def _pool(self, origin: str) -> HTTPConnectionPool:
        """urllib3's pool makes the connections, through a proxy if there is one; it keeps none of them."""
        timeout = Timeout(self._timeout_s)
        proxy = select_proxy(origin, get_environ_proxies(origin, no_proxy=None))
        if not proxy:
            return PoolManager(timeout=timeout, ssl_context=self._tls).connection_from_url(origin)
        if "://" not in proxy:
            proxy = f"http://{proxy}"
        user, password = get_auth_from_url(proxy)
        sent_to_proxy = make_headers(proxy_basic_auth=f"{user}:{password}") if user else None
        return ProxyManager(
            proxy,
            proxy_headers=sent_to_proxy,
            timeout=timeout,
            ssl_context=self._tls,
            proxy_ssl_context=self._tls,
        ).connection_from_url(origin)


class _Opening:
    """A connection that is being opened in advance. `is_taken`: a request waits for it."""

    def __init__(self) -> None:
        self.is_taken = False
        self.connection: HTTPConnection | None = None
        self.ended = threading.Event()


class _Host:
    """The connections to one host."""

    def __init__(self, pool: HTTPConnectionPool, scheme: str, monotonic: Callable[[], float]) -> None:
        self._pool = pool
        self._needs_tunnel = connection_requires_http_tunnel(pool.proxy, pool.proxy_config, scheme)
        self.takes_whole_urls = pool.proxy is not None and not self._needs_tunnel
        self.headers = dict(pool.proxy_headers) if self.takes_whole_urls else {}
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._idle: list[tuple[HTTPConnection, float]] = []
        self._opening: _Opening | None = None
        self._timer: threading.Timer | None = None
        self._is_closed = False

    def take(self) -> HTTPConnection:
        """An idle connection, else the one being opened, else a new one. Raises what connecting raises."""
        opening = None
        with self._lock:
            while self._idle:
                connection, since = self._idle.pop()
                if self._monotonic() - since <= KEPT_S and _is_open(connection):
                    return connection
                connection.close()
            if self._opening is not None and not self._opening.is_taken:
                opening = self._opening
                opening.is_taken = True
        if opening is not None:
            opening.ended.wait()
            if opening.connection is not None:
                return opening.connection
        return self._open()

    def release(self, connection: HTTPConnection) -> None:
        """Keeps the connection, unless Slack closes it after this response."""
        if not connection.is_closed:
            with self._lock:
                self._keep(connection)

    def begin_opening(self) -> _Opening | None:
        """None if an idle connection lives long enough, or one is being opened."""
        with self._lock:
            self._close_old()
            will_last = any(self._monotonic() - since <= KEPT_S - TOO_OLD_SOON_S for _, since in self._idle)
            if self._opening is not None or will_last or self._is_closed:
                return None
            self._opening = _Opening()
            return self._opening

    def open_ahead(self, opening: _Opening) -> None:
        connection = None
        try:
            connection = self._open()
        except FAILURES as failure:  # the request that needs one tries itself, and reports the error
            log.info("slack_connection_not_opened", why=type(failure).__name__)
        finally:
            self.finish_opening(opening, connection)

    def finish_opening(self, opening: _Opening, connection: HTTPConnection | None) -> None:
        with self._lock:
            self._opening = None
            opening.connection = connection
            if connection is not None and not opening.is_taken:
                self._keep(connection)
        opening.ended.set()

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            if self._timer is not None:
                self._timer.cancel()
            for connection, _ in self._idle:
                connection.close()
            self._idle.clear()

    def _open(self) -> HTTPConnection:
        connection = self._pool._new_conn()
        if self._needs_tunnel:
            self._pool._prepare_proxy(connection)
        else:
            connection.connect()
        return connection  # type: ignore[return-value] # a Protocol of urllib3's

    def _keep(self, connection: HTTPConnection) -> None:
        """Call with the lock held."""
        if self._is_closed or len(self._idle) >= MAX_IDLE:
            connection.close()
            return
        self._idle.append((connection, self._monotonic()))
        self._look_later()

    def _close_old(self) -> None:
        """Call with the lock held."""
        now = self._monotonic()
        kept = [(connection, since) for connection, since in self._idle if now - since <= KEPT_S]
        for connection, since in self._idle:
            if now - since > KEPT_S:
                connection.close()
        self._idle = kept

    def _look_later(self) -> None:
        """Call with the lock held. One timer for all connections; none if there are none."""
        if self._timer is None and not self._is_closed:
            self._timer = threading.Timer(KEPT_S, self._look)
            self._timer.daemon = True
            self._timer.start()

    def _look(self) -> None:
        with self._lock:
            self._timer = None
            self._close_old()
            if self._idle:
                self._look_later()


def _is_open(connection: HTTPConnection) -> bool:
    """Whether Slack has not closed it. Unread bytes prove nothing: TLS sends tickets after a handshake."""
    sock = connection.sock
    if sock is None:
        return False
    try:
        sock.settimeout(0)
        sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        sock.settimeout(connection.timeout)
        return True
    except OSError:
        return False
    return False  # the end, or unexpected bytes
