"""Does what the playground's page does over HTTP: sends actions, and stores what it receives."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import requests

from playground.page.server import Site

Json = dict[str, Any]
BUILDS = "C0BUILDS"


class Page:
    def __init__(self, site: Site) -> None:
        self.site = site
        self.session = requests.Session()
        self.session.trust_env = False

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.session.get(self.site.url + path, headers=headers, timeout=10)

    def post(self, name: str, form: object, **headers: str) -> requests.Response:
        return self.session.post(f"{self.site.url}/api/{name}", json=form, headers=headers, timeout=30)

    def does(self, name: str, **form: object) -> None:
        answer = self.post(name, form)
        assert answer.json() == {"ok": True}

    def says(self, text: str, who: str = "ada", **more: object) -> None:
        self.does("say", who=who, channel=BUILDS, text=text, **more)

    def watch(self, holds: Callable[[Json], bool]) -> Json:
        """Everything from the beginning, until it holds."""
        known: Json = {"session": 0, "parts": {}, "messages": {}, "wires": {}}
        with self.session.get(f"{self.site.url}/api/events", stream=True, timeout=10) as stream:
            for line in stream.iter_lines():
                if not line.startswith(b"data: "):
                    continue
                news = json.loads(line.removeprefix(b"data: "))
                if news["session"] != known["session"]:
                    known = {"session": news["session"], "parts": {}, "messages": {}, "wires": {}}
                known["parts"] |= news["parts"]
                known["messages"] |= {it["ts"]: it for it in news["messages"]}
                known["wires"] |= {it["id"]: it for it in news["wires"]}
                if holds(known):
                    return known
        raise AssertionError("the stream ended")

    def messages(self, count: int) -> list[Json]:
        known = self.watch(lambda it: len(it["messages"]) >= count)
        return list(known["messages"].values())
