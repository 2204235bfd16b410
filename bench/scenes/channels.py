"""Channels that subscribe: a thousand subscriptions over three hundred projects, with the usual rate limit.

Builds end one after the other. Measured is the time until Slack has each message, first without webhooks, then with.
"""

from __future__ import annotations

import json
import time
from urllib.request import ProxyHandler, Request, build_opener

from bench.fakes.account import FIRST_PROJECT
from bench.scenes.loads import round_us
from bench.scenes.stage import Stage

CALLS = "60"
WEBHOOK_TOKEN = "benchmark-webhook-token-0123456789abcdef0123456789"
FIRST_LIST_S = 17.0
LAST_LIST_S, LAST_HINT_S = 19.0, 8.0
"""Seconds after the last build in which its message must come."""
POLLED_EVERY_S, HINTED_EVERY_S = 1.7, 3.1
"""Seconds between two builds. Neither divides the period of the lists."""


def play(stage: Stage) -> None:
    plan = stage.plan
    stage.say(f"  {plan.subscriptions:,} subscriptions, with {CALLS} calls a minute")
    stage.set_account(plan.subscribed_projects)
    database = f"sqlite:///{stage.folder / 'channels.sqlite3'}"
    matched = stage.inside(
        "matching",
        "matching",
        DATABASE_URL=database,
        SUBSCRIPTIONS_OF_BENCH=str(plan.subscriptions),
        PROJECTS_OF_BENCH=str(plan.subscribed_projects),
    )
    bot = next(one for one in stage.contenders if one.name == "bot-http")
    settings = {"DATABASE_URL": database, "CODESHIP_CALLS_PER_MINUTE": CALLS, "CODESHIP_WEBHOOK_TOKEN": WEBHOOK_TOKEN}
    process = bot.start(stage.folder / bot.name, stage.near, **settings)
    try:
        port, _ = process.ready()
        time.sleep(FIRST_LIST_S)
        stage.codeship.tell("calls")
        stage.slack.tell("posts")
        before, began = process.cpu_s(), time.monotonic()
        polled = _lags(stage, range(plan.polled_ends), POLLED_EVERY_S, None)
        took, cpu_s = time.monotonic() - began, process.cpu_s() - before
        calls = stage.codeship.tell("calls")
        last = plan.polled_ends + plan.hinted_ends
        hinted = _lags(stage, range(plan.polled_ends, last), HINTED_EVERY_S, port)
        stage.samples.write(
            "channels",
            {
                "subscriptions": plan.subscriptions,
                "projects": plan.subscribed_projects,
                "budget": int(CALLS),
                "seconds": round(took, 3),
                "cpu_us": round_us(cpu_s),
                "calls": calls,
                "match_us": matched["match_us"],
                "polled_us": polled,
                "hinted_us": hinted,
                "memory": process.memory(),
            },
        )
    finally:
        process.stop()


def _lags(stage: Stage, numbers: range, every_s: float, port: int | None) -> list[int | None]:
    """For each message, microseconds from the end of its build; None for one that did not come."""
    ended: dict[int, int] = {}
    for number in numbers:
        ended[number] = stage.codeship.tell("end", number=number, status="success")
        if port is not None:
            _hint(port, FIRST_PROJECT + number)
        time.sleep(every_s)
    time.sleep(LAST_LIST_S if port is None else LAST_HINT_S)
    posts: list[tuple[int, str]] = stage.slack.tell("posts")
    lags: list[int | None] = [at - ended[_project(channel)] for at, channel in posts if _project(channel) in ended]
    heard = {_project(channel) for _, channel in posts}
    return [*lags, *(None for number in ended if number not in heard)]


def _project(channel: str) -> int:
    """The project whose builds the channel hears of."""
    return int(channel[-5:])


def _hint(port: int, project_id: int) -> None:
    """CodeShip's webhook."""
    body = json.dumps({"build": {"project_id": project_id, "build_id": project_id * 100 + 9}}).encode()
    url = f"http://127.0.0.1:{port}/codeship/webhook/{WEBHOOK_TOKEN}"
    build_opener(ProxyHandler({})).open(Request(url, body, {"Content-Type": "application/json"})).read()
