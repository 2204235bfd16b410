"""The sandbox GitHub tells of runs by webhook: signed, once, off the caller's thread."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest

from playground.github.server import GitHubHost
from playground.github.state import GitHubWorld
from playground.github.webhooks import MAX_WAITING, GitHubWebhooks, signature
from tests.playground.github.client import Client
from tests.playground.github.description import description

SECRET = "webhook-secret-5d1"


class Posted(NamedTuple):
    headers: Mapping[str, str]
    body: bytes

    @property
    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = json.loads(self.body)
        return payload


class Listener:
    """Takes POSTs; answers `status`, but not before `open` is set."""

    def __init__(self) -> None:
        self.posted: queue.Queue[Posted] = queue.Queue()
        self.status = 202
        self.open = threading.Event()
        self.open.set()
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.posted.put(Posted(dict(self.headers), body))
                listener.open.wait(5)
                self.send_response(listener.status)
                self.send_header("Location", "/elsewhere")  # which counts for a redirect alone
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/github/events"

    def next(self) -> Posted:
        return self.posted.get(timeout=5)


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    thread = threading.Thread(target=listener.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield listener
    listener.open.set()
    listener.server.shutdown()
    thread.join()
    listener.server.server_close()


@pytest.fixture
def hooks(world: GitHubWorld, host: GitHubHost, listener: Listener) -> Iterator[GitHubWebhooks]:
    with GitHubWebhooks(world, listener.url, SECRET, api_url=host.url, wires=host.wires) as hooks:
        yield hooks


def test_a_run_is_reported_when_it_is_requested_begins_and_ends(
    world: GitHubWorld, hooks: GitHubWebhooks, listener: Listener
) -> None:
    run = world.trigger("acme/web")
    world.start(run)
    world.fail(run)
    told = [listener.next().payload for _ in range(3)]
    assert [payload["action"] for payload in told] == ["requested", "in_progress", "completed"]
    assert [payload["workflow_run"]["status"] for payload in told] == ["queued", "in_progress", "completed"]
    assert [payload["workflow_run"]["conclusion"] for payload in told] == [None, None, "failure"]


def test_an_event_has_what_githubs_has(
    client: Client, world: GitHubWorld, hooks: GitHubWebhooks, listener: Listener
) -> None:
    run = world.trigger("acme/web", by="ada")
    payload = listener.next().payload
    assert payload.keys() == {"action", "workflow_run", "workflow", "repository", "sender"}
    description().check_schema("workflow-run", payload["workflow_run"])
    description().check_schema("workflow", payload["workflow"])
    description().check_schema("repository", payload["repository"])
    description().check_schema("simple-user", payload["sender"])
    assert payload["workflow_run"] == client.get(f"/repos/acme/web/actions/runs/{run.id}").json()
    assert (payload["repository"]["full_name"], payload["sender"]["login"]) == ("acme/web", "ada")


def test_an_event_is_signed_over_its_very_bytes(world: GitHubWorld, hooks: GitHubWebhooks, listener: Listener) -> None:
    world.trigger("acme/web", message="größe")
    posted = listener.next()
    digest = hmac.new(SECRET.encode(), posted.body, hashlib.sha256).hexdigest()
    assert posted.headers["X-Hub-Signature-256"] == f"sha256={digest}"
    assert posted.headers["Content-Type"] == "application/json"
    assert posted.headers["X-GitHub-Event"] == "workflow_run"
    assert posted.headers["X-GitHub-Hook-ID"].isdigit()
    assert posted.headers["User-Agent"].startswith("GitHub-Hookshot/")
    assert [delivery.id for delivery in hooks.deliveries] == [posted.headers["X-GitHub-Delivery"]]


def test_the_signature_is_that_of_githubs_own_example() -> None:
    assert (
        signature("It's a Secret to Everybody", b"Hello, World!")
        == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    )


def test_without_a_secret_nothing_is_signed(world: GitHubWorld, host: GitHubHost, listener: Listener) -> None:
    with GitHubWebhooks(world, listener.url, None, api_url=host.url):
        world.trigger("acme/web")
        assert "X-Hub-Signature-256" not in listener.next().headers


def test_a_rerun_is_reported_when_it_begins_not_when_it_is_requested(
    world: GitHubWorld, hooks: GitHubWebhooks, listener: Listener
) -> None:
    run = world.fail(world.trigger("acme/web"))
    world.rerun(run)
    world.start(run)
    world.succeed(run)
    assert hooks.wait_until(lambda: [delivery.is_done for delivery in hooks.deliveries] == [True] * 4)
    told = [
        (delivery.payload["action"], delivery.payload["workflow_run"]["run_attempt"]) for delivery in hooks.deliveries
    ]
    assert told == [("requested", 1), ("completed", 1), ("in_progress", 2), ("completed", 2)]


def test_who_directs_the_world_does_not_wait_for_the_delivery(
    world: GitHubWorld, hooks: GitHubWebhooks, listener: Listener
) -> None:
    listener.open.clear()
    world.trigger("acme/web")
    listener.next()
    assert [delivery.is_done for delivery in hooks.deliveries] == [False]
    listener.open.set()
    assert hooks.wait_until(lambda: [delivery.status for delivery in hooks.deliveries] == [202])


def test_what_waits_is_bounded_and_what_is_too_much_is_recorded(
    world: GitHubWorld, hooks: GitHubWebhooks, listener: Listener
) -> None:
    listener.open.clear()
    world.trigger("acme/web")
    listener.next()
    for _ in range(MAX_WAITING + 3):
        world.trigger("acme/web")
    failures = [delivery.failure for delivery in hooks.deliveries if delivery.failure]
    assert failures == ["too many deliveries wait"] * 3
    listener.open.set()


@pytest.mark.parametrize("status", [500, 404, 302])
def test_a_refused_delivery_is_recorded_and_not_repeated_unasked(
    world: GitHubWorld, hooks: GitHubWebhooks, listener: Listener, status: int
) -> None:
    listener.status = status
    world.trigger("acme/web")
    first = listener.next()
    assert hooks.wait_until(lambda: [delivery.status for delivery in hooks.deliveries] == [status])
    assert listener.posted.empty()
    listener.status = 202
    hooks.redeliver(hooks.deliveries[0])
    again = listener.next()
    assert (again.body, again.headers["X-GitHub-Delivery"]) == (first.body, first.headers["X-GitHub-Delivery"])
    assert hooks.wait_until(lambda: [delivery.status for delivery in hooks.deliveries] == [202])


def test_a_run_of_a_repository_that_is_gone_is_reported_to_no_one(
    world: GitHubWorld, hooks: GitHubWebhooks, listener: Listener
) -> None:
    run = world.trigger("acme/web")
    world.remove_repo("acme/web")
    world.start(run)
    assert listener.next().payload["action"] == "requested"
    assert len(hooks.deliveries) == 1


def test_no_one_there_is_recorded(world: GitHubWorld, host: GitHubHost) -> None:
    with GitHubWebhooks(world, "http://127.0.0.1:9/nobody", SECRET, api_url=host.url) as hooks:
        world.trigger("acme/web")
        assert hooks.wait_until(lambda: [delivery.failure for delivery in hooks.deliveries] == ["ConnectionError"])


def test_a_webhook_begins_with_a_ping_and_ends_when_it_is_stopped(
    world: GitHubWorld, hooks: GitHubWebhooks, listener: Listener
) -> None:
    hooks.ping()
    assert listener.next().headers["X-GitHub-Event"] == "ping"
    hooks.stop()
    world.trigger("acme/web")
    assert len(hooks.deliveries) == 1


def test_the_wires_show_what_was_reported_and_no_secret(
    world: GitHubWorld, hooks: GitHubWebhooks, host: GitHubHost, listener: Listener
) -> None:
    world.trigger("acme/web")
    assert hooks.wait_until(lambda: hooks.deliveries[0].is_done)
    [wire] = host.wires.since(0)
    assert (wire.way, wire.title, wire.status) == ("github to bot", "POST workflow_run requested", "202")
    assert SECRET not in repr([wire, hooks.deliveries])
