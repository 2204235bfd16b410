"""Every setting, how it is parsed, and that .env.example agrees."""

from __future__ import annotations

import copy
import io
import re
import traceback
from dataclasses import asdict, fields, replace
from pathlib import Path
from textwrap import wrap
from urllib.parse import unquote, urlsplit

import pytest
from dotenv import dotenv_values
from sqlalchemy.engine import make_url

from bot.app.settings import BadSettings, Settings, rows
from bot.ci import SERVICES
from bot.config.parsers import Secret
from bot.core.lookup.ci_registry import Pin
from bot.core.model.names.name_patterns import NamePattern

ENV_EXAMPLE = Path(__file__).parents[2] / ".env.example"
FOR_COMPOSE = (
    "For compose.yml, which starts a PostgreSQL with this password. The bot itself does not read it. "
    "Use letters and digits."
)
"""The one line that is no setting of the bot: Docker Compose fills it into compose.yml, from the same file."""

BOT = "xoxb-11111111-22222222-AbCdEfGhIjKl"
APP = "xapp-1-A0123456-3333333-0123456789abcdef"
SIGNING = "8f742231b10e8888abcd99aabbcc85a5"
KEY = "5a1b2c3d4e5f60718293a4b5c6d7e8f9"
TOKEN = "github_pat_11AAAAAAA0_0123456789abcdef"
HOOK = "a-long-random-word-of-the-hook"
WHOLE = {"SLACK_BOT_TOKEN": BOT, "SLACK_APP_TOKEN": APP, "CODESHIP_API_KEY": KEY}
OVER_HTTP = {"SLACK_BOT_TOKEN": BOT, "SLACK_SIGNING_SECRET": SIGNING, "CODESHIP_API_KEY": KEY}


