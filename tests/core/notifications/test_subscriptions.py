"""The commands about notifications: what is stored, what is answered, and who may."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.model.builds import Actor, Location, Status
from bot.core.model.commands import parse
from bot.core.model.errors import AmbiguousProject, NotAllowed, NotUnderstood, RequestExpired, Unreachable
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.notifications.reasons import Decision, Reason, SeenBy
from bot.core.model.notifications.subscriptions import PAUSED_BY_PERSON, Filters, Origin, Subscription
from bot.core.model.outcomes import (
    Explained,
    MayBeShared,
    Muted,
    NotSubscribed,
    Subscribed,
    Unmuted,
    UnsubscribeAll,
    Unsubscribed,
)
from bot.core.model.policy import EVERYONE, Policy, Rule, Subjects
from bot.core.notifications.subscriptions import MAX_OF_A_CHANNEL
from bot.core.request import UserRequest
from bot.slack.incoming.text import words_of_command
from tests.core.world import ADA, BOB, BUILDS, World, build, project
from tests.held_clock import NOON

WEB, API, OTHER = project(1, "acme/web"), project(2, "acme/api"), project(3, "other/web")
WEB_ONLY = NamePattern(("acme/web",))


def at(minutes):
    return NOON - timedelta(minutes=minutes)


def ended(number, status, branch="main", minutes=0, of=WEB):
    return replace(build(number, of, branch, status), finished_at=at(minutes))


@pytest.fixture
def acme(world: World) -> World:
    world.knows(WEB, API, OTHER)
    return world


def says(world, text, actor=ADA, channel=BUILDS.channel, **fields):
    request = UserRequest(actor, Location(channel), world.clock, world.clock.monotonic() + 16, **fields)
    return world.operations.execute(parse(words_of_command(text)), request)


def repositories(subscriptions):
    return [each.filters.repositories.patterns for each in subscriptions]


def test_a_channel_is_subscribed_once_however_the_name_is_written(acme):
    first = says(acme, "subscribe acme/web")
    assert first == Subscribed(
        Subscription(BUILDS.channel, Filters(NamePattern(("acme/web",))), ADA, acme.clock.now(), id=1),
        is_new=True,
        repositories=1,
    )
    for text in ("subscribe Acme/Web", "subscribe https://github.com/acme/web", "subscribe acme/web acme/web"):
        again = says(acme, text, BOB)
        assert (again.is_new, again.subscription) == (False, first.subscription)
    assert says(acme, "subscribe acme/web", channel="C2").is_new
    assert len(acme.store.subscriptions.all()) == 2


def test_a_name_without_its_owner_is_resolved_and_must_be_unique(acme):
    assert says(acme, "subscribe api").subscription.filters.repositories == NamePattern(("acme/api",))
    with pytest.raises(AmbiguousProject):
        says(acme, "subscribe web")


def test_a_url_of_a_branch_names_the_branch(acme):
    filters = says(acme, "subscribe https://github.com/acme/web/tree/dev").subscription.filters
    assert filters == Filters(NamePattern(("acme/web",)), branches=NamePattern(("dev",)))


def test_the_answer_says_how_many_repositories_match_and_which_are_not_there(acme):
    assert says(acme, "subscribe acme/*").repositories == 2
    assert says(acme, "subscribe nothing/*").repositories == 0
    absent = says(acme, "subscribe acme/wob acme/api")
    assert (absent.repositories, absent.unknown) == (1, ("acme/wob",))
    assert absent.similar == ("acme/web",)


def test_a_subscription_is_for_a_configured_service(acme):
    with pytest.raises(NotUnderstood, match="No CI service called “jenkins”"):
        says(acme, "subscribe acme/web@jenkins")
    assert says(acme, "subscribe acme/web@codeship").subscription.filters.service == "codeship"


@pytest.mark.parametrize(
    ("builds", "words", "expected"),
    [
        ([], "", []),
        ([ended(9, Status.FAILED, minutes=5)], "", [("main", Status.FAILED, 5, True)]),
        (
            [
                build(10, WEB, "main", Status.RUNNING),
                ended(9, Status.STOPPED),
                ended(8, Status.FAILED, minutes=5),
                ended(7, Status.INFRASTRUCTURE_FAILURE, minutes=6),
                ended(6, Status.FAILED, minutes=7),
                ended(5, Status.PASSED, minutes=20),
                ended(4, Status.FAILED, minutes=30),
            ],
            "",
            [("main", Status.FAILED, 7, False)],
        ),
        (
            [ended(9, Status.FAILED, "dev"), ended(8, Status.PASSED, "master", 3)],
            "",
            [("master", Status.PASSED, 3, True)],
        ),
        ([ended(9, Status.FAILED, "dev")], "", []),
        ([ended(9, Status.FAILED, "dev", 2)], "branch:dev", [("dev", Status.FAILED, 2, True)]),
        (
            [ended(9 - n, Status.PASSED, f"b{n}", n) for n in range(5)],
            "branch:*,!b1",
            [(f"b{n}", Status.PASSED, n, True) for n in (0, 2, 3)],
        ),
    ],
)
def test_the_answer_has_the_present_state_and_since_when(world, builds, words, expected):
    world.knows(WEB)
    world.ci.all_builds = builds
    state = says(world, f"subscribe acme/web {words}").now
    assert [(each.build.branch, each.build.status, each.since, each.at_least) for each in state] == [
        (branch, status, at(minutes), at_least) for branch, status, minutes, at_least in expected
    ]


def test_the_state_is_read_for_one_repository_only_and_its_failure_stops_nothing(acme):
    acme.ci.calls.clear()
    says(acme, "subscribe acme/*")
    says(acme, "subscribe acme/web acme/api")
    assert acme.ci.calls == []
    failure = Unreachable("CodeShip")
    acme.ci.failures["builds"] = [failure]
    done = says(acme, "subscribe acme/web")
    assert (done.is_new, done.now, done.failed) == (True, (), failure)


def test_a_channel_has_a_limited_number_of_subscriptions(acme):
    for number in range(MAX_OF_A_CHANNEL):
        acme.store.subscriptions.add(Subscription(BUILDS.channel, Filters(NamePattern((f"acme/r{number}",)))))
    with pytest.raises(NotUnderstood, match="100 subscriptions"):
        says(acme, "subscribe acme/web")


def test_a_late_request_changes_nothing(acme):
    for text in ("subscribe acme/web", "mute 2h"):
        with pytest.raises(RequestExpired):
            says(acme, text, is_late=True)
    assert acme.store.subscriptions.all() == acme.store.subscriptions.mutes() == []


# --- unsubscribe ---


def test_unsubscribing_removes_the_whole_or_a_part(acme):
    says(acme, "subscribe acme/web")
    says(acme, "subscribe acme/web branch:dev acme/api")
    done = says(acme, "unsubscribe ACME/WEB")
    assert isinstance(done, Unsubscribed)
    assert repositories(done.removed) == [("acme/web",)]
    assert repositories(done.changed) == [("acme/api",)]
    assert done.left == 1
    assert repositories(acme.store.subscriptions.all()) == [("acme/api",)]


@pytest.mark.parametrize("text", ["#1", "acme/web", "web", "https://github.com/acme/web", "acme/web@codeship"])
def test_a_subscription_is_found_by_its_number_or_its_name(acme, text):
    says(acme, "subscribe acme/web")
    assert len(says(acme, f"unsubscribe {text}").removed) == 1


@pytest.mark.parametrize("text", ["acme/*", "!acme/old"])
def test_a_pattern_is_removed_by_its_own_words(acme, text):
    says(acme, f"subscribe {text}")
    assert len(says(acme, f"unsubscribe {text}").removed) == 1


def test_what_is_covered_by_a_pattern_is_not_removed_but_named(acme):
    glob = says(acme, "subscribe acme/*").subscription
    assert says(acme, "unsubscribe acme/web") == NotSubscribed(("acme/web",), (glob,))
    assert says(acme, "unsubscribe other/web") == NotSubscribed(("other/web",), ())
    assert says(acme, "unsubscribe #77") == NotSubscribed(("#77",), ())


def test_another_channels_subscription_is_not_removed(acme):
    other = says(acme, "subscribe acme/web", channel="C2").subscription
    for text in (f"unsubscribe #{other.id}", "unsubscribe acme/web", "unsubscribe all"):
        assert isinstance(says(acme, text), NotSubscribed)
    assert acme.store.subscriptions.all() == [other]


def test_all_are_removed_once_confirmed_except_those_of_the_file(acme):
    acme.store.subscriptions.put_file(
        [Subscription(BUILDS.channel, Filters(NamePattern(("acme/*",))), origin=Origin.FILE)]
    )
    mine = says(acme, "subscribe acme/web").subscription
    assert says(acme, "unsubscribe all") == UnsubscribeAll((mine,))
    confirmed = replace(parse(words_of_command("unsubscribe all")), confirmed=True)
    assert acme.ask(confirmed) == Unsubscribed((mine,), (), 1)
    [of_file] = acme.store.subscriptions.all()
    assert acme.ask(confirmed) == NotSubscribed(("all",), (of_file,))
    assert says(acme, "unsubscribe acme/*") == NotSubscribed(("acme/*",), (of_file,))


def test_a_channel_that_refuses_the_first_message_is_paused_until_it_takes_one(acme):
    service = acme.subscriptions
    made = says(acme, "subscribe acme/web").subscription
    stopped = says(acme, "subscribe acme/api").subscription
    says(acme, f"pause #{stopped.id}")
    service.reached(BUILDS.channel, "not_in_channel")
    assert [each.paused for each in acme.store.subscriptions.all()] == ["not_in_channel", PAUSED_BY_PERSON]
    service.reached(BUILDS.channel, None)
    assert [each.paused for each in acme.store.subscriptions.all()] == [None, PAUSED_BY_PERSON]
    assert made.is_active


# --- channels that other workspaces read ---


@pytest.fixture
def shared(acme):
    """What Slack says of each channel; None if it does not say."""
    told = {}
    acme.subscriptions._is_shared = told.get
    return told


def test_a_channel_that_another_workspace_reads_is_not_subscribed(acme, shared):
    shared[BUILDS.channel] = True
    with pytest.raises(NotAllowed, match="other workspaces read this channel"):
        says(acme, "subscribe acme/web")
    assert says(acme, "subscribe acme/web", channel="D0ADA").is_new
    shared[BUILDS.channel] = False
    assert says(acme, "subscribe acme/web").is_new


def test_what_the_request_says_of_the_channel_counts(acme, shared):
    with pytest.raises(NotAllowed):
        says(acme, "subscribe acme/web", is_shared=True)
    assert says(acme, "subscribe acme/web", is_shared=False).is_new


def test_a_channel_of_which_nothing_is_known_is_asked_about_once(acme, shared):
    asked = says(acme, "subscribe acme/web on:failed")
    assert asked == MayBeShared(parse(words_of_command("subscribe acme/web on:failed")))
    assert acme.store.subscriptions.all() == []
    assert acme.ask(replace(asked.command, confirmed=True)).is_new
    assert says(acme, "subscribe acme/api").is_new


def test_the_question_about_the_channel_has_the_whole_names_so_that_a_button_can_carry_them(acme, shared):
    asked = says(acme, "subscribe https://github.com/acme/web acme/api@codeship")
    assert asked.command.words == ("acme/web@codeship", "acme/api@codeship")


# --- change ---


def test_a_subscription_is_changed_in_place_and_keeps_its_number_maker_and_age(acme):
    made = says(acme, "subscribe acme/web").subscription
    acme.clock.advance(60)
    done = says(acme, f"subscribe #{made.id} api on:failed", BOB)
    assert done.was == made
    assert done.is_new
    assert done.subscription == replace(made, filters=parse(words_of_command("subscribe acme/api on:failed")).filters)
    assert acme.store.subscriptions.all() == [done.subscription]
    assert says(acme, f"subscribe #{made.id} acme/api on:failed").subscription == done.subscription


def test_one_that_says_the_same_as_another_is_removed(acme):
    first = says(acme, "subscribe acme/web").subscription
    other = says(acme, "subscribe acme/api").subscription
    done = says(acme, f"subscribe #{other.id} acme/web")
    assert (done.subscription, done.was, done.is_new) == (first, other, False)
    assert acme.store.subscriptions.all() == [first]


def test_a_paused_one_stays_paused(acme):
    made = says(acme, "subscribe acme/web").subscription
    says(acme, f"pause #{made.id}")
    assert not says(acme, f"subscribe #{made.id} acme/api").subscription.is_active


def test_only_the_channels_own_are_changed(acme):
    other = says(acme, "subscribe acme/web", channel="C2").subscription
    acme.store.subscriptions.put_file([Subscription(BUILDS.channel, Filters(WEB_ONLY), origin=Origin.FILE)])
    of_file = acme.store.subscriptions.of_channel(BUILDS.channel)[0]
    assert says(acme, f"subscribe #{other.id} acme/api") == NotSubscribed((f"#{other.id}",), ())
    assert says(acme, f"subscribe #{of_file.id} acme/api") == NotSubscribed((f"#{of_file.id}",), (of_file,))


# --- mute ---


def test_a_mute_of_a_repository_replaces_an_earlier_one(acme):
    says(acme, "subscribe acme/*")
    first = says(acme, "mute acme/web 2h")
    again = says(acme, "mute ACME/web 30m", BOB)
    assert isinstance(first, Muted)
    assert first.is_subscribed
    assert [mute.until for mute in acme.store.subscriptions.mutes(BUILDS.channel)] == [again.mute.until]
    assert again.mute.until - acme.clock.now() == timedelta(minutes=30)
    assert again.mute.covers("acme/web", acme.clock.now())


def test_a_mute_says_if_there_is_nothing_to_mute(acme):
    assert not says(acme, "mute 2h").is_subscribed
    says(acme, "subscribe acme/api")
    assert says(acme, "mute 2h").is_subscribed
    assert not says(acme, "mute acme/web 2h").is_subscribed
    assert says(acme, "mute acme/* 2h").is_subscribed


def test_an_end_is_in_the_default_zone_unless_one_is_named(acme):
    assert says(acme, "mute until tomorrow 9:00").zone == "UTC"
    assert says(acme, "mute until tomorrow 9:00 Europe/Berlin").zone == "Europe/Berlin"
    assert says(acme, "mute 2h").zone is None
    with pytest.raises(NotUnderstood) as error:
        says(acme, "mute acme/web until mon 9:00 Europe/Belin")
    assert error.value.instead == "mute acme/web until mon 9:00 Europe/Berlin"


def test_a_subscription_is_paused_until_it_is_resumed_or_subscribed_to_again(acme):
    made = says(acme, "subscribe acme/web").subscription
    [stopped] = says(acme, f"pause #{made.id}").subscriptions
    assert not stopped.is_active
    assert says(acme, f"resume #{made.id}").subscriptions == (made,)
    says(acme, f"pause #{made.id}")
    says(acme, "subscribe acme/web")
    assert says(acme, "subscriptions").subscriptions == (made,)
    assert says(acme, "pause #999") == NotSubscribed(("#999",), ())


@pytest.mark.parametrize("words", ["pause", "resume acme/web"])
def test_a_subscription_is_paused_by_its_number(acme, words):
    with pytest.raises(NotUnderstood) as error:
        says(acme, words)
    assert error.value.instead == "subscriptions"


def test_a_person_mutes_what_is_written_to_them_alone(acme):
    says(acme, "mute me 2h")
    until = acme.clock.now() + timedelta(hours=2)
    store = acme.store.subscriptions
    assert (store.mutes(BUILDS.channel), store.muted_until(ADA, "acme/web")) == ([], until)
    assert store.muted_until(BOB, "acme/web") is None
    says(acme, "unmute me")
    assert store.muted_until(ADA, "acme/web") is None


def test_a_person_mutes_single_repositories_for_themselves(acme):
    says(acme, "mute me acme/web 2h")
    store = acme.store.subscriptions
    assert (store.muted_until(ADA, "acme/api"), store.muted_until(ADA, "Acme/web") is None) == (None, False)


def test_unmute_ends_one_or_all(acme):
    web, whole = says(acme, "mute acme/web 2h").mute, says(acme, "mute 1h").mute
    assert says(acme, "unmute api") == Unmuted(())
    assert says(acme, "unmute acme/web") == Unmuted((web,))
    assert says(acme, "unmute") == Unmuted((whole,))


def test_subscribing_to_what_is_muted_says_so(acme):
    end = says(acme, "mute acme/web 2h").mute.until
    assert says(acme, "subscribe acme/web").muted_until == end
    assert says(acme, "subscribe acme/api").muted_until is None


# --- who may ---

SECRET = Rule(Subjects(people=frozenset({BOB.id})), ("subscribe",), NamePattern(("acme/web",)), reason="Only bob.")


@pytest.mark.parametrize(
    "text",
    [
        "subscribe acme/web",
        "subscribe ACME/WEB",
        "subscribe acme/*",
        "subscribe acme/api acme/web",
        "subscribe #1 acme/api",
        "unsubscribe acme/web",
        "mute acme/web 2h",
        "unmute acme/web",
    ],
)
def test_a_rule_about_a_repository_holds_for_its_name_and_for_patterns_that_match_it(acme, text):
    says(acme, "subscribe acme/web")
    acme.rights.set_policy(Policy((SECRET, Rule(EVERYONE))))
    with pytest.raises(NotAllowed, match="Only bob"):
        says(acme, text)
    says(acme, text, BOB)
    says(acme, "subscribe acme/api")


def test_a_rule_about_all_repositories_holds_for_mutes_of_the_channel(acme):
    acme.rights.set_policy(Policy((Rule(Subjects(people=frozenset({BOB.id})), ("subscribe",)), Rule(EVERYONE))))
    for text in ("mute 2h", "unmute", "subscribe acme/*"):
        with pytest.raises(NotAllowed):
            says(acme, text)
        says(acme, text, BOB)
    assert says(acme, "subscriptions").mutes == ()


# --- why ---


class Log:
    """A `DecisionLog` in memory."""

    def __init__(self, *decisions):
        self.decided = decisions

    def decisions(self, service, project_id, branch, channel):
        return [
            each
            for each in self.decided
            if (each.service, each.project_id) == (service, project_id)
            and branch in (None, each.branch)
            and each.channel in (None, channel)
        ]


def decided(number, reason=Reason.TOLD, branch="main", channel=BUILDS.channel):
    return Decision(NOON, "codeship", WEB.id, branch, str(number), SeenBy.LIST, reason, channel=channel)


def test_why_shows_what_was_decided_for_the_channel(acme):
    main, dev, every, elsewhere = (
        decided(7),
        decided(8, branch="dev"),
        decided(6, Reason.OLDER, channel=None),
        decided(5, channel="C2"),
    )
    acme.subscriptions._log = Log(main, dev, every, elsewhere)
    mine = says(acme, "subscribe acme/*").subscription
    says(acme, "subscribe acme/api")
    assert says(acme, "why acme/web main") == Explained(WEB, "main", (main, every), (mine,))
    assert says(acme, "why acme/web") == Explained(WEB, None, (main, dev, every), (mine,))
    assert says(acme, "why acme/web `dev`") == Explained(WEB, "dev", (dev,), (mine,))
    assert says(acme, "why acme/web nothing") == Explained(WEB, "nothing", (), (mine,))


def test_why_takes_the_url_of_a_build(acme):
    acme.ci.all_builds = [ended(7, Status.FAILED), ended(6, Status.PASSED)]
    seven, six = decided(7), decided(6)
    acme.subscriptions._log = Log(seven, six)
    page = "https://ci.example/projects/1/builds/7"
    assert says(acme, f"why {page}") == Explained(WEB, "main", (seven,), (), "7")


def test_why_is_allowed_to_everyone(acme):
    acme.rights.set_policy(Policy((Rule(Subjects()),)))
    assert says(acme, "why acme/web", Actor("U9")) == Explained(WEB, None, (), ())
    assert says(acme, "subscriptions", Actor("U9")).subscriptions == ()
