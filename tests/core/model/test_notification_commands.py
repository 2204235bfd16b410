"""The words about notifications, as tables: what each line means, and the correction for each that is wrong."""

from __future__ import annotations

import pytest

from bot.core.model.command_values import Verb
from bot.core.model.commands import parse
from bot.core.model.errors import NotUnderstood
from bot.core.model.names.name_patterns import ANY_NAME, NamePattern
from bot.core.model.notification_commands.values import (
    MuteCommand,
    PauseCommand,
    ShowSubscriptions,
    Subscribe,
    UnmuteCommand,
    Unsubscribe,
    Until,
)
from bot.core.model.notifications.subscriptions import Event, Filters, Replies
from bot.slack.incoming.text import words_of_command

WEB = NamePattern(("acme/web",))
ON_CALL = ("S0ONCALL", "U0ADA")
BROKE, FIXED, STILL, FAILED = Event.BROKE, Event.FIXED, Event.STILL, Event.FAILED


def command(text):
    return parse(words_of_command(text))


def filters(text):
    return command(text).filters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("subscribe acme/web", Filters(WEB)),
        ("Subscribe acme/web!", Filters(WEB)),
        ("subscribe `acme/web`", Filters(WEB)),
        ("sub web", Filters(NamePattern(("web",)))),
        ("subscribe acme/web acme/api acme/web", Filters(NamePattern(("acme/web", "acme/api")))),
        ("subscribe acme/web flaky:quiet Remind: off", Filters(WEB, flaky_quiet=True, remind_off=True)),
        ("subscribe acme/web,acme/api", Filters(NamePattern(("acme/web", "acme/api")))),
        ("subscribe acme/web, acme/api", Filters(NamePattern(("acme/web", "acme/api")))),
        ("subscribe acme/* !acme/old", Filters(NamePattern(("acme/*",), ("acme/old",)))),
        ("subscribe `acme/*`", Filters(NamePattern(("acme/*",)))),
        ("subscribe *", Filters(NamePattern(("*",)))),
        ("subscribe !acme/old", Filters(NamePattern((), ("acme/old",)))),
        ("subscribe acme/web@github", Filters(WEB, "github")),
        ("subscribe acme/web@GitHub acme/api", Filters(NamePattern(("acme/web", "acme/api")), "github")),
        ("subscribe https://github.com/acme/web", Filters(NamePattern(("https://github.com/acme/web",)))),
        ("subscribe acme/web branch:main", Filters(WEB, branches=NamePattern(("main",)))),
        ("subscribe branch:main acme/web", Filters(WEB, branches=NamePattern(("main",)))),
        ("subscribe acme/web branch: main", Filters(WEB, branches=NamePattern(("main",)))),
        ("subscribe acme/web branch:main, release/*", Filters(WEB, branches=NamePattern(("main", "release/*")))),
        ("subscribe acme/web branch:*,!wip/*", Filters(WEB, branches=NamePattern(("*",), ("wip/*",)))),
        ("subscribe acme/web branches:a branch:b", Filters(WEB, branches=NamePattern(("a", "b")))),
        ("subscribe acme/web on:broke,fixed", Filters(WEB)),
        ("subscribe acme/web on:broke,still:5", Filters(WEB, events=frozenset({BROKE, STILL}), still_every=5)),
        ("subscribe acme/web on:still,Broke", Filters(WEB, events=frozenset({BROKE, STILL}))),
        ("subscribe on:all acme/web", Filters(WEB, events=frozenset(Event))),
        ("subscribe acme/web workflow:ci,!nightly", Filters(WEB, workflows=NamePattern(("ci",), ("nightly",)))),
        ("subscribe acme/web mention:<@U0ADA>", Filters(WEB, mentions=("U0ADA",))),
        ("subscribe mention: <!subteam^S0ONCALL|@on call>, <@U0ADA|ada> acme/web", Filters(WEB, mentions=ON_CALL)),
        ("subscribe acme/web mention:@S0ONCALL,@U0ADA,@U0ADA", Filters(WEB, mentions=ON_CALL)),
        ("subscribe acme/web to:thread", Filters(WEB, replies=Replies.THREAD)),
        ("subscribe acme/web to:Channel", Filters(WEB, replies=Replies.CHANNEL)),
        ("subscribe acme/web workflows:build.yml", Filters(WEB, workflows=NamePattern(("build.yml",)))),
    ],
)
def test_the_words_of_a_subscription_in_any_order(text, expected):
    assert filters(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("subscribe #3 acme/web", Subscribe(Filters(WEB), 3)),
        ("subscribe acme/web branch:dev #3", Subscribe(Filters(WEB, branches=NamePattern(("dev",))), 3)),
        ("unsubscribe acme/web", Unsubscribe(("acme/web",))),
        ("unsubscribe acme/* #7", Unsubscribe(("acme/*",), (7,))),
        ("unsubscribe all", Unsubscribe(everything=True)),
        ("unsubscribe ALL.", Unsubscribe(everything=True)),
        ("subscriptions", ShowSubscriptions()),
        ("mute 2h", MuteCommand(minutes=120)),
        ("mute for 90m", MuteCommand(minutes=90)),
        ("mute acme/web 1d12h", MuteCommand(WEB, 36 * 60)),
        ("mute 45min acme/web", MuteCommand(WEB, 45)),
        ("mute acme/* !acme/web 1h 30m", MuteCommand(NamePattern(("acme/*",), ("acme/web",)), 90)),
        ("mute until mon 9:00", MuteCommand(until=Until(9, 0, "mon"))),
        ("mute acme/web until Monday 9:00", MuteCommand(WEB, until=Until(9, 0, "mon"))),
        ("mute until 17:30 acme/web", MuteCommand(WEB, until=Until(17, 30))),
        ("mute until tomorrow 9am", MuteCommand(until=Until(9, 0, "tomorrow"))),
        ("mute until 12am", MuteCommand(until=Until(0, 0))),
        ("mute until 12:15pm", MuteCommand(until=Until(12, 15))),
        ("mute until mon 9:00 Europe/Berlin", MuteCommand(until=Until(9, 0, "mon", "Europe/Berlin"))),
        ("mute until mon 9:00 [Europe/Berlin]", MuteCommand(until=Until(9, 0, "mon", "Europe/Berlin"))),
        ("mute acme/web until 9:00 UTC", MuteCommand(WEB, until=Until(9, 0, None, "UTC"))),
        ("pause #3 #4 #3", PauseCommand(Verb.PAUSE, (3, 4))),
        ("resume #3", PauseCommand(Verb.RESUME, (3,))),
        ("mute me 2h", MuteCommand(minutes=120, is_personal=True)),
        ("mute acme/web me until 9:00", MuteCommand(WEB, until=Until(9, 0), is_personal=True)),
        ("unmute me", UnmuteCommand(is_personal=True)),
        ("unmute me acme/web", UnmuteCommand(WEB, is_personal=True)),
        ("unmute", UnmuteCommand()),
        ("unmute all", UnmuteCommand()),
        ("unmute acme/web", UnmuteCommand(WEB)),
    ],
)
def test_the_words_of_the_other_commands(text, expected):
    assert command(text) == expected


