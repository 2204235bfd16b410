"""The playground in a terminal: typed lines in, text and numbered buttons out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from playground.play.terminal import WELCOME, Terminal
from playground.play.world_events import WORLD_EVENTS
from playground.sandbox import HALF_MOVED, SECRETS, Sandbox
from tests.held_clock import HeldClock

STATUS = "/codeship status acme/web main"


class Screen:
    """A terminal, and what was printed for the last line that it was given."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.stage = sandbox
        self._printed: list[str] = []
        self.terminal = Terminal(sandbox, self._printed.append)

    def __call__(self, line: str) -> list[str]:
        self._printed.clear()
        assert self.terminal.take(line)
        return list(self._printed)


@pytest.fixture
def screen() -> Iterator[Screen]:
    with Sandbox(HeldClock(), ack_timeout_s=30.0, environ=HALF_MOVED) as stage:
        assert stage.settle()
        yield Screen(stage)


def test_a_command_is_answered_with_text_and_numbered_buttons(screen: Screen) -> None:
    printed = screen(STATUS)
    assert printed[0].startswith(":x: *acme/web main failed")
    assert printed[-1].strip() == "[1 Restart] [2 Refresh] [3 Open build]"


def test_a_button_is_pressed_by_its_number(screen: Screen) -> None:
    screen(STATUS)
    printed = screen("1")
    assert any("*acme/web main restarted" in line for line in printed)
    assert any(line.startswith("(changed) ") for line in printed), "the pressed message has changed"
    assert sum("[4 " in line for line in printed) == 1, "new buttons go on counting"


def test_a_link_says_what_it_opens(screen: Screen) -> None:
    screen(STATUS)
    assert screen("3")[0].startswith("  (opens https://")


def test_a_number_without_a_button_is_reported(screen: Screen) -> None:
    for number in ("0", "99", "1"):
        assert screen(number) == [f"  (there is no button {number})"]


def test_a_removed_button_is_reported(screen: Screen) -> None:
    screen(STATUS)
    screen("1")
    (told, *_) = screen("1")
    assert told.startswith("  (")
    assert "Button(" not in told


def test_a_player_can_act_as_any_person(screen: Screen) -> None:
    assert screen.terminal.prompt == "ada in #builds> "
    screen(":bob")
    assert screen.terminal.prompt == "bob in #builds> "
    screen("/codeship restart acme/web main")
    assert any("requested by @bob" in line for line in screen(":again"))
    assert screen(":eve") == ["  (there is no person called eve)"]


def test_an_ephemeral_message_is_not_shown_to_another_person(screen: Screen) -> None:
    assert screen("/codeship help") != []
    screen(":bob")
    assert not any("codeship restart" in line for line in screen(":again"))


def test_a_player_can_switch_channels(screen: Screen) -> None:
    screen(STATUS)
    assert screen(":in #random") == []
    assert screen.terminal.prompt == "ada in #random> "
    assert any("/invite @codeship" in line for line in screen(STATUS)), "the bot is no member there"
    assert screen(":in #builds")[0].startswith(":x: *acme/web main")
    assert screen(":in @codeship") == []
    assert screen("status acme/api main")[0].startswith(":white_check_mark: *acme/api main")
    assert screen(":in #nowhere") == ["  (ada cannot see #nowhere)"]
    assert screen.terminal.prompt == "ada in @codeship> "


def test_a_mention_is_answered_in_its_thread_and_a_player_can_open_it(screen: Screen) -> None:
    typed, answer, *_ = screen("@codeship status acme/web main")
    assert typed == "ada: @codeship status acme/web main"
    assert answer.startswith("↳ :x: *acme/web main")
    screen(":thread")
    assert screen.terminal.prompt == "ada in the thread> "
    assert screen("@codeship status acme/api main")[0].startswith("↳ ")
    screen(":in")
    assert screen.terminal.prompt == "ada in #builds> "


def test_without_messages_there_is_no_thread(screen: Screen) -> None:
    assert screen(":thread") == ["  (there are no messages here yet)"]


def test_events_are_triggered_by_commands(screen: Screen) -> None:
    screen(STATUS)
    assert screen("! acme/web main passes") == []
    assert screen("2")[0].startswith("(changed) :white_check_mark:")
    assert screen("! acme/web main explodes")[0].startswith("  (unknown event. Events: ")


def test_help_names_every_command(screen: Screen) -> None:
    printed = screen("?")
    for words in (":bob", ":in #random", ":thread", ":again", ":quit", *(gesture.usage for gesture in WORLD_EVENTS)):
        assert any(words in line for line in printed), words


def test_an_empty_line_does_nothing(screen: Screen) -> None:
    assert screen("") == []
    assert screen("   ") == []


def test_quit_leaves(screen: Screen) -> None:
    for words in (":quit", ":q", " :quit "):
        assert screen.terminal.take(words) is False, words


def test_the_welcome_text_is_true(screen: Screen) -> None:
    for line in (STATUS, "/codeship status acme/shop main", "@codeship restart acme/api main", "?"):
        assert line in WELCOME
        assert screen(line)[0][:2] != "  (", line


def test_no_secret_of_the_sandbox_is_shown(screen: Screen) -> None:
    shown = [line for words in (STATUS, "?", "! CodeShip refuses the key", STATUS, ":again") for line in screen(words)]
    for secret in SECRETS:
        assert secret not in "\n".join(shown)
