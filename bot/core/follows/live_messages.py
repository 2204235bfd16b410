"""What a live message says after each look at its build, and that it is said once. No Slack and no HTTP in here.

The order is what keeps the promise: the message is changed, then what it says is written down; the reply in the
thread is written down as begun before it is posted, since posting it again would show.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.core.build_fetcher import Snapshot
from bot.core.lookup.ci_registry import CIRegistry
from bot.core.model.builds import Build, Project, Status
from bot.core.model.claims import Claim, RestartState
from bot.core.model.errors import BotError, CIError, NotFound, RateLimitExhausted
from bot.core.model.follows import Follow, FollowState, FollowView, MessageGone, ReplyState, RetryLater
from bot.core.model.rate_limit import Priority
from bot.core.model.verdicts import Verdict, verdict_on
from bot.core.ports import Clock, FollowStore, Notifier, RunHistory
from bot.core.rate_limiter import FOR_BACKGROUND

FOLLOWED_FOR = timedelta(hours=3)
ABANDONED_AFTER = timedelta(hours=24)
"""By then the last word has been tried for many hours: whatever keeps it from being said, nobody waits any more."""

LATE_AFTER_S = 120.0
"""A build that was not seen for longer is said to be so in the message; one that is not listed so long, is gone."""

LATE_FOR_WANT_OF_CALLS_AFTER_S = 300.0
"""Where a hundred projects share the budget, two minutes are no news; saying so of each would only use up Slack's."""

DETAILS_WITHIN_S = 8.0
"""How long the end of a build waits for which job failed; without an answer it is told all the same."""

SEEN_NOTED_EVERY = timedelta(seconds=30)
CHANGED_AT_MOST_EVERY = timedelta(seconds=3)


class LiveMessages:
    """Safe where several processes say the same: whoever is slower finds that the message has moved on."""

    def __init__(
        self,
        *,
        services: CIRegistry,
        follows: FollowStore,
        history: RunHistory,
        notifier: Notifier,
        clock: Clock,
    ) -> None:
        self._services = services
        self._follows = follows
        self._history = history
        self._notifier = notifier
        self._clock = clock

    def update(self, follow: Follow, build: Build, snapshot: Snapshot) -> None:
        """What `look` shows of the followed build. Raises Later."""
        seen = self._noted_as_seen(follow)
        if seen is None:
            return
        service = self._services.of(follow.service)
        restart_state = service.actions.restart_states(snapshot, [build])[build.id]
        again = _restarted_again(seen, restart_state)
        if _is_overtaken(seen, restart_state, again, build):
            self._end(FollowView(seen, build, overtaken=True, overtaken_by=again))
        elif build.has_ended and (restart_state.claim is None or again is not None):
            unseen = again is None and _is_the_run_before(seen, build, restart_state)
            run_number = min(restart_state.run_number, seen.run_number)
            build = service.fetcher.with_details(build, timeout_s=DETAILS_WITHIN_S, budget=FOR_BACKGROUND)
            verdict = None if unseen else self._verdict(seen, build, run_number)
            self._end(FollowView(seen, build, verdict, unseen=unseen))
        elif self._is_older(seen, FOLLOWED_FOR):
            self._show(FollowView(replace(seen, state=FollowState.GIVEN_UP), build), state=FollowState.GIVEN_UP)
        else:
            self._show(FollowView(seen, build))

    def update_stale(self, follow: Follow, failure: CIError) -> float:
        """That nothing could be seen, where that has become long; in the end, that it is given up. Raises Later.

        Returns how many seconds ago the build was last seen, at most `SEEN_NOTED_EVERY` too many.
        """
        since = follow.polled_at or follow.began_at
        late_s = max(0.0, (self._clock.now() - since).total_seconds())
        build = _last_known(follow, failure)
        if build is not None and failure.last_known is not None:
            late_s = min(late_s, failure.last_known.age_s)
        short_of_calls = isinstance(failure, RateLimitExhausted)
        is_long = late_s > (LATE_FOR_WANT_OF_CALLS_AFTER_S if short_of_calls else LATE_AFTER_S)
        gives_up = self._is_older(follow, FOLLOWED_FOR) or (isinstance(failure, NotFound) and is_long)
        if follow.shown.startswith(FollowState.ENDED.value):
            self.expire(follow)  # the message says all; its reply waits for the next look that sees anything
        elif gives_up or (is_long and not follow.shown.startswith(_LATE)):
            state = FollowState.GIVEN_UP if gives_up else FollowState.OPEN
            shown = FollowView(replace(follow, state=state), build or self._as_begun(follow))
            self._show(replace(shown, late_s=late_s, late_because=failure), state=state)
        return late_s

    def expire(self, follow: Follow) -> None:
        """Where nothing can be said of it, it does not go on for ever."""
        if self._is_older(follow, ABANDONED_AFTER):
            for now in self._follows.open_of(follow.service, follow.project_id):
                if now.key == follow.key:
                    self._moved(now, state=FollowState.LOST)

    def _verdict(self, follow: Follow, build: Build, run_number: int) -> Verdict | None:
        """From the bot's own memory of how the commit's runs ended. None where nothing is known of any other run, and
        nobody restarted this one."""
        self._history.record(build, run_number, build.finished_at or self._clock.now())
        if build.workflows:  # the service counts attempts: what the bot saw of all of them together says less
            return verdict_on(build.earlier, build.status) if build.earlier else None
        runs = self._history.of_commit(build.project, build.commit, build.branch) if build.commit else []
        # The last one is this run; unless another is known by its number, since it was run again by other means.
        earlier = runs[:-1] if runs and runs[-1] is build.status else runs
        if not earlier and follow.before_status is not None:
            earlier = [follow.before_status]
        return verdict_on(earlier, build.status) if earlier or follow.restarted else None

    def _as_begun(self, follow: Follow) -> Build:
        """What is known of the build where nobody has seen it."""
        try:
            project = self._services.of(follow.service).project_index.by_id(
                follow.project_id, timeout_s=0.0, priority=Priority.BACKGROUND
            )
        except BotError:
            project = Project(follow.project_id, f"project {follow.project_id}", follow.service)
        return Build(follow.build_id, project, Status.UNKNOWN, "", branch=follow.branch)

    def _end(self, view: FollowView) -> None:
        """The last change of the message, then the reply: once, since where a crash leaves open whether it was posted
        the live message says the same. Raises Later."""
        said = self._show(replace(view, follow=replace(view.follow, state=FollowState.ENDED)))
        if said is None:
            return
        if said.reply is ReplyState.NOT_YET:
            said = self._moved(said, reply=ReplyState.BEGUN)
            if said is None:
                return
            try:
                self._notifier.reply(replace(view, follow=said))
            except RetryLater as later:
                if not later.may_have_happened:
                    self._moved(said, reply=ReplyState.NOT_YET)
                    raise
            except MessageGone:
                pass  # the message says it, and has been changed a moment ago
        self._moved(said, reply=ReplyState.DONE, state=FollowState.ENDED)

    def _show(self, view: FollowView, *, state: FollowState = FollowState.OPEN) -> Follow | None:
        """Changes the message where it does not say so already, and writes that down.

        None where it cannot be said any more, is not to be said yet, or is said by another process. Raises Later.
        """
        saying, follow = _said(view), view.follow
        if saying == follow.shown:
            return replace(follow, state=FollowState.OPEN)
        now = self._clock.now()
        if now - (follow.shown_at or follow.began_at) < CHANGED_AT_MOST_EVERY:
            return None
        try:
            self._notifier.show(view)
        except MessageGone as lost:
            if self._moved(follow, state=FollowState.LOST) is not None and lost.is_told:
                self._notifier.tell(view, str(lost))
            return None
        return self._moved(follow, shown=saying, shown_at=now, state=state)

    def _noted_as_seen(self, follow: Follow) -> Follow | None:
        """Not at each look: only what becomes long is ever told."""
        now = self._clock.now()
        if follow.polled_at is not None and now - follow.polled_at < SEEN_NOTED_EVERY:
            return follow
        return self._moved(follow, polled_at=now)

    def _moved(self, follow: Follow, **changes: Any) -> Follow | None:
        """The follow with its changes stored; None where another process was faster."""
        to = replace(follow, **changes)
        return replace(to, version=follow.version + 1) if self._follows.move(follow, to) else None

    def _is_older(self, follow: Follow, than: timedelta) -> bool:
        return self._clock.now() - follow.began_at > than


