"""The builds that `make soak` asks about, on a simulated CodeShip and a simulated GitHub."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from bot.core.model.command_values import Verb
from playground.codeship.state import CodeShipWorld
from playground.github.state import GitHubWorld

AGO = timedelta(minutes=2)


class Builds(Protocol):
    """The builds of one service, by numbers of its own. `verbs` are those that it can be asked for."""

    repositories: Sequence[str]
    verbs: Sequence[Verb]

    def begin(self, repository: str, branch: str, *, has_failed: bool, ago: timedelta = AGO) -> int:
        """A build of a new commit; it has failed, or runs."""

    def runs(self, number: int) -> bool: ...

    def end(self, number: int, *, well: bool) -> None: ...

    def posts(self, number: int, verb: Verb) -> int:
        """How many POSTs were about it, also those that were refused."""


class OnCodeShip:
    repositories = ("acme/web", "acme/api", "acme/docs", "acme/mobile")
    verbs = (Verb.RESTART, Verb.FOLLOW)

    def __init__(self, world: CodeShipWorld) -> None:
        self._world = world

    def begin(self, repository: str, branch: str, *, has_failed: bool, ago: timedelta = AGO) -> int:
        at = self._world.now() - ago
        build = self._world.start(self._world.push(repository, branch, at=at), at=at)
        if has_failed:
            self._world.finish(build, "error", at=at + ago / 2)
        return build.id

    def runs(self, number: int) -> bool:
        return self._world.build(number).is_running

    def end(self, number: int, *, well: bool) -> None:
        self._world.finish(number, "success" if well else "error")

    def posts(self, number: int, verb: Verb) -> int:
        return self._world.restarts_asked(number) if verb is Verb.RESTART else 0


class OnGitHub:
    repositories = ("acme/shop", "acme/billing")
    verbs = (Verb.RESTART, Verb.FOLLOW, Verb.CANCEL, Verb.CANCEL)

    def __init__(self, world: GitHubWorld) -> None:
        self._world = world

    def begin(self, repository: str, branch: str, *, has_failed: bool, ago: timedelta = AGO) -> int:
        at = self._world.now() - ago
        [run] = self._world.push(repository, branch, at=at)
        self._world.start(run, at=at)
        if has_failed:
            self._world.fail(run, at=at + ago / 2)
        return run.id

    def runs(self, number: int) -> bool:
        return not self._world.run(number).is_over

    def end(self, number: int, *, well: bool) -> None:
        self._world.finish(number, "success" if well else "failure")

    def posts(self, number: int, verb: Verb) -> int:
        calls = {Verb.RESTART: ("rerun", "rerun failed"), Verb.CANCEL: ("cancel",)}.get(verb, ())
        return sum(self._world.asked(call, number) for call in calls)
