"""The bot is killed with SIGKILL at every step of telling a channel, and the channel is told: once, or twice if Slack's
answer to the message itself was lost.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.killing.prepared import Databases
from tests.killing.scenes import NeverReached
from tests.killing.telling import ALL_NEWS, BROKE, News, Telling, prepare
from tests.killing.theatre import Mould

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
    return Databases(mould, tmp_path_factory.mktemp(request.param), server, prepare)


Play = Callable[..., list[str]]


@pytest.fixture
def play(databases: Databases, mould: Mould, tmp_path: Path) -> Play:
    def play(news: News, kill_at: str | None = None, *, has_second: bool = False) -> list[str]:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        return Telling(news, mould, databases.new(folder), folder, kill_at, has_second).play()

    return play


def complaints(play: Play, news: News, steps: list[str], *, has_second: bool = False) -> str:
    """What went wrong with the bot killed at each of these, in turn; empty if nothing."""

    def complaint(kill_at: str) -> str:
        try:
            play(news, kill_at, has_second=has_second)
        except NeverReached:
            return "" if kill_at.endswith(")") else f"never reached: {kill_at}"  # how often, is a matter of time
        except Exception as problem:  # noqa: BLE001 - reported with all the others
            return f"killed {kill_at}\n{type(problem).__name__}: {problem}"
        return ""

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return "\n\n".join(filter(None, pool.map(complaint, steps)))


@pytest.mark.parametrize("news", ALL_NEWS, ids=lambda news: news.name)
def test_killed_at_any_step_it_tells_the_channel(news: News, databases: Databases, play: Play, update: bool) -> None:
    steps = play(news)
    known = LISTS / f"{news.name.replace(' ', '_')}_{databases.kind}.txt"
    names = list(dict.fromkeys(step.partition(" (")[0] for step in steps))
    if update:
        known.write_text("\n".join(names) + "\n", encoding="utf-8")
    expected = known.read_text(encoding="utf-8").splitlines()
    assert set(names) == set(expected), f"other steps than before: look at them, then --update rewrites {known.name}"
    assert complaints(play, news, steps) == ""


def test_two_replicas_tell_it_once_and_one_goes_on_if_the_other_dies(play: Play) -> None:
    steps = play(BROKE, has_second=True)
    own = [step for step in steps if "deliveries" in step or "chat.postMessage" in step]
    assert complaints(play, BROKE, own, has_second=True) == ""
