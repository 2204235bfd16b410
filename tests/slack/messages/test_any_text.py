"""With any text of people, CI services or old buttons, no message raises, pings, or breaks Slack's limits or types."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model import errors
from bot.core.model.builds import Actor, Build, Project, Status
from bot.core.model.command_values import BranchCommand
from bot.core.model.outcomes import BranchesShown, BuildShown, BuildsShown, Outcome, ProjectsShown
from bot.slack.blocks.rich_text import sanitize
from bot.slack.messages.errors import render_bug, render_error
from bot.slack.messages.render import Message, being_cancelled, render, with_invitation
from tests.examples import examples
from tests.slack.messages.any_text import HOW, builds, commands, failures, hold, maybe, mistakes, outcomes, texts
from tests.slack.messages.drawn import dialogs


@examples(15, 300, outcomes, st.builds(Actor, texts))
def test_any_outcome_can_be_shown(outcome: Outcome, asker: Actor) -> None:
    drawn = render(outcome, context=HOW, asker=asker)
    hold(drawn)
    assert with_invitation(drawn, "@codeship").text.startswith(drawn.text)


@examples(15, 100, builds, st.builds(Actor, texts))
def test_any_build_can_be_shown_as_being_cancelled(build: Build, asker: Actor) -> None:
    hold(being_cancelled(build, HOW, asker))


@examples(15, 300, error=mistakes | failures, command=st.none() | commands, reference=maybe)
def test_any_error_can_be_shown(error: errors.BotError, command: BranchCommand | None, reference: str | None) -> None:
    drawn = render_error(error, command, context=HOW, reference=reference)
    hold(drawn)
    assert not drawn.in_public


@given(reference=texts, command=st.none() | commands)
def test_any_bug_can_be_shown(reference: str, command: BranchCommand | None) -> None:
    hold(render_bug(reference, command, context=HOW))


@given(texts, st.integers(2, 200))
def test_an_error_is_one_line_of_bounded_length(text: str, max_length: int) -> None:
    shown = sanitize(text, max_length)
    assert len(shown.encode("utf-16-le")) <= 2 * max_length
    assert shown == shown.strip()
    assert not re.search(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]", shown)


LONG = Build(
    id="3" * 40,
    project=Project("33837", "n" * 400, "codeship", "https://app.codeship.com/" + "p" * 500),
    status=Status.UNKNOWN,
    status_word="w" * 400,
    branch="b" * 240,
    commit="c" * 40,
    message="m" * 400,
    author="a" * 400,
    finished_at=HOW.now,
    url="https://app.codeship.com/" + "u" * 500,
    commit_url="https://github.com/" + "v" * 500,
)
FULL: list[Callable[[], Message]] = [
    lambda: render(BuildShown(LONG), context=HOW),
    lambda: render(BuildsShown(LONG.project, None, (LONG,) * 10), context=HOW),
    lambda: render(BranchesShown(LONG.project, (LONG,) * 10), context=HOW),
    lambda: render(ProjectsShown("w", (LONG.project,) * 20, 1, 2, 40), context=HOW),
    lambda: render_error(errors.BranchRequired(LONG.project, ["b" * 240] * 10), None, context=HOW, reference=None),
    lambda: render_error(errors.NeedsConfirmation(LONG, 1, (17, 2)), None, context=HOW, reference=None),
]


@pytest.mark.parametrize("drawing", FULL)
def test_the_largest_message_fits_and_keeps_its_head(drawing: Callable[[], Message]) -> None:
    drawn = drawing()
    hold(drawn)
    assert "nnn" in drawn.text


def test_the_largest_build_keeps_its_buttons_and_their_dialogs() -> None:
    for message in (render(BuildShown(LONG), context=HOW), FULL[-1]()):
        (dialog,) = dialogs(message).values()
        assert "bbb…" in dialog["title"]
        assert "nnn… bbb" in dialog["text"]
