"""Shows the builds to which people's links lead, under their messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from bot.core.authorization import Authorizer
from bot.core.lookup.ci_registry import CIRegistry
from bot.core.model.command_values import BranchCommand, Verb, Word
from bot.core.model.errors import BotError
from bot.core.model.outcomes import BuildShown
from bot.core.model.policy import Allowed
from bot.core.operations import Operations
from bot.core.ports import Clock
from bot.core.request import UserRequest
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block
from bot.slack.client.api_errors import ON_THE_WAY, word_of
from bot.slack.incoming.shared_links import SharedLinks
from bot.slack.views.link_preview import link_preview

log = structlog.get_logger(__name__)

PREVIEW_TIMEOUT_S = 12.0


@dataclass(frozen=True, slots=True)
class LinkPreviews:
    """Thread-safe."""

    client: WebClient
    services: CIRegistry
    operations: Operations
    authorizer: Authorizer
    context: Callable[[], RenderContext]
    clock: Clock

    def show(self, shared: SharedLinks, _received_at: float) -> None:
        """Links to anything but a build of a known repository get no preview, and cost no call."""
        deadline = self.clock.monotonic() + PREVIEW_TIMEOUT_S
        request = UserRequest(shared.actor, shared.location, self.clock, deadline)
        previews = {url: {"blocks": shown} for url in shared.urls if (shown := self._preview(url, request))}
        if not previews:
            return
        try:
            self.client.chat_unfurl(
                unfurls=previews,
                channel=shared.channel,
                ts=shared.message_ts,
                unfurl_id=shared.unfurl_id,
                source=shared.source,
            )
        except SlackApiError as refusal:
            log.info("link_not_previewed", why=word_of(refusal))
        except ON_THE_WAY as failure:
            log.info("link_not_previewed", why=type(failure).__name__)

    def _preview(self, url: str, request: UserRequest) -> Sequence[Block] | None:
        page = self.services.shown(url)
        if page is None or page.build_id is None:
            return None
        try:
            shown = self.operations.execute(BranchCommand(Verb.STATUS, Word.of(url)), request)
        except BotError as error:
            log.info("link_not_previewed", why=type(error).__name__)
            return None
        if not isinstance(shown, BuildShown):
            return None
        build = shown.build
        may = self.authorizer.may(request.actor, request.location, Verb.RESTART, build.project.name, build.branch)
        return link_preview(shown, self.context(), may_restart=isinstance(may, Allowed))
