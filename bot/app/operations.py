"""Assembles the operations behind the commands."""

from __future__ import annotations

from bot.app.ci_services import CIServices
from bot.app.notifications import Notifications
from bot.core.authorization import Authorizer
from bot.core.follows.channel_messages import ChannelMessages
from bot.core.lookup.recent_projects import RecentProjects
from bot.core.notifications.channel_check import ChannelCheck
from bot.core.notifications.ports import ChannelAccess
from bot.core.operations import Operations
from bot.core.people.accounts import Accounts
from bot.core.ports import Clock
from bot.store.database import Store


def operations_on(
    ci: CIServices,
    store: Store,
    authorizer: Authorizer,
    notifications: Notifications,
    live: ChannelMessages,
    clock: Clock,
    recent: RecentProjects,
    access: ChannelAccess,
) -> Operations:
    """The operations on an open store."""
    check = ChannelCheck(
        services=ci.services,
        subscriptions=store.subscriptions,
        outbox=store.outbox,
        decisions=store.decisions,
        polling=store.polling_log,
        access=access,
        limits=ci,
    )
    return Operations(
        services=ci.services,
        audit=store.audit,
        authorizer=authorizer,
        channel_names=store.channel_names,
        subscriptions=notifications.subscriptions,
        owners=notifications.owners,
        reports=notifications.reports,
        check=check,
        accounts=Accounts(store.people),
        live=live,
        history=store.build_history,
        clock=clock,
        used=recent.use,
        recent=recent.load,
    )
