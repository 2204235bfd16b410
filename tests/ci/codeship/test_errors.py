"""What each of CodeShip's refusals means, and that none repeats the key."""

from __future__ import annotations

import json
import traceback
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from bot.ci.codeship.api import parse_builds, parse_restart
from bot.ci.http_client.responses import redact
from bot.core.model.builds import Project
from bot.core.model.errors import CIError, Forbidden, InvalidResponse, NoResponse, NotFound, OverLimit, Unauthorized
from tests.ci.codeship.canned import parse_projects

API = "https://codeship.com/api/v1"
KEY = "s3cret/key +%&é~"
WEB = Project("33837", "acme/web", "codeship")
COMMIT = "96943dc5269634c211b6fbb18896ecdcbd40a047"
BUILD: dict[str, Any] = {
    "id": 3277309,
    "uuid": "7c4d5e10-6755-0132-b8a1-5e3ee6c4a2a1",
    "project_id": 33837,
    "status": "success",
    "branch": "main",
    "commit_id": COMMIT,
    "github_username": "ada",
    "message": "Fix login\n\nFor good.",
    "started_at": "2014-12-16T11:08:34.123Z",
    "finished_at": "2014-12-16T11:14:08.271Z",
    "debug_connection": None,
}


def refused(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> CIError:
    """What is raised for it by all three alike."""
    errors = []
    for decipher in (parse_projects, parse_restart):
        with pytest.raises(CIError) as raised:
            decipher(status, headers or {}, body, key=KEY)
        errors.append(raised.value)
    with pytest.raises(CIError) as raised:
        parse_builds(status, headers or {}, body, WEB, key=KEY)
    errors.append(raised.value)
    assert len({(type(error), str(error), getattr(error, "retry_after_s", None)) for error in errors}) == 1
    return errors[0]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b'{"errors":["Invalid API key"]}', Unauthorized),
        (403, b"Rate Limit Exceeded", OverLimit),
        (403, b'{"errors": ["Sorry: rate limit EXCEEDED."]}', OverLimit),
        (403, b"<html><h1>Rate Limit Exceeded</h1></html>", OverLimit),
        (403, b"Forbidden", Forbidden),
        (403, b"", Forbidden),
        (404, b"", NotFound),
        (429, b"", OverLimit),
        (302, b"", InvalidResponse),
        (304, b"", InvalidResponse),
        (400, b"", InvalidResponse),
        (422, b"", InvalidResponse),
        (408, b"", NoResponse),
        (500, b"", NoResponse),
        (503, b"<html>", NoResponse),
        (599, b"", NoResponse),
        (100, b"", InvalidResponse),
    ],
)
def test_every_refusal_raises_its_class(status: int, body: bytes, kind: type[CIError]) -> None:
    assert type(refused(status, body)) is kind


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"error": "Not yours"}', "Not yours"),
        (b'{"errors": ["Not yours", "nor mine", 5]}', "Not yours; nor mine"),
        (b'{"errors": "Not yours"}', "Not yours"),
        (b'{"message": "Not yours"}', "Not yours"),
        (b'"Not yours"', "Not yours"),
        (b" Not\n\tyours\x00 \r\n", "Not yours"),
        (b"\xef\xbb\xbfNot yours", "Not yours"),
        (b"<!DOCTYPE html><p>Not yours</p>", ""),
        (b"Not yours<br>", ""),
        (b'{"error": {"code": 5}}', ""),
        (b'{"error', ""),
        (b"[1, 2]", ""),
        (b'{"a":' * 100_000, ""),
        (b"", ""),
        (b"y" * 300, "y" * 199 + "…"),
    ],
)
def test_the_reason_of_a_refusal_is_one_short_line(body: bytes, why: str) -> None:
    assert refused(403, body).detail == why


def test_an_html_page_gives_no_reason() -> None:
    assert refused(403, b"Not yours", {"Content-Type": "text/HTML; charset=utf-8"}).detail == ""


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": "99999999999"}, 3600.0),
        ({"Retry-After": "9" * 5000}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT", "DATE": "Wed, 21 Oct 2015 07:28:00 GMT"}, 30.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT", "Date": "Wed, 21 Oct 2015 08:28:00 +0000"}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT"}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_an_hour(headers: dict[str, str], seconds: float | None) -> None:
    error = refused(429, b"", headers)
    assert isinstance(error, OverLimit)
    assert error.retry_after_s == seconds


@pytest.mark.parametrize(
    ("location", "words"),
    [
        (f"https://evil.test/p?api_key={quote_plus(KEY)}", "a redirect to host evil.test; check CODESHIP_API_URL"),
        ("https://user:pass@evil.test:8443/", "a redirect to host evil.test; check CODESHIP_API_URL"),
        ("//evil.test/x", "a redirect to host evil.test; check CODESHIP_API_URL"),
        ("/login", "a redirect; check CODESHIP_API_URL"),
        ("http://[::1", "a redirect; check CODESHIP_API_URL"),
        ("http://*bad host*/", "a redirect; check CODESHIP_API_URL"),
        (None, "a redirect; check CODESHIP_API_URL"),
    ],
)
def test_a_redirect_names_the_host_it_leads_to_and_no_more(location: str | None, words: str) -> None:
    error = refused(302, b"", {} if location is None else {"Location": location})
    assert str(error) == f"CodeShip: answered with {words}"


def test_a_server_that_fails_says_which_status() -> None:
    assert str(refused(502, b"<html>")) == "CodeShip: answered 502"
    assert str(refused(500, b"Oh no")) == "CodeShip: answered 500: Oh no"


@pytest.mark.parametrize(
    "spelled",
    [
        KEY,
        quote(KEY),
        quote_plus(KEY),
        quote(KEY, safe=""),
        quote(KEY).lower(),
        quote(quote(KEY, safe=""), safe=""),
        KEY.replace("&", "&amp;"),
        KEY.replace("/", "\\/"),
    ],
)
@pytest.mark.parametrize("before", ["", "x" * 190, "y\n" * 95])
def test_a_reason_never_repeats_the_key(spelled: str, before: str) -> None:
    bodies = [f"{before}No key {spelled}!", json.dumps({"error": f"{before}No key {spelled}!"})]
    for body in bodies:
        for status in (400, 401, 403, 404, 429, 500):
            assert (
                refused(status, body.encode()).detail
                == refused(status, body.replace(spelled, "[redacted]").encode()).detail
            )
        with pytest.raises(InvalidResponse) as raised:
            parse_projects(200, {}, json.dumps({"error": body}).encode(), key=KEY)
        assert "s3cret" not in "".join(traceback.format_exception(raised.value)).lower()


def test_without_a_key_nothing_is_redacted() -> None:
    assert redact("as it is", "") == "as it is"
