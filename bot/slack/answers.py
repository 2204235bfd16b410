"""Replies to requests in Slack: which message shows an outcome, and where it goes. Decides nothing about builds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from bot.core.authorization import Authorizer
from bot.core.follows.channel_messages import ChannelMessages
from bot.core.model.builds import Actor, Build, Location, Project
from bot.core.model.claims import RestartState
from bot.core.model.command_entries import Command
from bot.core.model.command_values import BuildCommand, Verb
from bot.core.model.errors import (
    BotError,
    CIError,
    Forbidden,
    NotUnderstood,
    RateLimitExhausted,
    Unauthorized,
    UserError,
)
from bot.core.model.follows import Follow
from bot.core.model.notifications.deliveries import ChannelRefuses
from bot.core.model.notifications.reports import ReportOff, ReportSet
from bot.core.model.notifications.subscriptions import Subscription
from bot.core.model.outcomes import (
    AlreadyCancelling,
    AlreadyRestarted,
    BuildShown,
    Cancelled,
    Followed,
    Muted,
    Outcome,
    Restarted,
    StillRunning,
    Subscribed,
    SubscriptionsPaused,
    Unmuted,
    Unsubscribed,
)
from bot.core.model.people.outcomes import AccountClaimed, PersonOutcome
from bot.core.ports import Clock
from bot.slack.blocks.context import RenderContext, ServiceInfo
from bot.slack.incoming.payloads import SlackRequest
from bot.slack.messages.channels.subscriptions import not_reached, paused_at_once
from bot.slack.messages.errors import render_bug, render_error
from bot.slack.messages.live import followed_elsewhere, not_followed
from bot.slack.messages.people.accounts import not_asked, to_others
from bot.slack.messages.render import Message, cancelled, render
from bot.slack.outgoing.replies import DeliveryFailed, Replies
from bot.slack.pressed_message import message_after_press, reply_target

log = structlog.get_logger(__name__)


class Explained(Protocol):
    """Explains an error that is not a bug: `str()` for the log, `for_people` for the asker."""

    @property
    def for_people(self) -> str: ...


@dataclass(frozen=True, slots=True)
class HandlerConfig:
    """The settings of a deployment for conversations. `services` are by name, in configuration order."""

    command: str
    mention: str
    services: Mapping[str, ServiceInfo]
    others_may_ask: bool = False
    request_timeout_s: float = 16.0
    """Seconds for the CI service. The rest of twenty seconds is for Slack."""
    workspace: str = ""
    """The name of the bot's own workspace."""


_CHANGED = (Unsubscribed, SubscriptionsPaused, Muted, Unmuted, ReportOff)
"""Outcomes that tell of something that was done, so the asker must hear of it."""

Explain = Callable[[BaseException], Explained | None]
"""Returns None for a bug."""


@dataclass(frozen=True, slots=True)
class LiveMessagesThere:
    """The live messages that channels have already. `permalink` returns the URL of one; None if it is unknown."""

    messages: ChannelMessages
    permalink: Callable[[str, str], str | None]


