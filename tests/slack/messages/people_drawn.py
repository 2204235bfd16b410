"""Messages to one person about what they broke, and about their account; each rendered once."""

from __future__ import annotations

from dataclasses import replace

from bot.core.model.builds import Actor
from bot.core.model.notifications.transitions import Change, Period
from bot.core.model.people.outcomes import (
    AccountClaimed,
    AccountLinked,
    AccountShown,
    AccountUnlinked,
    NotifyChanged,
    NotMineNoted,
)
from bot.core.model.people.settings import AccountLink, NotifySettings, Scope, Way
from bot.slack.blocks.message import Message
from bot.slack.messages.channels.notifications import notification
from bot.slack.messages.people.accounts import not_asked, person_message, to_others
from bot.slack.messages.people.authors import is_this_you, you_broke
from tests.slack.messages.notifications_drawn import delivery
from tests.slack.messages.one_service import FAILED, HOSTILE, HOW, WEB
from tests.slack.several import NOW

ADA, BOB = Actor("U0ADA"), Actor("U0BOB")
LINK = AccountLink("ada-l", ADA, NOW)
PERIOD = Period("9.1", NOW, FAILED)
BROKE = replace(delivery(Change.BROKE, FAILED), channel=ADA.id)
BROKE = replace(BROKE, transition=replace(BROKE.transition, period=PERIOD))
NAMED = replace(BROKE, channel="C0BUILDS", transition=replace(BROKE.transition, period=replace(PERIOD, mentions=ADA)))

OUTCOMES = {
    "nothing is linked": AccountShown(None, NotifySettings()),
    "what is linked": AccountShown(LINK, NotifySettings(Scope.MAIN, Way.MENTION)),
    "linked": AccountLinked(LINK, NotifySettings()),
    "linked instead of another": AccountLinked(LINK, NotifySettings(Scope.OFF), before="ada-old", refused=BOB),
    "linked, and the other one given up": AccountLinked(LINK, NotifySettings(), before="bob", given_to=BOB),
    "belongs to another person": AccountClaimed(replace(LINK, claimed_by=BOB)),
    "unlinked": AccountUnlinked(LINK),
    "given up": AccountUnlinked(LINK, BOB),
    "was not linked": AccountUnlinked(None),
    "default branches only": NotifyChanged(NotifySettings(Scope.MAIN), LINK),
    "turned off": NotifyChanged(NotifySettings(Scope.OFF), None),
    "not mine": NotMineNoted(WEB, "main"),
}
SUBJECTS: dict[str, dict[str, Message]] = {
    "people": {
        "you broke it": you_broke(BROKE, "C0BUILDS", "https://acme.slack.com/archives/C0BUILDS/p1", HOW),
        "you broke it, without a channel's message": you_broke(BROKE, None, None, HOW),
        "you broke it, hostile": you_broke(
            replace(BROKE, transition=replace(BROKE.transition, build=HOSTILE)), None, None, HOW
        ),
        "named in the channel": notification(NAMED, HOW),
        "is this you": is_this_you(NAMED, "ada-l", HOW),
        "is this you, hostile": is_this_you(NAMED, "<!channel>`*", HOW),
        "belongs to another person, who is not asked": not_asked(AccountClaimed(LINK)),
        **{name: person_message(outcome, HOW) for name, outcome in OUTCOMES.items()},
        **{
            f"{name}, to the other person": said
            for name, outcome in OUTCOMES.items()
            for _, said in to_others(outcome, ADA, HOW)
        },
    }
}
