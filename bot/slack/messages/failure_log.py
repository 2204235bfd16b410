"""Why a build failed: the job and its step, and the last lines of the step's log. Pure."""

from __future__ import annotations

from bot.core.model.builds import FailureLog
from bot.core.model.follows import FollowView
from bot.core.model.outcomes import LogShown
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Message, link_button, message
from bot.slack.blocks.rich_text import Line, line
from bot.slack.messages.builds import debug_button, facts_line, headline
from bot.slack.messages.workflows import job_line


def render_log(shown: LogShown, context: RenderContext) -> Message:
    """To the asker alone: a log may show more than the status of a build."""
    build, log = shown.build, shown.log
    head, facts = headline(build, context), [facts_line(build)]
    if log is None:
        title = context.title_of(build.project.service)
        why = f"{title} has no log of a failed step." if build.status.is_bad else "Nothing failed, so there is no log."
        return message([head, line(why)], [link_button("Open build", build.url, "build")], facts=facts, in_public=False)
    buttons = [debug_button(build, context, shown.restart_state), link_button("Open job", log.job.url, "job")]
    return message([head, of_job(log)], buttons, facts=facts, verbatim=log.lines, in_public=False)


def log_for_one(view: FollowView, log: FailureLog, context: RenderContext) -> Message:
    """To the person who asked to follow the build, if the others in the channel may not read its log."""
    buttons = [link_button("Open job", log.job.url, "job")]
    lines = [headline(view.build, context), of_job(log)]
    return message(lines, buttons, verbatim=log.lines, in_public=False)


def of_job(log: FailureLog) -> Line:
    """`Log of test, step “Run the tests”:`."""
    return line("Log of ", job_line(log.job), ":")
