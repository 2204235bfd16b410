"""A team with two CI services and builds with workflows, as values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.core.model.builds import Ability, Build, FailedJob, Project, Status, Workflow
from bot.core.model.policy import OPEN
from bot.slack.blocks.context import RenderContext, ServiceInfo

NOW = datetime(2014, 12, 16, 14, 7, 12, tzinfo=UTC)
CODESHIP = ServiceInfo("CodeShip", "CODESHIP_API_KEY", "CODESHIP_CALLS_PER_MINUTE")
GITHUB = ServiceInfo(
    "GitHub Actions", "GITHUB_TOKEN", "GITHUB_CALLS_PER_MINUTE", frozenset(Ability), "Actions: read and write"
)
JENKINS = ServiceInfo("Jenkins", "JENKINS_TOKEN", "JENKINS_CALLS_PER_MINUTE")
BOTH = RenderContext("/ci", "@ci", {"codeship": CODESHIP, "github": GITHUB}, NOW, OPEN.needs_confirmation)

PAGES = "https://github.com/acme/web"
WEB = Project("77", "acme/web", "github", PAGES)
OLD_WEB = Project("33837", "acme/web", "codeship", "https://app.codeship.com/projects/33837")
API = Project("78", "acme/api", "github", "https://github.com/acme/api")


def workflow(number: int, name: str, status: Status = Status.PASSED, word: str = "success", **more: object) -> Workflow:
    run = Workflow(
        run_id=str(1000 + number),
        name=name,
        status=status,
        status_word=word,
        started_at=NOW - timedelta(minutes=8, seconds=7),
        finished_at=None if status.is_under_way else NOW - timedelta(minutes=4),
        url=f"{PAGES}/actions/runs/{1000 + number}",
    )
    return replace(run, **more)  # type: ignore[arg-type]


JOBS = (
    FailedJob("build / test (3.11)", "Run pytest", f"{PAGES}/actions/runs/1001/job/1"),
    FailedJob("build / lint", None, f"{PAGES}/actions/runs/1001/job/2"),
)
BROKEN = workflow(1, "CI", Status.FAILED, "failure")
IN_DETAIL = replace(BROKEN, failed_jobs=JOBS)
LINT = workflow(2, "Lint")
DEPLOYING = workflow(3, "Deploy", Status.RUNNING, "in_progress")


def built(*workflows: Workflow, **more: object) -> Build:
    """A build whose state is that of the first of its workflows, the worst."""
    worst = workflows[0]
    build = Build(
        id="main 4f2c1e9a70bc013115c0088653824b4deadbeef0",
        project=WEB,
        status=worst.status,
        status_word=worst.status_word,
        branch="main",
        commit="4f2c1e9a70bc013115c0088653824b4deadbeef0",
        message="Fix login",
        author="ada",
        started_at=worst.started_at,
        finished_at=worst.finished_at if all(run.has_ended for run in workflows) else None,
        url=f"{PAGES}/commit/4f2c1e9a70bc013115c0088653824b4deadbeef0/checks",
        commit_url=f"{PAGES}/commit/4f2c1e9a70bc013115c0088653824b4deadbeef0",
        workflows=workflows,
    )
    return replace(build, **more)  # type: ignore[arg-type]


FAILED = built(IN_DETAIL, LINT)
RUNNING = built(DEPLOYING, LINT)
HALF = built(BROKEN, LINT, DEPLOYING)
PASSED = built(workflow(1, "CI"))
AGAIN = built(workflow(1, "CI", attempt=2), LINT, earlier=(Status.FAILED,))
