"""Which builds a subscription matches, which it does not and why, and how many are compared to find out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest

from bot.core.model.builds import Actor
from bot.core.model.names.name_patterns import NamePattern, fits_pattern
from bot.core.model.notifications import subscriptions
from bot.core.model.notifications.subscriptions import Event, Filters, Mismatch, Mute, Subscription, SubscriptionIndex

WEB = NamePattern(("acme/web",))
REPOSITORY, BRANCH, WORKFLOW = Mismatch


def filters(repos="acme/web", branches="", workflows="", service=None):
    return Filters(pattern(repos), service, pattern(branches), workflows=pattern(workflows))


def pattern(text):
    names = text.split()
    return NamePattern(
        tuple(name for name in names if name[0] != "!"), tuple(name[1:] for name in names if name[0] == "!")
    )


@pytest.mark.parametrize(
    ("wanted", "repository", "branch", "default", "expected"),
    [
        (filters(), "acme/web", "main", "main", None),
        (filters(), "Acme/Web", "main", "main", None),
        (filters(), "acme/webs", "main", "main", REPOSITORY),
        (filters(), "acme/web", "feature", "main", BRANCH),
        (filters(), "acme/web", "main", "trunk", BRANCH),
        (filters(), "acme/web", "trunk", "trunk", None),
        (filters(), "acme/web", "master", None, None),
        (filters(), "acme/web", "main", None, None),
        (filters(), "acme/web", "trunk", None, BRANCH),
        (filters(), "acme/web", None, None, BRANCH),
        (filters("acme/*"), "acme/web", "main", "main", None),
        (filters("acme/web-*"), "acme/web", "main", "main", REPOSITORY),
        (filters("acme/* !acme/old*"), "acme/old-web", "main", "main", REPOSITORY),
        (filters("acme/* !acme/old*"), "acme/web", "main", "main", None),
        (filters("!acme/web"), "acme/api", "main", "main", None),
        (filters("!acme/web"), "acme/web", "main", "main", REPOSITORY),
        (filters("acme/api acme/web"), "acme/web", "main", "main", None),
        (filters(branches="main release/*"), "acme/web", "release/1/2", "main", None),
        (filters(branches="main release/*"), "acme/web", "Main", "main", BRANCH),
        (filters(branches="main release/*"), "acme/web", "hotfix", "hotfix", BRANCH),
        (filters(branches="* !wip/*"), "acme/web", "wip/a", "main", BRANCH),
        (filters(branches="* !wip/*"), "acme/web", "feature", "main", None),
        (filters(branches="*"), "acme/web", None, "main", None),
        (filters(branches="!master"), "acme/web", "master", None, BRANCH),
        (filters(branches="!master"), "acme/web", "main", None, None),
        (filters(service="github"), "acme/web", "main", "main", None),
        (filters(service="codeship"), "acme/web", "main", "main", REPOSITORY),
    ],
)
def test_a_build_matches_or_the_first_reason_why_not_is_known(wanted, repository, branch, default, expected):
    assert wanted.mismatch("github", repository, branch, default) is expected
    subscription = Subscription("C1", wanted)
    assert subscription.matches("github", repository, branch, default) is (expected is None)


@pytest.mark.parametrize(
    ("workflows", "names", "expected"),
    [
        ("", ["CI"], None),
        ("", [], None),
        ("ci", ["CI", "build.yml"], None),
        ("build.yml", ["CI", "build.yml"], None),
        ("ci", ["Nightly"], WORKFLOW),
        ("ci", [], WORKFLOW),
        ("!nightly*", ["Nightly build", "cron.yml"], WORKFLOW),
        ("!nightly*", ["CI", "build.yml"], None),
        ("!nightly*", [], None),
        ("!cron.yml", ["Nightly build", "cron.yml"], WORKFLOW),
    ],
)
def test_a_workflow_is_matched_by_its_name_or_its_file(workflows, names, expected):
    assert filters(workflows=workflows).mismatch("github", "acme/web", "main", "main", names) is expected


def test_the_default_is_broke_and_fixed():
    subscription = Subscription("C1", filters())
    assert [event for event in Event if subscription.wants(event)] == [Event.BROKE, Event.FIXED]


def test_a_mute_covers_its_repositories_until_its_end():
    end = datetime(2026, 3, 2, 12, tzinfo=UTC)
    before = end - timedelta(seconds=1)
    web = Mute("C1", end, Actor("U1"), before, WEB)
    assert web.covers("ACME/web", before)
    assert not web.covers("acme/web", end)
    assert not web.covers("acme/api", before)
    assert Mute("C1", end, Actor("U1"), before).covers("acme/api", before)


def a_thousand():
    """Half of them name one of 300 repositories, half are patterns that all differ."""
    for number in range(1_000):
        repos = f"acme/r{number % 300}" if number % 2 else f"acme/r*{number} acme/*-{number}* !acme/r{number}"
        yield Subscription(f"C{number % 50}", filters(repos), id=number + 1)


def test_the_index_finds_what_matching_each_one_finds():
    every = [
        *a_thousand(),
        Subscription("C1", filters("!acme/r7"), id=2_000),
        Subscription("C2", filters("*"), id=1_999),
    ]
    index = SubscriptionIndex(every)
    for name in ("acme/r7", "ACME/R13", "acme/r999", "acme/x-512y", "other/thing"):
        expected = [each.id for each in every if each.filters.repositories.matches(name, any_case=True)]
        for _again in range(2):
            assert [each.id for each in index.of_repository("github", name)] == sorted(expected)


def test_a_pattern_is_compared_once_per_repository(monkeypatch):
    compared = []

    def counted(one, name):
        compared.append(one)
        return fits_pattern(one, name)

    index = SubscriptionIndex([*a_thousand(), Subscription("C1", filters("acme/*"), id=3_000)])
    monkeypatch.setattr(subscriptions, "fits_pattern", counted)
    assert len(index.of_repository("github", "acme/r7")) > 1
    once = len(compared)
    assert once < 1_100  # the thousand patterns, and the exceptions of those that fit
    for _build in range(100):
        index.of_repository("github", "acme/r7")
    assert len(compared) == once


def test_a_thousand_subscriptions_are_matched_against_a_build_within_a_millisecond():
    index = SubscriptionIndex(a_thousand())
    builds = [(f"acme/r{number % 300}", "main") for number in range(3_000)]
    for repository, _branch in builds[:300]:
        index.of_repository("github", repository)
    began = perf_counter()
    for repository, branch in builds:
        for subscription in index.of_repository("github", repository):
            subscription.filters.mismatch_within(branch, "main")
    assert (perf_counter() - began) / len(builds) < 0.001