def _last_known(follow: Follow, failure: CIError) -> Build | None:
    known = failure.last_known.builds if failure.last_known else ()
    return next((build for build in known if build.id == follow.build_id), None)


def _restarted_again(follow: Follow, restart_state: RestartState) -> Claim | None:
    """The restart of the followed run, which began a later one, or is about to."""
    for claim in (restart_state.claim, restart_state.previous):
        if claim is not None and claim.build_id == follow.build_id and claim.run_number >= follow.run_number:
            return claim
    return None


def _is_overtaken(follow: Follow, restart_state: RestartState, again: Claim | None, build: Build) -> bool:
    """Whether what is shown is a later run. A restart names the run that it replaces: while that is shown, this is
    the end of the followed one."""
    if again is not None:
        return again.run_number > follow.run_number or build.run.is_another_than(again.replaced)
    return restart_state.run_number > follow.run_number


def _is_the_run_before(follow: Follow, build: Build, restart_state: RestartState) -> bool:
    """Whether what is shown may still be the run that was restarted: nothing that has changed was ever seen."""
    by = restart_state.previous
    was_seen = by is not None and (by.seen_running or by.build_id != build.id)
    is_before = follow.before is not None and not build.run.is_another_than(follow.before)
    return follow.restarted and is_before and not was_seen


_LATE = "late "


def _said(view: FollowView) -> str:
    """What a message says, as far as it can differ: the same words are not said twice."""
    run, build = view.build.run, view.build
    late = _LATE if view.late_s is not None else ""
    overtaken = (view.overtaken, view.overtaken_by.id if view.overtaken_by else None)
    workflows = " ".join(f"{each.run_id}={each.status_word}" for each in build.workflows)
    said = f"{late}{view.follow.state.value} {build.status.value} {run} {view.verdict} {overtaken} {view.unseen}"
    return f"{said} {workflows}".rstrip()
