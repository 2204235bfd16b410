"""Parsers for single settings: each returns the value or raises InvalidValue with the reason. Pure.

No message repeats a value: a secret in the wrong place is still a secret.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_SLACK_KINDS = (
    ("xoxb-", "a bot token, which belongs in SLACK_BOT_TOKEN"),
    ("xapp-", "an app-level token, which belongs in SLACK_APP_TOKEN"),
    ("xoxp-", "a person's token (xoxp-…), which the bot does not use"),
    ("xoxe", "a token that expires: turn token rotation off in the app's settings"),
)
"""The prefixes of Slack's tokens: https://docs.slack.dev/authentication/tokens"""

_PLACEHOLDER = re.compile(r"…|\.\.\.|^<.*>$|x{4,}|\b(your|example|placeholder|change-?me|todo)\b|\*{3,}", re.IGNORECASE)
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’"}
_POSTGRESQL = re.compile(
    r"""(?: [^\s:@/?#\[\]]* (?: :[^\s:@/?#\[\]]* )? @ )?      # user and password
        (?: [\w.-]* | \[[0-9a-fA-F:.]+\] ) (?: :[0-9]{1,5} )?  # host and port; none: a socket on this machine
        / [^\s/?#@]+ (?: \? (?P<options>[^\s#@]*) )?""",
    re.VERBOSE,
)
_SHORTEST_SECRET = 8  # real secrets are longer, and masking a short one would mask half the log


class InvalidValue(ValueError):
    """The value cannot be used. `str()` continues a sentence that begins with the setting's name."""


class Secret:
    """A value that repr, str and format do not show. Call `reveal()` where it is used."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        return self.__value

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self.__value

    def __hash__(self) -> int:
        return hash((Secret, self.__value))


def tidied(text: str) -> str:
    """`text` without surrounding white space and quotes, which `docker --env-file` and pasting leave in place."""
    text = text.strip()
    if len(text) >= 2 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    return text


def key(text: str) -> Secret:
    """Parses a key or secret that has no known form."""
    for beginning, kind in _SLACK_KINDS:
        if text.startswith(beginning):
            raise InvalidValue(f"contains {kind}")
    return _secret(text)


def token(prefix: str) -> Callable[[str], Secret]:
    """Returns a parser for a Slack token that begins with `prefix`."""

    def read(text: str) -> Secret:
        if not text.startswith(prefix):
            for beginning, kind in _SLACK_KINDS:
                if text.startswith(beginning):
                    raise InvalidValue(f"contains {kind}")
            _secret(text)
            raise InvalidValue(f"does not begin with {prefix}")
        return _secret(text)

    return read


def _secret(text: str) -> Secret:
    if _PLACEHOLDER.search(text):
        raise InvalidValue("is still a placeholder")
    if not all("!" <= character <= "~" for character in text):
        raise InvalidValue("contains a space or a character that no key has: was more than the key pasted?")
    if len(text) < _SHORTEST_SECRET:
        raise InvalidValue("is too short: was all of it pasted?")
    return Secret(text)


def page_address(text: str) -> str:
    """Parses the address of pages that people open. Returns it without a trailing slash."""
    return _address(text)[0]


def api_address(text: str) -> str:
    """Parses the address of a service that receives a key with every call: https, or http on this machine."""
    tidy, scheme, host = _address(text)
    if scheme == "http" and not _is_this_machine(host):
        raise InvalidValue("begins with http://, so others could read the key on its way: use https://")
    return tidy


def slack_api_address(text: str) -> str:
    """As `api_address`, but with a trailing slash, which slack_sdk expects."""
    return api_address(text) + "/"


def _address(text: str) -> tuple[str, str, str]:
    """The address without a trailing slash, its scheme, and its host. Raises InvalidValue."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise InvalidValue("is not a URL") from None
    if parts.scheme not in ("https", "http") or not host or re.search(r"[\s\\]", text):
        raise InvalidValue("is not a URL that begins with https://")
    if "@" in parts.netloc:
        raise InvalidValue("contains a name or password: leave out the part before the @")
    if "?" in text or "#" in text:
        raise InvalidValue("contains more than the address: leave out the part from ? or # on")
    return text.rstrip("/"), parts.scheme, host


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def database(text: str) -> Secret:
    """Parses the address of an SQLite file or a PostgreSQL database. It is a Secret, since it may hold a password."""
    scheme, _, rest = text.partition("://")
    if scheme.partition("+")[0] in ("postgresql", "postgres"):  # hosting services write the short form
        return _postgresql(scheme, rest)
    if scheme.partition("+")[0] != "sqlite":
        raise InvalidValue("begins with neither sqlite:/// nor postgresql://")
    if not rest.startswith("/") or rest.strip("/") in ("", ":memory:"):
        raise InvalidValue("names no file. The bot needs one to remember restarts: sqlite:///codeship-bot.sqlite3")
    return Secret(text)


