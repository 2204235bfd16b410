"""The dialog with which Slack itself asks before a button restarts or cancels something. Pure.

Limits: https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object
"""

from __future__ import annotations

from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block, plain
from bot.slack.blocks.rich_text import sanitize

MAX_TITLE, MAX_TEXT, MAX_BUTTON = 100, 300, 30
_BRANCH_IN_TITLE, _NAME, _BRANCH = 60, 100, 100


def dialog(
    does: str, repository: str, branch: str | None, context: RenderContext, *, failed_jobs_only: bool = False
) -> Block | None:
    """The dialog, or None if the policy requires no confirmation. `does` is the button's label: “Restart”,
    “Try again”.
    """
    if not context.needs_confirmation(repository, branch):
        return None
    return asked(does, repository, branch, failed_jobs_only=failed_jobs_only)


def asked(does: str, repository: str, branch: str | None, *, failed_jobs_only: bool = False) -> Block:
    """The dialog, whatever the policy says."""
    what = "Only the failed jobs" if failed_jobs_only else "The build"
    return _dialog("Restart", repository, branch, f"{what}{{of}} will run once more.", does, "Leave it")


def cancelling(repository: str, branch: str | None) -> Block:
    """Required always, since a cancelled build cannot continue."""
    return _dialog(
        "Cancel", repository, branch, "What runs of the build{of} will be cancelled.", "Cancel", "Let it run"
    )


def _dialog(verb: str, repository: str, branch: str | None, text: str, yes: str, no: str) -> Block:
    """`{of}` in the text is replaced by the repository and the branch."""
    title = f"{verb} {sanitize(branch, _BRANCH_IN_TITLE)}".strip()
    what = " · ".join(name for name in (sanitize(repository, _NAME), sanitize(branch, _BRANCH)) if name)
    return {
        "title": plain(f"{title}?"),
        "text": plain(text.replace("{of}", f" of {what}" if what else "")),
        "confirm": plain(yes),
        "deny": plain(no),
    }
