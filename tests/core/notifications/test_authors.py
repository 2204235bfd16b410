"""Who is told that they broke a branch: the linked author alone, once, as they want it, and never by a guess."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.model.builds import Build, Location, Status
from bot.core.model.claims import Claim
from bot.core.model.command_values import BranchCommand, Verb, Word
from bot.core.model.follows import RetryLater
from bot.core.model.notification_commands.values import OnIt
from bot.core.model.notifications.deliveries import ChannelRefuses, DeliveryState
from bot.core.model.notifications.reasons import Reason
from bot.core.model.notifications.subscriptions import Mute
from bot.core.model.people.authors import CommitAuthor, listed_email
from bot.core.model.people.commands import NotifyCommand, NotMine
from bot.core.model.people.outcomes import NotMineNoted
from bot.core.model.people.settings import NotifySettings, Scope, Way
from bot.core.people.authors import wants
from tests.core.notifications.hearing import ADA, BOB, CHANNEL, WEB, Hearing
from tests.core.world import project

REPO = Word.of("acme/web")
ADA_L = CommitAuthor("Ada-L")


@pytest.fixture
def linked(hearing: Hearing) -> Hearing:
    """Ada's account is linked, her commits come, and main is good."""
    hearing.store.people.claim("ada-l", ADA, hearing.clock.now())
    hearing.author = ADA_L
    hearing.subscribe()
    hearing.goes("10 ok")
    return hearing


def breaks(hearing: Hearing) -> None:
    hearing.goes("11 bad ; 10 ok")


def wait(hearing: Hearing, seconds: float = 15) -> None:
    hearing.jobs.pass_time(seconds)


def test_the_author_is_told_once_a_period_after_the_channel_and_with_its_message(linked):
    breaks(linked)
    assert linked.heard() == ["web main broke 11"]
    assert linked.slack.authors == []
    wait(linked)
    assert linked.slack.authors == [(ADA.id, "acme/web main broke 11", CHANNEL, "1.0")]
    linked.goes("12 bad ; 11 bad ; 10 ok", "11' bad ; 10 ok", "13 ok", "14 bad ; 13 ok")
    wait(linked)
    assert [words for _, words, _, _ in linked.slack.authors] == ["acme/web main broke 11", "acme/web main broke 14"]
    assert linked.store.outbox.queue(ADA.id) == []


def test_the_author_of_the_first_failure_is_told_not_of_the_newest(linked):
    linked.builds("11 bad", "10 ok")
    linked.author = CommitAuthor("bob")
    linked.builds("12 bad", "11 bad", "10 ok")
    linked.poll()
    wait(linked)
    assert [(person, words) for person, words, _, _ in linked.slack.authors] == [(ADA.id, "acme/web main broke 11")]


@pytest.mark.parametrize(
    "author",
    [
        None,
        CommitAuthor(),
        CommitAuthor("ada"),
        CommitAuthor("ada-l[bot]"),
        CommitAuthor("web-flow", "ada@acme.example"),
        CommitAuthor("dependabot[bot]", "ada@acme.example"),
        CommitAuthor(None, "ada@other.example"),
        CommitAuthor(None, "1234+ada-l@users.noreply.github.com"),
        CommitAuthor(None, "noreply@acme.example"),
        CommitAuthor(None, "eve@acme.example"),
    ],
)
def test_no_person_is_told_of_what_is_not_certainly_theirs(linked, author):
    linked.emails["ada@acme.example"] = linked.emails["ada@other.example"] = ADA
    linked.author = author
    breaks(linked)
    wait(linked)
    assert linked.slack.authors == []
    assert linked.heard()[0] == "web main broke 11"


def test_a_listed_address_of_one_person_is_enough_and_a_link_comes_first(linked):
    linked.emails["bob@acme.example"] = BOB
    linked.author = CommitAuthor("robert", "Bob@Acme.Example")
    breaks(linked)
    wait(linked)
    assert [person for person, *_ in linked.slack.authors] == [BOB.id]
    linked.author = CommitAuthor("ada-l", "bob@acme.example")
    linked.goes("12 ok", "13 bad ; 12 ok")
    wait(linked)
    assert [person for person, *_ in linked.slack.authors] == [BOB.id, ADA.id]