def _postgresql(scheme: str, rest: str) -> Secret:
    """Returns the address with its driver's name.

    Accepts only what every parser splits in the same way. A password that one of them took for a part of the path would
    reach the logs.
    """
    if "+" in scheme and not scheme.endswith("+psycopg"):
        raise InvalidValue("names a driver that the bot does not use: begin it with postgresql://")
    whole = _POSTGRESQL.fullmatch(rest)
    if whole is None:
        raise InvalidValue(
            "is not of the form postgresql://user:password@host/database, where characters such as @ : / ? # within a "
            "name or a password are written %40 %3A %2F %3F %23"
        )
    if any("password" in name for name, _ in parse_qsl(whole["options"] or "", keep_blank_values=True)):
        raise InvalidValue("contains a password after the ?: write it as in postgresql://user:password@host/database")
    return Secret(f"postgresql+psycopg://{rest}")


def path(text: str) -> str:
    """Parses a file's path, absolute or relative to the bot's working directory."""
    if not text.isprintable():
        raise InvalidValue("is not the path of a file")
    return text


def time_zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidValue("is not a time zone: give a name such as Europe/Berlin, or UTC") from None


def email_domains(text: str) -> frozenset[str]:
    domains = re.split(r"[\s,]+", text.lower().strip(" ,"))
    if any(re.fullmatch(r"(?:[a-z0-9-]+\.)+[a-z0-9-]+", domain) is None for domain in domains):
        raise InvalidValue("has something that is not a domain: write it like acme.com, acme.org")
    return frozenset(domains)


def host(text: str) -> str:
    if re.search(r"[\s/]", text):
        raise InvalidValue("is not a host: give a name or an IP address, without http:// or a path")
    return text


def port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise InvalidValue("is not a port: give a number from 0 to 65535")
    return int(text)


def days(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 36500:
        raise InvalidValue("is not a number of days: give one from 1 to 36500")
    return int(text)


def calls_per_minute(text: str) -> int:
    """At least 2: a restart fetches the build first."""
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 2 <= int(text) <= 100_000:
        raise InvalidValue("is not a number of calls: give one from 2 to 100000")
    return int(text)


def yes_or_no(text: str) -> bool:
    word = text.lower()
    if word not in ("yes", "true", "on", "1", "no", "false", "off", "0"):
        raise InvalidValue("is neither yes nor no")
    return word in ("yes", "true", "on", "1")


def slash_commands(text: str) -> tuple[str, ...]:
    """At least one. Slack allows lower-case letters, and at most 32 characters with the slash."""
    commands = tuple(dict.fromkeys(text.replace(",", " ").split()))
    if not commands or not all(re.fullmatch(r"/[^\sA-Z/]{1,31}", command) for command in commands):
        why = "give a / and one lower-case word, at most 32 characters in all; separate several by commas"
        raise InvalidValue(f"is not a slash command: {why}")
    return commands


def log_level(text: str) -> str:
    if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
        raise InvalidValue("is none of DEBUG, INFO, WARNING, ERROR")
    return text.upper()


def log_format(text: str) -> str:
    if text.lower() not in ("text", "json"):
        raise InvalidValue("is neither text nor json")
    return text.lower()
