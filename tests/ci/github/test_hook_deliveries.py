"""Failed deliveries of the webhook are asked for again: each once, few at a time, and only recent ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
import responses

from bot.ci.github.client import GitHub
from bot.ci.github.hook_deliveries import APP_HOOK, ASKED_EVERY_S, MAX_AT_ONCE, MISSED_WITHIN
from bot.ci.github.http.auth import App
from bot.config.parsers import Secret
from bot.core.model.builds import Project
from bot.core.model.errors import CIError, Forbidden, InvalidResponse, NotFound
from bot.store import Store
from bot.store.database import open_store
from playground.github.api.server import GitHubHost
from playground.github.model import HookDelivery
from playground.github.state import GitHubWorld
from playground.github.webhooks import GitHubWebhooks
from tests.ci.codeship.canned import Clock, surroundings
from tests.ci.github.canned import API, NOON, TOKEN
from tests.ci.sandboxes import app_key
from tests.held_clock import HeldClock

HOOK_ID = 474_331_009
HOOKS = {"acme": f"orgs/acme/hooks/{HOOK_ID}", "acme/web": f"repos/acme/web/hooks/{HOOK_ID}", "app": APP_HOOK}
"""By the owner of a webhook its path in the API."""


class Stage:
    """A simulated GitHub whose webhook reaches no one, and processes of the bot on one database."""

    def __init__(self, owner: str) -> None:
        self._stack = ExitStack()
        self.clock = HeldClock()
        self.world = GitHubWorld(self.clock.now, TOKEN)
        self.world.add_repo("acme/web")
        permissions = {"actions": "write", "organization_hooks": "write", "repository_hooks": "write"}
        self.world.add_token(TOKEN, permissions=permissions)
        pem, public = app_key(TOKEN)
        app = self.world.accounts.add_app(public)
        installed = self.world.accounts.install(app, "acme")
        self._who = App(str(app.id), str(installed.id), Secret(pem)) if owner == "app" else Secret(TOKEN)
        self._hook = HOOKS[owner]
        self._host = GitHubHost(self.world).start()
        self._stack.callback(self._host.stop)
        hooks = GitHubWebhooks(
            self.world, "http://127.0.0.1:9/", "secret", api_url=self._host.url, owner=owner, hook_id=HOOK_ID
        )
        self.hooks = self._stack.enter_context(hooks)
        self.hooks.is_reachable = False
        self.store: Store = open_store("sqlite:///:memory:", self.clock)
        self._stack.callback(self.store.close)

    def close(self) -> None:
        self._stack.close()

    def misses(self, count: int) -> None:
        for _ in range(count):
            self.world.trigger("acme/web")
        assert self.hooks.wait_until(lambda: all(each.is_done for each in self.hooks.deliveries))

    def process(self) -> Callable[[], int]:
        """One process of the bot, as far as it asks for deliveries. Returns how many it asked for."""
        client = self.client()
        return lambda: client.redeliver_failed(lambda guid: self.store.idempotency_keys.add(guid, keep_s=3 * 86_400))

    def client(self) -> GitHub:
        made = GitHub(self._host.url, self._who, surroundings(self.clock, now=self.clock.now), hook=self._hook)
        self._stack.callback(made.close)
        return made

    def passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def asked_again(self) -> list[HookDelivery]:
        assert self.hooks.wait_until(lambda: all(each.is_done for each in self.hooks.deliveries))
        return [each for each in self.hooks.deliveries if each.redelivery]


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    made = Stage(getattr(request, "param", "acme"))
    yield made
    made.close()


@pytest.mark.parametrize("stage", HOOKS, indirect=True)
def test_what_failed_is_asked_for_once_by_all_processes_also_after_a_restart(stage: Stage) -> None:
    stage.misses(2)
    first, second = stage.process(), stage.process()
    assert [first(), second(), first()] == [2, 0, 0]
    missed = {each.guid for each in stage.hooks.deliveries if not each.redelivery}
    assert {each.guid for each in stage.asked_again()} == missed
    stage.passes(ASKED_EVERY_S)
    assert [first(), second(), stage.process()()] == [0, 0, 0], "it failed again, and that is all"
    stage.misses(1)
    stage.passes(ASKED_EVERY_S)
    assert [second(), first()] == [1, 0]
    assert len(stage.asked_again()) == 3


def test_the_list_is_read_every_five_minutes(stage: Stage) -> None:
    ask = stage.process()
    ask()
    stage.misses(1)
    assert ask() == 0
    stage.passes(ASKED_EVERY_S - 1)
    assert ask() == 0
    stage.passes(1)
    assert ask() == 1


def test_what_failed_long_ago_is_left_alone(stage: Stage) -> None:
    stage.misses(1)
    stage.passes(MISSED_WITHIN.total_seconds() + 1)
    assert stage.process()() == 0


def test_few_are_asked_for_at_once(stage: Stage) -> None:
    stage.misses(MAX_AT_ONCE + 2)
    ask = stage.process()
    assert ask() == MAX_AT_ONCE
    stage.passes(ASKED_EVERY_S)
    assert ask() == 2


def test_what_a_person_asked_for_and_failed_again_is_left_alone(stage: Stage) -> None:
    stage.misses(1)
    stage.hooks.redeliver(stage.hooks.deliveries[0])
    assert len(stage.asked_again()) == 1
    assert stage.process()() == 0


@pytest.mark.parametrize(
    ("permissions", "hook", "refusal"),
    [
        ({"actions": "write"}, HOOKS["acme"], Forbidden),
        ({"organization_hooks": "write"}, "orgs/acme/hooks/7", NotFound),
    ],
    ids=["without the permission", "no such webhook"],
)
def test_a_refusal_is_raised(stage: Stage, permissions: dict[str, str], hook: str, refusal: type[CIError]) -> None:
    stage.world.add_token(TOKEN, permissions=permissions)
    stage._hook = hook
    ask = stage.process()
    with pytest.raises(refusal):
        ask()


@pytest.mark.parametrize(
    ("stage", "permissions", "has"),
    [("acme", {"organization_hooks": "read"}, None), ("acme", {"actions": "write"}, False), ("app", {}, True)],
    indirect=["stage"],
)
def test_a_check_tells_what_is_known_of_the_permission(
    stage: Stage, permissions: dict[str, str], has: bool | None
) -> None:
    stage.world.add_token(TOKEN, permissions=permissions)
    repository = Project(str(stage.world.repo("acme/web").id), "acme/web", "github")
    [granted] = [each for each in stage.client().permissions(repository) if each.name.startswith("Webhooks")]
    assert granted.has is has
    assert not granted.is_required


# --- answers that GitHub does not give


REPOSITORY_HOOK = "repos/acme/web/hooks/7"
DELIVERIES = f"{API}/{REPOSITORY_HOOK}/deliveries"


def delivery(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "guid": f"guid-{number}",
        "delivered_at": (NOON - timedelta(minutes=10)).isoformat(),
        "redelivery": False,
        "event": "workflow_run",
        "status_code": 502,
        **changes,
    }


@pytest.fixture
def hooked(clock: Clock) -> Iterator[GitHub]:
    made = GitHub(API, Secret(TOKEN), surroundings(clock, now=lambda: NOON), hook=REPOSITORY_HOOK)
    yield made
    made.close()


@pytest.mark.parametrize(
    "listed",
    [
        [delivery(1, event="push")],
        [delivery(1, event=["workflow_run"])],
        [delivery(1, guid=None)],
        [None, {}],
    ],
    ids=["another event", "an odd event", "unreadable", "nothing"],
)
def test_nothing_else_is_asked_for(hooked: GitHub, api: responses.RequestsMock, listed: list[Any]) -> None:
    api.get(DELIVERIES, json=listed)
    assert hooked.redeliver_failed(lambda _guid: True) == 0


def test_a_list_that_cannot_be_read_raises(hooked: GitHub, api: responses.RequestsMock) -> None:
    api.get(DELIVERIES, body="{}")
    with pytest.raises(InvalidResponse):
        hooked.redeliver_failed(lambda _guid: True)


def test_without_a_webhook_of_its_own_nothing_is_asked(github: GitHub) -> None:
    assert github.redeliver_failed(lambda _guid: True) == 0
