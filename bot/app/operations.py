"""Assembles the operations behind the commands."""

from __future__ import annotations

from bot.app.notifications import Notifications
from bot.core.authorization import Authorizer
from bot.core.follows.channel_messages import ChannelMessages
from bot.core.lookup.ci_registry import CIRegistry
from bot.core.lookup.recent_projects import RecentProjects
from bot.core.operations import Operations
from bot.core.ports import Clock
from bot.store.database import Store


def operations_on(
    services: CIRegistry,
    store: Store,
    authorizer: Authorizer,
    notifications: Notifications,
    live: ChannelMessages,
    clock: Clock,
    recent: RecentProjects,
) -> Operations:
    """The operations on an open store."""
    return Operations(
        services=services,
        audit=store.audit,
        authorizer=authorizer,
        channel_names=store.channel_names,
        subscriptions=notifications.subscriptions,
        owners=notifications.owners,
        reports=notifications.reports,
        live=live,
        history=store.build_history,
        clock=clock,
        used=recent.use,
        recent=recent.load,
    )