@pytest.mark.parametrize(
    ("email", "listed"),
    [
        ("Ada@ACME.example", "ada@acme.example"),
        ("ada@acme.example.org", None),
        ("ada@sub.acme.example", None),
        ("acme.example", None),
        ("@acme.example", None),
        ("no-reply@acme.example", None),
        ("noreply+ada@acme.example", None),
        ("x@users.noreply.acme.example", None),
        (None, None),
    ],
)
def test_only_addresses_of_listed_domains_count(email, listed):
    assert listed_email(email, frozenset({"acme.example", "users.noreply.acme.example"})) == listed


def test_a_person_who_wants_a_mention_is_named_in_the_message_and_gets_no_other(linked):
    linked.does(NotifyCommand(way=Way.MENTION), ADA)
    breaks(linked)
    wait(linked)
    assert linked.heard() == ["web main broke 11, by U0ADA"]
    assert linked.slack.authors == []
    linked.goes("12 bad ; 11 bad ; 10 ok")
    assert linked.heard() == ["web main still 12, by U0ADA"]


def test_a_person_who_turned_it_off_or_wants_default_branches_only_hears_nothing_else(linked):
    linked.does(NotifyCommand(Scope.OFF), ADA)
    breaks(linked)
    wait(linked)
    assert linked.slack.authors == []
    linked.does(NotifyCommand(Scope.MAIN), ADA)
    linked.subscribe(branch="topic")
    linked.goes("13 ok topic ; 12 ok", "15 bad topic ; 14 bad ; 13 ok topic ; 12 ok")
    wait(linked)
    assert [words for _, words, _, _ in linked.slack.authors] == ["acme/web main broke 14"]


@pytest.mark.parametrize(
    ("scope", "branch", "default", "wanted"),
    [
        (Scope.MINE, "topic", "main", True),
        (Scope.MAIN, "topic", "main", False),
        (Scope.MAIN, "trunk", "trunk", True),
        (Scope.MAIN, "main", "trunk", False),
        (Scope.MAIN, "master", None, True),
        (Scope.MAIN, None, None, False),
        (Scope.OFF, "main", "main", False),
    ],
)
def test_which_branches_a_person_hears_of(scope, branch, default, wanted):
    broken = Build("11", replace(WEB, default_branch=default), Status.FAILED, "error", branch=branch)
    assert wants(NotifySettings(scope), broken) is wanted


def test_what_is_fixed_before_it_was_sent_is_not_sent(linked):
    breaks(linked)
    linked.goes("12 ok ; 11 bad ; 10 ok")
    wait(linked)
    assert linked.slack.authors == []
    assert linked.store.outbox.queue(ADA.id) == []


def test_a_person_who_has_pressed_restart_is_not_told_and_not_named(linked):
    breaks(linked)
    [failed] = [build for build in linked.ci.all_builds if build.id == "11"]
    claim = Claim("codeship", WEB.id, "11", 1, ADA, Location(CHANNEL), failed.run, linked.clock.now())
    assert linked.store.claims.claim(claim) is not None
    wait(linked)
    assert linked.slack.authors == []
    linked.does(NotifyCommand(way=Way.MENTION), ADA)
    linked.goes("12 ok")
    assert linked.store.claims.claim(replace(claim, build_id="13")) is not None
    linked.goes("13 bad ; 12 ok")
    assert linked.heard()[-1] == "web main broke 13"


def test_a_person_who_is_on_it_is_not_told(linked):
    breaks(linked)
    linked.does(OnIt(REPO, "main", _period(linked)), ADA)
    wait(linked)
    assert linked.slack.authors == []


def test_not_mine_stops_it_for_the_period_and_unlinks_nothing(linked):
    linked.does(NotifyCommand(way=Way.MENTION), ADA)
    breaks(linked)
    linked.jobs.pass_time(1)
    assert linked.does(NotMine(REPO, "main", _period(linked)), ADA) == NotMineNoted(WEB, "main")
    wait(linked)
    assert linked.heard() == ["web main on it 11"]
    linked.goes("12 bad ; 11 bad ; 10 ok")
    assert linked.heard() == ["web main still 12"]
    assert linked.store.people.of_person(ADA) is not None
    linked.goes("13 ok", "14 bad ; 13 ok")
    assert linked.heard()[-1] == "web main broke 14, by U0ADA"


def test_not_mine_of_another_person_changes_nothing_of_the_author(linked):
    linked.does(NotifyCommand(way=Way.MENTION), ADA)
    breaks(linked)
    linked.jobs.pass_time(1)
    linked.does(BranchCommand(Verb.NOT_MINE, REPO), BOB)
    wait(linked)
    assert linked.heard() == ["web main on it 11, by U0ADA"]


