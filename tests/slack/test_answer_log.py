"""What the log says about a reply, for a person who reads it."""

from __future__ import annotations

import pytest

from bot.core.model.builds import Build, Project, Status
from bot.core.model.errors import BotError
from bot.core.model.outcomes import BuildShown, NoBuilds, Outcome
from bot.slack.answer_log import answered_fields

WEB = Project("7", "acme/web", "codeship")
FAILED = Build("1", WEB, Status.INFRASTRUCTURE_FAILURE, "infrastructure_failure", branch="main")


@pytest.mark.parametrize(
    ("came", "repository", "branch", "outcome"),
    [
        (BuildShown(FAILED), "acme/web", "main", "build shown: infrastructure failure"),
        (NoBuilds(WEB), "acme/web", None, "no builds"),
        (BotError("x"), None, None, "bot error"),
        (None, None, None, "bug"),
    ],
)
def test_an_answer_is_logged_with_its_repository_branch_and_outcome(
    came: Outcome | BotError | None, repository: str | None, branch: str | None, outcome: str
) -> None:
    assert answered_fields(came) == {"repository": repository, "branch": branch, "outcome": outcome}
