"""The bot with a simulated Slack, CodeShip and GitHub, on a page in the browser. No account is needed."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import Mapping

from bot import logs
from bot.app.clock import SystemClock
from bot.app.settings import BadSettings
from playground.page.server import PORT, Site
from playground.play.sessions import RealCodeShip, Sessions
from playground.play.terminal import WELCOME, Terminal
from playground.sandbox import HALF_MOVED, SECRETS, Sandbox


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m playground", description=__doc__)
    parser.add_argument("--terminal", action="store_true", help="run in this terminal, without a browser")
    in_terminal = parser.parse_args().terminal
    real_key = os.environ.get("PLAYGROUND_CODESHIP_API_KEY", "").strip()
    logs.configure("WARNING", "text", (*SECRETS, *filter(None, [real_key])))
    try:
        return _terminal() if in_terminal else _site(os.environ)
    except (_CannotStart, BadSettings) as why:
        print(why, file=sys.stderr)
        return 1


class _CannotStart(Exception):
    """The playground cannot start. `str()` says why and what to do next."""


def _site(environ: Mapping[str, str]) -> int:
    port = _port(environ.get("PLAYGROUND_PORT", "").strip())
    real = _codeship(environ)
    site = Site(Sessions(codeship=real), port)
    try:
        site.start()
    except OSError as failure:
        raise _CannotStart(
            f"Cannot listen on 127.0.0.1, port {port}: {failure.strerror or failure}.\n"
            "Another playground may be running. For another port: PLAYGROUND_PORT=8766 make playground"
        ) from None
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    what = f"simulated Slack, real CodeShip at {real.url}" if real else "simulated: nothing leaves this machine"
    print(f"The playground is at {site.url} ({what}). Press Ctrl-C to stop it.", flush=True)
    if sys.stdout.isatty() and not environ.get("CI"):
        webbrowser.open(site.url)
    stopped.wait()
    site.stop()
    return 0


def _port(text: str) -> int:
    if not text:
        return PORT
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise _CannotStart("PLAYGROUND_PORT is not a port. Use a number from 0 (a free port) to 65535.")
    return int(text)


def _codeship(environ: Mapping[str, str]) -> RealCodeShip | None:
    url, key = (environ.get(f"PLAYGROUND_CODESHIP_API_{name}", "").strip() for name in ("URL", "KEY"))
    if bool(url) != bool(key):
        raise _CannotStart(
            "PLAYGROUND_CODESHIP_API_URL and PLAYGROUND_CODESHIP_API_KEY belong together: set both or neither."
        )
    return RealCodeShip(url, key) if url else None


def _terminal() -> int:
    with Sandbox(SystemClock(), environ=HALF_MOVED) as stage:
        print(WELCOME)
        terminal = Terminal(stage, print)
        while True:
            try:
                line = input(terminal.prompt)
            except (EOFError, KeyboardInterrupt):
                print()
                return 0
            if not terminal.take(line):
                return 0


if __name__ == "__main__":
    sys.exit(main())
