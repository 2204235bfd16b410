"""A service that the bot may only read: builds are shown and followed, and nothing is restarted or cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.core.model.builds import Ability, Status
from bot.core.model.command_entries import Command
from bot.core.model.command_values import BranchCommand, BuildCommand, Verb, Word
from bot.core.model.errors import NotSupported
from bot.core.model.outcomes import BuildShown, Followed
from tests.core.half_moved import HalfMoved, of_workflows, on_github, run
from tests.core.world import target

WEB = on_github(1, "acme/web")
RUNNING = of_workflows("b1", WEB, run(11, "CI", Status.RUNNING))
ON_GITHUB = replace(target(RUNNING), service="github")


def typed(verb: Verb) -> BranchCommand:
    return BranchCommand(verb, Word.of("acme/web"), Word.of("main"))


@pytest.fixture
def team() -> Iterator[HalfMoved]:
    result = HalfMoved()
    result.has(RUNNING)
    result.github.abilities = frozenset({Ability.LOGS})
    yield result
    result.close()


@pytest.mark.parametrize(
    ("command", "unable"),
    [
        (typed(Verb.RESTART), "restart builds"),
        (typed(Verb.CANCEL), "cancel builds"),
        (BuildCommand(Verb.RESTART, ON_GITHUB), "restart builds"),
        (BuildCommand(Verb.CANCEL, ON_GITHUB), "cancel builds"),
    ],
)
def test_a_restart_and_a_cancel_are_answered_without_a_call(team: HalfMoved, command: Command, unable: str) -> None:
    with pytest.raises(NotSupported) as caught:
        team.ask(command)
    assert str(caught.value) == f"the bot can only read GitHub Actions, so it can’t {unable}."
    assert (caught.value.about, team.github.calls) == (WEB, [])


def test_status_and_follow_work(team: HalfMoved) -> None:
    assert isinstance(team.ask(typed(Verb.STATUS)), BuildShown)
    assert isinstance(team.ask(typed(Verb.FOLLOW)), Followed)
