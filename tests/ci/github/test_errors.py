"""What each refusal of GitHub means: its limits, its rights, what it does to no run. None repeats the token."""

from __future__ import annotations

import json
import traceback

import pytest

from bot.ci.github.http.errors import action_error_for, error_for, hidden_organizations
from bot.core.model.errors import (
    CIError,
    Forbidden,
    InvalidResponse,
    NoResponse,
    NotFound,
    NotPossible,
    OverLimit,
    SignOnRequired,
    Unauthorized,
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
def test_over_a_limit_it_is_reported_when_to_come_again(
    status: int, headers: dict[str, str], words: str, retry_after_s: float
) -> None:
    for refused in (error_for, action_error_for):
        error = refused(status, headers, said(words), secret=TOKEN)
        assert isinstance(error, OverLimit)
        assert (error.retry_after_s, error.detail) == (retry_after_s, words)


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (401, "Bad credentials", Unauthorized),
        (401, "Requires authentication", Unauthorized),
        (403, "Resource not accessible by integration", Forbidden),
        (403, "Resource not accessible by personal access token", Forbidden),
        (403, "Must have admin rights to Repository.", Forbidden),
        (404, "Not Found", NotFound),
        (400, "The version is not supported.", InvalidResponse),
        (422, "Validation Failed", NotPossible),
        (410, "Issues are disabled for this repo", NotPossible),
        (451, "Repository access blocked", NotPossible),
        (403, "Resource protected by organization SAML enforcement.", SignOnRequired),
        (502, "Server Error", NoResponse),
        (408, "", NoResponse),
        (304, "", InvalidResponse),
        (301, "Moved Permanently", InvalidResponse),
    ],
)
def test_what_is_asked_is_refused(status: int, words: str, kind: type[CIError]) -> None:
    headers = {"X-RateLimit-Remaining": "4000"}
    error = error_for(status, headers, said(words), secret=TOKEN)
    assert type(error) is kind
    assert error.service == "GitHub"


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (403, "Unable to retry this workflow run because it was created over a month ago", NotPossible),
        (403, "This workflow run cannot be retried", NotPossible),
        (403, "This workflow run cannot be rerun", NotPossible),
        (403, "This workflow is already running", NotPossible),
        (403, "The workflow run containing this job is already running", NotPossible),
        (403, "Repository was archived so is read-only.", NotPossible),
        (403, "Actions is disabled for this repository", NotPossible),
        (403, "Actions has been disabled for this user.", NotPossible),
        (403, "This workflow run has reached the maximum number of re-run attempts", NotPossible),
        (409, "Cannot cancel a workflow run that is completed.", NotPossible),
        (422, "Unprocessable", NotPossible),
        (403, "Resource not accessible by integration", Forbidden),
        (403, "Resource not accessible by personal access token", Forbidden),
        (403, "Must have admin rights to Repository.", Forbidden),
        (
            403,
            "Resource protected by organization SAML enforcement. Re-authorize the OAuth Application",
            SignOnRequired,
        ),
        (403, "You must have write access to the repository to re-run workflows", Forbidden),
        (403, "", Forbidden),
        (401, "Bad credentials", Unauthorized),
        (404, "Not Found", NotFound),
        (500, "", NoResponse),
    ],
)
def test_what_is_to_be_done_to_a_run_is_refused_for_a_reason(status: int, words: str, kind: type[CIError]) -> None:
    error = action_error_for(status, {"X-RateLimit-Remaining": "4000"}, said(words), secret=TOKEN)
    assert type(error) is kind
    assert kind is not NotPossible or error.detail == words


@pytest.mark.parametrize(
    ("words", "kind", "of_the_run"),
    [
        ("Resource not accessible by integration", Forbidden, Forbidden),
        ("Resource not accessible by personal access token", Forbidden, Forbidden),
        ("Must have admin rights to Repository.", Forbidden, Forbidden),
        ("This workflow run cannot be retried", Forbidden, NotPossible),
        ("Actions is disabled for this repository", Forbidden, NotPossible),
    ],
)
def test_the_last_call_of_the_hour_may_be_refused_for_another_reason(
    words: str, kind: type[CIError], of_the_run: type[CIError]
) -> None:
    assert type(error_for(403, spent(EPOCH + 90), said(words), secret=TOKEN)) is kind
    assert type(action_error_for(403, spent(EPOCH + 90), said(words), secret=TOKEN)) is of_the_run
    assert type(action_error_for(429, spent(EPOCH + 90), said(words), secret=TOKEN)) is OverLimit


@pytest.mark.parametrize(
    "words", ["API rate limit exceeded for this access token.", "API rate limit exceeded; you do not have permission"]
)
def test_a_spent_limit_is_one_whatever_else_is_said(words: str) -> None:
    error = error_for(403, spent(EPOCH + 90), said(words), secret=TOKEN)
    assert isinstance(error, OverLimit)
    assert error.retry_after_s == 90.0


def test_a_refusal_without_words_has_some() -> None:
    assert action_error_for(409, {}, b"", secret=TOKEN).detail == "the run is not in a state for that"


@pytest.mark.parametrize("status", [401, 403, 404, 409, 422, 429, 500])
@pytest.mark.parametrize(
    "body", [said(f"no such token {TOKEN}"), f"No {TOKEN}".encode(), said(f"Bearer {TOKEN.replace('+', '%2B')}")]
)
def test_no_refusal_repeats_the_token(status: int, body: bytes) -> None:
    for refused in (error_for, action_error_for):
        error = refused(status, {}, body, secret=TOKEN)
        assert "s3cret" not in "".join(traceback.format_exception(error)) + repr(error)


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"X-GitHub-SSO": "required; url=https://github.com/orgs/acme/sso?authorization_request=s3cret"}, "No."),
        ({}, "Resource protected by organization SAML enforcement. You must grant your token access."),
    ],
)
def test_a_missing_sign_on_is_told_as_that_and_not_as_a_missing_permission(headers: dict[str, str], words: str) -> None:
    for refused in (error_for, action_error_for):
        error = refused(403, headers, said(words), secret=TOKEN)
        assert isinstance(error, Forbidden)
        assert "single sign-on (SSO)" in error.detail
        assert "s3cret" not in error.detail


@pytest.mark.parametrize("status", [410, 422, 451])
def test_the_reason_of_a_refusal_is_kept(status: int) -> None:
    for refused in (error_for, action_error_for):
        assert (
            refused(status, {}, said("Repository access blocked"), secret=TOKEN).detail == "Repository access blocked"
        )


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_post_to_a_renamed_repository_says_so_and_was_not_done(status: int) -> None:
    error = action_error_for(status, {"Location": "https://api.github.com/repositories/1"}, b"", secret=TOKEN)
    assert isinstance(error, NotPossible)
    assert "renamed" in error.detail


def test_organizations_that_are_left_out_are_named() -> None:
    assert hidden_organizations({"X-GitHub-SSO": "partial-results; organizations=21955855,20582480"}) == (
        "21955855",
        "20582480",
    )
    assert hidden_organizations({}) == ()
