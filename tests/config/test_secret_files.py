"""Secrets from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.app.settings import rows
from bot.config.parsers import Secret
from bot.config.secret_files import MAX_BYTES, with_secrets_from_files

TOKEN = "xoxb-11111111-22222222-AbCdEfGhIjKl"


def test_every_setting_that_is_read_as_a_secret_can_come_from_a_file() -> None:
    samples = {"SLACK_BOT_TOKEN": TOKEN, "SLACK_APP_TOKEN": "xapp-1-A0123456-33-0123456789"}
    samples["DATABASE_URL"] = "postgresql://bot:pw12345678@db/bot"
    secret = set()
    for row in rows():
        try:
            value = row.parse(samples.get(row.name, "5a1b2c3d4e5f60718293"))
        except ValueError:
            continue
        if isinstance(value, Secret):
            secret.add(row.name)
    assert secret == {row.name for row in rows() if row.secret}


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_a_value_is_read_from_its_file_without_the_line_end(tmp_path: Path, end: str) -> None:
    (tmp_path / "token").write_bytes(f"{TOKEN}{end}".encode())
    environ = {"SLACK_BOT_TOKEN_FILE": f"{tmp_path}/token", "PORT": "1"}
    assert with_secrets_from_files(environ, rows()) == ({**environ, "SLACK_BOT_TOKEN": TOKEN}, [])


@pytest.mark.parametrize("name", ["PORT", "SLACK_COMMAND", "GITHUB_APP_PRIVATE_KEY"])
def test_only_secrets_are_read_from_files(name: str) -> None:
    environ = {f"{name}_FILE": "/nowhere"}
    assert with_secrets_from_files(environ, rows()) == (environ, [])


def test_an_empty_name_of_a_file_counts_as_absent() -> None:
    environ = {"SLACK_BOT_TOKEN_FILE": " ", "SLACK_BOT_TOKEN": TOKEN}
    assert with_secrets_from_files(environ, rows()) == (environ, [])


def test_a_value_and_a_file_together_are_a_problem_that_names_both(tmp_path: Path) -> None:
    environ = {"SLACK_BOT_TOKEN_FILE": f"{tmp_path}/token", "SLACK_BOT_TOKEN": TOKEN}
    _, problems = with_secrets_from_files(environ, rows())
    assert problems == ["SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE are both set: leave one out."]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "no such file or directory"),
        (b"\xff\xfe", "it is not text in UTF-8"),
        (b"\n", "it is empty"),
        (b"x" * (MAX_BYTES + 1), "it is too large"),
    ],
)
def test_a_file_that_cannot_be_used_is_reported_with_the_cause(tmp_path: Path, content: bytes | None, why: str) -> None:
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    _, problems = with_secrets_from_files({"CODESHIP_API_KEY_FILE": f"{tmp_path}/key"}, rows())
    assert problems == [f"CODESHIP_API_KEY_FILE names a file that cannot be used: {why}."]


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    _, problems = with_secrets_from_files({"CODESHIP_API_KEY_FILE": str(tmp_path)}, rows())
    assert problems == ["CODESHIP_API_KEY_FILE names a file that cannot be used: is a directory."]
