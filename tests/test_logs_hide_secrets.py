"""No log line contains a secret, in any encoding."""

from __future__ import annotations

import json
import logging
import sys
import threading
import warnings
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest
import structlog

from bot import logs
from tests.log_lines import AWKWARD, SECRETS, configured, in_both_forms, process_put_back

STRANGERS = (
    "urllib3.connectionpool",
    "slack_bolt.App",
    "slack_sdk.web.client",
    "aiohttp.client",
    "waitress",
    "alembic",
)

Log = Callable[[], None]


@pytest.fixture(autouse=True)
def _as_it_was():
    with process_put_back():
        yield


def fail(words: object) -> None:
    raise ValueError(words)


def fail_twice(words: str) -> None:
    try:
        fail(words)
    except ValueError as error:
        raise RuntimeError("and so this failed too") from error


class Shy:
    """Something whose repr shows a secret."""

    def __repr__(self) -> str:
        return f"Shy({AWKWARD})"


def spellings(secret: str) -> list[str]:
    """A secret as libraries print it."""
    plain = [secret, repr(secret), json.dumps(secret), quote(secret), quote(secret, safe=""), quote_plus(secret)]
    plain += [urlencode({"api_key": secret}), quote(quote(secret, safe=""), safe=""), quote(secret, safe="").lower()]
    return [
        *plain,
        repr(repr(secret)),
        repr({"key": secret}),
        json.dumps({"b": json.dumps({"a": secret})}),
        ascii(secret),
    ]


def ways_in(words: str) -> dict[str, Log]:
    """Every way in which text can reach a log."""
    log = structlog.get_logger("bot.test")

    def caught(work: Callable[[str], None], name: str) -> None:
        try:
            work(words)
        except Exception:
            logging.getLogger(name).exception("it failed")

    def caught_by_us(work: Callable[[str], None]) -> None:
        try:
            work(words)
        except Exception:
            log.exception("it failed", ref="abc234")

    def in_a_thread() -> None:
        thread = threading.Thread(target=fail, args=(words,))
        thread.start()
        thread.join()

    def uncaught() -> None:
        try:
            fail_twice(words)
        except RuntimeError as error:
            sys.excepthook(type(error), error, error.__traceback__)

    def warned() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(True)
            warnings.warn(words, stacklevel=1)

    return {
        "message": lambda: log.info(words),
        "field": lambda: log.info("asked", address=words),
        "name of a field": lambda: log.info("asked", **{words: 1}),
        "deep in a field": lambda: log.info("asked", headers={"a": [{words: (words,)}]}),
        "bound field": lambda: log.bind(address=words).warning("asked"),
        "exception": lambda: caught_by_us(fail),
        "chained exception": lambda: caught_by_us(fail_twice),
        "unhandled_exception": uncaught,
        "unhandled_exception_in_thread": in_a_thread,
        "warning": warned,
        **{f"message of {name}": (lambda name=name: logging.getLogger(name).error(words)) for name in STRANGERS},
        **{f"argument of {name}": (lambda name=name: logging.getLogger(name).error("%s", words)) for name in STRANGERS},
        **{f"traceback of {name}": (lambda name=name: caught(fail_twice, name)) for name in STRANGERS},
        "extra of another library": lambda: logging.getLogger("x").error("asked", extra={"address": words}),
        "stack of another library": lambda: logging.getLogger("x").error("asked %s", words, stack_info=True),
        "arguments that do not fit": lambda: logging.getLogger("x").error("asked %d", words),
    }


@in_both_forms
@pytest.mark.parametrize("way", ways_in(""))
def test_a_secret_is_in_no_line_however_it_gets_there_and_however_it_is_spelled(way, form):
    stream = configured(form)
    for secret in SECRETS:
        for spelled in spellings(secret):
            stream.seek(0)
            stream.truncate()
            ways_in(f"before {spelled} after")[way]()
            line = stream.getvalue()
            assert line.count("\n") == 1, "one event is one line"
            assert line.endswith("\n")
            assert secret not in line
            assert spelled not in line
            assert secret[2:] not in line.replace("\\", "")
            assert logs.HIDDEN in line or "could not be drawn" in line
            if line.startswith("{"):
                json.loads(line)


