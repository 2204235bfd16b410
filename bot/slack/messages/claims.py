"""Who restarted a build, and what is known of it since. Pure."""

from __future__ import annotations

from bot.core.model.builds import Build
from bot.core.model.claims import Claim, ClaimState
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.rich_text import (
    Line,
    join,
    join_dots,
    line,
    person,
    since,
)
from bot.slack.messages.builds import requested_by


def claim_words(claim: Claim, build: Build, context: RenderContext, *, lags: str) -> Line:
    """Who restarted it, and the result as far as known. `lags` is added if `build` is still in its previous run."""
    by, title = requested_by(claim.actor, claim.requested_at), context.title_of(build.project.service)
    match claim.state:
        case ClaimState.CLAIMED | ClaimState.SENT:
            return line("restart ", by, f"; {title} hasn’t responded yet")
        case ClaimState.UNKNOWN:
            return join_dots("restart not confirmed", by)
        case _:
            return line(_restarted_by(claim), f"; {lags}" if _is_earlier(claim, build) else "")


def previous_words(claim: Claim) -> Line:
    """Whose restart started this run."""
    return line(_restarted_by(claim), "; this is the current run")


def _restarted_by(claim: Claim) -> Line:
    return join(" ", line("restarted by ", person(claim.actor)), since(claim.requested_at))


def _is_earlier(claim: Claim, build: Build) -> bool:
    return build.has_ended and claim.new_build_id in (None, build.id)
