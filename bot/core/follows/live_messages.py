"""Updates a live message after each fetch of its build, and posts its reply once. Knows neither Slack nor HTTP.

The order guarantees this. The message is changed first, and then its text is stored. The reply is stored as begun
before it is posted, since posting it twice would be visible.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.core.build_fetcher import Snapshot
from bot.core.follows.failure_logs import FailureLogs
from bot.core.lookup.ci_registry import CIRegistry
from bot.core.model.builds import Build, Project, Status, Workflow
from bot.core.model.claims import Claim, RestartState
from bot.core.model.errors import BotError, CIError, NotFound, RateLimitExhausted
from bot.core.model.follows import Follow, FollowState, FollowView, MessageGone, ReplyState, RetryLater
from bot.core.model.rate_limit import Priority
from bot.core.model.verdicts import Verdict, verdict_on
from bot.core.ports import Clock, FollowStore, Notifier, RunHistory
from bot.core.rate_limiter import FOR_BACKGROUND

FOLLOWED_FOR = timedelta(hours=3)
ABANDONED_AFTER = timedelta(hours=24)
"""By then the last update has failed for many hours, and its reader no longer waits for it."""

LATE_AFTER_S = 120.0
"""After this many seconds without a successful fetch the message says so; a build missing this long is gone."""

LATE_FOR_WANT_OF_CALLS_AFTER_S = 300.0
"""The same if the rate limit is the reason. If a hundred projects share it, two minutes are normal.
Saying so in each message would only use up Slack's rate limit.
"""

DETAILS_TIMEOUT_S = 8.0
"""Seconds that the end of a build waits for which job failed. Without an answer it is shown anyway."""

SEEN_NOTED_EVERY = timedelta(seconds=30)
CHANGED_AT_MOST_EVERY = timedelta(seconds=3)


class LiveMessages:
    """Updates live messages. Several processes may update the same one: the slower finds its version outdated."""

    def __init__(
        self,
        *,
        services: CIRegistry,
        follows: FollowStore,
        history: RunHistory,
        notifier: Notifier,
        logs: FailureLogs,
        clock: Clock,
    ) -> None:
        self._services = services
        self._logs = logs
        self._follows = follows
        self._history = history
        self._notifier = notifier
        self._clock = clock

    def update(self, follow: Follow, build: Build, snapshot: Snapshot) -> None:
        """Shows the fetched `build` in the message. Raises RetryLater."""
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
            build = service.fetcher.with_details(build, timeout_s=DETAILS_TIMEOUT_S, allowance=FOR_BACKGROUND)
            verdict = None if unseen else self._verdict(seen, build, run_number)
            self._end(FollowView(seen, build, verdict, unseen=unseen))
        elif self._is_older(seen, FOLLOWED_FOR):
            self._show(FollowView(replace(seen, state=FollowState.GIVEN_UP), build), state=FollowState.GIVEN_UP)
        else:
            self._show(FollowView(seen, build))

    def update_stale(self, follow: Follow, failure: CIError) -> float:
        """Shows that fetches have failed for long, and finally that the bot gives up. Raises RetryLater.

        Returns the seconds since the build was last seen, at most `SEEN_NOTED_EVERY` too many.
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
            self.expire(follow)  # the message is complete; its reply waits for the next successful fetch
        elif gives_up or (is_long and not follow.shown.startswith(_LATE)):
            state = FollowState.GIVEN_UP if gives_up else FollowState.OPEN
            shown = FollowView(replace(follow, state=state), build or self._as_begun(follow))
            self._show(replace(shown, late_s=late_s, late_because=failure), state=state)
        return late_s

    def expire(self, follow: Follow) -> None:
        """Ends the follow if it cannot be updated and is older than `ABANDONED_AFTER`."""
        if self._is_older(follow, ABANDONED_AFTER):
            for now in self._follows.open_of(follow.service, follow.project_id):
                if now.key == follow.key:
                    self._moved(now, state=FollowState.LOST)

    def _verdict(self, follow: Follow, build: Build, run_number: int) -> Verdict | None:
        """The verdict from the recorded runs of the commit.

        None if no other run is known and the bot did not restart this one.
        """
        self._history.record(build, run_number, build.finished_at or self._clock.now())
        if build.workflows:  # the service counts attempts, which say more than the recorded runs
            return verdict_on(build.earlier, build.status) if build.earlier else None
        runs = self._history.of_commit(build.project, build.commit, build.branch) if build.commit else []
        # The last recorded run is this one, unless another has its number: then the build was also restarted elsewhere.
        earlier = runs[:-1] if runs and runs[-1] is build.status else runs
        if not earlier and follow.before_status is not None:
            earlier = [follow.before_status]
        return verdict_on(earlier, build.status) if earlier or follow.restarted else None

    def _as_begun(self, follow: Follow) -> Build:
        """The build as known from the follow, if it was never fetched."""
        try:
            project = self._services.of(follow.service).project_index.by_id(
                follow.project_id, timeout_s=0.0, priority=Priority.BACKGROUND
            )
        except BotError:
            project = Project(follow.project_id, f"project {follow.project_id}", follow.service)
        return Build(follow.build_id, project, Status.UNKNOWN, "", branch=follow.branch)

    def _end(self, view: FollowView) -> None:
        """Changes the message for the last time, then posts the reply once. Raises RetryLater.

        After a crash it may be unknown whether the reply was posted. It is then not repeated, as the message says the
        same.
        """
        updated = self._show(replace(view, follow=replace(view.follow, state=FollowState.ENDED)))
        if updated is None:
            return
        if updated.reply is ReplyState.NOT_YET:
            if not (view.overtaken or view.unseen):
                view = replace(view, log=self._logs.of(updated, view.build))
            updated = self._moved(updated, reply=ReplyState.BEGUN)
            if updated is None:
                return
            try:
                self._notifier.reply(replace(view, follow=updated))
            except RetryLater as later:
                if not later.may_have_happened:
                    self._moved(updated, reply=ReplyState.NOT_YET)
                    raise
            except MessageGone:
                pass  # the message was changed a moment ago and says the same
        self._moved(updated, reply=ReplyState.DONE, state=FollowState.ENDED)

    def _show(self, view: FollowView, *, state: FollowState = FollowState.OPEN) -> Follow | None:
        """Changes the message unless it already says the same, and stores what it says.

        None if it cannot be changed any more, must not be changed yet, or another process changed it. Raises
        RetryLater.
        """
        key, follow = _message_key(view), view.follow
        if key == follow.shown:
            return replace(follow, state=FollowState.OPEN)
        now = self._clock.now()
        if abs(now - (follow.shown_at or follow.began_at)) < CHANGED_AT_MOST_EVERY:  # below nothing: set back
            return None
        try:
            self._notifier.show(view)
        except MessageGone as lost:
            if self._moved(follow, state=FollowState.LOST) is not None and lost.is_told:
                self._notifier.tell(view, str(lost))
            return None
        return self._moved(follow, shown=key, shown_at=now, state=state)

    def _noted_as_seen(self, follow: Follow) -> Follow | None:
        """Stores the time of a successful fetch, at most once per `SEEN_NOTED_EVERY`. None if another process was
        faster.
        """
        now = self._clock.now()
        if follow.polled_at is not None and abs(now - follow.polled_at) < SEEN_NOTED_EVERY:
            return follow
        return self._moved(follow, polled_at=now)

    def _moved(self, follow: Follow, **changes: Any) -> Follow | None:
        """The follow with its changes stored; None if another process was faster."""
        to = replace(follow, **changes)
        return replace(to, version=follow.version + 1) if self._follows.move(follow, to) else None

    def _is_older(self, follow: Follow, than: timedelta) -> bool:
        return self._clock.now() - follow.began_at > than


