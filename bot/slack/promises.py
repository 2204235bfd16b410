"""What an answer promises: which run of which build its message will follow. Pure."""

from __future__ import annotations

from datetime import datetime

from bot.core.errors import BotError
from bot.core.follows import Follow
from bot.core.model import Run
from bot.core.outcomes import Followed, Outcome, Restarted
from bot.slack.heard import Heard


def follow_of(heard: Heard, key: str, came: Outcome | BotError, ts: str | None, now: datetime) -> Follow | None:
    """What the answer promises to follow; None where it promises nothing, or cannot be changed later."""
    match came:
        case Restarted(build, claim):
            is_new = claim.new_build_id not in (None, claim.build_id)  # `build` may be the new one already
            build_id, run_number = (claim.new_build_id or build.id, 1) if is_new else (build.id, claim.run_number + 1)
            before: Run | None = claim.replaced
            restarted = True
        case Followed(build, number):
            build_id, run_number, before, restarted = build.id, number, None, False
        case _:
            return None
    if ts is None:
        return None
    return Follow(
        key=key,
        service=build.project.service,
        project_id=build.project.id,
        build_id=build_id,
        run_number=run_number,
        branch=build.branch,
        asker=heard.actor,
        place=heard.place,
        message_ts=ts,
        began_at=now,
        restarted=restarted,
        before=before,
        before_status=build.status if before == build.run else None,
    )
