"""Under LOG_FORMAT=json every command of `python -m bot` reports its errors as lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.__main__ import main
from tests.log_lines import process_put_back

BAD_DATABASE = {"DATABASE_URL": "mongodb://db/bot"}


@pytest.fixture(autouse=True)
def logging_put_back() -> Iterator[None]:
    with process_put_back():
        yield


def errors(capfd: pytest.CaptureFixture[str], *arguments: str, **environ: str) -> list[dict[str, str]]:
    assert main(list(arguments), {"LOG_FORMAT": "json", **environ}) == 1
    out, err = capfd.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


@pytest.mark.parametrize(
    ("command", "environ", "why"),
    [
        ((), {"PORT": "http"}, "PORT is not a port"),
        (("check",), {"PORT": "http"}, "PORT is not a port"),
        (("audit",), BAD_DATABASE, "DATABASE_URL "),
        (("migrate",), {"CI_PINNED": "acme"}, "CI_PINNED has no repository and service"),
        (("webhook",), {"CODESHIP_WEBHOOK_TOKEN": "your-token"}, "CODESHIP_WEBHOOK_TOKEN is still a placeholder"),
        (("audit",), {"DATABASE_URL_FILE": "/no/such/file"}, "DATABASE_URL_FILE "),
    ],
)
def test_each_wrong_setting_is_a_line(
    capfd: pytest.CaptureFixture[str], command: tuple[str, ...], environ: dict[str, str], why: str
) -> None:
    *wrong, last = errors(capfd, *command, **environ)
    assert {line["event"] for line in wrong} == {"setting_wrong"}
    assert any(line["why"].startswith(why) for line in wrong), wrong
    assert last["event"] == "not_started"


def test_a_command_that_fails_says_why_in_one_line(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (line,) = errors(capfd, "audit", DATABASE_URL=f"sqlite:///{tmp_path}/bot.sqlite3")
    assert line["event"] == "command_failed"
    assert line["why"].startswith("There is no database")
    monkeypatch.setattr("bot.cli.manifest.MANIFEST", tmp_path / "manifest.yml")
    (line,) = errors(capfd, "manifest")
    assert line["why"] == "manifest.yml cannot be read: No such file or directory"
