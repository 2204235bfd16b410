"""Live messages in words: how a followed build stands, what its end means, and the reply to the asker. Pure."""

from __future__ import annotations

from bot.core.model.builds import Build, Status
from bot.core.model.commands import FollowBuild
from bot.core.model.errors import NotThere
from bot.core.model.follows import FollowShown, FollowState
from bot.core.model.verdicts import Meaning, Verdict
from bot.slack.blocks.button_values import FOLLOW
from bot.slack.blocks.context import Wording
from bot.slack.blocks.message import Block, Message, button, link_button, message
from bot.slack.blocks.rich_text import Line, ago, channel, dotted, emoji, line, person, told, when
from bot.slack.messages.builds import (
    SIGNS,
    commit,
    facts_line,
    headed,
    headline,
    looking,
    restart_buttons,
    short_word,
    state,
    stop_button,
    target_of,
)
from bot.slack.messages.ci_failures import cause_told
from bot.slack.messages.workflows import workflow_lines

_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", 6: "sixth", 7: "seventh", 8: "eighth"}
_WHY_LOST = {
    "is_archived": "the channel is archived",
    "not_in_channel": "I am no longer in the channel",
    "channel_not_found": "I cannot see the channel any more",
}


def live(shown: FollowShown, words: Wording) -> Message:
    """The message that changes in place until the end.

    Refresh stands only where it has come to an end without a word on the build's: on any other, what Refresh puts in
    its place would take away what is told here.
    """
    build = shown.build
    looks = looking(target_of(build, shown.follow.run_number), build.url)
    match shown.follow.state:
        case FollowState.ENDED if shown.overtaken:
            lines, buttons = [_now(build, words), facts_line(build), _overtaken(shown)], looks
        case FollowState.ENDED:
            lines = [headline(build, words), facts_line(build), _who(shown), _meaning(shown, words)]
            buttons = [*restart_buttons(build, shown.follow.run_number, words, in_live=True), _page(build)]
            return message(lines, buttons, details=workflow_lines(build), in_public=True)
        case FollowState.GIVEN_UP if isinstance(shown.late_because, NotThere):
            gone = line(f"I have stopped following it: {words.title_of(build.project.service)} no longer lists it.")
            lines, buttons = [*_so_far(build, words), _who(shown), gone], [_page(build)]
        case FollowState.GIVEN_UP:
            why = cause_told(shown.late_because) if shown.late_because else line("it takes too long")
            lines = [*_so_far(build, words), _who(shown), line("I have stopped following it: ", why, ".")]
            go_on = button("Go on", FollowBuild(target_of(build, shown.follow.run_number)), FOLLOW)
            buttons = [go_on, *looks]
        case _:
            lines = [*_so_far(build, words), _who(shown), _late(shown)]
            buttons = [stop_button(build, words, in_live=True), _page(build)]
    return message(lines, buttons, details=_workflows_so_far(build), in_public=True)


def followed(build: Build, words: Wording) -> Message:
    """The first word of a live message that was asked for; the looks that follow change it."""
    lines = [*_so_far(build, words), line("I follow it: this message changes until the end.")]
    buttons = [stop_button(build, words, in_live=True), _page(build)]
    return message(lines, buttons, details=_workflows_so_far(build), in_public=True)


def not_followed() -> Message:
    """To the person who asked, where the answer is no message of the bot's own."""
    why = line("I cannot change this message later, so I do not follow the build to its end here. ")
    return message([line(why, "Where I am a member of the channel, I do.")], in_public=False)


def reply(shown: FollowShown, words: Wording) -> Message:
    """What the person who asked hears in the thread, once."""
    asker, build = person(shown.follow.asker), shown.build
    if shown.overtaken:
        return message([line(asker, " ", _overtaken(shown))], in_public=True)
    end = dotted(state(build, words), _meaning(shown, words))
    return message([line(asker, " ", emoji(SIGNS[build.status]), " ", end)], in_public=True)


def lost(shown: FollowShown, why: str, words: Wording) -> Message:
    """To the person who asked: the message can no longer be changed, in Slack's word for why."""
    build, place = shown.build, shown.follow.place
    where = () if place.is_between_two else line(" in ", channel(place.channel))
    because = _WHY_LOST.get(why) or f"Slack says {told(why, 60)}"
    lines = [
        headline(build, words),
        facts_line(build),
        _meaning(shown, words),
        line("I have stopped following it", where, f": {because}. Ask me here how it stands."),
    ]
    return message(lines, looking(target_of(build, shown.follow.run_number), build.url), in_public=False)


def verdict_told(verdict: Verdict) -> Line:
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


def _so_far(build: Build, words: Wording) -> list[Line]:
    """State and facts, before the end is seen."""
    if build.has_ended:  # the run before, which CI still shows
        return [headed(SIGNS[Status.QUEUED], build, "restarted"), commit(build)]
    return [_now(build, words), facts_line(build)]


def _workflows_so_far(build: Build) -> list[Line]:
    """Not those of the run before."""
    return [] if build.has_ended else workflow_lines(build)


def _now(build: Build, words: Wording) -> Line:
    """Without a running time, which would be old at once: since when stands beneath."""
    if build.status is Status.RUNNING:
        return headed(SIGNS[Status.RUNNING], build, "running")
    if build.status is Status.UNKNOWN and not build.status_word:
        return headed(SIGNS[Status.UNKNOWN], build, "I do not know how it stands")
    return headline(build, words)


def _who(shown: FollowShown) -> Line:
    follow = shown.follow
    said = "restarted by " if follow.restarted else "followed for "
    began = when(follow.began_at)
    return line(said, person(follow.asker), *((" · ", began) if began else ()))


def _overtaken(shown: FollowShown) -> Line:
    by = shown.overtaken_by
    return line("restarted again", *((" by ", person(by.actor)) if by else ()), " before I saw how it ended")


def _meaning(shown: FollowShown, words: Wording) -> Line:
    if shown.unseen:
        title = words.title_of(shown.build.project.service)
        return line(f"no verdict: {title} took the restart, and I have seen no new run")
    return verdict_told(shown.verdict) if shown.verdict is not None else ()


def _late(shown: FollowShown) -> Line:
    if shown.late_s is None or shown.late_because is None:
        return ()
    return line(f"Last looked {ago(shown.late_s)}: ", cause_told(shown.late_because), ".")


def _page(build: Build) -> Block | None:
    return link_button("Open build", build.url, "build")
