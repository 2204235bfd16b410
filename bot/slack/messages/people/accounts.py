"""What is linked to a person, and what they hear. To that person alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.model.builds import Actor
from bot.core.model.people.commands import LinkCommand, NotifyCommand, UnlinkCommand
from bot.core.model.people.outcomes import (
    AccountClaimed,
    AccountLinked,
    AccountShown,
    AccountUnlinked,
    NotifyChanged,
    NotMineNoted,
    PersonOutcome,
)
from bot.core.model.people.settings import AccountLink, NotifySettings, Scope, Way
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block, Message, button, message
from bot.slack.blocks.rich_text import Inline, Line, code, line, link, person, sanitize
from bot.slack.messages.builds import at_service, branch_named, repository

_LOGIN = 100
_GITHUB = "https://github.com/"

_SCOPES = {
    Scope.MINE: "When you break a branch that a channel is subscribed to, ",
    Scope.MAIN: "When you break a default branch, ",
}
_WAYS = {Way.DM: "you get a direct message.", Way.MENTION: "the channel’s message mentions you."}


def person_message(outcome: PersonOutcome, context: RenderContext) -> Message:
    """The answer to the person who asked."""
    buttons: Sequence[Block | None] = ()
    lines: list[Line]
    match outcome:
        case AccountShown(known, settings):
            login = line("GitHub account: ", account(known.login)) if known else _none(context)
            lines, buttons = [login, settings_line(settings)], settings_buttons(settings)
        case AccountLinked(known, settings, before, _, given_to):
            now = line(" That is now ", person(given_to), "’s.") if given_to else ()
            was = line("Instead of ", account(before), ".", now) if before else ()
            lines = [line("Linked to you: GitHub account ", account(known.login)), was, settings_line(settings)]
            buttons = [*settings_buttons(settings), button("Unlink", UnlinkCommand(known.login), number=4)]
        case AccountClaimed(known):
            lines = [_not_linked(known), line("I asked them to keep it or give it up.")]
        case AccountUnlinked(AccountLink() as gone, to):
            to_whom = line("It is now ", person(to), "’s.") if to else ()
            lines = [line("No longer linked to you: GitHub account ", account(gone.login)), to_whom]
        case AccountUnlinked():
            lines = [line("Nothing to remove: no such GitHub account is linked to you.")]
        case NotifyChanged(settings, known):
            needs_no_link = known is not None or settings.scope is Scope.OFF
            lines = [settings_line(settings), () if needs_no_link else _none(context)]
            buttons = settings_buttons(settings)
        case NotMineNoted(project, branch):
            lines = [
                line("Not yours: ", repository(project), " ", branch_named(branch), at_service(project, context)),
                line("You won’t be notified of this failure again. Your account stays linked."),
            ]
    return message(lines, list(buttons), in_public=False)


def not_asked(claimed: AccountClaimed) -> Message:
    """The answer to a claim if its holder did not get the question."""
    lines = [_not_linked(claimed.link), line("I couldn’t ask them: Slack refused my message. Try again later.")]
    return message(lines, in_public=False)


def to_others(outcome: PersonOutcome, asker: Actor, context: RenderContext) -> list[tuple[Actor, Message]]:
    """Direct messages to the other person whom a change of a link concerns."""
    match outcome:
        case AccountClaimed(known):
            login = known.login
            lines = [
                line(person(asker), " says that GitHub account ", account(login), " is theirs. It is linked to you."),
                line("If it is yours, keep it. ", code(f"{context.command} unlink github"), " gives it up later, too."),
            ]
            keep = button("Keep", LinkCommand(login), style="primary", number=1)
            give_up = button("Give up", UnlinkCommand(login), number=2)
            return [(known.person, message(lines, [keep, give_up], in_public=False))]
        case AccountLinked(known, _, _, Actor() as refused):
            lines = [line("GitHub account ", account(known.login), " stays linked to ", person(asker), ".")]
            return [(refused, message(lines, in_public=False))]
        case AccountLinked(_, _, str() as before, _, Actor() as to):
            return [(to, _given_up(before, asker))]
        case AccountUnlinked(known, Actor() as to) if known is not None:
            return [(to, _given_up(known.login, asker))]
        case _:
            return []


def _not_linked(known: AccountLink) -> Line:
    return line("Not linked: GitHub account ", account(known.login), " belongs to ", person(known.person), ".")


def _given_up(login: str, by: Actor) -> Message:
    """To the person who has the account now."""
    said = line("GitHub account ", account(login), " is linked to you now. ", person(by), " gave it up.")
    return message([said], in_public=False)


def account(login: str) -> Inline:
    """The login, linked to its page."""
    shown = sanitize(login, _LOGIN) or "…"
    return link(shown, f"{_GITHUB}{shown}")


def settings_line(settings: NotifySettings) -> Line:
    """`When you break a default branch, you get a direct message.`"""
    if settings.scope is Scope.OFF:
        return line("You’re not notified of branches that you break.")
    return line(_SCOPES[settings.scope], _WAYS[settings.way])


def settings_choices(settings: NotifySettings) -> list[tuple[str, NotifyCommand]]:
    """What the person can choose instead, with a label for each."""
    if settings.scope is Scope.OFF:
        return [("Turn on", NotifyCommand(Scope.MINE))]
    other = ("All my branches", Scope.MINE) if settings.scope is Scope.MAIN else ("Only main", Scope.MAIN)
    way = ("Mention me instead", Way.MENTION) if settings.way is Way.DM else ("Direct message instead", Way.DM)
    return [
        (other[0], NotifyCommand(other[1])),
        (way[0], NotifyCommand(way=way[1])),
        ("Turn off", NotifyCommand(Scope.OFF)),
    ]


def settings_buttons(settings: NotifySettings) -> list[Block | None]:
    choices = settings_choices(settings)
    return [button(label, command, number=number) for number, (label, command) in enumerate(choices, 1)]


def _none(context: RenderContext) -> Line:
    return line("No GitHub account is linked to you. To link one: ", code(f"{context.command} link github ada-l"))