def problems_of(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(BadSettings) as raised:
        Settings.read(environ)
    return raised.value.problems


def outcome(environ: dict[str, str]) -> Settings | tuple[str, ...]:
    try:
        return Settings.read(environ)
    except BadSettings as bad:
        return bad.problems


def test_settings_have_exactly_the_fields_of_the_table():
    of_services = {row.name for service in SERVICES for row in service.rows}
    assert of_services < {row.name for row in rows()}
    own = {row.field for row in rows() if row.name not in of_services}
    assert own | {"ci"} == {field.name for field in fields(Settings)}


def test_the_required_settings_alone_give_every_default():
    settings = Settings.read(WHOLE)
    assert settings.slack_bot_token.reveal() == BOT
    assert settings.slack_signing_secret is None
    assert settings.slack_api_url == "https://slack.com/api/"
    assert settings.slack_command == ("/codeship", "/ci")
    assert settings.slack_allow_other_workspaces is False
    assert (settings.ci_providers, settings.ci_pinned) == (("codeship",), ())
    assert settings.ci == {
        "codeship": {
            "CODESHIP_API_KEY": Secret(KEY),
            "CODESHIP_API_URL": "https://codeship.com/api/v1",
            "CODESHIP_WEB_URL": "https://app.codeship.com",
            "CODESHIP_CALLS_PER_MINUTE": 60,
            "CODESHIP_WEBHOOK_TOKEN": None,
        }
    }
    assert settings.database_url.reveal() == "sqlite:///codeship-bot.sqlite3"
    assert settings.host == "0.0.0.0"
    assert (settings.log_level, settings.log_format) == ("INFO", "text")


@pytest.mark.parametrize(
    ("environ", "socket_mode", "port"),
    [
        (WHOLE, True, None),
        ({**WHOLE, "PORT": "8080"}, True, 8080),
        (OVER_HTTP, False, 3000),
        ({**OVER_HTTP, "PORT": "0"}, False, 0),
        ({**OVER_HTTP, "SLACK_APP_TOKEN": APP}, True, None),
        ({**OVER_HTTP, "SLACK_APP_TOKEN": " "}, False, 3000),
    ],
)
def test_an_app_token_chooses_socket_mode_and_a_signing_secret_alone_http(environ, socket_mode, port):
    settings = Settings.read(environ)
    assert (settings.uses_socket_mode, settings.port) == (socket_mode, port)


@pytest.mark.parametrize("pasted", [KEY, f"  {KEY}\n", f'"{KEY}"', f"' {KEY} '", f"“{KEY}”", f"\u00a0{KEY}\r\n"])
def test_whitespace_and_quotes_around_a_value_are_dropped(pasted):
    assert Settings.read({**WHOLE, "CODESHIP_API_KEY": pasted}).ci["codeship"]["CODESHIP_API_KEY"].reveal() == KEY


@pytest.mark.parametrize("empty", ["", "   ", '""', "''", "\n"])
def test_an_empty_value_counts_as_absent(empty):
    for row in rows():
        absent = {name: value for name, value in WHOLE.items() if name != row.name}
        assert outcome({**absent, row.name: empty}) == outcome(absent), row.name


@pytest.mark.parametrize(
    ("chosen", "providers"),
    [
        ("github", ("github",)),
        ("codeship,github", ("codeship", "github")),
        (" GitHub  CodeShip, ", ("github", "codeship")),
    ],
)
def test_services_are_chosen_by_name_in_the_order_in_which_they_are_shown(chosen, providers):
    settings = Settings.read({**WHOLE, "GITHUB_TOKEN": TOKEN, "CI_PROVIDERS": chosen})
    assert settings.ci_providers == tuple(settings.ci) == providers


@pytest.mark.parametrize(
    ("given", "providers"),
    [
        ({}, ("codeship",)),
        ({"GITHUB_TOKEN": TOKEN}, ("codeship", "github")),
        ({"GITHUB_TOKEN": TOKEN, "CODESHIP_API_KEY": ""}, ("github",)),
        ({"GITHUB_TOKEN": TOKEN, "CI_PROVIDERS": "codeship"}, ("codeship",)),
        ({"GITHUB_API_URL": "https://github.acme.example/api/v3"}, ("codeship",)),
    ],
)
def test_without_a_choice_the_services_whose_credentials_are_set_are_used(given, providers):
    settings = Settings.read({**WHOLE, **given})
    assert settings.ci_providers == providers


def test_the_parts_of_a_github_app_are_credentials_too():
    (problem, *_) = problems_of({**WHOLE, "CODESHIP_API_KEY": "", "GITHUB_APP_ID": "1"})
    assert "GITHUB_APP_" in problem


def test_settings_of_a_service_that_is_not_chosen_are_neither_parsed_nor_required():
    other = {"CI_PROVIDERS": "codeship", "GITHUB_API_URL": "http://nowhere", "GITHUB_TOKEN": "your-token"}
    assert Settings.read({**WHOLE, **other}).ci.keys() == {"codeship"}
    alone = {**WHOLE, "CODESHIP_API_KEY": "", "CI_PROVIDERS": "github", "GITHUB_TOKEN": TOKEN}
    assert Settings.read(alone).ci["github"]["GITHUB_TOKEN"].reveal() == TOKEN


def test_missing_settings_of_a_chosen_service_are_reported_with_all_other_problems():
    problems = problems_of({**WHOLE, "CI_PROVIDERS": "codeship, github", "CODESHIP_API_KEY": "", "PORT": "eighty"})
    assert [problem.split(maxsplit=1)[0] for problem in problems] == ["CODESHIP_API_KEY", "GITHUB_TOKEN", "PORT"]


def test_a_key_of_a_service_that_is_not_chosen_is_mentioned_if_the_chosen_one_has_none():
    (problem,) = problems_of({**WHOLE, "CODESHIP_API_KEY": "", "GITHUB_TOKEN": TOKEN, "CI_PROVIDERS": "codeship"})
    assert problem.startswith("CODESHIP_API_KEY is missing.")
    assert problem.endswith("\n  GITHUB_TOKEN is set but not used: github is not in CI_PROVIDERS.")


@pytest.mark.parametrize("text", ["acme/legacy-*=codeship, Acme/*=GitHub", "acme/legacy-*=codeship\n Acme/*=github,"])
def test_pins_are_globs_and_services_in_the_order_in_which_they_decide(text):
    settings = Settings.read({**WHOLE, "CI_PROVIDERS": "codeship,github", "GITHUB_TOKEN": TOKEN, "CI_PINNED": text})
    assert settings.ci_pinned == (
        Pin(NamePattern(("acme/legacy-*",)), "codeship"),
        Pin(NamePattern(("Acme/*",)), "github"),
    )


def test_all_problems_are_reported_together_with_why_and_where():
    missing_bot, no_service, bad_port, no_transport = problems_of({"PORT": "eighty"})
    assert missing_bot.splitlines() == [
        "SLACK_BOT_TOKEN is missing.",
        "  The bot's token for Slack's API.",
        "  From https://api.slack.com/apps, your app, OAuth & Permissions, Bot User OAuth Token (xoxb-…).",
    ]
    assert bad_port.startswith("PORT is not a port: give a number from 0 to 65535.")
    first, *ways = no_service.splitlines()
    assert first == "No CI service has a key or a token. Give at least one."
    assert [way.partition(", from ")[0] for way in ways] == [
        "  CodeShip: CODESHIP_API_KEY",
        "  GitHub: GITHUB_TOKEN",
        "  GitHub, as an App: GITHUB_APP_ID, GITHUB_APP_INSTALLATION_ID, GITHUB_APP_PRIVATE_KEY_FILE",
        "  To try the bot without any: make playground.",
    ]
    assert "the operator of the host in CODESHIP_API_URL" in ways[0]
    assert no_transport.startswith("SLACK_APP_TOKEN and SLACK_SIGNING_SECRET are both missing")


def test_what_is_wrong_with_a_service_is_reported_even_if_none_has_a_key():
    no_service, address = problems_of({**WHOLE, "CODESHIP_API_KEY": "", "CODESHIP_API_URL": "http://ci.acme.io"})
    assert no_service.startswith("No CI service has a key")
    assert address.startswith("CODESHIP_API_URL ")


def test_the_report_counts_the_problems():
    with pytest.raises(BadSettings, match=r"\A3 settings are wrong:\n\n  SLACK_BOT_TOKEN is missing\."):
        Settings.read({})
    with pytest.raises(BadSettings, match=r"\A1 setting is wrong:\n\n  SLACK_BOT_TOKEN is missing\."):
        Settings.read({**WHOLE, "SLACK_BOT_TOKEN": ""})


REFUSED = [
    ("SLACK_BOT_TOKEN", APP, "contains an app-level token, which belongs in SLACK_APP_TOKEN"),
    ("SLACK_BOT_TOKEN", "xoxp-1111-2222-abcdef", "contains a person's token"),
    ("SLACK_BOT_TOKEN", "xoxe.xoxb-1-abcdefgh", "turn token rotation off"),
    ("SLACK_BOT_TOKEN", KEY, "does not begin with xoxb-"),
    ("SLACK_BOT_TOKEN", "xoxb-…", "is still a placeholder"),
    ("SLACK_BOT_TOKEN", "xoxb-...", "is still a placeholder"),
    ("SLACK_BOT_TOKEN", "xoxb-your-token", "is still a placeholder"),
    ("SLACK_BOT_TOKEN", "your-bot-token", "is still a placeholder"),
    ("SLACK_BOT_TOKEN", "xoxb-xxxxxxxx", "is still a placeholder"),
    ("SLACK_BOT_TOKEN", f"{BOT} {APP}", "contains a space"),
    ("SLACK_BOT_TOKEN", f"{BOT}é", "contains a space or a character that no key has"),
    ("SLACK_BOT_TOKEN", "xoxb-1", "is too short"),
    ("SLACK_APP_TOKEN", BOT, "contains a bot token, which belongs in SLACK_BOT_TOKEN"),
    ("SLACK_APP_TOKEN", SIGNING, "does not begin with xapp-"),
    ("SLACK_SIGNING_SECRET", BOT, "contains a bot token, which belongs in SLACK_BOT_TOKEN"),
    ("SLACK_SIGNING_SECRET", "<signing secret>", "is still a placeholder"),
    ("CODESHIP_API_KEY", "your-key", "is still a placeholder"),
    ("CODESHIP_API_KEY", "changeme", "is still a placeholder"),
    ("CODESHIP_API_KEY", "abc", "is too short"),
    ("CODESHIP_API_KEY", APP, "contains an app-level token"),
    ("CODESHIP_API_URL", "http://ci.internal/api/v1", "use https://"),
    ("CODESHIP_API_URL", "http://127.0.0.1.evil.io/api", "use https://"),
    ("CODESHIP_API_URL", "http://10.0.0.5:8080/api", "use https://"),
    ("CODESHIP_API_URL", "https://ada:pw12345@codeship.com/api/v1", "contains a name or password"),
    ("CODESHIP_API_URL", "https://codeship.com/api/v1?api_key=abc", "leave out the part from ? or # on"),
    ("CODESHIP_API_URL", "https://codeship.com/api/v1#x", "leave out the part from ? or # on"),
    ("CODESHIP_API_URL", "codeship.com/api/v1", "is not a URL that begins with https://"),
    ("CODESHIP_API_URL", "ftp://codeship.com", "is not a URL that begins with https://"),
    ("CODESHIP_API_URL", "https://", "is not a URL that begins with https://"),
    ("CODESHIP_API_URL", "https://codeship.com:99999/", "is not a URL"),
    ("CODESHIP_API_URL", "https://[::1/", "is not a URL"),
    ("SLACK_API_URL", "http://slack.com/api/", "use https://"),
    ("CODESHIP_WEB_URL", "app.codeship.com", "is not a URL"),
    ("DATABASE_URL", "mysql://ada:pw12345@db/bot", "begins with neither sqlite:/// nor postgresql://"),
    ("DATABASE_URL", "bot.sqlite3", "begins with neither sqlite:/// nor postgresql://"),
    ("DATABASE_URL", "postgresql+psycopg2://ada:pw12345@db/bot", "names a driver that the bot does not use"),
    ("DATABASE_URL", "postgresql+asyncpg://ada:pw12345@db/bot", "names a driver that the bot does not use"),
    ("DATABASE_URL", "postgresql://ada:pw12345@db", "is not of the form postgresql://user:password@host/database"),
    ("DATABASE_URL", "postgresql://ada:pw12345@db/", "is not of the form"),
    ("DATABASE_URL", "postgresql:///", "is not of the form"),
    ("DATABASE_URL", "postgresql:/db/bot", "begins with neither"),
    ("DATABASE_URL", "postgresql://ada:pw/12345@db/bot", "within a name or a password are written %40"),
    ("DATABASE_URL", "postgresql://ada:pw@12345@db/bot", "within a name or a password are written %40"),
    ("DATABASE_URL", "postgresql://ada:pw:12345@db/bot", "within a name or a password are written %40"),
    ("DATABASE_URL", "postgresql://ada:pw#12345@db/bot", "within a name or a password are written %40"),
    ("DATABASE_URL", "postgresql://ada:pw?12345@db/bot", "within a name or a password are written %40"),
    ("DATABASE_URL", "postgresql://ada:pw[1]2345@db/bot", "within a name or a password are written %40"),
    ("DATABASE_URL", "postgresql://ada:pw 12345@db/bot", "within a name or a password are written %40"),
    ("DATABASE_URL", "postgresql://db:port/bot", "is not of the form"),
    ("DATABASE_URL", "postgresql://db:5432/bot?application_name=@", "is not of the form"),
    ("DATABASE_URL", "postgresql://ada@db/bot?password=pw12345", "contains a password after the ?"),
    ("DATABASE_URL", "postgresql://ada@db/bot?sslmode=require&sslpassword=pw12345", "contains a password after the ?"),
    ("DATABASE_URL", "sqlite://", "names no file"),
    ("DATABASE_URL", "sqlite:///:memory:", "names no file"),
    ("POLICY", "policy\x00.toml", "is not the path of a file"),
    ("HOST", "http://0.0.0.0", "is not a host"),
    ("PORT", "65536", "is not a port"),
    ("PORT", "-1", "is not a port"),
    ("PORT", "٣", "is not a port"),
    ("LOG_LEVEL", "LOUD", "is none of DEBUG, INFO, WARNING, ERROR"),
    ("LOG_FORMAT", "xml", "is neither text nor json"),
    ("SLACK_COMMAND", "codeship", "is not a slash command"),
    ("SLACK_COMMAND", "/Code Ship", "is not a slash command"),
    ("SLACK_COMMAND", ", ,", "is not a slash command"),
    ("SLACK_COMMAND", "/codeship,ci", "is not a slash command"),
    ("SLACK_ALLOW_OTHER_WORKSPACES", "maybe", "is neither yes nor no"),
    ("CI_PROVIDERS", "codeship, jenkins-of-ada", "names an unknown CI service. Use codeship, github"),
    ("CI_PROVIDERS", ", ,", "names an unknown CI service"),
    ("CI_PROVIDERS", "CodeShip codeship", "names a CI service twice"),
    ("CI_PINNED", "acme/web-of-ada", "has no repository and service in entry 1: write it like acme/legacy-*=code"),
    ("CI_PINNED", "acme/*=codeship, =codeship", "has no repository and service in entry 2"),
    ("CI_PINNED", "acme/web=codeship=codeship", "has no repository and service in entry 1"),
    ("CI_PINNED", "acme/web = codeship", "has no repository and service in entry 1"),
    ("CI_PINNED", "acme/a=codeship acme/web=jenkins-of-ada", "names an unknown CI service in entry 2"),
    ("CI_PINNED", "acme/a=codeship acme/web=github", "pins to github, which is not in CI_PROVIDERS"),
]


@pytest.mark.parametrize(("name", "value", "words"), REFUSED)
def test_an_unusable_value_is_reported_without_repeating_it(name, value, words):
    (problem,) = problems_of({**WHOLE, name: value})
    assert problem.startswith(f"{name} ")
    assert words in problem.splitlines()[0]
    assert len(value) < 10 or value not in problem
    assert "pw12345" not in problem


TAKEN = [
    ("SLACK_API_URL", "http://127.0.0.1:8123/api", "http://127.0.0.1:8123/api/"),
    ("CODESHIP_API_URL", "https://ci.acme.io/api/v1/", "https://ci.acme.io/api/v1"),
    ("CODESHIP_API_URL", "http://localhost:9000/api/v1", "http://localhost:9000/api/v1"),
    ("CODESHIP_API_URL", "http://[::1]:9000", "http://[::1]:9000"),
    ("CODESHIP_WEB_URL", "http://ci.internal/", "http://ci.internal"),
    ("DATABASE_URL", "sqlite:////data/bot.sqlite3", Secret("sqlite:////data/bot.sqlite3")),
    *(
        ("DATABASE_URL", f"{scheme}://{rest}", Secret(f"postgresql+psycopg://{rest}"))
        for scheme in ("postgresql", "postgresql+psycopg", "postgres")
        for rest in (
            "ada:p%40ss%2Fword@db.example:5432/bot?sslmode=require",
            "ada@db/bot",
            "db/bot",
            "ada:pw12345@[::1]:5432/bot",
            "/bot?host=/var/run/postgresql",
        )
    ),
    ("POLICY", "/etc/bot/who may.toml", "/etc/bot/who may.toml"),
    ("HOST", "::1", "::1"),
    ("LOG_LEVEL", "debug", "DEBUG"),
    ("LOG_FORMAT", "JSON", "json"),
    ("SLACK_COMMAND", "/ci", ("/ci",)),
    ("SLACK_COMMAND", "/ci, /codeship /ci", ("/ci", "/codeship")),
    ("SLACK_ALLOW_OTHER_WORKSPACES", "Yes", True),
    ("SLACK_ALLOW_OTHER_WORKSPACES", "0", False),
]


@pytest.mark.parametrize("value", [value for name, value, _ in TAKEN if name == "DATABASE_URL" and "pos" in value])
def test_the_store_and_the_log_parse_a_postgresql_address_alike(value):
    address = Settings.read({**WHOLE, "DATABASE_URL": value}).database_url.reveal()
    read, seen = make_url(address), urlsplit(address)
    assert read.password == (unquote(seen.password) if seen.password else None)
    assert (read.host or None, read.port, read.get_driver_name()) == (seen.hostname, seen.port, "psycopg")


@pytest.mark.parametrize(("name", "value", "expected"), TAKEN)
def test_a_value_is_parsed_into_the_bots_own_form(name, value, expected):
    settings = Settings.read({**WHOLE, name: value})
    of_services = {name: value for values in settings.ci.values() for name, value in values.items()}
    assert of_services.get(name, getattr(settings, name.lower(), None)) == expected


def traceback_with_locals(settings: Settings) -> str:
    try:
        raise ValueError(settings, settings.database_url)
    except ValueError as error:
        return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def test_no_representation_of_the_settings_shows_a_secret():
    settings = replace(
        Settings.read({**WHOLE, "SLACK_SIGNING_SECRET": SIGNING}), database_url=Secret("postgresql://u:p%40ss-word@h/d")
    )
    shown = [repr(settings), str(settings), f"{settings.ci}", str(asdict(settings))]
    shown += [repr(copy.deepcopy(settings)), "%s %r" % (settings.slack_bot_token, settings.slack_bot_token)]  # noqa: UP031
    shown.append(traceback_with_locals(settings))
    for secret in settings.secrets():
        assert [text for text in shown if secret in text] == []


def test_the_secrets_are_every_key_and_token_and_the_password_of_the_database():
    settings = Settings.read({**WHOLE, "SLACK_SIGNING_SECRET": SIGNING})
    assert set(settings.secrets()) == {BOT, APP, SIGNING, KEY}
    with_password = replace(settings, database_url=Secret("postgresql://ada:p%40ss-word@db/bot"))
    assert set(with_password.secrets()) == {BOT, APP, SIGNING, KEY, "p%40ss-word", "p@ss-word"}


def test_the_secrets_are_those_of_every_service_that_is_chosen():
    chosen = {**WHOLE, "CI_PROVIDERS": "github codeship", "GITHUB_TOKEN": TOKEN, "GITHUB_WEBHOOK_SECRET": HOOK}
    settings = Settings.read(chosen)
    assert set(settings.secrets()) == {BOT, APP, KEY, TOKEN, HOOK}
    shown = f"{settings!r} {settings} {asdict(settings)} {copy.deepcopy(settings)} {traceback_with_locals(settings)}"
    assert [secret for secret in settings.secrets() if secret in shown] == []


def env_example() -> str:
    """The text that .env.example must have."""
    blocks = [
        "# Copy this file to .env and fill it in. An empty value counts as not set.\n"
        "# Commented lines are optional and show the default, if there is one."
    ]
    not_chosen = {row.name for service in SERVICES if service.name != "codeship" for row in service.rows}
    for row in rows():
        comments = [f"{row.meaning} Required." if row.required and row.name not in not_chosen else row.meaning]
        comments += [f"From {row.where}."] if row.where else []
        lines = [line for text in comments for line in wrap(text, 108, break_long_words=False, break_on_hyphens=False)]
        optional = "#" if not row.where or row.default or row.name in not_chosen else ""
        blocks.append("\n".join([*(f"# {line}" for line in lines), f"{optional}{row.name}={row.default or ''}"]))
    blocks.append("\n".join([*(f"# {line}" for line in wrap(FOR_COMPOSE, 108)), "#POSTGRES_PASSWORD="]))
    return "\n\n".join(blocks) + "\n"


def test_env_example_describes_every_setting_as_the_table_does():
    assert ENV_EXAMPLE.read_text(encoding="utf-8") == env_example()


def test_env_example_sets_nothing_and_overrides_no_container_default():
    assert {name for name, value in dotenv_values(ENV_EXAMPLE).items()} == {
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "SLACK_SIGNING_SECRET",
        "CODESHIP_API_KEY",
    }


def test_env_example_can_be_read_once_it_is_filled_in():
    text = re.sub(r"^#(?=[A-Z_]+=)", "", ENV_EXAMPLE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for name, value in WHOLE.items():
        text = text.replace(f"\n{name}=\n", f"\n{name}={value}\n")
    environ = {name: value or "" for name, value in dotenv_values(stream=io.StringIO(text)).items()}
    assert Settings.read(environ) == Settings.read(WHOLE)
