"""How an answer reaches people: in public where the bot can post, else through the response URL; or to the asker alone.

`chat.postMessage` is asked first, since a message of our own can be changed later, for as long as it stands; where
Slack refuses it, the response URL of a command or a click works without any membership.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from bot.core.ports import IdempotencyKeys
from bot.slack.client.api_errors import ON_THE_WAY, word_of
from bot.slack.client.masking import Mask, masked
from bot.slack.incoming.payloads import SlackRequest, Source
from bot.slack.messages.render import Message, with_invitation

_SLACKS_HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
_PLAIN = re.compile(r"[!-\[\]-~]{1,2000}")
"""What an address is made of. Other signs, and the backslash, mean different hosts to different readers."""
_WORD = re.compile(r"[a-z_]{1,40}")


class DeliveryFailed(Exception):
    """The answer did not reach Slack, or Slack refused it. `str()` holds no part of the URL, which is a secret.

    `may_be_there`: Slack got it and did not answer, so that saying it again might say it twice.
    """

    def __init__(self, why: str, *, may_be_there: bool = False) -> None:
        super().__init__(why)
        self.may_be_there = may_be_there


class ResponseUrls:
    """`api_url` is SLACK_API_URL: its scheme, host and port are trusted beside Slack's own. Thread-safe.

    `mask` takes secrets out of each text that is sent.
    """

    def __init__(
        self, api_url: str, session: requests.Session, *, timeout_s: float = 4.0, mask: Mask = lambda text: text
    ) -> None:
        self._mask = mask
        self._own = _origin(api_url)
        self._session = session
        self._timeout_s = timeout_s

    def say(
        self, url: str, message: Message, *, in_public: bool, thread: str | None = None, replace: bool = False
    ) -> None:
        """Posts a message, or puts it in the place of the one that was pressed. Raises NotDelivered."""
        body: dict[str, Any] = {
            "text": message.text,
            "blocks": list(message.blocks),
            "response_type": "in_channel" if in_public else "ephemeral",
            "replace_original": replace,
        }
        if thread and not replace:
            body["thread_ts"] = thread
        self._post(url, body)

    def remove(self, url: str) -> None:
        """Takes the pressed message away. Raises NotDelivered."""
        self._post(url, {"delete_original": True})

    def _post(self, url: str, body: Mapping[str, Any]) -> None:
        if not self._is_slacks(url):
            raise DeliveryFailed("the response URL is not one of Slack's")
        try:
            answer = self._session.post(
                url, json=masked(body, self._mask), timeout=self._timeout_s, allow_redirects=False
            )
        except requests.RequestException as failure:
            is_unknown = isinstance(failure, requests.Timeout) and not isinstance(failure, requests.ConnectTimeout)
            why = f"the response URL could not be reached: {type(failure).__name__}"
            raise DeliveryFailed(why, may_be_there=is_unknown) from None
        if answer.status_code != requests.codes.ok:
            raise DeliveryFailed(f"the response URL answered {answer.status_code}{_word(answer.text)}")

    def _is_slacks(self, url: str) -> bool:
        origin = _origin(url)
        return origin is not None and (
            origin == self._own or (origin[0] == "https" and origin[1] in _SLACKS_HOSTS and origin[2] == 443)
        )


def _word(answer: str) -> str:
    """Slack's word for why, such as `used_url`. Nothing else: a proxy's page may quote the URL."""
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        value = answer
    word = value.get("error") if isinstance(value, dict) else value
    return f": {word}" if isinstance(word, str) and _WORD.fullmatch(word) else ""


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port, as browsers compare them; None for what is no web address."""
    if not _PLAIN.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        port = {"https": 443, "http": 80}[parts.scheme] if parts.port is None else parts.port
    except (ValueError, KeyError):
        return None
    if not parts.hostname or parts.username is not None or parts.password is not None:
        return None
    return parts.scheme, parts.hostname, port


log = structlog.get_logger(__name__)

NOT_A_MEMBER = frozenset({"not_in_channel", "channel_not_found"})
MAY_HAVE_POSTED = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
"""What Slack says of its own troubles: the message may stand all the same, as where a page came for an answer."""

INVITATION_KEPT_S = 90 * 24 * 3600.0


