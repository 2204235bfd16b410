"""Assembles what answers outside of messages: the form, the shortcuts, the Home, link previews."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from slack_sdk.web import WebClient

from bot.core.authorization import Authorizer
from bot.core.lookup.ci_registry import CIRegistry
from bot.core.lookup.recent_projects import RecentProjects
from bot.core.model.builds import Actor
from bot.core.operations import Operations
from bot.core.ports import Clock
from bot.slack.answers import HandlerConfig
from bot.slack.blocks.context import RenderContext
from bot.slack.client.chat_client import ChatClient
from bot.slack.forms import Forms
from bot.slack.handler import RequestHandler
from bot.slack.home import Home
from bot.slack.incoming.payloads import Workspace
from bot.slack.link_previews import LinkPreviews
from bot.store.database import Store


@dataclass(frozen=True, slots=True)
class Views:
    """What all views need."""

    chat: ChatClient
    services: CIRegistry
    recent: RecentProjects
    store: Store
    context: Callable[[], RenderContext]
    clock: Clock
    config: HandlerConfig

    def forms(self, handler: RequestHandler, workspace: Workspace, is_colleague: Callable[[Actor], bool]) -> Forms:
        return Forms(
            self.chat,
            self.services,
            self.recent,
            self.store.subscriptions,
            self.context,
            handler.handle,
            workspace,
            others_may_ask=self.config.others_may_ask,
            is_colleague=is_colleague,
        )

    def previews(self, client: WebClient, operations: Operations, authorizer: Authorizer) -> LinkPreviews:
        return LinkPreviews(client, self.services, operations, authorizer, self.context, self.clock)

    def home(self, handler: RequestHandler) -> Home:
        return Home(
            self.chat,
            self.services,
            self.recent,
            self.store.follows,
            self.store.channel_names,
            self.context,
            self.clock,
            self.store.people,
            handler.carry_out,
            others_may_ask=self.config.others_may_ask,
        )