def _last_known(follow: Follow, failure: CIError) -> Build | None:
    known = failure.last_known.builds if failure.last_known else ()
    return next((build for build in known if build.id == follow.build_id), None)


def _restarted_again(follow: Follow, restart_state: RestartState) -> Claim | None:
    """The claim on the followed run or a later one; None if that was not restarted."""
    for claim in (restart_state.claim, restart_state.previous):
        if claim is not None and claim.build_id == follow.build_id and claim.run_number >= follow.run_number:
            return claim
    return None


def _is_overtaken(follow: Follow, restart_state: RestartState, again: Claim | None, build: Build) -> bool:
    """Whether `build` shows a later run than the followed one.

    A claim holds the run that it replaces: while that is shown, it is the end of the followed run.
    """
    if again is not None:
        return again.run_number > follow.run_number or build.run.is_another_than(again.replaced)
    return restart_state.run_number > follow.run_number


def _is_the_run_before(follow: Follow, build: Build, restart_state: RestartState) -> bool:
    """Whether `build` may still be the run before the restart: no fetch has shown a change."""
    by = restart_state.previous
    was_seen = by is not None and (by.seen_running or by.build_id != build.id)
    is_before = follow.before is not None and not build.run.is_another_than(follow.before)
    return follow.restarted and is_before and not was_seen


_LATE = "late "


def _failing(run: Workflow) -> str:
    """How many of its jobs have failed while it runs."""
    return f"!{len(run.failed_jobs)}" if run.failed_jobs and run.status.is_under_way else ""


def _message_key(view: FollowView) -> str:
    """Everything that the message's text depends on. An equal string means that the message need not change."""
    run, build = view.build.run, view.build
    late = _LATE if view.late_s is not None else ""
    overtaken = (view.overtaken, view.overtaken_by.id if view.overtaken_by else None)
    workflows = " ".join(f"{each.run_id}={each.status_word}{_failing(each)}" for each in build.workflows)
    key = f"{late}{view.follow.state.value} {build.status.value} {run} {view.verdict} {overtaken} {view.unseen}"
    return f"{key} {workflows}".rstrip()
