"""What a restart or a cancel sends: exactly which runs, and the result of each POST. Values and pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from bot.core.model.builds import ActionResult


@dataclass(frozen=True, slots=True)
class RunTarget:
    """One POST of an action: a workflow's run in the attempt that was seen.

    For a service without workflows `run_id` is the build's id, and `name` is empty. `debug_logs`: the re-run logs more.
    """

    run_id: str
    attempt: int = 1
    name: str = ""
    debug_logs: bool = False


@dataclass(frozen=True, slots=True)
class ActionPlan:
    """The POSTs that an action sends, at least one, in order. `left` names workflows that it leaves alone."""

    targets: tuple[RunTarget, ...]
    left: tuple[str, ...] = ()

    def with_debug_logs(self) -> ActionPlan:
        return replace(self, targets=tuple(replace(target, debug_logs=True) for target in self.targets))


class PostState(Enum):
    NOT_SENT = "not sent"
    SENT = "sent"
    """Not answered yet, or cut off by a crash."""
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PostRecord:
    """One POST and its result. `reason`: why it was not accepted; empty if it was."""

    target: RunTarget
    state: PostState = PostState.NOT_SENT
    reason: str = ""

    @property
    def may_have_begun(self) -> bool:
        """Whether what it asks for may have begun: it was sent, and not refused."""
        return self.state not in (PostState.NOT_SENT, PostState.REFUSED)


def result_of(posts: Sequence[PostRecord], build_id: str, left: Sequence[str] = ()) -> ActionResult:
    """The workflows by name: accepted, left alone, and not accepted with the reason. `build_id` runs now."""
    named = [post for post in posts if post.target.name]
    return ActionResult(
        build_id,
        tuple(post.target.name for post in named if post.state is PostState.ACCEPTED),
        tuple(left),
        tuple((post.target.name, post.reason) for post in named if post.state is not PostState.ACCEPTED),
    )
