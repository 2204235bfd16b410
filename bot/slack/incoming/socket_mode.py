"""Socket Mode, with which Slack reaches a bot without a public address, over slack_sdk's aiohttp client.

Each envelope's payload goes to `bolt_app.dispatch`, whose response is the acknowledgement. If that raises, there is
none and Slack sends the envelope again. Handlers must expect duplicates.
https://docs.slack.dev/apis/events-api/using-socket-mode/
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import aiohttp
import structlog
from slack_bolt import App, BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client.auth import AppTokenRefused
from bot.slack.incoming.bolt_app import Malformed, dispatch, kind_of

SAID_AGAIN_AFTER_S = 60.0

_ADDRESS = re.compile(r"\b(?:wss?|https?)://\S+")
_NUMBER = re.compile(r"\d+")


class _OnceAMinute(logging.Filter):
    def __init__(self) -> None:
        super().__init__()
        self._said_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        text = _ADDRESS.sub("(address)", record.getMessage()).replace("\n", " ")
        same = _NUMBER.sub("#", text)[:100]
        now = time.monotonic()
        if now - self._said_at.get(same, float("-inf")) < SAID_AGAIN_AFTER_S:
            return False
        if len(self._said_at) > 100:
            self._said_at.clear()
        self._said_at[same] = now
        record.msg, record.args, record.exc_info, record.exc_text = text, None, None, None
        return True


def quiet_logger(name: str) -> logging.Logger:
    """The logger of that name, at WARNING and above."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.WARNING)
    logger.filters[:] = [_OnceAMinute()]
    return logger


STOP_TIMEOUT_S = 2.0

_REFUSED = {
    "invalid_auth": "Slack does not know it, or it has been revoked",
    "not_authed": "it is empty",
    "token_revoked": "it has been revoked",
    "token_expired": "it has expired",
    "account_inactive": "its app has been removed from the workspace",
    "not_allowed_token_type": "it is of another kind; the right one begins with xapp-",
    "missing_scope": "it lacks the scope connections:write",
    "no_permission": "it lacks the scope connections:write",
}

log = structlog.get_logger(__name__)


