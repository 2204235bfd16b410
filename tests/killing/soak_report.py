"""What `make soak` counts, and which of it is a fault. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Judged:
    """The result of one case. `unanswered` are people, `posts` restarts or cancels that reached CI.

    `elsewhere` are those of them that reached another build than the one that was meant.
    """

    name: str
    requests: int
    not_taken: int
    posts: int
    may_post: bool
    is_audited: bool
    unanswered: Sequence[str]
    elsewhere: int = 0

    @property
    def duplicates(self) -> int:
        return max(0, self.posts - 1) if self.may_post else self.posts

    @property
    def problems(self) -> Iterable[str]:
        if self.duplicates:
            yield f"{self.name}: sent {self.posts} times"
        if self.elsewhere:
            yield f"{self.name}: {self.elsewhere} sent to another build"
        if self.posts and not self.is_audited:
            yield f"{self.name}: no audit entry"
        for person in self.unanswered:
            yield f"{self.name}: no answer to {person}"


@dataclass(frozen=True)
class Report:
    """The figures of one database."""

    title: str
    kills: int
    stops: int
    cases: Sequence[Judged]
    left: int = 0
    """Jobs that were not finished in time, and builds whose followers were not told of their end."""

    @property
    def problems(self) -> list[str]:
        left = [f"{self.left} jobs or follows were not finished"] if self.left else []
        return [problem for case in self.cases for problem in case.problems] + left

    def line(self) -> str:
        requests = sum(case.requests for case in self.cases)
        not_taken = sum(case.not_taken for case in self.cases)
        actions = sum(case.posts for case in self.cases)
        twice = sum(case.duplicates for case in self.cases)
        silent = sum(len(case.unanswered) for case in self.cases)
        return (
            f"{self.title}: {self.kills} kills, {self.stops} database stops, {requests} requests ({not_taken} of them"
            f" never acknowledged), {actions} actions, {twice} duplicates, {silent} requests without an answer"
        )
