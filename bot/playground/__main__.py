"""python -m bot.playground: the bot without an account anywhere, at a prompt."""

from __future__ import annotations

import sys

from bot import logs
from bot.clock import SystemClock
from bot.playground.stage import API_KEY, APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, Stage
from bot.playground.terminal import WELCOME, Terminal


def main() -> int:
    logs.configure("WARNING", "text", (API_KEY, APP_TOKEN, BOT_TOKEN, SIGNING_SECRET))
    with Stage(SystemClock()) as stage:
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