@in_both_forms
def test_the_repr_of_an_object_is_redacted_too(form):
    stream = configured(form)
    structlog.get_logger().info("asked", by=Shy(), all=[Shy()])
    logging.getLogger("x").info("asked %r", Shy())
    assert AWKWARD not in stream.getvalue()
    assert AWKWARD[5:9] not in stream.getvalue()


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("token=xoxb-1-22-AbCdEf", "token=[hidden]"),
        ("%22xoxp-1-22-AbCdEf%22", "%22[hidden]%22"),
        ("xoxe.xoxb-1-AbCdEfGh", "[hidden]"),
        ("Bearer xapp-1-A0-33-0123abcd", "Bearer [hidden]"),
        ("Bearer ghs_16C7e42F292c6912E7710c838347Ae178B4a", "Bearer [hidden]"),
        ("token github_pat_11AAAAAAA0_bcd, ghp_abcdefghijkl.", "token [hidden], [hidden]."),
        ("Bearer eyJhbGciOiJSUzI1.eyJpYXQiOjE3NDc.c2lnbmF0dXJl_-x", "Bearer [hidden]"),
        ("a -----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY----- b", "a [hidden] b"),
        ("a -----BEGIN PRIVATE KEY-----\nMIIEpAIBAAK", "a [hidden]"),
        ("GET /p.json?api_key=0123&branch=main", "GET /p.json?api_key=[hidden]&branch=main"),
        ("https://hooks.slack.com/commands/T1/2/abc", "https://hooks.slack.com/[hidden]"),
        (
            'https://hooks.slack.com:443 "POST /commands/T1/2/abc HTTP/1.1" 200',
            'https://hooks.slack[hidden] HTTP/1.1" 200',
        ),
        (r"https://hooks.slack.com:443 \"POST /actions/T1/2/abc HTTP/1.1\"", r"https://hooks.slack[hidden] HTTP/1.1\""),
        ("(host='hooks.slack.com', port=443): Max retries exceeded with url: /app/x/y", "(host='hooks.slack[hidden]"),
        (
            'http://127.0.0.1:8123 "POST /commands/T0A/12/aB-c HTTP/1.1"',
            'http://127.0.0.1:8123 "POST /[hidden] HTTP/1.1"',
        ),
        ("https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1%2F2%2Fabc", "https%3A%2F%2Fhooks.slack.com%2F[hidden]"),
        ("https://github.com/acme/web/actions/runs/12", "https://github.com/acme/web/actions/runs/12"),
        ("wss://w.slack.com/link/?ticket=ab-cd&app_id=1", "wss://w.slack.com/link/?ticket=[hidden]&app_id=1"),
        ("a box-office, xoxb-… and api_key", "a box-office, xoxb-… and api_key"),
        ("a ghost, ghp_… and github_pat", "a ghost, ghp_… and github_pat"),
    ],
)
def test_what_has_the_shape_of_a_secret_is_hidden_though_no_one_named_it(said, shown):
    assert logs.hide(())(said) == shown


@in_both_forms
def test_a_response_url_is_hidden_as_urllib3_logs_it_at_debug(form):
    stream = configured(form)
    logging.getLogger("urllib3.connectionpool").debug(
        '%s://%s:%s "%s %s %s" %s %s',
        "https",
        "hooks.slack.com",
        443,
        "POST",
        "/commands/T0/45/sEcReT",
        "HTTP/1.1",
        200,
        2,
    )
    assert "sEcReT" not in stream.getvalue()
    assert "200" in stream.getvalue()


def test_without_secrets_nothing_else_is_hidden():
    assert logs.hide(["", ""])("status acme/web main") == "status acme/web main"


def test_of_two_secrets_if_one_begins_the_other_the_whole_longer_one_is_hidden():
    assert logs.hide(["abcdefgh", "abcdefgh-and-more"])("abcdefgh-and-more") == "[hidden]"
