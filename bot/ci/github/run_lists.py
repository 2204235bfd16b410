"""Reads the lists of runs from which a branch's state follows, in few calls. A state never goes back.

One unfiltered page is enough in most cases. If it has no run that decides, the runs of pushes and of pull requests
are read alone. If it may end among the runs of the newest commit, all of these are read. It logs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from bot.ci.github import api as wire
from bot.ci.github.http.calls import GitHubRequests
from bot.ci.github.run_groups import QUEUE, ListedRun, Role, as_of, branch_runs, role_of, unread_may_decide
from bot.ci.github.runs import RunsPage, parse_runs
from bot.ci.http_client.responses import Request
from bot.ci.lru_cache import LRUCache
from bot.core.model.builds import Project, Status
from bot.core.model.errors import CIError, Forbidden, NotFound, OverLimit
from bot.core.model.policy import BuildRules

MAX_LIST_CALLS = 4
"""List calls for one status, without the one for the newest commit."""
MAX_QUEUES = 2
"""Branches with a merge queue of which a list of all branches has the newest commit requested."""
SHAPE_KEPT_S = 3600.0
"""Seconds that a repository is known to have no deciding run on its unfiltered page."""
APPLIED_FOR_S = 120.0
"""Seconds that a run from a webhook is shown although the lists, which lag, do not have it."""
MAX_APPLIED = 50
"""Such runs of one repository."""
NO_BRANCH_KEPT_S, NO_CONTENTS_KEPT_S = 60.0, 600.0
"""Seconds until a missing branch, and branches that may not be read, are requested again."""


@dataclass(frozen=True, slots=True)
class BranchSnapshot:
    """`runs` as GitHub lists them now. `project` has its name of today.

    `is_cut_off`: there are older runs than these. `unread`: the commit of which more runs may be listed than were read.
    `tip` is the branch's newest commit, None if it is not known. `is_branch` is False if GitHub knows no such branch,
    so that it is a tag or was deleted; None if that is unknown.
    """

    project: Project
    runs: tuple[ListedRun, ...]
    is_cut_off: bool = False
    unread: str | None = None
    tip: str | None = None
    is_branch: bool | None = None


class RunLists:
    """Thread-safe. `now` is the time of day, to measure how long a run has had no conclusion."""

    def __init__(
        self,
        api_url: str,
        web_url: str,
        calls: GitHubRequests,
        *,
        monotonic: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self._api_url, self._web_url = api_url, web_url
        self._calls, self._monotonic, self._now = calls, monotonic, now
        self._by_event: LRUCache[tuple[str, str | None], float] = LRUCache(2_000)
        self._no_tips: LRUCache[tuple[str, str | None], float] = LRUCache(2_000)
        self._latest: LRUCache[str, tuple[float, ListedRun]] = LRUCache(5_000)
        self._applied: LRUCache[str, tuple[tuple[float, ListedRun], ...]] = LRUCache(1_000)

    def read(
        self, project: Project, branch: str | None, deadline: float, rules: BuildRules | None = None
    ) -> BranchSnapshot:
        """The runs of one branch (`owner:branch` for a fork's), or of all. Raises CIError."""
        reader = _SnapshotReader(project, branch, deadline, rules)
        self._read_lists(reader)
        reader.add_unlisted(self._applied_to(project.id))
        tip: str | None = None
        is_branch: bool | None = None
        if branch is None:
            self._add_merged(reader)
        elif ":" not in branch:
            tip, is_branch = self._tip(reader.project, branch, deadline)
        unread = unread_may_decide(reader.own, rules) if reader.is_cut_off else None
        for commit in dict.fromkeys(each for each in (unread, tip) if each):
            if commit == unread or not any(run.commit == commit for run in branch_runs(reader.own, rules).deciding):
                is_whole = self._add_commit(reader, commit)
                unread = None if commit == unread and is_whole else unread
        runs = tuple(as_of(run, self._now()) for run in reader.own)
        return BranchSnapshot(reader.project, runs, reader.is_cut_off, unread, tip, is_branch)

    def apply(self, project_id: str, run: ListedRun) -> None:
        """What a webhook says of a run counts from now on, unless more is known of it. Events may overtake each other.

        A run that the lists do not show yet is added to them.
        """
        now_s = self._monotonic()
        _, known = self._latest.get(run.workflow.run_id) or (now_s, run)
        if _goes_back(run, known):
            return
        self._latest.put(run.workflow.run_id, (now_s, run))
        others = (
            each for each in self._applied.get(project_id) or () if each[1].workflow.run_id != run.workflow.run_id
        )
        still = (each for each in others if now_s < each[0])
        self._applied.put(project_id, (*still, (now_s + APPLIED_FOR_S, run))[-MAX_APPLIED:])

    def _applied_to(self, project_id: str) -> list[ListedRun]:
        now_s = self._monotonic()
        return [run for until_s, run in self._applied.get(project_id) or () if now_s < until_s]

    def _read_lists(self, reader: _SnapshotReader) -> None:
        """The unfiltered page, or the lists of the events that decide if that page is known to have none."""
        key = (reader.project.id, reader.branch)
        if self._monotonic() >= (self._by_event.get(key) or 0.0):
            self._add_list(reader)
            if reader.deciding or not reader.is_cut_off:
                return
        is_cut_off, reader.is_cut_off = reader.is_cut_off, False
        for event in ("push", "pull_request"):
            self._add_list(reader, event)
        if reader.deciding:
            self._by_event.put(key, self._monotonic() + SHAPE_KEPT_S)
            return
        reader.is_cut_off = is_cut_off
        if not reader.runs:
            self._by_event.put(key, self._monotonic())
            self._add_list(reader)

    def _add_list(self, reader: _SnapshotReader, event: str | None = None) -> None:
        """The first page of the branch's runs, those of one event if that is given."""
        branch = None if reader.branch is None else reader.branch.rpartition(":")[2]
        request = wire.builds_request(self._api_url, reader.project, branch, event=event)
        for page in self._pages(reader, request, max_pages=1):
            reader.add(page.entries)
            reader.is_cut_off = reader.is_cut_off or page.is_full

    def _add_commit(self, reader: _SnapshotReader, commit: str) -> bool:
        """Adds the commit's runs while calls are left, a merge queue's as the branch's. False if some are missing."""
        request = wire.builds_request(self._api_url, reader.project, commit=commit)
        queue = f"{QUEUE}{reader.branch}/"
        is_whole = False
        for page in self._pages(reader, request, max_pages=MAX_LIST_CALLS - reader.calls):
            reader.add(run for run in page.entries if not run.is_of_a_queue)
            of_queue = [run for run in page.entries if run.branch.startswith(queue) and run.event == "merge_group"]
            reader.add(replace(run, branch=reader.branch or run.branch) for run in of_queue)
            is_whole = page.onward is None
        return is_whole

    def _add_merged(self, reader: _SnapshotReader) -> None:
        """Counts a merge queue's runs as those of its branch, if its newest commit is what they tested."""
        queued = [run for run in reader.runs.values() if run.queue_of is not None]
        for branch in list(dict.fromkeys(run.queue_of for run in queued if run.queue_of))[:MAX_QUEUES]:
            tip, _ = self._tip(reader.project, branch, reader.deadline)
            reader.add(replace(run, branch=branch) for run in queued if (run.queue_of, run.commit) == (branch, tip))

    def _pages(self, reader: _SnapshotReader, request: Request, *, max_pages: int) -> Iterator[RunsPage]:
        read = partial(parse_runs, project=reader.project, web_url=self._web_url)
        began_s = self._monotonic()
        for page in self._calls.pages(
            "builds", request, read, of=reader.project, max_pages=max_pages, deadline=reader.deadline
        ):
            reader.calls += 1
            reader.project = page.project
            yield replace(page, entries=tuple(self._newest_known(page.entries, began_s)))
            began_s = self._monotonic()

    def _tip(self, project: Project, branch: str, deadline: float) -> tuple[str | None, bool | None]:
        """The branch's newest commit, and whether GitHub knows the branch; each None if unknown."""
        now = self._monotonic()
        if now < max(self._no_tips.get((project.id, each)) or now for each in (branch, None)):
            return None, None
        request = wire.branch_request(self._api_url, project, branch)
        try:
            [page] = self._calls.pages("branches", request, wire.parse_branch, max_pages=1, deadline=deadline)
        except NotFound:
            self._no_tips.put((project.id, branch), now + NO_BRANCH_KEPT_S)
            return None, False
        except Forbidden:
            self._no_tips.put((project.id, None), now + NO_CONTENTS_KEPT_S)
        except OverLimit:
            pass
        except CIError:
            self._no_tips.put((project.id, branch), now + NO_BRANCH_KEPT_S)
        else:
            return page.entries[0], True
        return None, None

    def _newest_known(self, runs: Iterable[ListedRun], began_s: float) -> list[ListedRun]:
        """The runs, each as the latest response showed it: lists lag, and responses overtake each other.

        Ignored are an earlier attempt, the response to an earlier request, and a status from before the attempt's end.
        """
        result = []
        for run in runs:
            known_s, known = self._latest.get(run.workflow.run_id) or (began_s, run)
            if _goes_back(run, known) or began_s < known_s:
                result.append(replace(run, workflow=known.workflow, concluded_without=known.concluded_without))
                continue
            self._latest.put(run.workflow.run_id, (began_s, run))
            result.append(run)
        return result


def _goes_back(run: ListedRun, known: ListedRun) -> bool:
    if run.workflow.attempt != known.workflow.attempt:
        return run.workflow.attempt < known.workflow.attempt
    if _is_over(known) != _is_over(run):
        return _is_over(known)
    return run.updated_at is not None and known.updated_at is not None and run.updated_at < known.updated_at


def _is_over(run: ListedRun) -> bool:
    return run.workflow.has_ended and run.status is not Status.WAITING


class _SnapshotReader:
    """The runs that were read so far, and how many list calls that took."""

    def __init__(self, project: Project, branch: str | None, deadline: float, rules: BuildRules | None) -> None:
        self.project, self.branch, self.deadline = project, branch, deadline
        self.is_cut_off = False
        self.calls = 0
        self.runs: dict[str, ListedRun] = {}
        self._rules = rules

    @property
    def own(self) -> list[ListedRun]:
        """The branch's runs, without those of a fork's branch of the same name."""
        return [run for run in self.runs.values() if self.branch in (None, run.branch)]

    @property
    def deciding(self) -> list[ListedRun]:
        """The runs that decide, whatever else ran."""
        ran = [run for run in self.own if run.status is not Status.SKIPPED and not run.is_of_a_queue]
        return [run for run in ran if role_of(run, self._rules) is Role.DECIDES]

    def add(self, runs: Iterable[ListedRun]) -> None:
        self.runs |= {run.workflow.run_id: run for run in runs}

    def add_unlisted(self, runs: Iterable[ListedRun]) -> None:
        """Adds runs that the lists should have shown: those that are older than all of a cut list may be behind it."""
        listed = [run.age for run in self.runs.values()]
        after = min(listed) if listed and self.is_cut_off else None
        unlisted = [run for run in runs if run.workflow.run_id not in self.runs]
        self.add(run for run in unlisted if after is None or run.age > after)
