"""What an operator sets for GitHub: a token or an App, what is wrong with either, and what is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import responses
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot.ci.github.client import GitHub
from bot.ci.github.settings import GITHUB
from bot.config.parsers import Secret
from bot.config.setting import read_setting
from tests.ci.codeship.canned import Clock, surroundings
from tests.ci.github.canned import API, TOKEN

APP = {"GITHUB_APP_ID": "1071204", "GITHUB_APP_INSTALLATION_ID": "52001100"}
PEM = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
    Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
)


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    path = tmp_path / "app.pem"
    path.write_bytes(PEM)
    return str(path)


def read(environ: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
    """The values, and what is wrong with any of them alone."""
    problems: list[str] = []
    return {row.name: read_setting(row, environ, problems) for row in GITHUB.rows}, problems


def problems(environ: dict[str, str]) -> list[str]:
    values, wrong = read(environ)
    assert wrong == []
    return GITHUB.problems(values)


def test_a_token_alone_is_enough() -> None:
    values, wrong = read({"GITHUB_TOKEN": TOKEN})
    assert (wrong, GITHUB.problems(values)) == ([], [])
    assert values == {
        "GITHUB_TOKEN": Secret(TOKEN),
        "GITHUB_READ_ONLY": False,
        "GITHUB_APP_ID": None,
        "GITHUB_APP_INSTALLATION_ID": None,
        "GITHUB_APP_PRIVATE_KEY_FILE": None,
        "GITHUB_API_URL": API,
        "GITHUB_CALLS_PER_MINUTE": 80,
        "GITHUB_WEBHOOK_SECRET": None,
        "GITHUB_WEBHOOK_PATH": None,
    }
    assert TOKEN not in repr(values)


@pytest.mark.parametrize("app_id", ["1071204", "Iv23li0000000001071204"])
def test_an_app_alone_is_enough(key_file: str, app_id: str) -> None:
    assert problems({**APP, "GITHUB_APP_ID": app_id, "GITHUB_APP_PRIVATE_KEY_FILE": key_file}) == []


def test_with_neither_it_is_reported_where_to_get_one_and_the_least_that_it_must_be_allowed() -> None:
    [told] = problems({})
    for words in (
        "GITHUB_TOKEN is missing, and so is a GitHub App",
        "https://github.com/settings/personal-access-tokens/new",
        "https://github.com/settings/apps/new",
        "Actions: read and write, Metadata: read",
    ):
        assert words in told


@pytest.mark.parametrize("missing", [*APP, "GITHUB_APP_PRIVATE_KEY_FILE"])
def test_of_an_app_set_in_part_the_rest_is_named(key_file: str, missing: str) -> None:
    whole = {**APP, "GITHUB_APP_PRIVATE_KEY_FILE": key_file}
    [told] = problems({name: value for name, value in whole.items() if name != missing})
    assert told.startswith(f"{missing} is missing.\n")
    assert "\n  From " in told


def test_several_missing_parts_are_named_each() -> None:
    told = problems({"GITHUB_APP_INSTALLATION_ID": "7"})
    assert [line.split()[0] for line in told] == ["GITHUB_APP_ID", "GITHUB_APP_PRIVATE_KEY_FILE"]


def test_a_token_next_to_an_app_is_not_guessed_about() -> None:
    [told] = problems({"GITHUB_TOKEN": TOKEN, **APP})
    assert told.startswith("GITHUB_TOKEN and GITHUB_APP_ID are both set: leave out one")
    assert TOKEN not in told


def test_a_key_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    [told] = problems({**APP, "GITHUB_APP_PRIVATE_KEY_FILE": str(tmp_path / "gone.pem")})
    assert told == "GITHUB_APP_PRIVATE_KEY_FILE names a file that cannot be read: No such file or directory."
    [told] = problems({**APP, "GITHUB_APP_PRIVATE_KEY_FILE": str(tmp_path)})
    assert told.endswith("cannot be read: Is a directory.")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"s3cret", PEM[: len(PEM) // 2]])
def test_a_key_file_without_a_key_is_reported_and_not_quoted(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "app.pem"
    path.write_bytes(content)
    [told] = problems({**APP, "GITHUB_APP_PRIVATE_KEY_FILE": str(path)})
    assert "contains no RSA private key" in told
    assert "s3cret" not in told


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("GITHUB_TOKEN", "xoxb-1-abcdefgh", "contains a bot token, which belongs in SLACK_BOT_TOKEN"),
        ("GITHUB_TOKEN", "github_pat_…", "is still a placeholder"),
        ("GITHUB_APP_ID", "acme chatops", "is neither the App's ID nor its client ID"),
        ("GITHUB_APP_INSTALLATION_ID", "https://github.com/settings/installations/7", "is not the number"),
        ("GITHUB_API_URL", "http://git.acme.test/api/v3", "begins with http://"),
        ("GITHUB_API_URL", "https://github.com/", "is where GitHub's pages are: its API is at https://api.github.com"),
        ("GITHUB_API_URL", "https://www.github.com", "is where GitHub's pages are"),
        ("GITHUB_CALLS_PER_MINUTE", "one-an-hour", "is not a number of calls"),
        ("GITHUB_WEBHOOK_SECRET", "s3cr3t", "is too short"),
    ],
)
def test_a_value_that_cannot_be_is_reported_and_not_repeated(name: str, value: str, told: str) -> None:
    _, [problem] = read({name: value})
    assert problem.startswith(f"{name} {told}")
    assert value not in problem


def test_it_is_connected_with_the_token(clock: Clock, api: responses.RequestsMock) -> None:
    own = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": "https://git.acme.test/api/v3/"}
    client = GITHUB.connect(read(own)[0], surroundings(clock))
    api.get("https://git.acme.test/api/v3/user/repos", json=[])
    assert client.projects() == []
    assert api.calls[0].request.headers["Authorization"] == f"Bearer {TOKEN}"
    client.close()


def test_it_is_connected_as_the_app(clock: Clock, api: responses.RequestsMock, key_file: str) -> None:
    client = GITHUB.connect(read({**APP, "GITHUB_APP_PRIVATE_KEY_FILE": key_file})[0], surroundings(clock))
    api.post(f"{API}/app/installations/52001100/access_tokens", json={"token": "ghs_abc"}, status=201)
    api.get(f"{API}/installation/repositories", json={"repositories": []})
    assert client.projects() == []
    client.close()


@pytest.mark.parametrize(
    ("path", "is_one"),
    [("orgs/acme/hooks/12", True), ("repos/acme/web/hooks/7", True), ("hooks/7", False), ("https://x/hooks/7", False)],
)
def test_a_webhooks_path_is_githubs(path: str, is_one: bool) -> None:
    values, problems = read({"GITHUB_TOKEN": TOKEN, "GITHUB_WEBHOOK_PATH": path})
    assert (values["GITHUB_WEBHOOK_PATH"] == path, not problems) == (is_one, is_one)


def test_the_webhook_is_there_if_it_has_a_secret(github: GitHub) -> None:
    def poll_now(project_id: str, key: str) -> None: ...

    assert GITHUB.webhook(read({"GITHUB_TOKEN": TOKEN})[0], github, poll_now) is None
    served = GITHUB.webhook(read({"GITHUB_TOKEN": TOKEN, "GITHUB_WEBHOOK_SECRET": "long-enough"})[0], github, poll_now)
    assert served is not None
    assert served[0] == "/github/webhook"
