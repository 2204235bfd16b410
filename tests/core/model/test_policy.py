"""Policies: patterns, the rule that decides, and what a refusal says."""

from __future__ import annotations

import time

import pytest

from bot.core.model.builds import Actor, Location
from bot.core.model.command_values import Verb
from bot.core.model.policy import (
    EVERYONE,
    NO_REASON,
    NO_RULE,
    OPEN,
    Allowed,
    Confirm,
    Denied,
    NamePattern,
    Policy,
    Rule,
    Subjects,
)

ADA, BOB = Actor("U0ADA"), Actor("U0BOB")
BUILDS, OPS = Location("C0BUILDS"), Location("C0OPS", "1.2")
NOBODY = Subjects()
ONLY_ADA = Subjects(frozenset({"U0ADA"}))
RELEASE = Subjects(groups=("S0RELEASE",))


def not_asked(group: str) -> bool | None:
    raise AssertionError(f"{group} was asked for")


def may(policy: Policy, actor: Actor = ADA, project: str | None = "acme/web", branch: str | None = "main") -> object:
    return policy.may(actor, BUILDS, Verb.RESTART, project, branch, not_asked)


def names(*patterns: str) -> NamePattern:
    return NamePattern(
        tuple(p for p in patterns if not p.startswith("!")), tuple(p[1:] for p in patterns if p.startswith("!"))
    )


@pytest.mark.parametrize(
    ("patterns", "fitting", "others"),
    [
        ((), ["acme/web", "", "x"], []),
        (("main",), ["main"], ["Main", "mainly", "main/x", "domain", ""]),
        (("*",), ["main", "release/1/2", ""], []),
        (("release/*",), ["release/1", "release/1/hot", "release/"], ["release", "pre-release/1"]),
        (("*/web",), ["acme/web", "a/b/web"], ["web", "acme/webby"]),
        (("acme/*-api",), ["acme/pay-api", "acme/-api"], ["acme/api", "acme/pay-api-old"]),
        (("a*b*c",), ["abc", "a1b2c", "abbc"], ["acb", "ab", "ac"]),
        (("aa*aa",), ["aaaa", "aabaa"], ["aaa", "aa"]),
        (("a**b",), ["ab", "axb"], ["a"]),
        (("acme/*", "!acme/secret"), ["acme/web", "acme/secrets"], ["acme/secret", "other/web"]),
        (("!acme/secret",), ["acme/web", "other/web"], ["acme/secret"]),
        (("*", "!release/*", "!main"), ["dev"], ["release/1", "main"]),
        (("a.c", "[x]"), ["a.c", "[x]"], ["abc", "x"]),
    ],
)
def test_a_pattern_matches_what_people_expect(patterns: tuple[str, ...], fitting: list[str], others: list[str]) -> None:
    assert [name for name in [*fitting, *others] if names(*patterns).matches(name)] == fitting


@pytest.mark.parametrize(
    ("patterns", "fits"), [((), True), (("*",), True), (("*", "!main"), False), (("main",), False), (("!main",), False)]
)
def test_a_missing_name_matches_if_every_name_would(patterns: tuple[str, ...], fits: bool) -> None:
    assert names(*patterns).matches(None) is fits


def test_a_long_pattern_and_a_long_name_match_in_linear_time() -> None:
    began = time.perf_counter()
    assert not NamePattern(("a*" * 99 + "b",)).matches("a" * 100_000)
    assert time.perf_counter() - began < 1.0


def test_repositories_are_distinguished_in_any_case_and_branches_by_case() -> None:
    rule = Rule(ONLY_ADA, repos=names("Acme/*"), branches=names("Main"))
    assert rule.is_about(Verb.RESTART, "aCME/web", "Main")
    assert not rule.is_about(Verb.RESTART, "acme/web", "main")


def test_the_first_matching_rule_decides_alone() -> None:
    policy = Policy((Rule(ONLY_ADA, branches=names("main"), reason="Ada's.", ask="U0ADA"), Rule(EVERYONE)))
    assert may(policy, ADA) == Allowed()
    assert may(policy, BOB) == Denied("Ada's.", "U0ADA")
    assert may(policy, BOB, branch="dev") == Allowed()


def test_an_exception_passes_the_request_on_to_later_rules() -> None:
    policy = Policy((Rule(EVERYONE, repos=names("acme/*", "!acme/secret")), Rule(ONLY_ADA, repos=names("acme/secret"))))
    assert may(policy, BOB) == Allowed()
    assert may(policy, BOB, "acme/secret") == Denied(NO_REASON)
    assert may(policy, ADA, "acme/secret") == Allowed()


def test_a_request_that_no_rule_matches_is_refused() -> None:
    policy = Policy((Rule(EVERYONE, repos=names("acme/*")),), ask="the ops team")
    assert may(policy, ADA, "other/web") == Denied(NO_RULE, "the ops team")


def test_whom_to_ask_comes_from_the_rule_or_else_from_the_policy() -> None:
    rules = (Rule(NOBODY, branches=names("a"), ask="U0BOB"), Rule(NOBODY))
    assert may(Policy(rules, ask="C0OPS"), branch="a") == Denied(NO_REASON, "U0BOB")
    assert may(Policy(rules, ask="C0OPS"), branch="b") == Denied(NO_REASON, "C0OPS")