class Answers:
    """Thread-safe. Raises DeliveryFailed if an answer did not reach Slack.

    `recent` returns the repositories that a person asked about last, from memory. `reached` is called with a channel
    that took the answer to a subscription, or with Slack's error for why it does not.
    """

    def __init__(
        self,
        replies: Replies,
        context: Callable[[], RenderContext],
        explain: Explain,
        recent: Callable[[Actor], Sequence[Project]],
        live: LiveMessagesThere,
        reached: Callable[[str, str | None], None],
    ) -> None:
        self._reached = reached
        self._recent = recent
        self._live = live
        self._replies = replies
        self._context = context
        self._explain = explain

    def why(self, error: BaseException) -> Explained | None:
        """Why the database could not be used; None for any other error."""
        return self._explain(error) or (None if error.__cause__ is None else self._explain(error.__cause__))

    def answer(
        self, slack_request: SlackRequest, command: Command | None, outcome: Outcome | BotError, reference: str
    ) -> str | None:
        """Sends the outcome. Returns the ts of a message that can be changed later, or None."""
        if isinstance(outcome, BotError):
            self.error(slack_request, command, outcome, reference)
            return None
        is_refresh = isinstance(command, BuildCommand) and command.verb is Verb.STATUS
        asker = None if is_refresh else slack_request.actor  # the person who refreshes a message did not request it
        message = render(outcome, context=self._context_of(slack_request), asker=asker)
        key = slack_request.delivery or reference
        if isinstance(outcome, PersonOutcome):
            others = to_others(outcome, slack_request.actor, self._context_of(slack_request))
            are_told = [self._replies.to_person(person, said, key=key) for person, said in others]
            if isinstance(outcome, AccountClaimed) and not all(are_told):
                message = not_asked(outcome)
        target = reply_target(command, outcome) if slack_request.pressed else None
        if target != "in its place" and self._is_shown_already(slack_request, outcome, key):
            return None
        match target:
            case "in its place":
                self._replace(slack_request, message)
                return None
            case "to the asker":
                self._replies.to_asker(slack_request, message)
                return None
        match outcome:
            case Subscribed(subscription):
                self._prove_reachable(slack_request, [subscription], message)
                return None
            case ReportSet():
                posted = self._replies.answer(slack_request, message, changed=True)
                if posted.ts is None and not posted.is_explained:
                    told = not_reached(posted.why_not, self._context_of(slack_request), stored="digest")
                    self._replies.to_asker(slack_request, told)
                return None
            case SubscriptionsPaused(subscriptions, resumed=True):
                self._prove_reachable(slack_request, subscriptions, message)
                return None
        if not isinstance(outcome, Restarted | Followed | Cancelled):
            return self._replies.answer(slack_request, message, changed=isinstance(outcome, _CHANGED)).ts
        ts = None
        try:
            ts = self._posted_live(slack_request, command, outcome, message)
        finally:
            if ts is None:
                self._found(lambda: self._live.messages.not_live(key))
        return ts

    def _posted_live(
        self,
        slack_request: SlackRequest,
        command: Command | None,
        outcome: Restarted | Followed | Cancelled,
        message: Message,
    ) -> str | None:
        """The ts of the live message, new or the pressed one; None if it cannot be changed later."""
        changed_ts = self._made_live(slack_request, command, message)
        if changed_ts is not None:
            return changed_ts
        elsewhere = _not_live(outcome, message, self._context_of(slack_request), slack_request.actor)
        posted = self._replies.answer(slack_request, message, elsewhere=elsewhere, changed=True)
        if posted.ts is None and not posted.is_explained:
            self._replies.to_asker(slack_request, not_followed(posted.why_not, self._context_of(slack_request)))
        return posted.ts

    def _prove_reachable(
        self, slack_request: SlackRequest, subscriptions: Sequence[Subscription], message: Message
    ) -> None:
        """Posts the message, the first of many. If the channel refuses it, they are paused and the asker hears why."""
        channel = slack_request.location.channel
        try:
            posted = self._replies.answer(slack_request, message, changed=True, only_posted=True)
        except ChannelRefuses as refusal:
            self._reached(channel, str(refusal))
            told = paused_at_once(subscriptions, str(refusal), self._context_of(slack_request))
            self._replies.to_asker(slack_request, told)
        else:
            if posted.ts is not None:
                self._reached(channel, None)

    def _is_shown_already(self, slack_request: SlackRequest, outcome: Outcome, key: str) -> bool:
        """Whether the channel has a live message of the same run. The asker is then pointed to it.

        Everyone hears of a cancel, in the thread of that message.
        """
        place, context = slack_request.location, self._context_of(slack_request)
        asker = slack_request.actor
        follow = self._found(lambda: self._live.messages.showing(outcome, asker, place.channel, key))
        if follow is None:
            return False
        if isinstance(outcome, Cancelled):
            in_thread = Location(place.channel, follow.location.thread or follow.message_ts)
            message = cancelled(outcome, context, slack_request.actor, end_shown="above")
            self._replies.answer(replace(slack_request, location=in_thread), message, changed=True)
        elif isinstance(outcome, BuildShown | Followed | AlreadyRestarted | AlreadyCancelling | StillRunning):
            link = self._live.permalink(place.channel, follow.message_ts)
            message = followed_elsewhere(outcome, follow, link, context, slack_request.actor)
            self._replies.to_asker(slack_request, message)
        return True

    def _made_live(
        self,
        slack_request: SlackRequest,
        command: Command | None,
        message: Message,
    ) -> str | None:
        """The ts of the pressed message if it is the live one now; None if there has to be a new message."""
        pressed, channel = slack_request.pressed, slack_request.location.channel
        if pressed is None or not isinstance(command, BuildCommand) or command.in_live:
            return None
        ts = pressed.message_ts
        if ts is None or self._found(lambda: self._live.messages.at(channel, ts)) is not None:
            return None
        return self._replies.change(slack_request, message)

    def _found(self, find: Callable[[], Follow | None]) -> Follow | None:
        """None also if the database can't be read: a second live message is better than no reply."""
        try:
            return find()
        except Exception as error:  # noqa: BLE001 - the driver's
            log.warning("live_message_not_read", why=str(self.why(error) or type(error).__name__))
            return None

    def _context_of(self, slack_request: SlackRequest) -> RenderContext:
        """Names the slash command that was typed."""
        context = self._context()
        return replace(context, command=slack_request.slash_command or context.command)

    def update_pressed_message(
        self, slack_request: SlackRequest, command: Command | None, outcome: Outcome | BotError, live_ts: str | None
    ) -> None:
        """Updates the pressed message after the reply, so that it offers what fits now. A failure does no harm.

        If it is now the live message `live_ts`, it does.
        """
        if slack_request.pressed is None or isinstance(outcome, BotError):
            return
        if live_ts is not None and live_ts == slack_request.pressed.message_ts:
            return
        left = message_after_press(
            slack_request.pressed, command, outcome, slack_request.actor, self._context_of(slack_request)
        )
        try:
            if left == "nothing":
                self._replies.remove_pressed(slack_request)
            elif left is not None:
                self._replies.replace(slack_request, left)
        except DeliveryFailed as failure:
            log.info("pressed_message_not_updated", why=str(failure))

    def _replace(self, slack_request: SlackRequest, message: Message) -> None:
        """Replaces the pressed message. If it is gone, the asker gets a message instead."""
        try:
            self._replies.replace(slack_request, message)
        except DeliveryFailed as failure:
            log.info("pressed_message_not_updated", why=str(failure))
            if failure.may_be_there:
                raise
            self._replies.to_asker(slack_request, message)

    def error(self, slack_request: SlackRequest, command: Command | None, error: BotError, reference: str) -> None:
        shown_reference = None if isinstance(error, UserError) else reference
        if isinstance(error, CIError):
            setting = _setting_to_check(error, self._context_of(slack_request))
            log.warning("ci_failed", error=type(error).__name__, detail=error.detail, **setting)
        self._replies.to_asker(
            slack_request,
            render_error(
                error,
                command,
                context=self._context_of(slack_request),
                reference=shown_reference,
                recent=self._recent(slack_request.actor) if isinstance(error, NotUnderstood) else (),
            ),
        )

    def bug(
        self,
        slack_request: SlackRequest,
        command: Command | None,
        reference: str,
        error: Exception,
        *,
        nothing_sent: bool,
        build: Build | None = None,
    ) -> str:
        """Logs the cause, or a bug with its traceback, and tells the asker. Returns the result's name. Raises nothing.

        `nothing_sent`: a restart or a cancel of `build` was certainly not sent.
        """
        explained = self.why(error)
        if explained is None:
            log.error("internal_error", exc_info=error)
        else:
            log.error("database_unusable", why=str(explained))
        message = render_bug(
            reference,
            command,
            context=self._context_of(slack_request),
            because=None if explained is None else explained.for_people,
            nothing_sent=nothing_sent,
            build=build,
        )
        try:
            self._replies.to_asker(slack_request, message)
        except DeliveryFailed as failure:
            log.error("reply_not_delivered", why=str(failure))
        return "Bug" if explained is None else "DatabaseUnusable"


def render_context(config: HandlerConfig, clock: Clock, authorizer: Authorizer) -> RenderContext:
    """The deployment's names and the current time, for messages."""
    return RenderContext(config.command, config.mention, config.services, clock.now(), authorizer.needs_confirmation)


def _setting_to_check(error: CIError, context: RenderContext) -> dict[str, str]:
    """For the operator: the setting that an error is about. In a channel, settings are not named."""
    service = context.of_title(error.service)
    match error:
        case Unauthorized() | Forbidden() if service is not None:
            return {"setting": service.key_setting}
        case RateLimitExhausted() if service is not None:
            return {"setting": service.calls_setting}
        case _:
            return {}


def _not_live(
    outcome: Restarted | Followed | Cancelled, message: Message, context: RenderContext, asker: Actor
) -> Message:
    """The same if the message cannot be changed later: it promises nothing."""
    if isinstance(outcome, Restarted):
        return message
    if isinstance(outcome, Cancelled):
        return cancelled(outcome, context, asker, end_shown="on refresh")
    return render(BuildShown(outcome.build, RestartState(outcome.run_number)), context=context, asker=asker)
