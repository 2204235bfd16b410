"""`python -m bot migrate` as a process, with both services: what it prints, and that it is correct."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.github.faults import Fault
from playground.http_host import faults as moods
from tests.app.both_services import GITHUB_TOKEN, BothServices, both_services
from tests.processes.bot_process import Runs

pytestmark = pytest.mark.serial

OTHER_KEY = "0therkey0therkey0therkey"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[BothServices]:
    with both_services("http", tmp_path) as made:
        yield made


@pytest.fixture
def runs(sandbox: BothServices, tmp_path: Path) -> Iterator[Runs]:
    runs = Runs(sandbox, tmp_path)
    yield runs
    runs.stop()


def said(runs: Runs, status: int = 0, **settings: str) -> str:
    run = runs.start("migrate", **{"LOG_FORMAT": "text"} | settings)
    assert run.ended() == status, run.text
    assert (
        GITHUB_TOKEN not in run.text + run.command_line if run.process.poll() is None else GITHUB_TOKEN not in run.text
    )
    return run.text


def pasted(text: str) -> dict[str, str]:
    """The settings among the lines."""
    return dict(line.split("=", 1) for line in text.splitlines() if line.startswith("CI_"))


def test_it_prints_the_matches_and_settings_and_changes_nothing(sandbox: BothServices, runs: Runs) -> None:
    sandbox.github.add_repo("acme/infra-structure", workflows=())
    sandbox.github.add_repo("acme-labs/docs", workflows=())
    text = said(runs)
    assert text.startswith(
        "The keys see 7 repositories at CodeShip and 8 at GitHub.\n"
        "\n"
        "at CodeShip          at GitHub\n"
        "acme/api             -                     none\n"
        "acme/docs            acme-labs/docs        maybe: moved or renamed\n"
        "acme/infrastructure  acme/infra-structure  maybe: moved or renamed\n"
        "acme/legacy          -                     none\n"
        "acme/mobile          acme/mobile           same name\n"
        "acme/web             -                     none\n"
        "other-org/web        -                     none\n"
        "\n"
        "These settings serve both, and give GitHub what has the same name (1 repository):\n"
        "\n"
        "CI_PROVIDERS=codeship,github\n"
        "CI_PINNED=acme/mobile=github\n"
        "\n"
        "Possible: "
    ), text
    assert "\nNone: it stays at CodeShip" in text
    assert not (sandbox.folder / "bot.sqlite3").exists()
    assert {request.call for request in sandbox.codeship.requests} == {"list"}
    assert {request.call for request in sandbox.github.requests} == {"user repos"}


def test_a_bot_with_the_printed_settings_uses_the_printed_services(sandbox: BothServices, runs: Runs) -> None:
    runs.ready(runs.start(**pasted(said(runs))))
    sandbox.says("/codeship status acme/mobile main")
    assert sandbox.sees("Build with the new camera"), "GitHub's, of which CodeShip knows nothing"
    sandbox.says("/codeship status acme/web main")
    assert sandbox.sees("Fix login on slow networks"), "still CodeShip's build"


def test_if_all_have_moved_one_pin_is_enough_and_codeship_can_be_removed(sandbox: BothServices, runs: Runs) -> None:
    for project in sandbox.codeship.projects():
        if project.repository_name not in ("acme/mobile", "other-org/web"):
            sandbox.github.add_repo(project.repository_name, workflows=())
    sandbox.github.add_repo("Other-Org/web", workflows=())
    text = said(runs)
    assert pasted(text) == {"CI_PROVIDERS": "codeship,github", "CI_PINNED": "acme/*=github,other-org/web=github"}
    assert "CI_PROVIDERS=github is enough" in text


def test_repositories_pinned_to_codeship_stay_there(sandbox: BothServices, runs: Runs) -> None:
    sandbox.github.add_repo("acme/web", workflows=())
    text = said(runs, CI_PROVIDERS="github", CI_PINNED="acme/m*=codeship, acme/web=github")
    assert "acme/mobile          acme/mobile  stays: CI_PINNED says codeship\n" in text
    assert pasted(text) == {"CI_PROVIDERS": "codeship,github", "CI_PINNED": "acme/m*=codeship,acme/web=github"}


def test_if_nothing_matches_it_says_so(sandbox: BothServices, runs: Runs) -> None:
    sandbox.github.rename("acme/mobile", "acme/pocket")
    text = said(runs)
    assert "Nothing has the same name at both." in text
    assert pasted(text) == {"CI_PROVIDERS": "codeship,github"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"CODESHIP_API_KEY": ""}, ["CODESHIP_API_KEY is missing."]),
        ({"GITHUB_TOKEN": "", "CI_PROVIDERS": "codeship"}, ["GITHUB_TOKEN is missing"]),
        (
            {"CODESHIP_API_KEY": "", "GITHUB_TOKEN": ""},
            ["2 settings are wrong", "CODESHIP_API_KEY", "GITHUB_TOKEN"],
        ),
        ({"CI_PINNED": "acme"}, ["CI_PINNED has no repository and service in entry 1"]),
        (
            {"CODESHIP_API_KEY": OTHER_KEY},
            ["CodeShip: CODESHIP_API_KEY was rejected. Copy it from the operator of the host"],
        ),
        ({"GITHUB_TOKEN": OTHER_KEY}, ["GitHub: GITHUB_TOKEN was rejected. Copy it from https://github.com/settings/"]),
        ({"CODESHIP_API_KEY": OTHER_KEY, "GITHUB_TOKEN": OTHER_KEY}, ["CodeShip: ", "GitHub: "]),
        ({"CODESHIP_API_URL": "http://127.0.0.1:9/"}, ["CodeShip: CODESHIP_API_URL cannot be reached"]),
    ],
)
def test_only_missing_settings_are_reported(runs: Runs, settings: dict[str, str], words: list[str]) -> None:
    text = said(runs, 1, **settings)
    assert [word for word in words if word not in text] == []
    assert "CI_PROVIDERS=" not in text
    assert "Traceback" not in text
    assert OTHER_KEY not in text


@pytest.mark.parametrize("mood", [moods.down(), moods.garbage("{"), moods.garbage('{"no": "list"}'), moods.html()])
def test_an_invalid_response_of_a_service_is_reported(sandbox: BothServices, runs: Runs, mood: Fault) -> None:
    sandbox.github.mood = mood
    text = said(runs, 1)
    assert text.startswith("GitHub: ")
    assert "Traceback" not in text


def test_the_help_names_it(runs: Runs) -> None:
    run = runs.start("--help")
    assert run.ended() == 0
    assert "migrate" in run.text