def test_a_rule_covers_the_actions_that_it_names_or_else_all() -> None:
    policy = Policy((Rule(ONLY_ADA, actions=(Verb.AUDIT,)), Rule(EVERYONE, actions=(Verb.RESTART, Verb.FOLLOW))))

    def answer(action: str) -> object:
        return policy.may(BOB, BUILDS, action, "acme/web", None, not_asked)

    assert isinstance(answer(Verb.AUDIT), Denied)
    assert answer(Verb.FOLLOW) == Allowed()
    assert answer("delete") == Denied(NO_RULE)
    assert Rule(EVERYONE).is_about("delete", None, None)


def test_a_channel_means_everyone_who_asks_there_also_in_a_thread() -> None:
    policy = Policy((Rule(Subjects(channels=frozenset({"C0OPS"}))),))
    assert policy.may(BOB, OPS, Verb.RESTART, "acme/web", "main", not_asked) == Allowed()
    assert isinstance(policy.may(BOB, BUILDS, Verb.RESTART, "acme/web", "main", not_asked), Denied)


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ({"S1": True, "S2": False}, Allowed()),
        ({"S1": False, "S2": True}, Allowed()),
        ({"S1": None, "S2": True}, Allowed()),
        ({"S1": False, "S2": False}, Denied(NO_REASON)),
        ({"S1": None, "S2": False}, Denied(NO_REASON, group_unknown=True)),
        ({"S1": False, "S2": None}, Denied(NO_REASON, group_unknown=True)),
    ],
)
def test_membership_in_one_group_is_enough_and_unknown_membership_is_not(
    told: dict[str, bool | None], answer: object
) -> None:
    policy = Policy((Rule(Subjects(groups=("S1", "S2"))),))
    assert policy.may(ADA, BUILDS, Verb.RESTART, "acme/web", "main", told.__getitem__) == answer


@pytest.mark.parametrize(
    ("subjects", "is_guest", "included"),
    [
        (Subjects(groups=("guests",)), True, True),
        (Subjects(groups=("guests",)), False, False),
        (Subjects(groups=("guests",)), None, None),
        (Subjects(everyone=True, no_guests=True), True, False),
        (Subjects(everyone=True, no_guests=True), False, True),
        (Subjects(everyone=True, no_guests=True), None, None),
        (Subjects(frozenset({BOB.id}), no_guests=True), False, False),
        (Subjects(frozenset({ADA.id}), no_guests=True), True, False),
    ],
)
def test_a_rule_may_name_guests_or_leave_them_out(
    subjects: Subjects, is_guest: bool | None, included: bool | None
) -> None:
    assert subjects.includes(ADA, BUILDS, {"guests": is_guest}.__getitem__) is included
    policy = Policy((Rule(subjects), Rule(Subjects(groups=("S1", "guests")))))
    assert (policy.names_guests, policy.groups) == (True, ("S1",))


def test_groups_are_fetched_only_if_they_decide() -> None:
    with_ada = Subjects(frozenset({"U0ADA"}), groups=("S0RELEASE",))
    policy = Policy((Rule(with_ada, branches=names("main")), Rule(RELEASE, branches=names("x")), Rule(EVERYONE)))
    assert may(policy, ADA) == Allowed()
    assert may(policy, BOB, branch="dev") == Allowed()
    with pytest.raises(AssertionError, match="S0RELEASE was asked for"):
        may(policy, BOB)
    assert policy.groups == ("S0RELEASE",)


def test_typed_restarts_need_confirmation_only_with_confirm_always() -> None:
    rules = [Rule(EVERYONE, branches=names(confirm.value), confirm=confirm) for confirm in Confirm]
    policy = Policy(tuple(rules))
    assert [may(policy, branch=confirm.value) for confirm in Confirm] == [Allowed(), Allowed(), Allowed(confirm=True)]
    assert [policy.needs_confirmation("acme/web", confirm.value) for confirm in Confirm] == [False, True, True]
    assert not policy.needs_confirmation("acme/web", "no rule is about it")


@pytest.mark.parametrize(
    ("branch", "asks"),
    [
        ("main", True),
        ("master", True),
        ("release/1.2.io", True),
        ("release/1/hot", True),
        ("release", False),
        ("Main", False),
        ("feature/main", False),
        (None, False),
    ],
)
def test_without_a_file_everyone_may_and_the_buttons_of_main_branches_need_confirmation(
    branch: str | None, asks: bool
) -> None:
    assert OPEN.needs_confirmation("acme/web", branch) is asks
    for action in (Verb.RESTART, Verb.FOLLOW, Verb.AUDIT, "delete"):
        assert OPEN.may(BOB, BUILDS, action, "acme/web", branch, not_asked) == Allowed()
        assert OPEN.may(BOB, BUILDS, action, None, None, not_asked) == Allowed()


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Rule(EVERYONE), "everything in *"),
        (Rule(EVERYONE, ("restart",), names("acme/*", "!acme/secret"), names("main")),
         "restart acme/* except acme/secret on main"),
    ],
)  # fmt: skip
def test_a_rule_is_shown_as_a_sentence(rule: Rule, said: str) -> None:
    assert str(rule) == said
