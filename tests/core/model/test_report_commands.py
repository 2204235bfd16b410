"""The words of `digest`, as tables: what each line means, and the correction for each that is wrong."""

from __future__ import annotations

import pytest

from bot.core.model.command_values import Verb
from bot.core.model.commands import parse
from bot.core.model.errors import NotUnderstood
from bot.core.model.notification_commands.values import SetReport, ShowReport, StopReport
from bot.core.model.notifications.reports import Every, Schedule
from bot.slack.blocks.button_values import action_id_of, command_of, value_of
from bot.slack.incoming.text import words_of_command

MONDAY = Schedule(Every.WEEKLY, 9, 0, "mon")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("digest", ShowReport()),
        ("digest now", ShowReport(now=True)),
        ("digest off", StopReport()),
        ("digest None", StopReport()),
        ("digest weekly mon 9:00", SetReport(MONDAY)),
        ("digest weekly", SetReport(MONDAY)),
        ("digest weekly on Monday at 9am", SetReport(MONDAY)),
        ("digest every monday 9:00", SetReport(MONDAY)),
        ("digest weekly fri 17.30 Europe/Berlin", SetReport(Schedule(Every.WEEKLY, 17, 30, "fri"), "Europe/Berlin")),
        ("digest weekly mon 9:00 [Europe/Berlin]", SetReport(MONDAY, "Europe/Berlin")),
        ("digest daily 9:00", SetReport(Schedule(Every.DAILY, 9, 0))),
        ("digest daily", SetReport(Schedule(Every.DAILY, 9, 0))),
        ("digest 7:30 UTC daily", SetReport(Schedule(Every.DAILY, 7, 30), "UTC")),
    ],
)
def test_a_line_means(text: str, expected: SetReport | StopReport | ShowReport) -> None:
    assert parse(words_of_command(text)) == expected


@pytest.mark.parametrize(
    ("text", "why", "instead"),
    [
        ("digest wekly mon 9:00", "“wekly” is no part", "digest weekly mon 9:00"),
        ("digest weekly munday", "“munday” is no part", "digest weekly sunday"),
        ("digest weekly mon 25:00", "“25:00” is no part", None),
        ("digest weekly mon tue", "“tue” is no part", None),
        ("digest daily mon 8:00", "A daily digest has no weekday.", "digest weekly mon 8:00"),
        ("digest acme/web", "“acme/web” is no part", None),
        ("digest now off", "“now” is no part", None),
    ],
)
def test_a_wrong_line_is_explained(text: str, why: str, instead: str | None) -> None:
    with pytest.raises(NotUnderstood) as raised:
        parse(words_of_command(text))
    assert str(raised.value).startswith(why)
    assert (raised.value.topic, raised.value.instead) == (Verb.DIGEST, instead)


@pytest.mark.parametrize("command", [SetReport(MONDAY, "Europe/Berlin"), StopReport(), ShowReport(), ShowReport(True)])
def test_a_button_can_carry_it(command: SetReport | StopReport | ShowReport) -> None:
    value = value_of(command)
    assert value is not None
    assert command_of(action_id_of(command), value) == command
