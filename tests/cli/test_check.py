"""`python -m bot check`: a line for each check, and what is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.ci.codeship.client import API_URL, CODESHIP
from bot.cli.check import cause
from bot.core.model.errors import Unreachable
from playground.sandbox import APP_TOKEN
from tests.app.both_services import GITHUB_TOKEN, WEBHOOK_SECRET, both_services
from tests.log_lines import process_put_back
from tests.processes.bot_process import SECRETS, Runs, Sandbox, free_port, sandbox_of

pytestmark = pytest.mark.serial

OTHER_TOKEN = "xoxb-2-not-of-this-workspace"
OTHER_APP_TOKEN = "xapp-1-not-of-this-app"
OTHER_KEY = "0therkey0therkey0therkey"


READY, NOT_READY = "All checks passed.", "Not ready: fix the lines that begin with “wrong”."


def checked(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    with process_put_back():
        status = main(["check"], environ)
    told = capsys.readouterr()
    assert not [
        secret
        for secret in (*SECRETS, OTHER_TOKEN, OTHER_KEY, GITHUB_TOKEN, WEBHOOK_SECRET)
        if secret in told.out + told.err
    ]
    assert told.err == ""
    *lines, verdict = told.out.splitlines()
    assert verdict == (NOT_READY if status else READY)
    return status, lines


def test_a_check_reports_each_passed_item_on_a_line(either: Sandbox, either_runs: Runs) -> None:
    run = either_runs.start("check")
    assert run.ended() == 0
    transport = "Socket Mode" if either.transport == "socket mode" else "HTTP on 127.0.0.1, port 0"
    beginnings = [
        "ok    Settings: complete",
        "ok    CI services: codeship (by their keys; CI_PROVIDERS overrides)",
        "ok    Policy: none, so everyone, guests too, may do everything",
        "ok    Database: SQLite",
        "ok    Slack token: @codeship in Acme",
        "ok    Slack scopes: app_mentions:read, chat:write, commands, im:history",
        "ok    Slack channels: without channels:read and groups:read, only the asker sees why a followed build failed",
        "ok    Slack link previews: off, without links:read",
        "ok    Slack guests: not told apart from members, which needs the scope users:read",
        f"ok    Transport: {transport}",
        "ok    CodeShip key: sees 7 repositories",
        "ok    CodeShip rate limit: at most 60 calls a minute",
        READY,
    ]
    lines = run.text.splitlines()
    assert len(lines) == len(beginnings)
    assert all(line.startswith(beginning) for line, beginning in zip(lines, beginnings, strict=True)), lines


def test_a_check_names_files_with_secrets_that_everyone_can_read(http: Sandbox, runs: Runs, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("")
    for mode, is_named in ((0o644, True), (0o640, False)):
        (tmp_path / ".env").chmod(mode)
        run = runs.start("check")
        assert run.ended() == 0
        assert ("can read .env, and secrets in it: chmod 600 .env" in run.text) is is_named


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"SLACK_BOT_TOKEN": OTHER_TOKEN}, "Slack token: Slack rejected SLACK_BOT_TOKEN: invalid_auth."),
        ({"SLACK_BOT_TOKEN": "xoxb-…"}, "SLACK_BOT_TOKEN is still a placeholder"),
        ({"SLACK_API_URL": "nobody"}, "Slack token: Slack could not be reached"),
        ({"SLACK_API_URL": "codeship"}, "Slack token: Slack is down, or what answers is not Slack"),
        ({"CODESHIP_API_KEY": OTHER_KEY}, "CodeShip key: CODESHIP_API_KEY was rejected."),
        ({"CODESHIP_API_URL": "nobody"}, "CodeShip key: CODESHIP_API_URL cannot be reached:"),
        ({"CODESHIP_API_URL": "slack"}, "CodeShip key: "),
        ({"DATABASE_URL": "sqlite:////nowhere/at/all.sqlite3"}, "Database: The database at /nowhere/at/all.sqlite3"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_check_names_the_failed_item(
    http: Sandbox, capsys: pytest.CaptureFixture[str], changed: dict[str, str], wrong: str
) -> None:
    places = {
        "nobody": f"http://127.0.0.1:{free_port()}/api",
        "codeship": http.host.url,
        "slack": http.slack.api_url,
    }
    environ = http.environ | {name: places.get(value, value) for name, value in changed.items()}
    if "placeholder" in wrong:
        with process_put_back():
            assert main(["check"], environ) == 1
        assert wrong in capsys.readouterr().err
        return
    status, lines = checked(environ, capsys)
    assert status == 1
    complaints = [line for line in lines if not line.startswith(("ok    ", "hint  Slack scopes: "))]
    assert len(complaints) >= 1
    assert complaints[0].startswith(f"wrong {wrong}")
    assert all(line.startswith("wrong ") for line in complaints)


def test_a_check_prints_the_result_of_each_service_and_what_both_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = {
        "CI_PROVIDERS": "codeship, github",
        "CI_PINNED": "acme/old-*=github, acme/web=codeship",
        "GITHUB_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }
    with both_services("http", tmp_path) as sandbox:
        status, lines = checked(sandbox.environ | chosen, capsys)
        assert status == 0
        unknown = "unknown, since it shows only when it is used; without it: no"
        assert [line for line in lines[-11:] if not re.search("Contents|Pull requests", line)] == [
            "ok    CodeShip key: sees 7 repositories",
            "ok    CodeShip rate limit: at most 60 calls a minute",
            "ok    GitHub key: sees 6 repositories",
            "ok    GitHub Actions: read: has",
            f"hint  GitHub Actions: write: {unknown} restart and cancel",
            "ok    GitHub rate limit: at most 80 calls a minute",
            "ok    GitHub webhook: HTTP on 127.0.0.1, port 0; to /github/webhook",
            "hint  CI_PINNED: acme/old-*=github matches no repository on GitHub",
            "hint  Repositories: 1 name is at more than one service (acme/mobile). People say which "
            "(acme/mobile@github), or CI_PINNED does (acme/mobile=github)",
        ]
        status, lines = checked(sandbox.environ | chosen | {"CI_PINNED": "acme/m*=github"}, capsys)
        assert (status, [line for line in lines if line.startswith("hint  Re")]) == (0, [])


def test_a_check_names_what_is_set_for_a_service_that_is_not_chosen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with both_services("http", tmp_path) as sandbox:
        status, lines = checked(sandbox.environ | {"CI_PROVIDERS": "codeship"}, capsys)
        assert status == 0
        assert [line for line in lines if not line.startswith(("ok ", "hint  Slack scopes: "))] == [
            "hint  Settings: GITHUB_TOKEN, GITHUB_API_URL are set but not used: github is not in CI_PROVIDERS."
        ]
        assert sandbox.github.requests == []


def test_a_check_says_which_of_two_services_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with both_services("http", tmp_path) as sandbox:
        wrong = {"CI_PROVIDERS": "github,codeship", "GITHUB_TOKEN": OTHER_KEY}
        status, lines = checked(sandbox.environ | wrong, capsys)
        assert status == 1
        (complaint,) = [line for line in lines if line.startswith("wrong ")]
        assert complaint.startswith("wrong GitHub key: GITHUB_TOKEN was rejected. Copy it from https://github.com/")
        assert "ok    CodeShip key: sees 7 repositories" in lines


def test_a_check_of_a_webhook_that_nothing_can_reach_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with both_services("socket mode", tmp_path) as sandbox:
        chosen = {"CI_PROVIDERS": "github", "GITHUB_WEBHOOK_SECRET": WEBHOOK_SECRET, "CODESHIP_API_KEY": ""}
        status, lines = checked(sandbox.environ | chosen, capsys)
        assert status == 0
        assert "hint  GitHub webhook: not served. In Socket Mode, HTTP needs PORT" in lines


def test_a_check_names_the_scopes_that_are_missing(http: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    http.workspace.scopes = frozenset({"commands", "chat:write"})
    status, lines = checked(http.environ, capsys)
    assert status == 1
    (complaint,) = [line for line in lines if line.startswith("wrong ")]
    assert complaint.startswith("wrong Slack scopes: app_mentions:read, im:history missing.")


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (OTHER_APP_TOKEN, "Transport: Slack rejected SLACK_APP_TOKEN: invalid_auth."),
        (APP_TOKEN, None),
    ],
)
def test_a_check_of_socket_mode_opens_a_connection(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], token: str, words: str | None
) -> None:
    for sandbox in sandbox_of("socket mode", tmp_path):
        status, lines = checked(sandbox.environ | {"SLACK_APP_TOKEN": token}, capsys)
        complaints = [line for line in lines if line.startswith("wrong ")]
        assert status == (0 if words is None else 1)
        assert [line.startswith(f"wrong {words}") for line in complaints] == ([] if words is None else [True])


@pytest.mark.parametrize(("url", "is_named"), [(API_URL, True), ("https://ci.acme.example/v1", False)])
def test_the_end_of_codeships_own_host_is_named_only_if_it_is_the_one_that_is_set(url: str, is_named: bool) -> None:
    values = {"CODESHIP_API_KEY": "k", "CODESHIP_API_URL": url}
    told = cause(CODESHIP, values, Unreachable("CodeShip", "ConnectionError"))
    assert told.startswith("CODESHIP_API_URL cannot be reached: ConnectionError")
    assert ("codeship.com, has ended" in told) is is_named
