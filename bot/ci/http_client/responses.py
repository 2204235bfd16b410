"""HTTP requests and responses as values, and the error that an unsuccessful response means. Pure: no I/O, no clock."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from bot.core.model.errors import CIError, Forbidden, InvalidResponse, NoResponse, NotFound, OverLimit, Unauthorized

MAX_DETAIL = 200
MAX_RETRY_AFTER_S = 3600.0
_LOOKED_AT = 65_536  # bytes of an error's body that may hold its reason

_OVER_LIMIT = re.compile(rb"rate[\s_-]{0,3}limit[\s_-]{0,3}exceeded", re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}
_MARKUP = re.compile(r"<\s*[!/?a-z]", re.IGNORECASE)
_SECONDS = re.compile(r"\d{1,20}(\.\d{1,20})?", re.ASCII)
_HOST = re.compile(r"[a-z0-9._:-]{1,253}")
_UNPRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Request:
    """A request to send. `params` go into the query, not yet percent-encoded. The query or the headers hold the key.

    `body` is JSON; empty for none.
    """

    method: str
    url: str
    params: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """A received response. Header names are lower-case. `flaw` says why `body` is incomplete; None if it is not."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    flaw: CIError | None = None

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


def origin(address: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port; a redirect to another origin is not followed. Raises ValueError if `address`
    is invalid.
    """
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def error_for(
    service: str, status: int, headers: Mapping[str, str], body: bytes, *, secret: str, address_setting: str
) -> CIError:
    """The error for a response with this status, without `secret` in its text.

    `service` is the title that people read. `address_setting` is the setting to check if the address looks wrong.
    """
    why = detail(headers, body, secret)
    if status == 429 or (status == 403 and _OVER_LIMIT.search(body)):
        return OverLimit(service, why, retry_after_s=retry_after_s(headers))
    match status:
        case 401:
            return Unauthorized(service, why)
        case 403:
            return Forbidden(service, why)
        case 404:
            return NotFound(service, why)
    if 300 <= status < 400:
        return InvalidResponse(service, _redirected(headers, secret, address_setting))
    answered = f"answered {status}: {why}" if why else f"answered {status}"
    if status >= 500 or status == 408:  # 408: the server gave up waiting for the request, like a gateway's 504
        return NoResponse(service, answered, http_status=status)
    return InvalidResponse(service, answered, said=json_reason(headers, body, secret))


def detail(headers: Mapping[str, str], body: bytes, secret: str) -> str:
    """The reason for a refusal, on one line and without `secret`; empty if there is no readable one."""
    text = body[:_LOOKED_AT].decode("utf-8-sig", "replace").strip()
    if "html" in header(headers, "content-type").lower():
        return ""
    if text[:1] in ("{", "[", '"'):
        try:
            text = _reason(json.loads(text))
        except (ValueError, RecursionError):
            return ""
    return "" if _MARKUP.search(text) else one_line(redact(text, secret), MAX_DETAIL)


def json_reason(headers: Mapping[str, str], body: bytes, secret: str) -> str:
    """The reason in a JSON object, which may be shown to people: as `detail`; empty for any other body."""
    return detail(headers, body, secret) if body.lstrip()[:1] == b"{" else ""


def redact(text: str, secret: str) -> str:
    """`text` without `secret`, in any spelling: percent-encoded (also twice or partly), or escaped."""
    if not secret:
        return text
    return re.sub("".join(map(_spellings, secret)), "[redacted]", text, flags=re.IGNORECASE)


def one_line(text: str, limit: int) -> str:
    """`text` on one line, without control characters and repeated blanks, cut to `limit` characters."""
    line = " ".join(_UNPRINTED.sub(" ", text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def header(headers: Mapping[str, str], name: str) -> str:
    """The header's value, by its name in any case; empty if it is missing."""
    return next((value for key, value in headers.items() if key.lower() == name), "")


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds from `Retry-After`, from 0 to 3,600; None if it is missing or unreadable.

    A date (RFC 9110, 10.2.3) is compared with the `Date` of the same response, since both come from the server's clock.
    """
    raw = header(headers, "retry-after").strip()
    if _SECONDS.fullmatch(raw):
        seconds = float(raw)
    else:
        deadline, sent = _date(raw), sent_at(headers)
        if deadline is None or sent is None:
            return None
        seconds = (deadline - sent).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)


def sent_at(headers: Mapping[str, str]) -> datetime | None:
    """When the response was sent, on the server's clock; None if unknown."""
    return _date(header(headers, "date"))


def _reason(value: object) -> str:
    """The text in `{"error": "…"}`, `{"errors": ["…"]}` or `{"message": "…"}`, or the value itself if it is one."""
    match value:
        case str():
            return value
        case {"error": str(reason)} | {"errors": str(reason)} | {"message": str(reason)}:
            return reason
        case {"errors": [*reasons]} | {"error": [*reasons]}:
            return "; ".join(reason for reason in reasons if isinstance(reason, str))
    return ""


def _spellings(character: str) -> str:
    """A pattern for the character. All repetitions are bounded, since it runs on untrusted text."""
    encoded = "".join(f"%(?:25){{0,3}}{byte:02x}" for byte in character.encode("utf-8", "replace"))
    in_json = json.dumps(character)[1:-1].lstrip("\\") or character
    spellings = {re.escape(spelled) for spelled in (character, html.escape(character), in_json)} | {encoded}
    if character == " ":
        spellings.add(r"\+")
    return rf"\\{{0,4}}(?:{'|'.join(sorted(spellings))})"


def _redirected(headers: Mapping[str, str], secret: str, address_setting: str) -> str:
    # Only the host: the rest of the address may contain the query, and with it the key.
    try:
        host = redact(urlsplit(header(headers, "location").strip()).hostname or "", secret)
    except ValueError:
        host = ""
    to = f" to host {host}" if _HOST.fullmatch(host) else ""
    return f"answered with a redirect{to}; check {address_setting}"


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
