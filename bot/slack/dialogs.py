"""The dialog with which Slack itself asks before a button restarts something. Pure.

Limits: https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object
"""

from __future__ import annotations

from bot.slack.drawing import Block, Wording, plain
from bot.slack.pieces import told

LONGEST_TITLE, LONGEST_TEXT, LONGEST_BUTTON = 100, 300, 30
_BRANCH_IN_TITLE, _NAME, _BRANCH = 60, 100, 100


def dialog(does: str, repository: str, branch: str | None, words: Wording) -> Block | None:
    """None where the policy wants nothing confirmed. `does` is what the button says: “Restart”, “Try again”."""
    return asked(does, repository, branch) if words.needs_confirmation(repository, branch) else None


def asked(does: str, repository: str, branch: str | None) -> Block:
    """The dialog, whatever the policy says."""
    title = f"Restart {told(branch, _BRANCH_IN_TITLE)}".strip()
    what = " · ".join(name for name in (told(repository, _NAME), told(branch, _BRANCH)) if name)
    return {
        "title": plain(f"{title}?"),
        "text": plain(f"The build of {what} will run once more." if what else "The build will run once more."),
        "confirm": plain(does),
        "deny": plain("Leave it"),
    }
