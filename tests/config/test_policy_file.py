"""The policy file: its contents, every mistake with its line, and a failed reload that changes nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.config.policy_file import PolicyError, policy_in, reload
from bot.config.toml_file import LARGEST
from bot.config.toml_lines import Lines
from bot.core.authorization import Authorizer
from bot.core.model.builds import Actor, Location
from bot.core.model.command_values import Verb
from bot.core.model.policy import (
    EVERYONE,
    OPEN,
    Allowed,
    BuildRules,
    Confirm,
    Denied,
    NamePattern,
    Policy,
    Rule,
    Subjects,
)
from tests.core.world import MemoryGroups

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "policy.example.toml"
DOCUMENT = ROOT / "docs/policy.md"
WHOLE = '[[rule]]\nwho = "everyone"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "policy.toml"


def mistakes(path: Path, text: str | bytes) -> list[tuple[int, str]]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(PolicyError) as caught:
        policy_in(str(path))
    return list(caught.value.mistakes)


def test_without_a_file_the_default_policy_applies() -> None:
    assert policy_in(None) is OPEN


DECIDING = '[[builds]]\nrepos = ["acme/*"]\ndecide = ["CI", "Release checks"]\nignore = ["Stale*"]\n'


def test_a_file_says_which_workflows_decide(path: Path) -> None:
    path.write_text(WHOLE + "\n" + DECIDING)
    policy = policy_in(str(path))
    rules = policy.builds_of("Acme/Web")
    assert rules == BuildRules(
        NamePattern(("acme/*",)), NamePattern(("CI", "Release checks")), NamePattern(("Stale*",)), line=4
    )
    assert policy.builds_of("other/web") is None


def test_the_first_entry_about_a_repository_counts(path: Path) -> None:
    path.write_text(WHOLE + '[[builds]]\nrepos = ["acme/web"]\ndecide = "CI"\n' + DECIDING)
    policy = policy_in(str(path))
    lines = [rules.line for rules in map(policy.builds_of, ("acme/web", "acme/api")) if rules]
    assert lines == [3, 6]


def test_a_file_without_rules_keeps_the_default_rules(path: Path) -> None:
    path.write_text(DECIDING)
    assert policy_in(str(path)).rules == OPEN.rules


def test_every_key_is_parsed(path: Path) -> None:
    path.write_text(
        """
        ask = "C0OPS"
        [[rule]]
        who = ["U0ADA", "W0EVE", "S0RELEASE", "C0OPS", "G0PRIVATE"]
        actions = ["restart", "follow"]
        repos = ["acme/*", "!acme/secret"]
        branches = "release/*"
        confirm = "always"
        reason = "Ask\\n  first."
        ask = "U0ADA"
        [[rule]]
        who = "nobody"
        """
    )
    who = Subjects(frozenset({"U0ADA", "W0EVE"}), ("S0RELEASE",), frozenset({"C0OPS", "G0PRIVATE"}))
    names = NamePattern(("acme/*",), ("acme/secret",)), NamePattern(("release/*",))
    first = Rule(who, ("restart", "follow"), *names, Confirm.ALWAYS, "Ask first.", "U0ADA", line=3)
    assert policy_in(str(path)) == Policy((first, Rule(Subjects(), line=11)), "C0OPS")


@pytest.mark.parametrize("text", ["\ufeff" + WHOLE, WHOLE.replace("\n", "\r\n"), 'rule = [{who = "everyone"}]'])
def test_a_byte_order_mark_and_other_line_ends_are_accepted(path: Path, text: str) -> None:
    path.write_bytes(text.encode())
    (rule,) = policy_in(str(path)).rules
    assert rule.subjects == EVERYONE


def test_an_alias_means_its_command(path: Path) -> None:
    path.write_text(WHOLE + 'actions = ["stop", "cancel", "rerun"]')
    (rule,) = policy_in(str(path)).rules
    assert rule.actions == ("cancel", "restart")


MISTAKES = [
    ("", 0, "it has no rule"),
    ("rule = 3", 1, "a rule begins with [[rule]]"),
    ('[rule]\nwho = "everyone"', 1, "a rule begins with [[rule]]"),
    ("x", 1, "this is no TOML"),
    (WHOLE + '\n\nask = "a\nb"', 5, "this is no TOML"),
    (WHOLE + 'reason = "', 3, "this is no TOML"),
    (WHOLE + 'who = "nobody"', 3, "this is no TOML: Cannot overwrite a value"),
    (b"[[rule]]\nwho = '\xff'", 2, "this is no text in UTF-8"),
    ("#" * (LARGEST + 1), 0, "larger than 64 KiB"),
    ("x = " + "[" * 30_000, 0, "it is nested too deeply"),
    ("x = " + "1" * 5_000, 0, "it is no TOML"),
    ('colour = "red"\n' + WHOLE, 1, "“colour” is not a key here"),
    ('who = "everyone"\n' + WHOLE, 1, "these are within a [[rule]]: who"),
    (WHOLE + 'reasn = "x"', 3, "“reasn” is not a key of a rule"),
    (WHOLE + "[rule.more]\nx = 1", 1, "“more” is not a key of a rule"),
    (WHOLE + "[[builds]]\nrepos = ['acme/web']", 3, "this [[builds]] names no workflow"),
    (WHOLE + "[[builds]]\ndecide = ['CI']\nwho = 'everyone'", 5, "“who” is not a key of [[builds]]"),
    (WHOLE + "[[builds]]\ndecide = []", 4, "decide is an empty list"),
    (WHOLE + "[[builds]]\nignore = 3", 4, "ignore takes a word between quotes"),
    (WHOLE + "[[builds]]\nrepos = 'web'\ndecide = 'CI'", 4, "is no repository's whole name"),
    (WHOLE + "[builds]\ndecide = 'CI'", 3, "begins with [[builds]]"),
    ("# nothing\n\n[[rule]]\n", 3, "this rule is empty"),
    ('[[rule]]\nrepos = ["acme/*"]', 1, "does not say who may"),
    ("[[rule]]\nwho = []", 2, "who is an empty list"),
    ("[[rule]]\nwho = 3", 2, "who takes a word between quotes, or a list"),
    ("[[rule]]\nwho = ['U0ADA', 3]", 2, "who takes a word between quotes, or a list"),
    ("[[rule]]\nwho = ['@ada']", 2, "“@ada” is no id"),
    ("[[rule]]\nwho = ['everyone']", 2, "“everyone” is no id"),
    ("[[rule]]\nwho = 'Everyone'", 2, "is no id"),
    ("[[rule]]\nwho = ['u0ada']", 2, "is no id"),
    (WHOLE + "actions = ['deploy']", 3, "“deploy” is no action; these are: restart, cancel, follow,"),
    (WHOLE + "actions = 'status'", 3, "always allowed"),
    (WHOLE + "actions = []", 3, "actions is an empty list"),
    (WHOLE + "actions = true", 3, "actions takes a word"),
    (WHOLE + "repos = ['acme']", 3, "“acme” is no repository's whole name"),
    (WHOLE + "repos = ['acme/web?']", 3, "is not a pattern"),
    (WHOLE + "repos = ['acme/[ab]']", 3, "is not a pattern"),
    (WHOLE + "repos = ['acme/{a,b}']", 3, "is not a pattern"),
    (WHOLE + "repos = ['!!acme/x']", 3, "is not a pattern"),
    (WHOLE + "repos = ['!']", 3, "is no pattern"),
    (WHOLE + "repos = ['']", 3, "is no pattern"),
    (WHOLE + f"repos = ['acme/{'x' * 200}']", 3, "is no pattern"),
    (WHOLE + "branches = ['two words']", 3, "is not a pattern"),
    (WHOLE + "branches = ['a..b']", 3, "can be no branch"),
    (WHOLE + "branches = ['main/']", 3, "can be no branch"),
    (WHOLE + "branches = {a = 'x'}", 3, "branches takes a word"),
    (WHOLE + "confirm = true", 3, "confirm is one of “never”, “buttons”, “always”"),
    (WHOLE + "confirm = []", 3, "confirm is one of"),
    (WHOLE + "reason = ''", 3, "reason takes words between quotes"),
    (WHOLE + "reason = 3", 3, "reason takes words between quotes"),
    (WHOLE + f"reason = '{'x' * 301}'", 3, "reason is longer than 300"),
    (f"ask = '{'x' * 101}'\n" + WHOLE, 1, "ask is longer than 100"),
    (WHOLE + WHOLE, 3, "never reached: the one in line 1 is about everything"),
    ("[[rule]]\nwho = [\n  'U0ADA', # ]\n]\nreason = '''\n[[rule]]\nwho = 1\n'''\nx = 1\n", 9, "“x” is not a key"),
]


@pytest.mark.parametrize(("text", "line", "why"), MISTAKES)
def test_a_mistake_is_reported_with_its_line_and_the_reason(path: Path, text: str | bytes, line: int, why: str) -> None:
    ((found, said),) = mistakes(path, text)
    assert why in said
    assert found == line


def test_the_complete_example_file_is_valid(path: Path) -> None:
    path.write_text(WHOLE)
    assert policy_in(str(path)) == Policy((Rule(EVERYONE, line=1),))


def test_all_mistakes_are_reported_together_in_the_order_of_their_lines(path: Path) -> None:
    text = "colour = 1\n[[rule]]\nwho = ['@ada', '@bob']\nactions = 'deploy'\n[[rule]]\n"
    assert [line for line, _ in mistakes(path, text)] == [1, 3, 3, 4, 5]
    with pytest.raises(PolicyError, match=r"policy\.toml cannot be used\.\n  line 1: “colour”") as caught:
        policy_in(str(path))
    assert str(caught.value).count("\n  line ") == 5


@pytest.mark.parametrize("name", ["missing.toml", ".", "\0"])
def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path, name: str) -> None:
    with pytest.raises(PolicyError, match="It cannot be read: "):
        policy_in(f"{tmp_path}/{name}")


def test_no_control_character_is_quoted(path: Path) -> None:
    ((_, said),) = mistakes(path, '[[rule]]\nwho = "\\u001b[31m"')
    assert said.isprintable()


@pytest.mark.parametrize(
    ("text", "rule", "key", "line"),
    [
        ("a = [\n 1,\n]\nb = 2", 0, "b", 4),
        ('a = """\nb = 1\n"""\nb = 2', 0, "b", 4),
        ("a = '''x''' # [\nb = 2", 0, "b", 2),
        ('a = "\\"["\n"b" = 2', 0, "b", 2),
        ("[[rule]]\n\n[[ rule ]] # again\n'who' = 1", 2, "who", 4),
        ("[[rule]]\n[other]\nwho = 1\n[[rule]]", 1, "who", 1),
        ("[[rule]]\n[other]\nwho = 1\n[[rule]]", 0, "other", 2),
        ("a.b = 1", 0, "a", 1),
        ("", 0, "a", 0),
    ],
)
def test_a_statement_is_found_on_its_line(text: str, rule: int, key: str, line: int) -> None:
    assert Lines(text).at(rule, key) == line


# --- the example ---

ADA, BOB, EVE = Actor("U0ADA"), Actor("U0BOB"), Actor("U0EVE")
BUILDS, RELEASES = Location("C0BUILDS"), Location("C0RELEASES")


def in_release(group: str) -> bool:
    assert group == "S0RELEASE"
    return False


@pytest.mark.parametrize(
    ("actor", "place", "action", "project", "branch", "answer"),
    [
        (ADA, BUILDS, Verb.RESTART, "acme/infrastructure", "main", Allowed()),
        (BOB, BUILDS, Verb.RESTART, "acme/infrastructure", "main", "Its owner restarts and cancels it. → U0ADA"),
        (BOB, BUILDS, Verb.CANCEL, "acme/infrastructure", "main", "Its owner restarts and cancels it. → U0ADA"),
        (ADA, BUILDS, Verb.CANCEL, "acme/web", "release/1.2", "restarted and cancelled by the release team. → C0OPS"),
        (BOB, BUILDS, Verb.FOLLOW, "acme/infrastructure", "main", Allowed()),
        (ADA, RELEASES, Verb.RESTART, "acme/web", "release/1.2", Allowed(confirm=True)),
        (ADA, BUILDS, Verb.RESTART, "acme/web", "release/1.2", "restarted and cancelled by the release team. → C0OPS"),
        (ADA, BUILDS, Verb.RESTART, "other-org/web", "main", "Only acme's own builds are run from here. → C0OPS"),
        (ADA, BUILDS, Verb.RESTART, "acme/legacy", "master", "acme/legacy is frozen. → C0OPS"),
        (BOB, BUILDS, Verb.AUDIT, None, None, Allowed()),
        (BOB, BUILDS, Verb.AUDIT, "acme/legacy", None, Allowed()),
        (EVE, BUILDS, Verb.AUDIT, None, None, "The policy lets only some people do this. → C0OPS"),
        (EVE, BUILDS, Verb.RESTART, "acme/web", "main", Allowed()),
        (EVE, BUILDS, Verb.RESTART, "acme/web", "feature/login", Allowed()),
    ],
)
def test_the_example_means_what_its_comments_say(
    actor: Actor, place: Location, action: str, project: str | None, branch: str | None, answer: object
) -> None:
    given = policy_in(str(EXAMPLE)).may(actor, place, action, project, branch, in_release)
    if isinstance(answer, str):
        assert isinstance(given, Denied)
        assert f"{given.reason} → {given.ask}".endswith(answer)
    else:
        assert given == answer


def test_the_release_team_of_the_example_is_a_user_group() -> None:
    given = policy_in(str(EXAMPLE)).may(BOB, BUILDS, Verb.RESTART, "acme/web", "release/1", lambda group: True)
    assert given == Allowed(confirm=True)


def test_the_buttons_of_the_example_need_confirmation_only_on_main_and_release_branches() -> None:
    policy = policy_in(str(EXAMPLE))
    asks = [name for name in ("main", "master", "release/1", "dev") if policy.needs_confirmation("acme/web", name)]
    assert asks == ["main", "master", "release/1"]


def test_the_documents_files_are_valid_and_its_open_one_equals_the_default(path: Path) -> None:
    files = re.findall(r"(?ms)^```toml\n(.*?)^```$", DOCUMENT.read_text())
    assert files
    for text in files:
        path.write_text(text)
        policy_in(str(path))
    path.write_text(next(text for text in files if "without a file" in text))
    rules = policy_in(str(path)).rules
    assert [(str(rule), rule.subjects, rule.confirm) for rule in rules] == [
        (str(rule), rule.subjects, rule.confirm) for rule in OPEN.rules
    ]


# --- reloading ---


def test_a_reload_activates_the_new_rules_and_logs_that(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.write_text(WHOLE)
    rights = Authorizer(OPEN, MemoryGroups())
    assert reload(str(path), rights)
    assert rights.policy == Policy((Rule(EVERYONE, line=1),))
    assert "policy_reloaded" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "x", WHOLE + "reasn = 'x'", None])
def test_a_failed_reload_keeps_the_rules_and_logs_that(
    path: Path, text: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        path.write_text(text)
    rights = Authorizer(OPEN, MemoryGroups())
    assert not reload(str(path), rights)
    assert rights.policy is OPEN
    logged = capsys.readouterr().out
    assert "policy_error" in logged
    assert "policy_not_reloaded" in logged


@pytest.mark.parametrize(
    ("who", "subjects"),
    [
        ('"guests"', Subjects(groups=("guests",))),
        ('["guests", "S0RELEASE"]', Subjects(groups=("guests", "S0RELEASE"))),
        ('"!guests"', Subjects(everyone=True, no_guests=True)),
        ('["C0BUILDS", "!guests"]', Subjects(channels=frozenset({"C0BUILDS"}), no_guests=True)),
    ],
)
def test_a_rule_names_guests_or_leaves_them_out(path: Path, who: str, subjects: Subjects) -> None:
    path.write_text(f"[[rule]]\nwho = {who}\n")
    assert policy_in(str(path)).rules[0].subjects == subjects
