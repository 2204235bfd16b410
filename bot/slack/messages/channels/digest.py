"""One message about many branches: which broke, which were fixed, and what they have in common. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.model.notifications.deliveries import Cause, Delivery, Digest
from bot.core.model.notifications.transitions import ENDS_A_PERIOD, OF_A_PERIOD, Change
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Message, message
from bot.slack.blocks.rich_text import Line, emoji, length, line, linked, person, sanitize, untrusted
from bot.slack.messages.builds import at_service, sign_of, state, subject
from bot.slack.messages.channels.notifications import mentioned

MAX_LINES = 15
_NAME = 60
_BAD, _GOOD = "x", "white_check_mark"


def digest_message(digest: Digest, context: RenderContext) -> Message:
    """The current state of each branch, the broken ones first."""
    broke = [each for each in digest.deliveries if _is_broken(each)]
    fixed = [each for each in digest.deliveries if each.transition.change in ENDS_A_PERIOD]
    other = [each for each in digest.deliveries if each.transition.change not in OF_A_PERIOD]
    shown = [*broke, *fixed, *other]
    lines = [_line(each, context) for each in shown[:MAX_LINES]]
    if len(shown) > MAX_LINES:
        lines.append(line(f"and {len(shown) - MAX_LINES} more"))
    sign = emoji(_BAD if broke or (other and not fixed) else _GOOD)
    if digest.cause is Cause.INFRA:
        head = line(sign, " ", _trouble(other, context))
    else:
        counts = [
            f"{_counted(len(broke), 'branch', 'branches')} broke" if broke else "",
            f"{_counted(len(fixed), 'branch', 'branches')} fixed" if fixed else "",
            _counted(len(other), "build", "builds") if other else "",
        ]
        head = line(sign, " ", _catching_up(digest, context), ", ".join(filter(None, counts)))
    return message([head, mentioned(*broke)], in_public=True, facts=[_cause(digest)], details=lines)


def _is_broken(delivery: Delivery) -> bool:
    change = delivery.transition.change
    return change in OF_A_PERIOD and change not in ENDS_A_PERIOD


def _line(delivery: Delivery, context: RenderContext) -> Line:
    """`:x: acme/web main broke`, linked to its build."""
    build, change = delivery.transition.build, delivery.transition.change
    sign: str
    what: Line | str
    if change in ENDS_A_PERIOD:
        sign, what = _GOOD, " flaky" if change is Change.FLAKY else " fixed"
    elif change in OF_A_PERIOD:
        sign, what = _BAD, " broke" if change is Change.BROKE else " is broken"
    else:
        sign, what = sign_of(build), line(" ", state(build))
    period = delivery.transition.period
    author = line(" by ", person(period.mentions)) if period and period.mentions and sign == _BAD else ()
    named = linked(line(subject(build), what), build.url)
    return line(emoji(sign), " ", named, at_service(build.project, context), author)


def _trouble(deliveries: Sequence[Delivery], context: RenderContext) -> str:
    """`CodeShip seems to have trouble: 31 repositories`."""
    projects = {each.transition.build.project for each in deliveries}
    service = context.title_of(next(iter(projects)).service)
    return f"{service} seems to have trouble: {_counted(len(projects), 'repository', 'repositories')}"


def _catching_up(digest: Digest, context: RenderContext) -> str:
    if digest.since is None:
        return ""
    return f"Catching up on the last {length((context.now - digest.since).total_seconds())}: "


def _counted(count: int, one: str, many: str) -> str:
    return f"1 {one}" if count == 1 else f"{count} {many}"


def _cause(digest: Digest) -> Line:
    """What all of them share; empty if nothing."""
    build = digest.deliveries[0].transition.build
    match digest.cause:
        case Cause.COMMIT:
            return line(
                "same commit: ", sanitize(build.commit, _NAME)[:7], " by " if build.author else "", _by(build.author)
            )
        case Cause.AUTHOR:
            return line("all by ", _by(build.author))
        case _:
            return ()


def _by(author: str | None) -> Line:
    by = untrusted(author, _NAME)
    return line(by) if by is not None else ()
