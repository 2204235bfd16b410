"""GitHub's webhooks: events of runs and jobs in the sandbox are sent by signed POSTs, each once.

https://docs.github.com/webhooks/webhook-events-and-payloads#workflow_run
GitHub delivers a failed POST again only if it is asked to, by its API or by `redeliver`.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import queue
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

import requests

from playground.github.api.run_serializers import event_json, job_event_json
from playground.github.api.serializers import Addresses, hook_json
from playground.github.api.server import WEB_URL
from playground.github.model import HookDelivery, JobEvent, NotFound, RunEvent, SandboxRepo
from playground.github.state import GitHubWorld
from playground.traffic import TrafficLog

MAX_WAITING = 100
NO_CONNECTION = "failed to connect to host"
_FIRST_DELIVERY_ID = 12_345_678_901
DELIVERIES_KEPT = 1_000
ANSWER_WITHIN_S = 10.0
"""Seconds that GitHub waits for a response."""


class GitHubWebhooks:
    """Delivers a world's events to one address, in turn and on a thread of its own; `world.hooks` has it.

    `owner` is `app`, an organization's login or a repository's full name: events elsewhere are not delivered.
    """

    def __init__(
        self,
        world: GitHubWorld,
        to: str,
        secret: str | None,
        *,
        api_url: str,
        web_url: str = WEB_URL,
        hook_id: int = 474_331_002,
        owner: str = "app",
        events: Sequence[str] = ("workflow_run",),
        wires: TrafficLog | None = None,
    ) -> None:
        """`api_url` is the base of addresses in payloads (`GitHubHost.url`). Without a `secret` nothing is signed."""
        self._world = world
        self.url, self.id, self.owner, self.events = to, hook_id, owner, events
        self.is_reachable = True
        """If False, every delivery fails: the address does not respond."""
        self._secret = secret
        self._at = Addresses(api_url, web_url)
        self._wires = wires or TrafficLog(world.now)
        self._changed = threading.Condition()
        self._deliveries: dict[int, HookDelivery] = {}
        self._numbers = itertools.count(_FIRST_DELIVERY_ID)
        self._waiting: queue.Queue[int | None] = queue.Queue(MAX_WAITING)
        self._thread: threading.Thread | None = None
        self._session = requests.Session()
        self._session.trust_env = False
        world.hooks[hook_id] = self
        world.listen(self._on_event)

    def start(self) -> GitHubWebhooks:
        """Delivers events from now on, not earlier ones."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._deliver_all, name="github webhooks", daemon=True)
            self._thread.start()
        return self

    def stop(self) -> None:
        """Returns when waiting deliveries have succeeded or failed."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._waiting.put(None)
            thread.join()
            self._session.close()

    def __enter__(self) -> GitHubWebhooks:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def deliveries(self) -> list[HookDelivery]:
        """Oldest first (the last 1,000)."""
        with self._changed:
            return list(self._deliveries.values())

    def ping(self) -> None:
        """What GitHub sends when a webhook is made."""
        hook = {"hook": hook_json(self, self._at, self._world.now())} if self.owner != "app" else {}
        self._send("ping", {"zen": "Keep it logically awesome.", "hook_id": self.id, **hook})

    def redeliver(self, delivery: HookDelivery) -> None:
        """Sends the same delivery again, with the same guid and a new id."""
        again = replace(delivery, id=next(self._numbers), at=self._world.now(), redelivery=True)
        self._queue(replace(again, status=None, failure=None))

    def wait_until(self, fact: Callable[[], bool], timeout_s: float = 5) -> bool:
        """Waits until `fact`, checked after every change, is true. False if it never was."""
        with self._changed:
            return self._changed.wait_for(fact, timeout_s)

    def _on_event(self, event: RunEvent | JobEvent) -> None:
        if self._thread is None:
            return
        try:
            repo = self._world.repo(event.run.repo_id)
        except NotFound:
            return  # its webhooks are deleted with a repository
        account, name = self._world.accounts.account, "workflow_run" if isinstance(event, RunEvent) else "workflow_job"
        if name not in self.events or not self._has(repo):
            return
        if isinstance(event, RunEvent):
            workflow = self._world.workflow(repo, event.run.workflow_id)
            self._send(name, event_json(event, workflow, repo, account, self._at))
        else:
            self._send(name, job_event_json(event, repo, account, self._at))

    def _has(self, repo: SandboxRepo) -> bool:
        return self.owner == "app" or self.owner.lower() in (repo.owner.lower(), repo.full_name.lower())

    def _send(self, event: str, payload: Mapping[str, Any]) -> None:
        self._queue(HookDelivery(next(self._numbers), str(uuid.uuid4()), event, payload, self._world.now()))

    def _queue(self, delivery: HookDelivery) -> None:
        try:
            self._put(delivery)
            self._waiting.put_nowait(delivery.id)
        except queue.Full:
            self._put(replace(delivery, failure="too many deliveries wait"))

    def _put(self, delivery: HookDelivery) -> None:
        with self._changed:
            self._deliveries[delivery.id] = delivery
            if len(self._deliveries) > DELIVERIES_KEPT:
                del self._deliveries[next(iter(self._deliveries))]
            self._changed.notify_all()

    def _deliver_all(self) -> None:
        while (number := self._waiting.get()) is not None:
            with self._changed:
                delivery = self._deliveries.get(number)
            if delivery is not None:
                self._put(self._delivered(delivery))

    def _delivered(self, delivery: HookDelivery) -> HookDelivery:
        if not self.is_reachable:
            return replace(delivery, failure=NO_CONNECTION)
        body = json.dumps(delivery.payload).encode()
        action = delivery.payload.get("action", "")
        wire = self._wires.begin("github to bot", f"POST {delivery.event} {action}".strip(), delivery.payload)
        headers = self._headers(delivery, body)
        try:
            with self._session.post(
                self.url, data=body, headers=headers, timeout=ANSWER_WITHIN_S, allow_redirects=False, stream=True
            ) as answer:
                self._wires.end(wire, answer.status_code)
                return replace(delivery, status=answer.status_code)
        except requests.RequestException as error:
            self._wires.end(wire, "no answer")
            return replace(delivery, failure="timed out" if isinstance(error, requests.Timeout) else NO_CONNECTION)

    def _headers(self, delivery: HookDelivery, body: bytes) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/5ab0c0d",
            "X-GitHub-Event": delivery.event,
            "X-GitHub-Delivery": delivery.guid,
            "X-GitHub-Hook-ID": str(self.id),
        }
        if self._secret is not None:
            headers["X-Hub-Signature-256"] = signature(self._secret, body)
        return headers


def signature(secret: str, body: bytes) -> str:
    """As GitHub writes it: https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries"""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
