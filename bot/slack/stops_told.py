"""What is said of a build that somebody stops. Pure."""

from __future__ import annotations

from bot.core.model import Actor, Build, Status
from bot.core.outcomes import Stopped
from bot.slack.builds_told import branch_named, commit, facts_line, headline, looking, repository, target_of
from bot.slack.drawing import Message, message
from bot.slack.pieces import Line, dotted, emoji, line, person, when
from bot.slack.states_told import SIGNS
from bot.slack.wording import Wording
from bot.slack.workflows_told import taken_line, workflow_lines


def stopped(done: Stopped, words: Wording, asker: Actor | None) -> Message:
    """The news. The service has been told, and the build still runs for a moment."""
    build = done.build
    what = dotted(repository(build.project), branch_named(build.branch))
    by: Line = line(person(asker), " stops ") if asker else line("Stopped: ")
    lines = [
        line(emoji(SIGNS[Status.STOPPED]), " ", by, what),
        commit(build),
        taken_line(done.taken, "Told to stop", "not stopped"),
        line(f"{words.title_of(build.project.service)} takes a moment for it; Refresh shows how it stands then."),
    ]
    return message(lines, looking(target_of(build), build.url), in_public=True)


def being_stopped(build: Build, words: Wording, asker: Actor) -> Message:
    """What is left of a message whose Stop was pressed: the build as it was a moment ago, and no second Stop."""
    lines = [
        headline(build, words),
        facts_line(build),
        dotted(line("being stopped for ", person(asker)), when(words.now)),
    ]
    return message(lines, looking(target_of(build), build.url), details=workflow_lines(build), in_public=True)
