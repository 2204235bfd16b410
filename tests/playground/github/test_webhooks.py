"""The sandbox GitHub sends webhooks about runs: signed, once, and not on the caller's thread."""

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

from playground.github.api.server import GitHubHost
from playground.github.state import GitHubWorld
from playground.github.webhooks import MAX_WAITING, GitHubWebhooks, signature
from tests.playground.github.client import Client, SettableClock
from tests.playground.github.description import Undescribed, description, of_webhooks

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
    assert [delivery.guid for delivery in hooks.deliveries] == [posted.headers["X-GitHub-Delivery"]]


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
    assert hooks.wait_until(lambda: [delivery.status for delivery in hooks.deliveries] == [status, 202])
    assert [delivery.redelivery for delivery in hooks.deliveries] == [False, True]


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
        assert hooks.wait_until(
            lambda: [delivery.failure for delivery in hooks.deliveries] == ["failed to connect to host"]
        )


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


@pytest.fixture
def job_hooks(world: GitHubWorld, host: GitHubHost, listener: Listener) -> Iterator[GitHubWebhooks]:
    with GitHubWebhooks(world, listener.url, SECRET, api_url=host.url, events=("workflow_job",)) as hooks:
        yield hooks


def jobs_of(hooks: GitHubWebhooks) -> list[tuple[str, str, str | None]]:
    payloads = [delivery.payload for delivery in hooks.deliveries]
    return [
        (payload["action"], payload["workflow_job"]["name"], payload["workflow_job"]["conclusion"])
        for payload in payloads
    ]


def test_every_payload_is_as_github_describes_it(
    world: GitHubWorld, host: GitHubHost, listener: Listener, clock: SettableClock
) -> None:
    run = world.pull_request("acme/web", "feature/login", number=8)
    events = ("workflow_run", "workflow_job")
    with GitHubWebhooks(world, listener.url, SECRET, api_url=host.url, events=events) as hooks:
        hooks.ping()
        world.start(world.push("acme/web")[0])
        world.finish_job(world.start(run), "build")
        world.wait_for_approval(run)
        world.review(run, ["production"], approved=True)
        clock.passes(60)
        world.fail(run)
        world.start(world.rerun(run, failed_only=True))
        world.cancel(run)
        said = {(delivery.event, delivery.payload.get("action")) for delivery in hooks.deliveries}
        for delivery in hooks.deliveries:
            of_webhooks().check(delivery.event, delivery.payload)
    assert said == {
        ("ping", None),
        *(("workflow_run", action) for action in ("requested", "in_progress", "completed")),
        *(("workflow_job", action) for action in ("queued", "waiting", "in_progress", "completed")),
    }


@pytest.mark.parametrize(
    ("event", "payload"),
    [("workflow_job", {"action": "completed"}), ("workflow_run", {"action": "ended"}), ("push", {})],
)
def test_a_payload_that_github_does_not_send_is_found(event: str, payload: dict[str, Any]) -> None:
    with pytest.raises(Undescribed):
        of_webhooks().check(event, payload)


def test_a_job_that_fails_is_reported_before_its_run_ends(
    world: GitHubWorld, job_hooks: GitHubWebhooks, listener: Listener
) -> None:
    run = world.start(world.trigger("acme/web"))
    world.finish_job(run, "build", "failure", step="Build")
    assert jobs_of(job_hooks)[-1] == ("completed", "build", "failure")
    assert world.run(run).status == "in_progress"
    posted = listener.next()
    assert posted.headers["X-GitHub-Event"] == "workflow_job"
    assert posted.headers["X-Hub-Signature-256"] == signature(SECRET, posted.body)


def test_jobs_that_a_rerun_keeps_are_not_reported_again(world: GitHubWorld, job_hooks: GitHubWebhooks) -> None:
    run = world.fail(world.trigger("acme/web"), "test")
    world.rerun(run, failed_only=True)
    assert jobs_of(job_hooks)[4:] == [("queued", "test", None)]