class Replies:
    """Thread-safe. Raises NotDelivered where an answer reached nobody, with Slack's own word for why."""

    def __init__(
        self, client: WebClient, response_urls: ResponseUrls, idempotency_keys: IdempotencyKeys, mention: str
    ) -> None:
        self._client = client
        self._response_urls = response_urls
        self._idempotency_keys = idempotency_keys
        self._mention = mention

    def answer(self, slack_request: SlackRequest, message: Message, *, elsewhere: Message | None = None) -> str | None:
        """A new message: in public, or to the asker alone, as the message wants it.

        Returns the ts of a message that can be changed later; None for any other, which says `elsewhere` where that
        is given.
        """
        if message.in_public:
            return self._in_public(slack_request, message, elsewhere or message)
        self.to_asker(slack_request, message)
        return None

    def to_asker(self, slack_request: SlackRequest, message: Message) -> None:
        """To the asker alone; in the bot's own direct messages everything is."""
        if slack_request.response_url:
            try:
                self._response_urls.say(
                    slack_request.response_url, message, in_public=False, thread=slack_request.location.thread
                )
            except DeliveryFailed as failure:
                log.info("response_url_failed", why=str(failure))
                if failure.may_be_there:
                    raise
            else:
                return
        if slack_request.source is Source.DIRECT:
            self._call("chat.postMessage", _body(slack_request, message))
        else:
            body = {**_body(slack_request, message), "user": slack_request.actor.id}
            if slack_request.opens_thread:
                del body["thread_ts"]  # Slack shows what only one person sees in threads that have a reply already
            self._call("chat.postEphemeral", body)

    def replace(self, slack_request: SlackRequest, message: Message) -> None:
        """In the place of the message whose button was pressed."""
        self._response_urls.say(
            _url(slack_request), message, in_public=message.in_public and not _is_ephemeral(slack_request), replace=True
        )

    def remove_pressed(self, slack_request: SlackRequest) -> None:
        """Takes away the pressed message, which only the asker sees."""
        self._response_urls.remove(_url(slack_request))

    def _in_public(self, slack_request: SlackRequest, message: Message, elsewhere: Message) -> str | None:
        try:
            return self._call("chat.postMessage", _body(slack_request, message))
        except DeliveryFailed as failure:
            if slack_request.source is Source.DIRECT:
                raise
            log.info("not_in_public", why=str(failure))  # a busy channel takes one message a second
            why = failure.why if isinstance(failure, SlackRefused) else ""
            is_certain = bool(why) and why not in MAY_HAVE_POSTED and not why.startswith("HTTP")
            if not slack_request.response_url or not is_certain:
                try:
                    self.to_asker(slack_request, elsewhere)  # lest all read it twice, if the message is there after all
                except DeliveryFailed as second:
                    raise DeliveryFailed(
                        str(second), may_be_there=failure.may_be_there or second.may_be_there
                    ) from None
                return None
            if why in NOT_A_MEMBER and self._invitation_is_due(slack_request):
                elsewhere = with_invitation(elsewhere, self._mention)
            self._response_urls.say(
                slack_request.response_url, elsewhere, in_public=True, thread=slack_request.location.thread
            )
            return None

    def _invitation_is_due(self, slack_request: SlackRequest) -> bool:
        """Once a channel, and never in a conversation of two, where nobody can be invited."""
        channel = slack_request.location.channel
        return not slack_request.location.is_between_two and self._idempotency_keys.add(
            f"invitation:{channel}", keep_s=INVITATION_KEPT_S
        )

    def _call(self, method: str, body: dict[str, Any]) -> str | None:
        """The ts of what was posted."""
        try:
            ts = self._client.api_call(method, json=body).get("ts")
        except SlackApiError as refusal:
            raise SlackRefused(method, word_of(refusal)) from None
        except ON_THE_WAY as failure:
            why = f"{method} could not be reached: {type(failure).__name__}"
            raise DeliveryFailed(why, may_be_there=isinstance(failure, TimeoutError)) from None
        return ts if isinstance(ts, str) else None


class SlackRefused(DeliveryFailed):
    """Slack answered, and said no: `why` is its own word, such as `not_in_channel`."""

    def __init__(self, method: str, why: str) -> None:
        super().__init__(f"{method} was refused: {why}")
        self.method = method
        self.why = why


def _is_ephemeral(slack_request: SlackRequest) -> bool:
    return slack_request.pressed is not None and slack_request.pressed.in_ephemeral


def _url(slack_request: SlackRequest) -> str:
    if slack_request.response_url is None:
        raise DeliveryFailed("no response URL came with the click")
    return slack_request.response_url


def _body(slack_request: SlackRequest, message: Message) -> dict[str, Any]:
    body: dict[str, Any] = {
        "channel": slack_request.location.channel,
        "text": message.text,
        "blocks": list(message.blocks),
        "unfurl_links": False,
        "unfurl_media": False,
    }
    if slack_request.location.thread:
        body["thread_ts"] = slack_request.location.thread
    return body
