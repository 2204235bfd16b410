"""Restarts and cancels of a client, each POST sent as the core sends it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from time import monotonic

from bot.core.actions.posts import PostsResult, send_posts
from bot.core.model.actions.values import ActionPlan, PostRecord, result_of
from bot.core.model.builds import ActionResult, Build
from bot.core.ports import CIProvider


def restart(
    provider: CIProvider, build: Build, *, failed_jobs_only: bool = False, debug_logs: bool = False
) -> ActionResult:
    """Raises CIError if no run was accepted."""
    plan = provider.plan_restart(build)
    plan = replace(plan, targets=tuple(replace(target, debug_logs=debug_logs) for target in plan.targets))
    send = partial(provider.restart, build, failed_jobs_only=failed_jobs_only)
    return _result(plan, build, send_posts(_records(plan), send, lambda _: True, monotonic))


def cancel(provider: CIProvider, build: Build) -> ActionResult:
    """Raises CIError if no run was accepted."""
    plan = provider.plan_cancel(build)
    send = partial(provider.cancel, build)
    return _result(plan, build, send_posts(_records(plan), send, lambda _: True, monotonic))


def _records(plan: ActionPlan) -> tuple[PostRecord, ...]:
    return tuple(map(PostRecord, plan.targets))


def _result(plan: ActionPlan, build: Build, sent: PostsResult) -> ActionResult:
    if sent.failure is not None:
        raise sent.failure
    return result_of(sent.posts, sent.build_id or build.id, plan.left)
