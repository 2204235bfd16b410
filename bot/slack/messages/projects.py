"""A page of repositories, a line each, or what to do if there are none. To the asker alone. Pure."""

from __future__ import annotations

from bot.core.model.builds import Project
from bot.core.model.command_values import ListProjects
from bot.core.model.errors import CIError
from bot.core.model.outcomes import ProjectsShown
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block, Message, button, message
from bot.slack.blocks.rich_text import Line, ago, code, line, link, sanitize, untrusted
from bot.slack.messages.ci_failures import describe_cause, nothing_seen

_NAME = 100


def render_projects(shown: ProjectsShown, context: RenderContext) -> Message:
    lines = [*_how_many(shown, context), *(_project(project, shown, context) for project in shown.projects)]
    if shown.pages > 1:
        lines.append(line(f"Page {shown.page} of {shown.pages}"))
    facts = [_stale(why, age_s) for why, age_s in shown.stale]
    return message(lines, _pages(shown), facts=facts, in_public=False)


def _project(project: Project, shown: ProjectsShown, context: RenderContext) -> Line:
    """`• acme/web · GitHub Actions`."""
    name = link(sanitize(project.name, _NAME) or "(no name)", project.url)
    return line("• ", name, f" · {context.title_of(project.service)}" if shown.with_services else "")


def _stale(why: CIError, age_s: float | None) -> Line:
    """Which services' lists are outdated, by how much, and why."""
    if age_s is None:
        return line("Not listed: ", describe_cause(why), ".")
    return line(f"As of {ago(age_s)}: ", describe_cause(why), ".")


def _how_many(shown: ProjectsShown, context: RenderContext) -> list[Line]:
    """The count, or what to do if there are none."""
    wanted = untrusted(shown.words, _NAME)
    if shown.total == 0:
        if wanted is None:
            return [line(nothing_seen(context), ".")]
        none = line("No repository’s name contains “", wanted, "”.")
        return [none, line(code(f"{context.command} projects"), " lists all of them.")]
    count = "1 repository" if shown.total == 1 else f"{shown.total} repositories"
    return [line(count, " with “", wanted, "” in the name") if wanted else line(count)]


def _pages(shown: ProjectsShown) -> list[Block | None]:
    before, after = min(shown.page - 1, shown.pages), shown.page + 1
    return [
        button("Previous", ListProjects(shown.words, before)) if before >= 1 else None,
        button("Next", ListProjects(shown.words, after)) if after <= shown.pages else None,
    ]