@pytest.mark.parametrize(("owner", "told"), [("acme", 2), ("ACME/web", 1), ("acme/other", 1), ("elsewhere", 0)])
def test_a_webhook_of_an_organization_or_repository_hears_only_of_it(
    world: GitHubWorld, host: GitHubHost, listener: Listener, owner: str, told: int
) -> None:
    world.add_repo("acme/other")
    with GitHubWebhooks(world, listener.url, SECRET, api_url=host.url, owner=owner) as hooks:
        world.trigger("acme/web")
        world.trigger("acme/other")
        assert len(hooks.deliveries) == told


HOOKED = "github_pat_11HOOKS"
HOOK_ID = 474_331_009


@pytest.mark.parametrize(
    ("owner", "path", "permission"),
    [("acme/web", "/repos/acme/web", "repository_hooks"), ("acme", "/orgs/acme", "organization_hooks")],
)
def test_failed_deliveries_are_listed_and_asked_for_again_with_the_permission(
    client: Client,
    world: GitHubWorld,
    host: GitHubHost,
    listener: Listener,
    clock: SettableClock,
    owner: str,
    path: str,
    permission: str,
) -> None:
    world.add_token(HOOKED, permissions={permission: "write"})
    asker = client.as_(HOOKED)
    assert client.get(f"{path}/hooks").status_code == 403
    assert asker.get(f"{path}/hooks").json() == []
    listener.status = 503
    with GitHubWebhooks(world, listener.url, SECRET, api_url=host.url, owner=owner, hook_id=HOOK_ID) as hooks:
        assert asker.get(f"{path}/hooks").json()[0]["config"] == {
            "url": listener.url, "content_type": "json", "insecure_ssl": "0", "secret": "********",
        }  # fmt: skip
        world.trigger("acme/web")
        listener.next()
        assert hooks.wait_until(lambda: hooks.deliveries[0].is_done)
        [failed] = asker.get(f"{path}/hooks/{HOOK_ID}/deliveries", status="failure").json()
        assert (failed["status"], failed["status_code"]) == ("Invalid HTTP Response: 503", 503)
        listener.status = 202
        assert asker.post(f"{path}/hooks/{HOOK_ID}/deliveries/{failed['id']}/attempts").status_code == 202
        assert listener.next().headers["X-GitHub-Delivery"] == failed["guid"]
        assert hooks.wait_until(lambda: hooks.deliveries[-1].is_done)
        [passed] = asker.get(f"{path}/hooks/{HOOK_ID}/deliveries", status="success").json()
        assert (passed["guid"], passed["redelivery"], passed["status"]) == (failed["guid"], True, "OK")
        assert asker.get(f"{path}/hooks/7/deliveries").status_code == 404
        clock.passes(3 * 86_400 + 1)
        assert asker.get(f"{path}/hooks/{HOOK_ID}/deliveries").json() == []
        assert asker.post(f"{path}/hooks/{HOOK_ID}/deliveries/{failed['id']}/attempts").status_code == 404


def test_deliveries_are_paged_by_a_cursor(client: Client, world: GitHubWorld, host: GitHubHost) -> None:
    world.add_token(HOOKED, permissions={"repository_hooks": "read"})
    asker, url = client.as_(HOOKED), f"/repos/acme/web/hooks/{HOOK_ID}/deliveries"
    with GitHubWebhooks(
        world, "http://127.0.0.1:9/nobody", SECRET, api_url=host.url, owner="acme/web", hook_id=HOOK_ID
    ) as hooks:
        hooks.is_reachable = False
        runs = [world.trigger("acme/web") for _ in range(5)]
        assert hooks.wait_until(lambda: [delivery.is_done for delivery in hooks.deliveries] == [True] * 5)
    found, page = [], asker.get(url, per_page="2", status="failure")
    while True:
        found += [each["id"] for each in page.json()]
        if "next" not in page.links:
            break
        page = asker.session.get(page.links["next"]["url"], timeout=5)
    assert found == [delivery.id for delivery in reversed(hooks.deliveries)]
    assert len(found) == len(runs)