@pytest.mark.parametrize(
    ("text", "why", "instead"),
    [
        ("subscribe", "Which repository?", None),
        ("subscribe branch:main", "Which repository?", None),
        ("subscribe #3", "Which repository?", None),
        ("subscribe #3 #4 acme/web", "One subscription", None),
        ("subscribe #3 acme/web main", "“main” is not a repository", "subscribe #3 acme/web branch:main"),
        ("subscribe acme/web main", "“main” is not a repository", "subscribe acme/web branch:main"),
        ("subscribe acme/web on:all main", "For a branch", "subscribe acme/web on:all branch:main"),
        ("subscribe acme/web fixed", "For an event", "subscribe acme/web on:fixed"),
        ("subscribe acme/web on:brok,fixed", "Unknown event “brok”", "subscribe acme/web on:broke,fixed"),
        ("subscribe acme/web on:green", "Unknown event “green”", None),
        ("subscribe acme/web brnch:main", "Unknown filter “brnch:”", "subscribe acme/web branch:main"),
        ("subscribe acme/web zzz:main", "Unknown filter “zzz:”", None),
        ("subscribe acme/web mention:@oncall", "A typed command doesn’t say who “@oncall” is", None),
        ("subscribe acme/web mention:<!here>", "Only people and user groups", None),
        ("subscribe acme/web mention:" + ",".join(f"@U0{n:03}" for n in range(6)), "5 people and groups", None),
        ("subscribe acme/web to:tread", "Unknown place “tread”", "subscribe acme/web to:thread"),
        ("subscribe acme/web branch:", "branch: names nothing", "subscribe acme/web branch:main"),
        ("subscribe on: acme/web", "Unknown event “acme/web”", None),
        ("subscribe acme/web[a]", "is not a pattern", None),
        ("subscribe acme/web branch:a?b", "is not a pattern", None),
        ("subscribe acme/web@github acme/api@codeship", "one CI service", None),
        ("subscribe " + " ".join(f"acme/r{n}" for n in range(21)), "20 names at most", None),
        ("subscribe acme/" + "x" * 200, "between 1 and 200", None),
        ("unsubscribe", "Which repository?", None),
        ("unsubscribe acme/web on:all", "removed whole, without “on:all”", "unsubscribe acme/web"),
        ("unsubscribe on:all", "removed whole", None),
        ("subscriptions acme/web", "takes no more words", "subscriptions"),
        ("mute", "For how long?", "mute 2h"),
        ("mute acme/web", "For how long?", "mute acme/web 2h"),
        ("mute me", "For how long?", "mute me 2h"),
        (
            "subscribe acme/web flaky:loud",
            "Unknown word in “flaky:loud”. There is flaky:quiet.",
            "subscribe acme/web flaky:quiet",
        ),
        (
            "subscribe acme/web remind:",
            "Unknown word in “remind:”. There is remind:off.",
            "subscribe acme/web remind:off",
        ),
        ("mute 0m", "between a minute and 90 days", "mute 30d"),
        ("mute 91d", "between a minute and 90 days", "mute 30d"),
        ("mute 2h until 9:00", "not both", "mute 2h"),
        ("mute until", "Until which time?", "mute until 9:00"),
        ("mute acme/web until fri", "Until which time?", "mute acme/web until fri 9:00"),
        ("mute until 25:00", "Until which time?", "mute until 9:00"),
        ("mute until 13pm", "Until which time?", "mute until 9:00"),
    ],
)
def test_what_is_wrong_is_named_and_corrected(text, why, instead):
    with pytest.raises(NotUnderstood) as error:
        command(text)
    assert why in error.value.why
    assert error.value.instead == instead


@pytest.mark.parametrize(
    "text",
    [
        "subscribe acme/web",
        "subscribe acme/web@github acme/api@github !acme/old branch:main,!x workflow:ci,!nightly on:broke,still:7",
        "subscribe !acme/old on:all",
        "unsubscribe acme/web #7",
        "unsubscribe all",
        "mute 1d12h5m",
        "mute acme/* !acme/web until mon 9:05 Europe/Berlin",
        "mute until tomorrow 0:00",
        "unmute acme/web",
        "unmute",
    ],
)
def test_the_words_of_a_command_are_its_own_line(text):
    meant = command(text)
    assert command(" ".join([meant.verb, *meant.words])) == meant
    assert " ".join([meant.verb, *meant.words]) == text


def test_a_command_about_another_repository_keeps_the_rest():
    web = command("subscribe web branch:dev on:all")
    assert web.about("acme/web@github") == command("subscribe acme/web@github branch:dev on:all")
    assert command("mute web 2h").about("acme/web@github") == command("mute acme/web 2h")
    assert command("unmute web").about("acme/web") == UnmuteCommand(WEB)
    assert web.filters.workflows == ANY_NAME
    assert web.verb is Verb.SUBSCRIBE
