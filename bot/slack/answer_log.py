"""The repository, branch and outcome for the log line of a reply, in plain words."""

from __future__ import annotations

import re

from bot.core.audit_entries import found_in
from bot.core.model.builds import Build, Project
from bot.core.model.errors import BotError
from bot.core.model.outcomes import BuildShown, Outcome

_NEXT_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def answered_fields(outcome: Outcome | BotError | None) -> dict[str, str | None]:
    """The field `outcome` says `restarted`, `already restarted`, `build shown: failed`; `bug` if `outcome` is None."""
    found: Build | Project | None = None if outcome is None else found_in(outcome)
    word = "bug" if outcome is None else _NEXT_WORD.sub(" ", type(outcome).__name__).lower()
    if isinstance(outcome, BuildShown):
        found = outcome.build
        word = f"{word}: {outcome.build.status.value}"
    build = found if isinstance(found, Build) else None
    project = build.project if build is not None else found
    return {
        "repository": project.name if isinstance(project, Project) else None,
        "branch": build.branch if build is not None else None,
        "outcome": word,
    }
