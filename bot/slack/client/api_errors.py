"""Slack's error codes: one table for every method in use, and the errors that calls raise.

The errors of each method: https://docs.slack.dev/reference/methods. A test holds the table to Slack's reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from http.client import HTTPException
from math import inf
from typing import Any

from slack_sdk.errors import SlackApiError, SlackClientError

ON_THE_WAY = (SlackClientError, OSError, HTTPException, ValueError)
"""What slack_sdk raises besides SlackApiError: no connection, a truncated response, invalid JSON."""


class Kind(Enum):
    """How the bot reacts to an error. Slack did nothing, except perhaps after `UNKNOWN`."""

    RETRY = "retry"
    """It passes by itself."""
    UNKNOWN = "unknown"
    """A failure inside Slack: it may have done what was asked."""
    PAUSE = "pause"
    """The bot is shut out until an operator acts."""
    DELETED = "deleted"
    """Lost: a person deleted the message, or it can no longer be edited. No one waits for it there."""
    LOST = "lost"
    """This conversation does not take the message. Another way is tried, or the asker gets a message."""
    BUG = "bug"
    """The request is wrong: repeating it does not help."""


METHODS = (
    "apps.connections.open",
    "auth.test",
    "chat.getPermalink",
    "chat.postEphemeral",
    "chat.postMessage",
    "chat.unfurl",
    "chat.update",
    "conversations.info",
    "usergroups.users.list",
    "users.info",
    "users.lookupByEmail",
    "views.open",
    "views.publish",
    "views.update",
)
"""Every method of Slack's Web API that the bot calls."""

_WORDS = {
    Kind.RETRY: "ratelimited rate_limited message_limit_exceeded external_channel_migrating streaming_state_conflict"
    " update_failed hash_conflict",
    # A repeat that Slack recognised by its client_msg_id: the first one may be there.
    Kind.UNKNOWN: "internal_error fatal_error service_unavailable request_timeout duplicate_message_not_found"
    " duplicate_channel_not_found",
    Kind.PAUSE: "invalid_auth not_authed account_inactive token_revoked token_expired not_allowed_token_type"
    " no_permission missing_scope access_denied org_login_required ekm_access_denied team_access_not_granted"
    " forbidden_team",
    Kind.DELETED: "message_not_found cant_update_message edit_window_closed thread_not_found not_found",
    Kind.LOST: "app_access_restricted cannot_reply_to_message channel_not_found is_archived is_inactive"
    " messages_tab_disabled not_in_channel posting_to_channel_denied restricted_action"
    " restricted_action_non_threadable_channel restricted_action_read_only_channel restricted_action_thread_locked"
    " restricted_action_thread_only_channel slack_connect_blocked_file_type slack_connect_canvas_sharing_blocked"
    " slack_connect_clip_sharing_blocked slack_connect_file_link_sharing_blocked"
    " slack_connect_file_upload_sharing_blocked slack_connect_lists_sharing_blocked team_not_found"
    " user_not_in_channel user_not_found user_not_visible no_such_subteam plan_upgrade_required exchanged_trigger_id"
    " expired_trigger_id invalid_trigger_id not_enabled channel_is_limited_access"
    " users_not_found enterprise_is_restricted cannot_find_channel cannot_find_message cannot_unfurl_message"
    " cannot_unfurl_url",
    Kind.BUG: "as_user_not_supported attachment_payload_limit_exceeded block_mismatch blocked_file_type"
    " cant_broadcast_message draft_already_deleted draft_already_sent draft_has_conflict draft_not_found file_deleted"
    " file_is_deleted file_not_found file_share_limit_reached insecure_request invalid_attachments invalid_blocks"
    " invalid_blocks_format invalid_cursor invalid_metadata_format invalid_metadata_schema markdown_text_conflict"
    " max_file_sharing_exceeded metadata_must_be_sent_from_app metadata_too_large missing_args missing_file_data"
    " msg_blocks_too_long msg_too_long no_dual_broadcast_content_update no_text send_on_behalf_not_allowed"
    " too_many_attachments too_many_contact_cards too_many_users unable_to_share_files duplicate_external_id"
    " missing_profile_id not_implemented view_too_large cannot_auth_user cannot_find_service"
    " cannot_parse_attachment cannot_prompt invalid_source invalid_unfurl_id invalid_unfurls_format missing_channel"
    " missing_source missing_ts missing_unfurl_id missing_unfurls",
}

KINDS: Mapping[str, Kind] = {word: kind for kind, words in _WORDS.items() for word in words.split()}
"""Every error of every method in use."""

BLOCKS_REFUSED = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "block_mismatch"})
"""Slack may take the text alone."""

_WORD = re.compile(r"[a-z][a-z0-9_]{0,59}")


class CallFailed(Exception):
    """Slack refused a call, or did not answer. `str()` has the method and the reason, and no part of a URL.

    `word` is Slack's error, such as `not_in_channel`, or `HTTP 503`; empty if nothing was answered. `kind` is None if
    the word is unknown to the bot. `retry_after_s` is in seconds, None if Slack gives none. `may_be_there`: Slack may
    have done it all the same, so a repeat might do it twice.
    """

    def __init__(
        self, what: str, why: str, *, word: str = "", may_be_there: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(f"{what} {why}")
        self.word = word
        self.kind = KINDS.get(word)
        self.retry_after_s = retry_after_s
        self.may_be_there = may_be_there


def refused(what: str, status: int, word: str | None, retry_after: str | None = None) -> CallFailed:
    """The error for an answer that is a refusal. Without a word of Slack's, what answered may be a proxy."""
    if status == 429:
        word = word or "ratelimited"
    shown = word or f"HTTP {status}"
    kind = KINDS.get(shown)
    unknown = word is None or kind is Kind.UNKNOWN or (status >= 500 and kind is None)
    return CallFailed(
        what,
        f"was refused: {shown}",
        word=shown,
        may_be_there=unknown,
        retry_after_s=None if retry_after is None else seconds_of(retry_after),
    )


def error_word(value: Any) -> str | None:
    """Slack's error in an answer, as JSON or as a bare word; None for anything else, such as a proxy's page."""
    word = value.get("error") if isinstance(value, dict) else value
    return word if isinstance(word, str) and _WORD.fullmatch(word) else None


def word_of(refusal: SlackApiError) -> str:
    """The same of slack_sdk's error; the HTTP status if there is no such word."""
    data = getattr(refusal.response, "data", refusal.response)
    word = error_word(data) if isinstance(data, dict) else None
    return word or f"HTTP {getattr(refusal.response, 'status_code', '?')}"


def seconds_of(retry_after: str) -> float:
    """`Retry-After` in seconds; infinite if it cannot be read."""
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else inf
