"""What each refusal of GitHub means: its limits, its rights, what it does to no run. None repeats the token."""

from __future__ import annotations

import json
import traceback

import pytest

from bot.ci.github.errors import in_words, refusal, refusal_to_do
from bot.core.model.errors import (
    BadAnswer,
    BudgetSpent,
    CIError,
    KeyRefused,
    NoAnswer,
    NoRights,
    NotThere,
    OverLimit,
    Paused,
    Unreachable,
    WillNot,
)
from tests.ci.github.canned import TOKEN

DATE = "Sun, 01 Mar 2026 12:00:00 GMT"
EPOCH = 1772366400
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


def said(words: str) -> bytes:
    return json.dumps({"message": words, "documentation_url": "https://docs.github.com/rest"}).encode()


def spent(reset: object, date: str = DATE) -> dict[str, str]:
    return {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset), "Date": date}


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize(
    ("headers", "words", "retry_after_s"),
    [
        (spent(EPOCH + 90), "API rate limit exceeded for user ID 1.", 90.0),
        (spent(EPOCH + 90), "", 90.0),
        (spent(EPOCH - 5), "", 1.0),
        (spent(EPOCH + 90_000), "", 3600.0),
        (spent("soon"), "", 60.0),
        (spent(EPOCH + 90, date="yesterday"), "", 60.0),
        ({**spent(EPOCH + 90), "Retry-After": "7"}, SECONDARY, 7.0),
        ({"Retry-After": "30", "X-RateLimit-Remaining": "4000"}, SECONDARY, 30.0),
        ({"Retry-After": "30"}, "", 30.0),
        ({"X-RateLimit-Remaining": "4000"}, SECONDARY, 60.0),
        ({}, SECONDARY, 60.0),
        ({}, "You have triggered an abuse detection mechanism.", 60.0),
    ],
)
def test_over_a_limit_it_is_told_when_to_come_again(
    status: int, headers: dict[str, str], words: str, retry_after_s: float
) -> None:
    for refused in (refusal, refusal_to_do):
        error = refused(status, headers, said(words), secret=TOKEN)
        assert isinstance(error, OverLimit)
        assert (error.retry_after_s, error.detail) == (retry_after_s, words)


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (401, "Bad credentials", KeyRefused),
        (401, "Requires authentication", KeyRefused),
        (403, "Resource not accessible by integration", NoRights),
        (403, "Resource not accessible by personal access token", NoRights),
        (403, "Must have admin rights to Repository.", NoRights),
        (404, "Not Found", NotThere),
        (400, "The version is not supported.", BadAnswer),
        (422, "Validation Failed", BadAnswer),
        (502, "Server Error", NoAnswer),
        (408, "", NoAnswer),
        (304, "", BadAnswer),
        (301, "Moved Permanently", BadAnswer),
    ],
)
def test_what_is_asked_is_refused(status: int, words: str, kind: type[CIError]) -> None:
    headers = {"X-RateLimit-Remaining": "4000"}
    error = refusal(status, headers, said(words), secret=TOKEN)
    assert type(error) is kind
    assert error.service == "GitHub"


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (403, "Unable to retry this workflow run because it was created over a month ago", WillNot),
        (403, "This workflow run cannot be retried", WillNot),
        (403, "This workflow run cannot be rerun", WillNot),
        (403, "This workflow is already running", WillNot),
        (403, "The workflow run containing this job is already running", WillNot),
        (403, "Repository was archived so is read-only.", WillNot),
        (403, "Actions is disabled for this repository", WillNot),
        (403, "Actions has been disabled for this user.", WillNot),
        (403, "This workflow run has reached the maximum number of re-run attempts", WillNot),
        (409, "Cannot cancel a workflow run that is completed.", WillNot),
        (422, "Unprocessable", WillNot),
        (403, "Resource not accessible by integration", NoRights),
        (403, "Resource not accessible by personal access token", NoRights),
        (403, "Must have admin rights to Repository.", NoRights),
        (403, "Resource protected by organization SAML enforcement. Re-authorize the OAuth Application", NoRights),
        (403, "You must have write access to the repository to re-run workflows", NoRights),
        (403, "", NoRights),
        (401, "Bad credentials", KeyRefused),
        (404, "Not Found", NotThere),
        (500, "", NoAnswer),
        (307, "Moved Permanently", BadAnswer),
    ],
)
def test_what_is_to_be_done_to_a_run_is_refused_for_a_reason(status: int, words: str, kind: type[CIError]) -> None:
    error = refusal_to_do(status, {"X-RateLimit-Remaining": "4000"}, said(words), secret=TOKEN)
    assert type(error) is kind
    assert kind is not WillNot or error.detail == words


