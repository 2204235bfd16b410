"""Every view of the bot, drawn once: some as people see them, some as large as they can get."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core.model.builds import Actor, Location, Page, Project
from bot.core.model.command_values import Verb
from bot.core.model.errors import LastKnown
from bot.core.model.follows import Follow
from bot.core.model.names.channel_names import ChannelName
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notifications.subscriptions import Event, Filters, Replies, Subscription
from bot.core.model.people.settings import AccountLink, NotifySettings, Scope
from bot.slack.views.elements import Place, View
from bot.slack.views.form import FormState, Preset, form
from bot.slack.views.home import Followed, HomeShown, Mine, Recent, home
from bot.slack.views.restart import found_in, restart_dialog
from bot.slack.views.subscription_form import subscription_form
from tests.slack.messages.one_service import FAILED, HOW, PASSED, RUNNING, WEB
from tests.slack.several import NOW

HERE = Place(Location("C0BUILDS"), "https://hooks.slack.com/commands/T0ACME/1/abc")
FOLLOW = Follow("command:1", "codeship", WEB.id, FAILED.id, 2, "main", Actor("U0ADA"), Location("C0BUILDS"), "1.2", NOW)
DEFAULT = ChannelName("C0BUILDS", "", "acme/web@codeship", "main", Actor("U0ADA"), NOW)
SITE = replace(DEFAULT, alias="site")
KNOWN = LastKnown((FAILED, replace(RUNNING, id="9", branch="feature/login"), PASSED), 0.0)

SUBSCRIPTION = Subscription(
    "C0BUILDS",
    Filters(
        NamePattern(("acme/web", "acme/api-*"), ("acme/api-old",)),
        "github",
        NamePattern(("main", "release/*")),
        frozenset({Event.BROKE, Event.STILL}),
        NamePattern(("ci",), ("nightly build",)),
        5,
        ("S0ONCALL", "U0ADA"),
        Replies.THREAD,
        flaky_quiet=True,
        remind_off=True,
    ),
    Actor("U0ADA"),
    NOW,
    id=7,
)


def message(*urls: str) -> View:
    return {"text": " and ".join(f"<{url}>" for url in urls)}


def dialog(*urls: str) -> View:
    pages = {url: Page(name="acme/shop", pull_request=number) for number, url in enumerate(urls, 1)}
    found = found_in(message(*urls), is_own=False, name_of=lambda _: None, page_of=pages.get)
    return restart_dialog(found, HERE, HOW)


def longest() -> HomeShown:
    """As much as a Home can hold, in signs that are escaped and take four bytes."""
    project = Project("1", "<&>" * 30 + "/" + "\N{PARTY POPPER}" * 90, "codeship", f"https://ci.acme.io/{'x' * 500}")
    builds = tuple(
        replace(FAILED, id=str(number), project=project, branch="&" * 250 + str(number)) for number in range(100)
    )
    known = LastKnown(builds, 999.0)
    follows = [Followed(replace(FOLLOW, build_id=str(number)), project, known) for number in range(50)]
    name = ChannelName("C0BUILDS", "", f"{project.name}@codeship", "&" * 250, Actor("U0ADA"), NOW)
    mine = Mine(AccountLink("a" * 100, Actor("U0ADA"), NOW), NotifySettings(), builds)
    return HomeShown(follows, [Recent(project, known)] * 50, [[name]] * 50, NOW, is_refreshing=True, mine=mine)


VIEWS: dict[str, View] = {
    "form": form(FormState(HERE), Preset()),
    "form_in_a_thread": form(FormState(Place(Location("C0BUILDS", "1.1"))), Preset(Verb.RESTART, "acme/web")),
    "form_in_a_direct_message": form(FormState(Place(Location("D0ADA"))), Preset()),
    "form_that_asks_where": form(FormState(None, "acme/web", 3), Preset(Verb.RESTART, "acme/web")),
    "subscribe": subscription_form(HERE),
    "subscribe_changes": subscription_form(Place(Location("D0ADA")), SUBSCRIPTION),
    "restart": dialog("https://github.com/acme/shop/pull/1"),
    "restart_which": dialog("https://github.com/acme/shop/pull/1", "https://github.com/acme/shop/pull/2"),
    "restart_nothing": dialog(),
    "home": home(
        HomeShown(
            [Followed(FOLLOW, WEB, KNOWN), Followed(replace(FOLLOW, build_id="0"), WEB, None)],
            [Recent(WEB, KNOWN), Recent(WEB, replace(KNOWN, age_s=300.0)), Recent(WEB, None)],
            [[DEFAULT, SITE, replace(SITE, alias="shop")], [replace(SITE, channel="D0ADA")]],
            NOW + timedelta(minutes=1),
            mine=Mine(AccountLink("ada-l", Actor("U0ADA"), NOW), NotifySettings(Scope.MAIN), [FAILED, RUNNING]),
        ),
        HOW,
    ),
    "home_of_a_new_person": home(HomeShown([], [], [], NOW, is_refreshing=True), HOW),
}
LARGEST: dict[str, View] = {
    "form": form(
        FormState(Place(Location("C" * 40, "1" * 40), f"https://hooks.slack.com/{'x' * 1900}"), "n" * 250, 9_999),
        Preset(Verb.CANCEL, "n" * 150),
    ),
    "subscribe": subscription_form(
        Place(Location("C" * 40, "1" * 40), f"https://hooks.slack.com/{'x' * 1900}"),
        replace(
            SUBSCRIPTION,
            filters=Filters(
                *[NamePattern(("<" * 200,) * 20, ("&" * 200,) * 20), "x" * 200, NamePattern(("<" * 200,) * 20)],
                *[frozenset(Event), NamePattern(("&" * 200,) * 20), 999, ("S" * 41,) * 5],
            ),
        ),
    ),
    "restart_which": dialog(*(f"https://github.com/acme/shop/pull/1?{'x' * 700}{number}" for number in range(20))),
    "home": home(longest(), HOW),
}
