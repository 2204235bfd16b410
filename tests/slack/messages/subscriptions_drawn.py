"""Every kind of message about subscriptions, mutes and why, drawn once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core.model import errors
from bot.core.model.builds import Actor, Status
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notification_commands.values import Subscribe
from bot.core.model.notifications.reasons import Decision, Reason, SeenBy
from bot.core.model.notifications.subscriptions import (
    PAUSED_BY_PERSON,
    Event,
    Filters,
    Mute,
    Origin,
    Replies,
    Subscription,
)
from bot.core.model.notifications.transitions import NotBroken, Owner, OwnerChanged
from bot.core.model.outcomes import (
    BranchState,
    Explained,
    MayBeShared,
    Muted,
    NotSubscribed,
    Subscribed,
    SubscriptionsPaused,
    SubscriptionsShown,
    Unmuted,
    UnsubscribeAll,
    Unsubscribed,
)
from bot.slack.blocks.message import Message
from bot.slack.messages.channels.subscriptions import paused_at_once
from bot.slack.messages.errors import render_error
from bot.slack.messages.render import render
from tests.slack.messages.one_service import FAILED, HOW, PASSED, WEB
from tests.slack.several import BOTH, NOW

ADA, BOB = Actor("U0ADA"), Actor("U0BOB")
HOSTILE = "<!channel>*b*`c`"

LONG = Filters(NamePattern(tuple(f"acme/{number}{'x' * 190}" for number in range(12))))
WIDE = replace(LONG, branches=LONG.repositories)
MUTE = Mute("C1", NOW + timedelta(hours=2), ADA, NOW)
SIMPLE = Subscription("C1", Filters(NamePattern(("acme/web",))), ADA, NOW, id=3)
RICH = Subscription(
    "C1",
    Filters(
        NamePattern(("acme/*", "other/web"), ("acme/old",)),
        "github",
        NamePattern(("main", "release/*"), ("release/0",)),
        frozenset({Event.BROKE, Event.FIXED, Event.STILL}),
        NamePattern(("ci",), ("nightly*",)),
        mentions=("S0ONCALL", "U0BOB", "U0ADA"),
        replies=Replies.THREAD,
    ),
    BOB,
    NOW,
    id=4,
)
QUIET = replace(SIMPLE, filters=Filters(NamePattern(("acme/web",)), flaky_quiet=True, remind_off=True))
PAUSED = replace(SIMPLE, id=5, paused="not_in_channel", filters=Filters(NamePattern((HOSTILE,))))
OF_FILE = replace(
    SIMPLE,
    id=6,
    maker=None,
    origin=Origin.FILE,
    filters=Filters(NamePattern(), branches=NamePattern(("*",)), events=frozenset(Event)),
)
STOPPED = replace(SIMPLE, id=7, paused=PAUSED_BY_PERSON)
EVERY = (SIMPLE, RICH, PAUSED, OF_FILE, STOPPED)
MAIN = BranchState(FAILED, NOW - timedelta(days=2))
RELEASE = BranchState(replace(PASSED, status=Status.PASSED), NOW - timedelta(hours=1), at_least=True)
SOON = NOW + timedelta(hours=2)
MUTE_ALL, MUTE_WEB = Mute("C1", SOON, BOB, NOW), Mute("C1", SOON, ADA, NOW, NamePattern(("acme/*",), ("acme/web",)))


def decided(build: int, reason: Reason, detail: str = "", minutes: int = 0, **more: object) -> Decision:
    made = Decision(
        NOW - timedelta(minutes=minutes), "codeship", WEB.id, "dev", str(build), SeenBy.LIST, reason, detail
    )
    return replace(made, **more)  # type: ignore[arg-type]


DECIDED = (
    decided(9, Reason.NO_TRANSITION, minutes=1, workflow="Lint"),
    decided(9, Reason.MUTED, SOON.isoformat(), 1, subscription_id=3),
    decided(8, Reason.TOLD, "1418738832.000100", 20, seen_by=SeenBy.WEBHOOK, number="1208"),
    decided(7, Reason.BRANCH, minutes=30, subscription_id=4),
    decided(6, Reason.OLDER, "1205", 40),
    decided(5, Reason.NEUTRAL, HOSTILE, 50),
    decided(4, Reason.PAUSED, "is_archived", 60),
    decided(3, Reason.WAITING, "no time", 70),
    decided(2, Reason.MAY_BE_FLAKY, SOON.isoformat(), 75),
    *(decided(2 - n, Reason.BASELINE, minutes=80) for n in range(4)),
)


def why(*decisions: Decision) -> Message:
    return render(Explained(WEB, "dev", decisions, (SIMPLE, RICH)), context=HOW)


def corrected(why: str, topic: str, instead: str) -> Message:
    return render_error(errors.NotUnderstood(why, topic, instead=instead), None, context=HOW, reference=None)


def of_ada(outcome: object) -> Message:
    return render(outcome, context=HOW, asker=ADA)  # type: ignore[arg-type]


SUBJECTS: dict[str, dict[str, Message]] = {
    "subscriptions": {
        "subscribed": of_ada(Subscribed(SIMPLE, True, 1, now=(MAIN,))),
        "subscribed_again": of_ada(Subscribed(SIMPLE, False, 1, now=(MAIN, RELEASE), muted_until=SOON)),
        "subscribed_by_pattern": render(Subscribed(RICH, True, 12), context=BOTH, asker=ADA),
        "subscribed_with_options": of_ada(Subscribed(QUIET, True, 1)),
        "subscribed_to_nothing_yet": of_ada(Subscribed(RICH, True, 0)),
        "subscribed_to_an_unknown_one": of_ada(
            Subscribed(SIMPLE, True, 0, unknown=("acme/wob", HOSTILE), similar=("acme/web", "acme/webby"))
        ),
        "subscribed_without_a_list": of_ada(Subscribed(SIMPLE, True, None)),
        "subscribed_while_the_service_is_down": of_ada(
            Subscribed(SIMPLE, True, 1, failed=errors.NoResponse("CodeShip", http_status=502))
        ),
        "subscribed_to_a_hostile_name": of_ada(Subscribed(PAUSED, True, 1)),
        "changed": of_ada(Subscribed(SIMPLE, True, 1, now=(MAIN,), was=replace(RICH, id=3))),
        "changed_while_paused": of_ada(Subscribed(STOPPED, True, 1, was=STOPPED)),
        "changed_into_another": of_ada(Subscribed(SIMPLE, False, 1, was=STOPPED)),
        "may_be_shared": of_ada(MayBeShared(Subscribe(RICH.filters))),
        "unsubscribe_all, too long": of_ada(UnsubscribeAll((replace(SIMPLE, filters=WIDE),) * 30)),
        "subscriptions, many mutes": of_ada(SubscriptionsShown((SIMPLE,), (MUTE,) * 25)),
        "may_be_shared, too long": of_ada(MayBeShared(Subscribe(LONG))),
        "paused_at_once": paused_at_once([SIMPLE], "not_in_channel", HOW),
        "paused_at_once_archived": paused_at_once([SIMPLE, RICH], "is_archived", HOW),
        "unsubscribed": of_ada(Unsubscribed((SIMPLE,), (), 2)),
        "unsubscribed_in_part": of_ada(Unsubscribed((), (RICH,), 1)),
        "unsubscribed_from_all": of_ada(Unsubscribed(EVERY, (), 0)),
        "not_subscribed": of_ada(NotSubscribed(("acme/wob",), ())),
        "not_subscribed_but_covered": of_ada(NotSubscribed(("acme/web",), (RICH, OF_FILE))),
        "gone_already": of_ada(NotSubscribed(("#3",), ())),
        "nothing_to_remove": of_ada(NotSubscribed(("all",), ())),
        "unsubscribe_all": of_ada(UnsubscribeAll((SIMPLE, RICH))),
        "list": of_ada(SubscriptionsShown(EVERY, (MUTE_ALL, MUTE_WEB))),
        "list_of_many": of_ada(SubscriptionsShown(tuple(replace(SIMPLE, id=n) for n in range(1, 26)), ())),
        "list_of_none": of_ada(SubscriptionsShown((), (MUTE_ALL,))),
        "muted": of_ada(Muted(MUTE_ALL, None, True)),
        "muted_in_a_zone": of_ada(Muted(MUTE_WEB, "Europe/Berlin", False)),
        "paused_by_person": of_ada(SubscriptionsPaused((SIMPLE,))),
        "resumed": of_ada(SubscriptionsPaused((SIMPLE, RICH), resumed=True)),
        "unmuted": of_ada(Unmuted((MUTE_ALL, MUTE_WEB))),
        "nothing_unmuted": of_ada(Unmuted(())),
        "own_messages_muted": of_ada(Muted(MUTE_ALL, None, True, is_personal=True)),
        "own_messages_muted_about_some": of_ada(Muted(MUTE_WEB, "Europe/Berlin", True, is_personal=True)),
        "own_messages_unmuted": of_ada(Unmuted((MUTE_ALL, MUTE_WEB), is_personal=True)),
        "no_own_messages_unmuted": of_ada(Unmuted((), is_personal=True)),
        "on_it": of_ada(OwnerChanged(WEB, "main", Owner(ADA, NOW), None)),
        "on_it_instead_of_another": of_ada(OwnerChanged(WEB, "main", Owner(ADA, NOW), Owner(BOB, NOW))),
        "no_longer_on_it": of_ada(OwnerChanged(WEB, "main", None, Owner(ADA, NOW))),
        "on_it_but_not_broken": of_ada(NotBroken(WEB, "main")),
        "on_it_but_nothing_broken": of_ada(NotBroken(WEB, None)),
        "on_it_of_an_earlier_failure": of_ada(NotBroken(WEB, "main", is_old=True)),
        "corrected": corrected("Unknown event “brok”.", "subscribe", "subscribe acme/web on:broke"),
    },
    "why": {
        "every_reason": why(*DECIDED),
        "other_branch": why(decided(9, Reason.BRANCH, subscription_id=4)),
        "other_event": why(decided(9, Reason.EVENT)),
        "paused": why(decided(9, Reason.PAUSED, "not_in_channel")),
        "told": why(decided(9, Reason.TOLD, "1.2")),
        "told_and_polled_again": why(
            decided(9, Reason.NO_TRANSITION, minutes=1),
            decided(9, Reason.TOLD, "1.2"),
            decided(8, Reason.NO_TRANSITION),
        ),
        "nothing_on_record": why(),
        "nothing_of_one_build": render(Explained(WEB, "dev", (), (SIMPLE,), "9"), context=HOW),
        "not_subscribed_to_it": render(Explained(WEB, None, DECIDED, ()), context=BOTH),
    },
}