@pytest.mark.parametrize(
    ("words", "kind", "of_the_run"),
    [
        ("Resource not accessible by integration", NoRights, NoRights),
        ("Resource not accessible by personal access token", NoRights, NoRights),
        ("Must have admin rights to Repository.", NoRights, NoRights),
        ("This workflow run cannot be retried", NoRights, WillNot),
        ("Actions is disabled for this repository", NoRights, WillNot),
    ],
)
def test_the_last_call_of_the_hour_may_be_refused_for_another_reason(
    words: str, kind: type[CIError], of_the_run: type[CIError]
) -> None:
    assert type(refusal(403, spent(EPOCH + 90), said(words), secret=TOKEN)) is kind
    assert type(refusal_to_do(403, spent(EPOCH + 90), said(words), secret=TOKEN)) is of_the_run
    assert type(refusal_to_do(429, spent(EPOCH + 90), said(words), secret=TOKEN)) is OverLimit


@pytest.mark.parametrize(
    "words", ["API rate limit exceeded for this access token.", "API rate limit exceeded; you do not have permission"]
)
def test_a_spent_limit_is_one_whatever_else_is_said(words: str) -> None:
    error = refusal(403, spent(EPOCH + 90), said(words), secret=TOKEN)
    assert isinstance(error, OverLimit)
    assert error.retry_after_s == 90.0


def test_a_refusal_without_words_has_some() -> None:
    assert refusal_to_do(409, {}, b"", secret=TOKEN).detail == "the run is not in a state for that"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (WillNot("GitHub", "too old"), "too old"),
        (NoAnswer("GitHub", "late"), "no answer came, so nobody can tell whether it took"),
        (NotThere("GitHub"), "GitHub does not know this run any more"),
        (NoRights("GitHub"), "the token may not do this"),
        (NoRights("GitHub", "SAML"), "the token may not do this (SAML)"),
        (KeyRefused("GitHub"), "GitHub refused the token"),
        (BudgetSpent("GitHub"), "not asked for, since this minute's calls to GitHub are used up"),
        (Paused("GitHub"), "GitHub takes no more calls for now"),
        (OverLimit("GitHub"), "GitHub takes no more calls for now"),
        (Unreachable("GitHub", "its name cannot be found"), "GitHub could not be reached: its name cannot be found"),
        (BadAnswer("GitHub"), "GitHub's answer could not be read"),
    ],
)
def test_why_one_of_several_was_not_done_is_said_in_words(error: CIError, words: str) -> None:
    assert in_words(error) == words


@pytest.mark.parametrize("status", [401, 403, 404, 409, 422, 429, 500])
@pytest.mark.parametrize(
    "body", [said(f"no such token {TOKEN}"), f"No {TOKEN}".encode(), said(f"Bearer {TOKEN.replace('+', '%2B')}")]
)
def test_no_refusal_repeats_the_token(status: int, body: bytes) -> None:
    for refused in (refusal, refusal_to_do):
        error = refused(status, {}, body, secret=TOKEN)
        assert "s3cret" not in "".join(traceback.format_exception(error)) + repr(error) + in_words(error)
