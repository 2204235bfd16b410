"""The bot is killed with SIGKILL at every step of a restart and of a follow, started again, and keeps its promise.

A run without a kill counts the steps. They are compared with the list in `steps/`, so that a new one is reviewed. The
bot is then killed there, too. `pytest tests/killing --update` rewrites the list.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.killing.prepared import Databases
from tests.killing.scenes import SCENES, NeverReached, Performance, Scene
from tests.killing.theatre import Mould, Steps

pytestmark = pytest.mark.serial

AT_ONCE = 12
LISTS = Path(__file__).parent / "steps"


@pytest.fixture(scope="module")
def mould() -> Iterator[Mould]:
    made = Mould()
    yield made
    made.stop()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, mould: Mould, tmp_path_factory: pytest.TempPathFactory) -> Databases:
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    return Databases(mould, tmp_path_factory.mktemp(request.param), server)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_killed_at_any_step_it_keeps_its_promise(
    scene: Scene, databases: Databases, mould: Mould, tmp_path: Path, update: bool
) -> None:
    def play(kill_at: str | None) -> list[str]:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        return Performance(scene, mould, databases.new(folder), folder, kill_at).play()

    def complaint(kill_at: str) -> str:
        try:
            play(kill_at)
        except NeverReached:
            return "" if kill_at.endswith(")") else f"never reached: {kill_at}"  # how often, is a matter of time
        except Exception as problem:  # noqa: BLE001 - reported with all the others
            return f"killed {kill_at}\n{type(problem).__name__}: {problem}"
        return ""

    steps = play(None)
    known = LISTS / f"{scene.name.replace(' ', '_')}_{databases.kind}.txt"
    names = list(dict.fromkeys(step.partition(" (")[0] for step in steps))
    if update:
        known.write_text("\n".join(names) + "\n", encoding="utf-8")
    expected = known.read_text(encoding="utf-8").splitlines()
    assert set(names) == set(expected), f"other steps than before: look at them, then --update rewrites {known.name}"
    with ThreadPoolExecutor(AT_ONCE) as pool:
        complaints = list(filter(None, pool.map(complaint, scene.own(steps))))
    assert not complaints, "\n\n".join(complaints)


def test_the_bot_is_killed_at_the_step_and_not_later() -> None:
    killed: list[str] = []
    steps = Steps("after one: b (2)", lambda: killed.append("killed"))
    assert not steps.reach("before it begins")
    steps.begin()
    reached = [steps.reach("one", "one"), steps.reach("b"), steps.reach(" rate_limit_calls"), steps.reach("b")]
    assert reached == [False, False, False, True]
    assert steps.reach("c"), "nothing after the kill"
    assert (steps.reached, killed) == (["after the ask: one", "after one: b", "after one: b (2)"], ["killed"])
