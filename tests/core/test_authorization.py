"""Permissions: refused before anything is fetched, if possible, and always before a claim."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.model.builds import Status
from bot.core.model.command_entries import Command
from bot.core.model.command_values import BranchCommand, BuildCommand, ShowAudit, Verb, Word
from bot.core.model.errors import BranchRequired, NeedsConfirmation, NoSuchBranch, NotAllowed
from bot.core.model.names.name_patterns import NamePattern
from bot.core.model.outcomes import BuildShown, Restarted, StillRunning
from bot.core.model.policy import EVERYONE, OPEN, Confirm, Policy, Rule, Subjects
from tests.core.world import ADA, BOB, World, build, press, project, restart, status, target

WEB = project(1, "acme/web")
MAIN, DEV = build(7, WEB), build(8, WEB, "dev")
PAGE = "https://ci.example/projects/1/builds/7"
MAIN_IS_ADAS = Policy(
    (
        Rule(Subjects(frozenset({ADA.id})), branches=NamePattern(("main",)), reason="Only ada.", ask=ADA.id),
        Rule(EVERYONE),
    )
)
CONFIRMED = Policy((Rule(EVERYONE, branches=NamePattern(("main",)), confirm=Confirm.ALWAYS), Rule(EVERYONE)))


@pytest.fixture
def web(world: World) -> World:
    world.has(DEV, MAIN)
    return world


def refused(world: World, command: Command) -> NotAllowed:
    with pytest.raises(NotAllowed) as caught:
        world.ask(command, BOB)
    assert world.ci.posts == []
    assert world.store.claims.newest("codeship", ["7"]) == []
    return caught.value


@pytest.mark.parametrize(
    ("command", "calls"),
    [
        (restart("acme/web", "main"), []),
        (restart("WEB", "main"), []),
        (restart("https://github.com/acme/web/tree/main"), []),
        (press(MAIN), []),
        (press(replace(MAIN, branch=None)), ["builds"]),
        (BranchCommand(Verb.RESTART, Word.of("acme/web"), Word.of("“main”", "main")), ["builds"] * 2),
        (restart(PAGE), ["builds"]),
    ],
)
def test_a_refusal_says_why_and_whom_to_ask_and_costs_no_unneeded_call(
    web: World, command: Command, calls: list[str]
) -> None:
    web.rights.set_policy(MAIN_IS_ADAS)
    web.ci.calls.clear()
    refusal = refused(web, command)
    assert (str(refusal), refusal.ask, refusal.group_unknown) == ("Only ada.", ADA.id, False)
    assert web.ci.calls == calls


def test_a_try_again_is_refused_like_a_restart(web: World) -> None:
    web.rights.set_policy(MAIN_IS_ADAS)
    refused(web, replace(press(MAIN), instead_of=(1, 1)))


def test_the_only_branch_is_checked_even_if_it_was_not_named(world: World) -> None:
    world.has(MAIN)
    world.rights.set_policy(MAIN_IS_ADAS)
    refused(world, restart("acme/web"))


def test_the_branch_that_the_service_shows_counts_not_the_one_on_the_button(web: World) -> None:
    web.rights.set_policy(MAIN_IS_ADAS)
    everything = target(replace(MAIN, branch=None))
    refused(web, replace(press(MAIN), target=everything))


def test_a_rule_refuses_only_the_people_and_places_it_names(web: World) -> None:
    web.rights.set_policy(MAIN_IS_ADAS)
    assert isinstance(web.ask(restart("acme/web", "main"), ADA), Restarted)
    assert isinstance(web.ask(restart("acme/web", "dev"), BOB), Restarted)


@pytest.mark.parametrize(
    "command",
    [
        status("acme/web", "main"),
        BranchCommand(Verb.BUILDS, Word.of("acme/web"), Word.of("main")),
        BuildCommand(Verb.STATUS, target(MAIN)),
    ],
)
def test_requests_that_change_nothing_need_no_permission(web: World, command: Command) -> None:
    web.rights.set_policy(Policy((Rule(Subjects()),)))
    web.ask(command, BOB)


def test_a_missing_or_unknown_branch_is_reported_before_permissions(web: World) -> None:
    web.rights.set_policy(MAIN_IS_ADAS)
    with pytest.raises(BranchRequired):
        web.ask(restart("acme/web"), BOB)
    with pytest.raises(NoSuchBranch):
        web.ask(restart("acme/web", "mian"), BOB)


def test_the_audit_is_shown_only_to_people_with_permission(web: World) -> None:
    web.rights.set_policy(Policy((Rule(Subjects(frozenset({ADA.id})), actions=("audit",)), Rule(EVERYONE))))
    web.ask(ShowAudit(), ADA)
    refused(web, ShowAudit())
    refused(web, ShowAudit(Word.of("acme/web")))


def test_a_group_that_cannot_be_requested_refuses_and_says_so(web: World) -> None:
    web.rights.set_policy(Policy((Rule(Subjects(groups=("S0RELEASE",))),)))
    assert refused(web, restart("acme/web", "main")).group_unknown
    web.groups.members["S0RELEASE"] = {ADA.id}
    assert not refused(web, restart("acme/web", "main")).group_unknown
    web.groups.members["S0RELEASE"] = {BOB.id}
    assert isinstance(web.ask(restart("acme/web", "main"), BOB), Restarted)


def test_no_group_is_fetched_without_a_rule_that_names_one(web: World) -> None:
    web.ask(restart("acme/web", "main"), BOB)
    assert web.groups.asked == []


# --- confirmation ---


def test_without_a_file_a_typed_restart_is_done_at_once(web: World) -> None:
    assert web.rights.policy is OPEN
    assert web.rights.needs_confirmation("acme/web", "main")
    assert isinstance(web.ask(restart("acme/web", "main")), Restarted)


@pytest.mark.parametrize("command", [restart("acme/web", "main"), press(MAIN)])
def test_a_required_confirmation_shows_the_build_and_its_run(web: World, command: Command) -> None:
    web.rights.set_policy(CONFIRMED)
    with pytest.raises(NeedsConfirmation) as caught:
        web.ask(command)
    assert (caught.value.build, caught.value.run_number, caught.value.instead_of) == (MAIN, 1, None)
    assert web.ci.posts == []
    assert web.store.claims.newest("codeship", ["7"]) == []


@pytest.mark.parametrize("command", [restart("acme/web", "main"), press(MAIN)])
def test_once_confirmed_it_is_done(web: World, command: BranchCommand) -> None:
    web.rights.set_policy(CONFIRMED)
    assert isinstance(web.ask(replace(command, confirmed=True)), Restarted)


def test_other_branches_need_no_confirmation(web: World) -> None:
    web.rights.set_policy(CONFIRMED)
    assert isinstance(web.ask(restart("acme/web", "dev")), Restarted)


def test_a_build_that_cannot_be_restarted_needs_no_confirmation(world: World) -> None:
    world.has(build(7, WEB, status=Status.RUNNING))
    world.rights.set_policy(CONFIRMED)
    assert isinstance(world.ask(restart("acme/web", "main")), StillRunning)


def test_permission_is_checked_before_confirmation(web: World) -> None:
    web.rights.set_policy(Policy((Rule(Subjects(), confirm=Confirm.ALWAYS, reason="No."),)))
    refused(web, restart("acme/web", "main"))


def test_a_confirmation_gives_no_permission(web: World) -> None:
    web.rights.set_policy(MAIN_IS_ADAS)
    refused(web, replace(restart("acme/web", "main"), confirmed=True))


def test_a_new_policy_applies_from_the_next_request_on(web: World) -> None:
    web.rights.set_policy(MAIN_IS_ADAS)
    refused(web, press(MAIN))
    web.rights.set_policy(OPEN)
    assert isinstance(web.ask(press(MAIN), BOB), Restarted)
    assert isinstance(web.ask(status("acme/web", "main"), BOB), BuildShown)
