"""The error for an unsuccessful response of GitHub: rate limits, permissions, refusals for one run. Pure.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.ci.http_client import responses as answers
from bot.ci.http_client.responses import MAX_RETRY_AFTER_S, detail, header, json_reason, retry_after_s, sent_at
from bot.core.model.errors import (
    CIError,
    Forbidden,
    InvalidResponse,
    NotPossible,
    OverLimit,
    SignOnRequired,
)

TITLE = "GitHub"

_ADDRESS_SETTING = "GITHUB_API_URL"
_SECONDARY_WAIT_S = 60.0  # "wait for at least one minute" if no header says how long

_LIMIT = re.compile(r"rate limit|abuse detection", re.IGNORECASE)
# Seen for `rerun`, `rerun-failed-jobs` and `cancel`: "Unable to retry this workflow run because it was created over a
# month ago", "This workflow run cannot be retried", "This workflow is already running", "Repository was archived …",
# "Actions is disabled for this repository", "Actions has been disabled for this user.".
_OF_THE_RUN = re.compile(r"\bre-?(run|tr)|already|\bmonth\b|\bworkflow\b|\barchived\b|\bdisabled\b", re.IGNORECASE)
_OF_THE_TOKEN = re.compile(r"not accessible|must have|permission|\bSAML\b|\bIP allow list\b|\baccess\b", re.IGNORECASE)
_SAML = re.compile(r"\bSAML\b")
_SIGN_ON = (
    "the organization asks for single sign-on (SSO), and the token is not authorized for it; "
    "authorize it at GitHub, Settings, Developer settings, the token’s “Configure SSO”"
)
_ORGANIZATIONS = re.compile(r"partial-results;\s*organizations=([0-9, ]{1,500})")
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


class PageTooLarge(InvalidResponse):
    """502 for a page of a list, as for busy repositories. A smaller page may work."""


def error_for(status: int, headers: Mapping[str, str], body: bytes, *, secret: str) -> CIError:
    """The error for a response with this status. Its text never contains `secret`."""
    said = detail(headers, body, secret)
    if status in (403, 429):
        limit = _over_limit(status, headers, said)
        if limit is not None:
            return limit
    if status == 403 and (header(headers, "x-github-sso") or _SAML.search(said)):
        return SignOnRequired(TITLE, _SIGN_ON)
    if status in (410, 422, 451) and said:
        return NotPossible(TITLE, said)
    return answers.error_for(TITLE, status, headers, body, secret=secret, address_setting=_ADDRESS_SETTING)


def action_error_for(status: int, headers: Mapping[str, str], body: bytes, *, secret: str) -> CIError:
    """The same for a re-run or a cancel, which GitHub may refuse for the run's own state."""
    error = error_for(status, headers, body, secret=secret)
    said = error.detail
    if status in (301, 302, 307, 308):
        return NotPossible(TITLE, "the repository was renamed or moved; ask again under its new name")
    of_the_run = status == 403 and _OF_THE_RUN.search(said) and not _OF_THE_TOKEN.search(said)
    if status in (409, 422) or (of_the_run and isinstance(error, Forbidden)):
        return NotPossible(TITLE, json_reason(headers, body, secret) or "the run is not in a state for that")
    return error


def hidden_organizations(headers: Mapping[str, str]) -> tuple[str, ...]:
    """The ids of organizations that the response leaves out, since they require single sign-on."""
    named = _ORGANIZATIONS.match(header(headers, "x-github-sso"))
    return tuple(id_.strip() for id_ in named[1].split(",") if id_.strip()) if named else ()


def invalid_response(headers: Mapping[str, str], body: bytes, secret: str) -> InvalidResponse:
    """The error for a 2xx whose body is not the API's."""
    text = json_reason(headers, body, secret)
    return InvalidResponse(TITLE, text or "the answer is not that of its API; check GITHUB_API_URL")


def _over_limit(status: int, headers: Mapping[str, str], said: str) -> OverLimit | None:
    asked_s = retry_after_s(headers)
    if asked_s is not None:
        return OverLimit(TITLE, said, retry_after_s=asked_s)
    if header(headers, "x-ratelimit-remaining").strip() == "0" and not (status == 403 and _says_why_not(said)):
        return OverLimit(TITLE, said, retry_after_s=_until_reset_s(headers))
    if status == 429 or _LIMIT.search(said):
        return OverLimit(TITLE, said, retry_after_s=_SECONDARY_WAIT_S)
    return None


def _says_why_not(said: str) -> bool:
    """Whether the text is about a permission or the run: the hour's last call can be refused for these, too."""
    return not _LIMIT.search(said) and bool(_OF_THE_TOKEN.search(said) or _OF_THE_RUN.search(said))


def _until_reset_s(headers: Mapping[str, str]) -> float:
    """Seconds until the limit resets, counted from the response's own date."""
    raw, sent = header(headers, "x-ratelimit-reset").strip(), sent_at(headers)
    if sent is None or not _SECONDS.fullmatch(raw):
        return _SECONDARY_WAIT_S
    return min(max(int(raw) - sent.timestamp(), 1.0), MAX_RETRY_AFTER_S)
