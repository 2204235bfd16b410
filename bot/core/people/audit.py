"""What the audit log says of changes to a person's own account and notifications. Pure."""

from __future__ import annotations

from bot.core.model.audit import Result
from bot.core.model.people.outcomes import (
    AccountClaimed,
    AccountLinked,
    AccountShown,
    AccountUnlinked,
    NotifyChanged,
    NotMineNoted,
    PersonOutcome,
)


def result_of(outcome: PersonOutcome) -> tuple[Result, str]:
    """The result and its reason."""
    match outcome:
        case AccountClaimed(link):
            return Result.NOT_DONE, f"github {link.login} belongs to {link.person.id}, who is asked"
        case AccountLinked(link, _, before, _, to):
            given = f", now of {to.id}" if to else ""
            return Result.DONE, f"github {link.login}" + (f" instead of {before}{given}" if before else "")
        case AccountUnlinked(link, to):
            if link is None:
                return Result.NOT_DONE, "it was not linked"
            return Result.DONE, f"github {link.login}" + (f", now of {to.id}" if to else "")
        case NotifyChanged(settings):
            return Result.DONE, f"{settings.scope} {settings.way}"
        case AccountShown() | NotMineNoted():
            return Result.DONE, ""
