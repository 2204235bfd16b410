"""Live messages in words: how a followed build stands, what its end means, and the reply to the asker. Pure."""

from __future__ import annotations

from bot.core.model.builds import Build, Status
from bot.core.model.commands import BuildCommand, Verb
from bot.core.model.errors import NotFound
from bot.core.model.follows import FollowState, FollowView
from bot.core.model.verdicts import Meaning, Verdict
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block, Message, button, link_button, message
from bot.slack.blocks.rich_text import Line, ago, channel, emoji, join_dots, line, person, sanitize, timestamp
from bot.slack.messages.builds import (
    SIGNS,
    cancel_button,
    commit,
    facts_line,
    headline,
    headline_with,
    restart_buttons,
    short_word,
    state,
    target_of,
    view_buttons,
)
from bot.slack.messages.ci_failures import describe_cause
from bot.slack.messages.workflows import workflow_lines

_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", 6: "sixth", 7: "seventh", 8: "eighth"}
_WHY_LOST = {
    "is_archived": "the channel is archived",
    "not_in_channel": "I am no longer in the channel",
    "channel_not_found": "I cannot see the channel any more",
}


def live(view: FollowView, context: RenderContext) -> Message:
    """The message that changes in place until the end.

    Refresh stands only where it has come to an end without a word on the build's: on any other, what Refresh puts in
    its place would take away what is told here.
    """
    build = view.build
    open_buttons = view_buttons(target_of(build, view.follow.run_number), build.url)
    match view.follow.state:
        case FollowState.ENDED if view.overtaken:
            lines, buttons = [_now(build, context), facts_line(build), _overtaken(view)], open_buttons
        case FollowState.ENDED:
            lines = [headline(build, context), facts_line(build), _who(view), _meaning(view, context)]
            buttons = [*restart_buttons(build, view.follow.run_number, context, in_live=True), _page(build)]
            return message(lines, buttons, details=workflow_lines(build), in_public=True)
        case FollowState.GIVEN_UP if isinstance(view.late_because, NotFound):
            gone = line(f"I have stopped following it: {context.title_of(build.project.service)} no longer lists it.")
            lines, buttons = [*_so_far(build, context), _who(view), gone], [_page(build)]
        case FollowState.GIVEN_UP:
            why = describe_cause(view.late_because) if view.late_because else line("it takes too long")
            lines = [*_so_far(build, context), _who(view), line("I have stopped following it: ", why, ".")]
            go_on = button("Go on", BuildCommand(Verb.FOLLOW, target_of(build, view.follow.run_number)))
            buttons = [go_on, *open_buttons]
        case _:
            lines = [*_so_far(build, context), _who(view), _late(view)]
            buttons = [cancel_button(build, context, in_live=True), _page(build)]
    return message(lines, buttons, details=_workflows_so_far(build), in_public=True)


def followed(build: Build, context: RenderContext) -> Message:
    """The first word of a live message that was asked for; the looks that follow change it."""
    lines = [*_so_far(build, context), line("I follow it: this message changes until the end.")]
    buttons = [cancel_button(build, context, in_live=True), _page(build)]
    return message(lines, buttons, details=_workflows_so_far(build), in_public=True)


def not_followed() -> Message:
    """To the person who asked, where the answer is no message of the bot's own."""
    why = line("I cannot change this message later, so I do not follow the build to its end here. ")
    return message([line(why, "Where I am a member of the channel, I do.")], in_public=False)


def reply(view: FollowView, context: RenderContext) -> Message:
    """What the person who asked hears in the thread, once."""
    asker, build = person(view.follow.asker), view.build
    if view.overtaken:
        return message([line(asker, " ", _overtaken(view))], in_public=True)
    end = join_dots(state(build, context), _meaning(view, context))
    return message([line(asker, " ", emoji(SIGNS[build.status]), " ", end)], in_public=True)


def lost(view: FollowView, why: str, context: RenderContext) -> Message:
    """To the person who asked: the message can no longer be changed, in Slack's word for why."""
    build, place = view.build, view.follow.location
    where = () if place.is_between_two else line(" in ", channel(place.channel))
    because = _WHY_LOST.get(why) or f"Slack says {sanitize(why, 60)}"
    lines = [
        headline(build, context),
        facts_line(build),
        _meaning(view, context),
        line("I have stopped following it", where, f": {because}. Ask me here how it stands."),
    ]
    return message(lines, view_buttons(target_of(build, view.follow.run_number), build.url), in_public=False)


def describe_verdict(verdict: Verdict) -> Line:
    """What the end means, as half a sentence."""
    match verdict.meaning, verdict.after:
        case Meaning.FLAKY, Status.PASSED:
            return line(f"passed on the {_ordinal(verdict.runs)} run of the same commit: flaky")
        case Meaning.FLAKY, _:
            return line("failed after it had passed on the same commit: flaky")
        case Meaning.REAL, _:
            return line(f"failed {_times(verdict.in_a_row)} in a row on the same commit: a real failure")
        case Meaning.STEADY, _:
            return line(f"passed {_times(verdict.in_a_row)} in a row on the same commit")
        case _:
            return line("no verdict: ", _why_none(verdict))


def _why_none(verdict: Verdict) -> str:
    odd = verdict.after if verdict.after not in (Status.PASSED, Status.FAILED) else verdict.before
    match odd:
        case Status.INFRASTRUCTURE_FAILURE:
            return "an infrastructure failure says nothing of the code"
        case Status.STOPPED:
            return "a stopped run says nothing of the code"
        case None:
            return "no earlier run of this commit is known"
        case _:
            return f"a run that was {short_word(odd)} says nothing of the code"


def _ordinal(count: int) -> str:
    if count in _ORDINALS:
        return _ORDINALS[count]
    ending = {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th") if count % 100 not in (11, 12, 13) else "th"
    return f"{count}{ending}"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _so_far(build: Build, context: RenderContext) -> list[Line]:
    """State and facts, before the end is seen."""
    if build.has_ended:  # the run before, which CI still shows
        return [headline_with(SIGNS[Status.QUEUED], build, "restarted"), commit(build)]
    return [_now(build, context), facts_line(build)]


def _workflows_so_far(build: Build) -> list[Line]:
    """Not those of the run before."""
    return [] if build.has_ended else workflow_lines(build)


def _now(build: Build, context: RenderContext) -> Line:
    """Without a running time, which would be old at once: since when stands beneath."""
    if build.status is Status.RUNNING:
        return headline_with(SIGNS[Status.RUNNING], build, "running")
    if build.status is Status.UNKNOWN and not build.status_word:
        return headline_with(SIGNS[Status.UNKNOWN], build, "I do not know how it stands")
    return headline(build, context)


def _who(view: FollowView) -> Line:
    follow = view.follow
    text = "restarted by " if follow.restarted else "followed for "
    began = timestamp(follow.began_at)
    return line(text, person(follow.asker), *((" · ", began) if began else ()))


def _overtaken(view: FollowView) -> Line:
    by = view.overtaken_by
    return line("restarted again", *((" by ", person(by.actor)) if by else ()), " before I saw how it ended")


def _meaning(view: FollowView, context: RenderContext) -> Line:
    if view.unseen:
        title = context.title_of(view.build.project.service)
        return line(f"no verdict: {title} took the restart, and I have seen no new run")
    return describe_verdict(view.verdict) if view.verdict is not None else ()


def _late(view: FollowView) -> Line:
    if view.late_s is None or view.late_because is None:
        return ()
    return line(f"Last looked {ago(view.late_s)}: ", describe_cause(view.late_because), ".")


def _page(build: Build) -> Block | None:
    return link_button("Open build", build.url, "build")
