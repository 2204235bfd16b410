"""`python -m bench.hostile`: hostile clients against the bot over HTTP, while Slack's signed commands continue.

Dripping connections send a byte of a request's headers now and then. Half-sent bodies announce more than they send,
unsigned. Each is opened again as soon as it is cut. Prints a line for each attack; exits 1 if a limit is broken.
"""

from __future__ import annotations

import argparse
import errno
import http.client
import selectors
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier

from bench.processes import Process
from bot.app.clock import SystemClock
from playground.codeship.demo_data import seed
from playground.codeship.server import CodeShipHost
from playground.codeship.state import CodeShipWorld
from playground.sandbox import API_KEY, BOT_TOKEN, SIGNING_SECRET
from playground.slack.server import SlackApi
from playground.slack.workspace import Workspace

MAX_ACK_S = 1.0
MAX_MIB = 200.0
DRIP_EVERY_S = 0.5
BODY = 500_000

_HEAD = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@dataclass(frozen=True, slots=True)
class Attack:
    """Each of `clients` sends `sends` first; then a byte now and then if it `drips`, else nothing more."""

    name: str
    clients: int
    sends: bytes
    drips: bool


@dataclass(frozen=True, slots=True)
class Held:
    """The result: seconds of each acknowledgement, the bot's largest memory, and how often clients were cut."""

    acks_s: Sequence[float]
    peak_mib: float
    cut: int

    @property
    def is_fine(self) -> bool:
        return bool(self.acks_s) and max(self.acks_s) < MAX_ACK_S and self.peak_mib < MAX_MIB


def attacks(drippers: int, bodies: int) -> tuple[Attack, ...]:
    half = _HEAD + f"Content-Length: {BODY}\r\n\r\n".encode() + b"x" * (BODY - 1_000)
    return (
        Attack(f"{drippers:,} dripping connections", drippers, _HEAD + b"X-Drip: ", drips=True),
        Attack(f"{bodies:,} half-sent bodies of 500 kB", bodies, half, drips=False),
    )


class _Client:
    def __init__(self, port: int, attack: Attack) -> None:
        self._attack = attack
        self._sent = 0
        self._next_drip_at = time.monotonic() + DRIP_EVERY_S
        self.socket = socket.socket()
        self.socket.setblocking(False)
        code = self.socket.connect_ex(("127.0.0.1", port))
        if code not in (0, errno.EINPROGRESS):
            raise OSError(code, "not connected")

    def goes_on(self, events: int) -> bool:
        """Sends what there is to send; False if the bot has closed the connection."""
        try:
            if events & selectors.EVENT_READ:
                self.socket.recv(4096)  # a response or the end: nothing comes after either
                return False
            if self._sent < len(self._attack.sends):
                self._sent += self.socket.send(self._attack.sends[self._sent : self._sent + 65_536])
            elif self._attack.drips and time.monotonic() >= self._next_drip_at:
                self._next_drip_at = time.monotonic() + DRIP_EVERY_S
                self.socket.send(b"x")
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    @property
    def wants(self) -> int:
        sending = self._sent < len(self._attack.sends)
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if sending else 0)


def assail(port: int, attack: Attack, seconds: float) -> int:
    """Keeps all clients of `attack` connected for `seconds`. Returns how often one was cut."""
    cut, until = 0, time.monotonic() + seconds
    clients: list[_Client] = []
    with selectors.DefaultSelector() as selector:
        while time.monotonic() < until:
            for _ in range(min(100, attack.clients - len(clients))):
                with suppress(OSError):
                    clients.append(client := _Client(port, attack))
                    selector.register(client.socket, client.wants, client)
            ready = {key.data: events for key, events in selector.select(0.02)}
            left = []
            for client in clients:
                if client.goes_on(ready.get(client, 0)):
                    selector.modify(client.socket, client.wants, client)
                    left.append(client)
                else:
                    selector.unregister(client.socket)
                    client.socket.close()
                    cut += 1
            clients = left
        for client in clients:
            client.socket.close()
    return cut


def command_acked_in_s(port: int) -> float:
    """Seconds from connecting to the response. Raises OSError, HTTPException, RuntimeError if it is not
    acknowledged.
    """
    body = urlencode(
        {
            "command": "/codeship",
            "text": "help",
            "team_id": "T0",
            "channel_id": "C0",
            "user_id": "U0",
            "trigger_id": str(time.monotonic_ns()),
        }
    )
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": str(SignatureVerifier(SIGNING_SECRET).generate_signature(timestamp=timestamp, body=body)),
    }
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/slack/events", body, headers)
        response = connection.getresponse()
        response.read()
        if response.status != 200:
            raise RuntimeError(f"answered {response.status}")
    finally:
        connection.close()
    return time.monotonic() - began


def hold_out(process: Process, port: int, attack: Attack, seconds: float) -> Held:
    """Runs one attack; commands are sent one after another, ten a second at most."""
    acks, peak = [], 0.0
    # In its own process: two threads of one interpreter would wait for each other, not for the bot.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as attacker:
        cut = attacker.submit(assail, port, attack, seconds)
        while not cut.done():
            try:
                acks.append(command_acked_in_s(port))
            except (OSError, http.client.HTTPException, RuntimeError) as failure:
                print(f"a command was not acknowledged: {failure!r}", file=sys.stderr)
                acks.append(float("inf"))
            peak = max(peak, process.memory() / 2**20)
            wait([cut], timeout=0.1)
        return Held(acks, peak, cut.result())


def run(drippers: int, bodies: int, seconds: float, say: Callable[[str], None]) -> bool:
    """Whether the bot held out against both attacks, each for `seconds`."""
    clock = SystemClock()
    world = CodeShipWorld(clock.now, API_KEY)
    seed(world)
    host, workspace = CodeShipHost(world), Workspace(clock.now, BOT_TOKEN, None, SIGNING_SECRET)
    slack = SlackApi(workspace, 0)
    host.start()
    slack.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            environ = {
                "SLACK_BOT_TOKEN": BOT_TOKEN,
                "SLACK_SIGNING_SECRET": SIGNING_SECRET,
                "SLACK_API_URL": slack.api_url,
                "CODESHIP_API_KEY": API_KEY,
                "CODESHIP_API_URL": host.url,
                "HOST": "127.0.0.1",
                "PORT": "0",
                "LOG_FORMAT": "json",
            }
            process = Process([sys.executable, "-m", "bot"], environ, Path(folder), "bot")
            try:
                port, _ = process.ready()
                is_fine = True
                for attack in attacks(drippers, bodies):
                    held = hold_out(process, port, attack, seconds)
                    slowest = max(held.acks_s, default=0.0)
                    say(
                        f"{attack.name}: {len(held.acks_s)} commands, slowest acknowledged in {slowest * 1000:.0f} ms, "
                        f"{held.peak_mib:.0f} MiB at most, {held.cut:,} connections cut"
                    )
                    is_fine = is_fine and held.is_fine
                return is_fine
            finally:
                process.stop()
    finally:
        slack.stop()
        host.stop()


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.hostile", description=(__doc__ or "").split("\n", 2)[2])
    parser.add_argument("--seconds", type=float, default=20.0, help="of each attack")
    parser.add_argument("--drippers", type=int, default=1_100)
    parser.add_argument("--bodies", type=int, default=950)
    chosen = parser.parse_args(arguments)
    return 0 if run(chosen.drippers, chosen.bodies, chosen.seconds, print) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
