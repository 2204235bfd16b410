"""The policy file in a real process: what prevents a start, what SIGHUP changes, and what `--check` prints."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.__main__ import main
from playground.slack.workspace import SCOPES
from tests.log_lines import process_put_back
from tests.processes.bot_process import MAX_S, Runs, Sandbox

pytestmark = pytest.mark.serial

RESTART = "/codeship restart acme/web main"
EXAMPLE = Path(__file__).parents[2] / "policy.example.toml"
NOBODY = '[[rule]]\nwho = "nobody"\nreason = "{}"\n'


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    made = Sandbox("http", tmp_path)
    made.start_codeship()
    made.start_slack()
    yield made
    made.stop()


@pytest.fixture
def runs(sandbox: Sandbox, tmp_path: Path) -> Iterator[Runs]:
    made = Runs(sandbox, tmp_path)
    yield made
    made.stop()


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    return tmp_path / "policy.toml"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[[rule]]\nwho = "everyone"\nreasn = "x"\n', "line 3: “reasn” is not a key of a rule"),
        ("[[rule]\n", "line 1: this is no TOML: "),
        (None, "It cannot be read: No such file or directory."),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_start_with_the_line_and_the_reason(
    runs: Runs, policy: Path, text: str | None, why: str
) -> None:
    if text is not None:
        policy.write_text(text)
    bot = runs.start(POLICY="policy.toml")
    assert bot.ended() == 1
    said = str(json.loads(bot.text.splitlines()[0])["why"])
    assert said.splitlines()[0] == "POLICY: the file policy.toml cannot be used."
    assert why in said.splitlines()[1]
    assert "Traceback" not in bot.text
    assert not (policy.parent / "bot.sqlite3").exists(), "nothing was begun"


def test_sighup_reads_the_file_again_and_a_bad_one_changes_nothing(sandbox: Sandbox, runs: Runs, policy: Path) -> None:
    def told(words: str, times: int) -> bool:
        everything = sandbox.workspace.conversations.everything
        return sandbox.workspace.wait_until(
            lambda: sum(words in message.text for message in everything()) == times, MAX_S
        )

    policy.write_text(NOBODY.format("The first rules."))
    bot = runs.ready(runs.start(POLICY=str(policy)))
    sandbox.says(RESTART)
    assert told("Not restarted: The first rules.", 1)

    policy.write_text(NOBODY.format("The second rules.") + "colour = 3\n")
    bot.signal(signal.SIGHUP)
    assert bot.logged("policy_not_reloaded")["in_force"] == "the one from before"
    mistake = bot.logged("policy_error")
    assert (mistake["line"], mistake["file"]) == (4, str(policy))
    sandbox.says(RESTART)
    assert told("Not restarted: The first rules.", 2)

    policy.write_text(NOBODY.format("The third rules."))
    bot.signal(signal.SIGHUP)
    assert bot.logged("policy_reloaded")["rules"] == 1
    sandbox.says(RESTART)
    assert told("Not restarted: The third rules.", 1)
    assert sandbox.codeship.newest("acme/web", "main").status == "error", "nothing was restarted"
    bot.signal(signal.SIGTERM)
    assert bot.ended() == 0


def checked(environ: dict[str, str], capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, list[str]]:
    with process_put_back():
        status = main(["--check", *more], environ)
    return status, capsys.readouterr().out.splitlines()


def test_a_check_prints_the_rules_and_what_they_allow_a_person(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.workspace.scopes = SCOPES | {"usergroups:read"}
    status, lines = checked(sandbox.environ | {"POLICY": str(EXAMPLE)}, capsys, "--as", "U0ADA")
    assert status == 0
    at = lines.index(f"ok    Policy: {EXAMPLE}, 7 rules")
    said = [line.strip().partition(": ")[2] or line.strip() for line in lines[at + 1 : at + 9]]
    assert said == [
        "U0ADA, by the first rule that is about what is asked:",
        "may restart, cancel acme/infrastructure",
        "may, but only when asking in C0RELEASES, restart, cancel * on release/*",
        "may not everything in * except acme/*",
        "may not restart, cancel, follow acme/legacy",
        "may audit *",
        "may everything in * on main, master, by button confirmed first",
        "may everything in *",
    ]
    assert any(line.startswith("ok    Slack scopes: ") and "usergroups:read" in line for line in lines)


def test_a_check_reports_the_missing_scope_for_user_groups(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    status, lines = checked(sandbox.environ | {"POLICY": str(EXAMPLE)}, capsys, "--as", "U0BOB")
    assert status == 1
    assert any(line.startswith("wrong Slack scopes: usergroups:read missing.") for line in lines)
    assert any("Slack does not tell who is in the user group, or a guest" in line for line in lines)


def test_a_check_reports_a_bad_file_and_continues(
    sandbox: Sandbox, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy.write_text("[[rule]]\n")
    status, lines = checked(sandbox.environ | {"POLICY": str(policy)}, capsys)
    assert status == 1
    at = lines.index(f"wrong Policy: POLICY: the file {policy} cannot be used.")
    assert lines[at + 1] == "  line 1: this rule is empty."
    assert any(line.startswith("ok    CodeShip key") for line in lines)


@pytest.mark.parametrize("said", ["@ada", "u0ada", "S0RELEASE", ""])
def test_the_checked_person_is_given_by_id(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--check", "--as", said], {})
    assert "such as U0123ABCD" in capsys.readouterr().err


def test_a_check_misses_the_scope_that_rules_about_guests_need(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "guests.toml"
    policy.write_text('[[rule]]\nwho = "!guests"\n')
    environ = sandbox.environ | {"POLICY": str(policy)}
    status, lines = checked(environ, capsys, "--as", "U0BOB")
    assert status == 1
    assert any(line.startswith("wrong Slack scopes: users:read missing.") for line in lines)
    sandbox.workspace.scopes = SCOPES | {"users:read"}
    sandbox.workspace.guests = {"U0BOB"}
    status, lines = checked(environ, capsys, "--as", "U0BOB")
    assert status == 0
    assert any(line.strip() == "line 1: may not everything in *" for line in lines)
