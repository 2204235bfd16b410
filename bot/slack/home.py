"""Publishes the Home: at once from memory and the store, then again with what the CI services say now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from bot.core.lookup.ci_registry import CIRegistry
from bot.core.lookup.recent_projects import RecentProjects
from bot.core.model.builds import Actor, Project
from bot.core.model.errors import BotError, LastKnown
from bot.core.model.follows import Follow
from bot.core.model.names.channel_names import ChannelName
from bot.core.people.ports import PeopleStore
from bot.core.ports import ChannelNameStore, Clock, FollowStore
from bot.slack.blocks.context import RenderContext
from bot.slack.client.api_errors import CallFailed
from bot.slack.client.chat_client import ChatClient
from bot.slack.incoming.interactions import HomeChoice, Visitor, visitor_of
from bot.slack.incoming.payloads import SlackRequest
from bot.slack.views.home import (
    MAX_CHANNELS,
    MAX_FOLLOWED,
    MAX_MINE,
    MAX_RECENT,
    Followed,
    HomeShown,
    Mine,
    Recent,
    home,
)

log = structlog.get_logger(__name__)

PUBLISH = "views.publish"
FRESH_S = 30.0
"""Seconds for which an opened Home does not fetch a repository's builds again. [Refresh] always does."""
REFRESH_WITHIN_S = 12.0
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Home:
    """Thread-safe. Raises what the store raises."""

    client: ChatClient
    services: CIRegistry
    recent: RecentProjects
    follows: FollowStore
    names: ChannelNameStore
    context: Callable[[], RenderContext]
    clock: Clock
    people: PeopleStore
    carry_out: Callable[[SlackRequest, float], None]
    others_may_ask: bool

    def open(self, visitor: Visitor, _received_at: float) -> None:
        """Slack sends this each time that a person looks at the Home."""
        self._publish_twice(visitor, fresh_s=FRESH_S)

    def refresh(self, visitor: Visitor, _received_at: float) -> None:
        """A press of [Refresh]."""
        self._publish_twice(visitor, fresh_s=0.0)

    def choose(self, choice: HomeChoice, received_at: float) -> None:
        """A press of a button that says what the person hears."""
        visitor = visitor_of(choice.request)
        if visitor.from_elsewhere and not self.others_may_ask:
            return
        self.carry_out(choice.request, received_at)
        self._publish_twice(visitor, fresh_s=FRESH_S)

    def _publish_twice(self, visitor: Visitor, *, fresh_s: float) -> None:
        if visitor.from_elsewhere and not self.others_may_ask:
            return
        actor = visitor.actor
        recent = self.recent.load(actor)[:MAX_RECENT]
        followed, channels = self._followed(actor), self.names.of_person(actor, MAX_CHANNELS)
        wanted = list(dict.fromkeys([*(project for _, project in followed), *recent]))
        due = [project for project in wanted if _is_older(self._known(project), fresh_s)]
        first = self._shown(followed, recent, channels, is_refreshing=bool(due))
        self._publish(actor, replace(first, mine=self._mine(actor, wanted)))
        if due:
            self._fetch(due)
            self._publish(actor, replace(self._shown(followed, recent, channels), mine=self._mine(actor, wanted)))

    def _mine(self, actor: Actor, projects: Sequence[Project]) -> Mine:
        """The newest build of each branch of these projects that the person committed to, the newest first."""
        link, settings = self.people.of_person(actor), self.people.settings(actor)
        if link is None:
            return Mine(None, settings)
        known = [build for project in projects if (last := self._known(project)) for build in last.builds]
        theirs = [build for build in known if build.made_by is not None and build.made_by.has_login(link.login)]
        newest = {(build.project, build.branch): build for build in reversed(theirs)}
        by_start = sorted(newest.values(), key=lambda build: (build.started_at or _LONG_AGO, build.id), reverse=True)
        return Mine(link, settings, by_start[:MAX_MINE])

    def _followed(self, actor: Actor) -> list[tuple[Follow, Project]]:
        found = self.follows.open_for(actor, MAX_FOLLOWED)
        projects = [self.services.known(follow.service, follow.project_id) for follow in found]
        return [(follow, project) for follow, project in zip(found, projects, strict=True) if project is not None]

    def _shown(
        self,
        followed: list[tuple[Follow, Project]],
        recent: list[Project],
        channels: list[list[ChannelName]],
        *,
        is_refreshing: bool = False,
    ) -> HomeShown:
        return HomeShown(
            [Followed(follow, project, self._known(project)) for follow, project in followed],
            [Recent(project, self._known(project)) for project in recent],
            channels,
            self.clock.now(),
            is_refreshing,
        )

    def _known(self, project: Project) -> LastKnown | None:
        return self.services.of(project.service).fetcher.last_known(project)

    def _fetch(self, projects: list[Project]) -> None:
        """Fetches the builds of each; those of a service that does not answer in time stay as they were."""
        deadline = self.clock.monotonic() + REFRESH_WITHIN_S
        for project in projects:
            left = deadline - self.clock.monotonic()
            if left <= 0:
                return
            try:
                self.services.of(project.service).fetcher.builds(project, None, timeout_s=left)
            except BotError as error:
                log.info("home_not_refreshed", error=type(error).__name__)

    def _publish(self, actor: Actor, shown: HomeShown) -> None:
        try:
            self.client.call(PUBLISH, {"user_id": actor.id, "view": home(shown, self.context())})
        except CallFailed as failure:
            log.warning("home_not_published", why=str(failure))


def _is_older(known: LastKnown | None, seconds: float) -> bool:
    return known is None or known.age_s >= seconds