class SocketMode:
    """One connection, maintained from `start` to `stop` by an event loop on its own thread.

    `observe_ack(kind, seconds)` is called after each acknowledgement. `on_dead()` is called once, on its own thread, if
    the connection shows no sign of life for `silence_s` seconds; then the process should end. `proxy` is an HTTP
    proxy's URL; the environment is not used.
    """

    def __init__(
        self,
        app: App,
        app_token: str,
        *,
        api_url: str,
        tls: ssl.SSLContext | None,
        reference: Callable[[], str],
        observe_ack: Callable[[str, float], None],
        on_dead: Callable[[], None],
        proxy: str | None = None,
        timeout_s: float = 10.0,
        ping_interval_s: float = 3.0,
        silence_s: float = 60.0,
    ) -> None:
        self._app = app
        self._app_token = app_token
        self._web_client = AsyncWebClient(
            base_url=api_url,
            timeout=timeout_s,  # type: ignore[arg-type] # aiohttp takes fractions
            ssl=tls,
            proxy=proxy,
            retry_handlers=[],  # the caller that connects retries
        )
        self._web_client.proxy = proxy  # slack_sdk sets it from the environment and ignores NO_PROXY
        self._proxy = proxy
        self._timeout_s = timeout_s
        self._reference = reference
        self._observe_ack = observe_ack
        self._on_dead = on_dead
        self._ping_interval_s = ping_interval_s
        self._silence_s = silence_s
        self._first: Future[None] = Future()
        self._stop_asked = threading.Event()
        self._client: SocketModeClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self._in_hand: set[str] = set()
        self._alive_at = time.monotonic()
        self._thread = threading.Thread(target=self._serve, name="socket-mode", daemon=True)
        self._watch = threading.Thread(target=self._watch_over, name="socket-mode-watch", daemon=True)

    @property
    def connected(self) -> bool:
        """Whether it is connected, as of the last few seconds."""
        client = self._client
        session = client.current_session if client is not None else None
        return client is not None and session is not None and not session.closed and not client.stale

    @property
    def last_pong_age_s(self) -> float:
        """Seconds since Slack's last sign of life; since `start` if there was none."""
        return time.monotonic() - self._alive_at

    def start(self) -> None:
        """Returns when connected, or when the network does not allow it yet: then it keeps trying.

        Raises `AppTokenRefused`.
        """
        self._alive_at = time.monotonic()
        self._thread.start()
        try:
            self._first.result(2 * self._timeout_s)
        except TimeoutError:
            self._tell_first()
        except AppTokenRefused:
            self._thread.join()
            raise
        self._watch.start()

    def stop(self) -> None:
        """Acknowledges received envelopes for up to 2 s, and disconnects."""
        self._stop_asked.set()
        if self._thread.is_alive() and self._loop is not None and self._stopped is not None:
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()
        if self._watch.is_alive() and self._watch is not threading.current_thread():
            self._watch.join()

    def _serve(self) -> None:
        try:
            asyncio.run(self._run())
        except Exception as error:
            if self._first.done():
                log.exception("socket_mode_ended")  # no more pongs, so the watchdog calls `on_dead`
            else:
                self._first.set_exception(error)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        client = SocketModeClient(
            self._app_token,
            logger=quiet_logger("bot.slack.incoming.socket_mode.client"),
            web_client=self._web_client,
            proxy=self._proxy,
            ping_interval=self._ping_interval_s,
        )
        client.proxy = self._proxy
        client.socket_mode_request_listeners.append(self._take)  # type: ignore[arg-type] # names its client class
        self._client = client
        connecting = asyncio.ensure_future(self._connect(client))
        stopping = asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait({connecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if connecting.done():
                connecting.result()
                await stopping
            await self._acks_sent()
        finally:
            await client.close()  # type: ignore[no-untyped-call]

    async def _connect(self, client: SocketModeClient) -> None:
        """slack_sdk retries every failure forever; this raises those that do not pass with time."""
        while client.wss_uri is None:
            try:
                client.wss_uri = await client.issue_new_wss_url()
            except (SlackApiError, aiohttp.ClientError, OSError, TimeoutError, ValueError) as failure:
                why = _why(failure)
                if why in _REFUSED:
                    raise AppTokenRefused(
                        f"Slack refuses SLACK_APP_TOKEN ({why}): {_REFUSED[why]}. "
                        "Make one at https://api.slack.com/apps: your app, Basic Information, App-Level Tokens."
                    ) from None
                log.warning("socket_mode_not_connected", why=why, again_in_s=self._ping_interval_s)
                self._tell_first()
                await asyncio.sleep(self._ping_interval_s)
        await client.connect()  # type: ignore[no-untyped-call]
        self._alive_at = time.monotonic()
        self._tell_first()

    def _tell_first(self) -> None:
        if not self._first.done():
            self._first.set_result(None)

    async def _take(self, client: SocketModeClient, envelope: SocketModeRequest) -> None:
        began = time.perf_counter()
        self._in_hand.add(envelope.envelope_id)
        try:
            answer = await asyncio.to_thread(
                dispatch,
                self._app,
                envelope.payload,
                retry_num=_text(envelope.retry_attempt),
                retry_reason=envelope.retry_reason,
            )
            if answer.status == 200:
                await client.send_socket_mode_response(_ack(envelope, answer))
                self._observe_ack(kind_of(envelope.payload), time.perf_counter() - began)
        except Malformed as problem:
            log.warning("slack_request_malformed", why=str(problem))
        except ConnectionError as failure:
            log.warning("socket_mode_ack_not_sent", why=_why(failure), type=envelope.type)
        except Exception:  # affects this envelope only; Slack sends it again
            log.exception("socket_mode_not_acknowledged", ref=self._reference(), type=envelope.type)
        finally:
            self._in_hand.discard(envelope.envelope_id)

    async def _acks_sent(self) -> None:
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while self._in_hand and time.monotonic() < deadline:
            await asyncio.sleep(0.01)

    def _watch_over(self) -> None:
        """Runs on its own thread, so that it also notices an event loop that hangs."""
        seen, was_connected, is_dead = None, True, False
        while not self._stop_asked.wait(min(1.0, self._ping_interval_s)):
            client = self._client
            if client is None:
                continue
            connected, pong = self.connected, client.last_ping_pong_time
            if connected and pong != seen:
                self._alive_at, seen = time.monotonic(), pong
            if connected != was_connected:
                log.info("socket_mode_connected" if connected else "socket_mode_disconnected")
                was_connected = connected
            if not connected and self.last_pong_age_s > 2 * self._ping_interval_s:
                client.wss_uri = None  # slack_sdk would retry the same address, but each works only once
            if self.last_pong_age_s > self._silence_s and not is_dead:
                is_dead = True
                log.error("socket_mode_dead", silent_for_s=round(self.last_pong_age_s))
                self._on_dead()


def _ack(envelope: SocketModeRequest, answer: BoltResponse) -> SocketModeResponse:
    payload: dict[str, Any] | None = None
    if answer.body and envelope.accepts_response_payload:
        payload = json.loads(answer.body) if answer.body.startswith("{") else {"text": answer.body}
    return SocketModeResponse(envelope.envelope_id, payload)


def _why(failure: Exception) -> str:
    """Slack's error code, or the error's class: aiohttp's texts may hold the connection's address."""
    if isinstance(failure, SlackApiError):
        word = failure.response.get("error") if hasattr(failure.response, "get") else None
        return word if isinstance(word, str) else f"HTTP {getattr(failure.response, 'status_code', '?')}"
    return type(failure).__name__


def _text(value: object) -> str | None:
    return None if value is None else str(value)
