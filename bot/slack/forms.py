"""Opens the bot's views, and answers their typeahead from memory. Decides nothing about builds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from bot.core.build_fetcher import BuildFetcher
from bot.core.lookup.ci_registry import CIRegistry
from bot.core.lookup.recent_projects import RecentProjects
from bot.core.model.builds import Actor, BuildRef, Project, branches_of
from bot.core.model.command_values import Verb
from bot.core.model.errors import BotError, NotUnderstood
from bot.core.model.notifications.subscriptions import Origin, Subscription
from bot.core.notifications.ports import SubscriptionStore
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block
from bot.slack.client.api_errors import CallFailed
from bot.slack.client.chat_client import ChatClient
from bot.slack.incoming.interactions import OnMessage, Opening, RepoChosen, Suggestion, Visitor
from bot.slack.incoming.payloads import SlackRequest, Workspace
from bot.slack.views.elements import MAX_OPTIONS, Place, View
from bot.slack.views.form import BRANCH, REPO, FormState, branch_options, form, repo_options
from bot.slack.views.restart import found_in, restart_dialog
from bot.slack.views.subscription_form import fits_form, subscription_form

log = structlog.get_logger(__name__)

OPEN_VIEW, UPDATE_VIEW = "views.open", "views.update"
ALREADY_OPEN = "exchanged_trigger_id"
"""Slack's word if the payload was delivered twice: the first one opened the view."""
FETCH_WITHIN_S = 10.0
"""Seconds for the branches of a repository that was just chosen."""

Handle = Callable[[SlackRequest, float], None]


@dataclass(frozen=True, slots=True)
class Forms:
    """Thread-safe. `handle` answers a request with a message. `others_may_ask`: also people of other workspaces.

    `is_colleague` is called for a person of another workspace who may belong to the same organisation.
    """

    client: ChatClient
    services: CIRegistry
    recent: RecentProjects
    subscriptions: SubscriptionStore
    context: Callable[[], RenderContext]
    handle: Handle
    workspace: Workspace
    others_may_ask: bool
    is_colleague: Callable[[Actor], bool]

    def open(self, opening: Opening, received_at: float) -> None:
        """Opens the form; if Slack does not, answers the request. Raises what `handle` does."""
        if opening.preset.verb is Verb.SUBSCRIBE:
            self._open_subscription(opening, received_at)
            return
        state = FormState(opening.place, opening.preset.repo)
        if self._show(opening, form(state, opening.preset), received_at):
            self.recent.load(opening.request.actor)  # the person looks at the form meanwhile

    def _open_subscription(self, opening: Opening, received_at: float) -> None:
        """With what is subscribed to now, if it is to be changed."""
        place, number = opening.place, opening.preset.number
        changed = self._subscription(place, number) if place and number else None
        if place is None or (number is not None and changed is None):
            self.handle(opening.request, received_at)  # it is gone: the answer shows what there is
        elif changed is not None and not fits_form(changed):
            why = f"Subscription #{changed.id} is too long for the form. Make several of it, or type it whole."
            self.handle(replace(opening.request, command=NotUnderstood(why, Verb.SUBSCRIBE)), received_at)
        else:
            self._show(opening, subscription_form(place, changed), received_at)

    def _subscription(self, place: Place, number: int) -> Subscription | None:
        """The channel's own subscription with this number."""
        mine = self.subscriptions.of_channel(place.location.channel)
        return next((each for each in mine if each.id == number and each.origin is Origin.SLACK), None)

    def ask_to_restart(self, shortcut: OnMessage, received_at: float) -> None:
        """Opens the dialog for the builds of the message."""
        opening, message = shortcut.opening, shortcut.message
        candidates = found_in(
            message,
            is_own=message.get("user") == self.workspace.bot_user_id,
            name_of=self._name_of,
            page_of=self.services.shown,
        )
        place = opening.place or Place(opening.request.location)
        self._show(opening, restart_dialog(candidates, place, self.context()), received_at)

    def choose_repo(self, chosen: RepoChosen, _received_at: float) -> None:
        """Lets the form offer the branches of the chosen repository, and fetches them."""
        repo = chosen.preset.repo
        if repo is None or not self._is_served(chosen.visitor):
            return
        view = form(chosen.state.chosen(repo), chosen.preset)
        try:
            self.client.call(UPDATE_VIEW, {"view_id": chosen.view_id, "view": view})
        except CallFailed as failure:
            log.info("view_not_updated", why=str(failure))
        project = self._project(repo)
        if project is None or self._fetcher_of(project).last_known(project) is not None:
            return
        try:
            self._fetcher_of(project).builds(project, None, timeout_s=FETCH_WITHIN_S)
        except BotError as error:  # a branch can be typed without its being known
            log.info("branches_not_fetched", error=type(error).__name__)

    def options(self, suggestion: Suggestion) -> list[Block]:
        """What the typed text may mean, from memory alone."""
        if not self._is_served(suggestion.visitor):
            return []
        match suggestion.action_id:
            case action_id if action_id == REPO:
                recent = self.recent.cached(suggestion.visitor.actor)
                found = self.services.suggested(suggestion.typed, recent, limit=MAX_OPTIONS)
                return repo_options(found, self.context())
            case action_id if action_id == BRANCH:
                return branch_options(self._branches(suggestion.state.repo), suggestion.typed)
            case _:
                return []

    def _show(self, opening: Opening, view: View, received_at: float) -> bool:
        """Whether the view was opened now. If Slack does not open it, the request is answered in another way."""
        request = opening.request
        is_colleague = request.may_be_colleague and self.is_colleague(request.actor)
        if is_colleague or self.others_may_ask or not request.from_elsewhere:
            try:
                self.client.call(OPEN_VIEW, {"trigger_id": opening.trigger_id, "view": view})
            except CallFailed as failure:
                log.info("view_not_opened", why=str(failure))
                if failure.word == ALREADY_OPEN:
                    return False
            else:
                return True
        self.handle(request, received_at)
        return False

    def _is_served(self, visitor: Visitor) -> bool:
        return self.others_may_ask or not visitor.from_elsewhere

    def _name_of(self, target: BuildRef) -> str | None:
        project = self.services.known(target.service, target.project_id)
        return project.name if project else None

    def _branches(self, repo: str | None) -> Sequence[str]:
        project = self._project(repo) if repo else None
        known = self._fetcher_of(project).last_known(project) if project else None
        return branches_of(known.builds) if known else ()

    def _project(self, repo: str) -> Project | None:
        """The repository that an option's value names, from memory alone."""
        return self.services.named(repo)

    def _fetcher_of(self, project: Project) -> BuildFetcher:
        return self.services.of(project.service).fetcher
