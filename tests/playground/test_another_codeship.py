"""The playground with another CodeShip: any host that serves its v1 API."""

from __future__ import annotations

import json

from playground.clock import SandboxClock
from playground.codeship.server import CodeShipHost
from playground.codeship.state import CodeShipWorld
from playground.page.server import Site
from playground.play.sessions import NOON, RealCodeShip, Sessions
from tests.playground.page.page_client import Page


def test_it_can_use_another_codeship_which_events_then_do_not_change():
    clock = SandboxClock(NOON)
    world = CodeShipWorld(clock.now, "a-real-key-0123456789")
    world.add_project("real/thing")
    world.finish(world.push("real/thing"))
    with CodeShipHost(world) as host:
        real = RealCodeShip(host.url, "a-real-key-0123456789")
        with Site(Sessions(held_at=NOON, codeship=real), port=0) as site:
            page = Page(site)
            page.says("/codeship status real/thing main")
            known = page.watch(lambda it: it["messages"])
            assert "passed" in next(iter(known["messages"].values()))["text"]
            assert (known["parts"]["codeship"], known["parts"]["real_codeship"]) == (None, host.url)
            assert (known["parts"]["scenes"], known["parts"]["transcripts"]) == ([], [])
            assert "a-real-key" not in json.dumps(known)
            assert "is real" in page.post("wave", {"words": "CodeShip is down"}).json()["error"]
            page.does("wave", words="Slack delivers again")