def test_a_lost_answer_is_repeated_once_and_a_refusal_pauses_the_person_alone(linked):
    breaks(linked)
    linked.slack.after += [RetryLater("no answer", may_have_happened=True)]
    wait(linked)
    wait(linked, 60)
    assert [person for person, *_ in linked.slack.authors] == [ADA.id, ADA.id]
    linked.goes("12 ok", "13 bad ; 12 ok")
    linked.slack.failures += [ChannelRefuses("messages_tab_disabled")]
    wait(linked)
    [mine] = linked.store.outbox.queue(ADA.id)
    assert (mine.state, mine.reason) == (DeliveryState.PAUSED, "messages_tab_disabled")
    assert all(each.is_active for each in linked.store.subscriptions.all())
    assert linked.slack.told == []
    linked.jobs.pass_time(3700)
    linked.sender.restart_late()
    wait(linked, 0)
    assert len(linked.slack.authors) == 3


def test_a_lost_job_is_started_again(linked):
    breaks(linked)
    linked.jobs.lose_all()
    wait(linked, 40)
    linked.sender.restart_late()
    wait(linked, 0)
    assert len(linked.slack.authors) == 1


def test_a_person_who_breaks_much_at_once_gets_one_message(linked):
    projects = [project(number, f"acme/repo{number}") for number in range(10, 15)]
    linked.world.knows(*projects)
    for each in projects:
        linked.builds("20 ok", of=each)
    linked.poll()
    for each in projects:
        linked.builds("21 bad", "20 ok", of=each)
    linked.poll()
    wait(linked, 90)
    assert linked.slack.authors == []
    assert len(linked.heard(ADA.id)) == 1
    assert linked.heard(ADA.id)[0].startswith("digest (commit): repo10 main broke 21")


def test_what_is_fixed_meanwhile_is_not_in_the_one_message_about_much(linked):
    projects = [project(number, f"acme/repo{number}") for number in range(10, 14)]
    linked.world.knows(*projects)
    for each in projects:
        linked.builds("20 ok", of=each)
    linked.poll()
    for each in projects:
        linked.builds("21 bad", "20 ok", of=each)
    linked.poll()
    linked.goes("22 ok ; 21 bad ; 20 ok", of=projects[-1])
    wait(linked, 90)
    [said] = linked.heard(ADA.id)
    assert "repo12" in said
    assert "repo13" not in said


def test_what_slack_refused_and_is_fixed_holds_up_nothing(linked):
    breaks(linked)
    linked.slack.failures += [ChannelRefuses("messages_tab_disabled")]
    wait(linked)
    linked.goes("12 ok", "13 bad ; 12 ok")
    wait(linked)
    assert [words for _, words, _, _ in linked.slack.authors] == ["acme/web main broke 13"]


def test_a_muted_channel_stays_silent_and_the_author_is_told(linked):
    linked.store.subscriptions.mute(Mute(CHANNEL, linked.clock.now() + timedelta(hours=1), ADA, linked.clock.now()))
    breaks(linked)
    wait(linked)
    assert linked.heard() == []
    assert linked.slack.authors == [(ADA.id, "acme/web main broke 11", None, None)]


def test_a_person_who_muted_their_own_messages_is_not_told(linked):
    linked.store.subscriptions.mute(Mute(ADA.id, linked.clock.now() + timedelta(hours=1), ADA, linked.clock.now()))
    breaks(linked)
    wait(linked)
    assert linked.heard() == ["web main broke 11"]
    assert linked.slack.authors == []


def test_an_unknown_login_is_asked_once_and_why_names_it(hearing):
    hearing.author = CommitAuthor("bob-b")
    hearing.subscribe()
    hearing.goes("10 ok", "11 bad ; 10 ok", "12 ok", "13 bad ; 12 ok")
    wait(hearing)
    assert [said.strip(" *") for said in hearing.heard()].count("is bob-b you?") == 1
    assert hearing.reasons().count(Reason.NOT_LINKED) == 2
    assert hearing.slack.authors == []


def _period(hearing: Hearing) -> str:
    states = dict(hearing.store.watching.project("codeship", WEB.id).branches)
    period = states["main"].period
    assert period is not None
    return period.id
