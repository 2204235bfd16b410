"""Digests in a simulated Slack: with its chart, and without it once Slack refuses it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.core.model.builds import Actor
from bot.core.model.follows import RetryLater
from bot.core.model.notifications.deliveries import ChannelRefuses
from bot.core.model.notifications.reports import DayRate, Rate
from bot.slack.client.api_errors import BLOCKS_REFUSED
from bot.slack.client.chat_client import ChatClient
from bot.slack.client.connections import Connections
from bot.slack.messages.channels.reports import report_chart, report_message
from bot.slack.outgoing.announcer import SlackAnnouncer
from playground.slack.block_rules import message_faults
from playground.slack.server import SlackApi
from playground.slack.workspace import Workspace
from tests.held_clock import HeldClock
from tests.slack.messages.one_service import HOW
from tests.slack.messages.reports_drawn import FULL, MOST, NOTHING
from tests.slack.several import BOTH

TOKEN = "xoxb-of-the-test"
POST = "chat.postMessage"


class Slack:
    """A workspace, and the bot's announcer."""

    def __init__(self) -> None:
        self.workspace = Workspace(HeldClock().now, TOKEN, None, "secret")
        self.api = SlackApi(self.workspace)
        self.api.start()
        self.connections = Connections(5.0)
        chat = ChatClient(TOKEN, self.api.api_url, self.connections, sleep=lambda _seconds: None)
        self.announcer = SlackAnnouncer(chat, lambda: HOW)
        self.report = replace(FULL, channel=self.workspace.channel("#builds").id)

    @property
    def kinds(self) -> list[list[str]]:
        """The types of each message's blocks."""
        said = [message for message in self.workspace.conversation("#builds", "ada") if message.bot_id]
        return [[str(block["type"]) for block in message.now.blocks or ()] for message in said]


@pytest.fixture
def slack() -> Iterator[Slack]:
    made = Slack()
    yield made
    made.connections.close()
    made.api.stop()


WITHOUT = ["rich_text", "context", "rich_text"]
WITH = [*WITHOUT, "data_visualization"]


def test_the_chart_is_the_last_block(slack: Slack) -> None:
    slack.announcer.post_report(slack.report)
    assert slack.kinds == [WITH]


@pytest.mark.parametrize("word", sorted(BLOCKS_REFUSED))
def test_without_the_chart_if_slack_refuses_it_and_so_from_then_on(slack: Slack, word: str) -> None:
    slack.workspace.refuse(POST, word)
    slack.announcer.post_report(slack.report)
    slack.announcer.post_report(slack.report)
    assert slack.kinds == [WITHOUT, WITHOUT]


def test_the_text_alone_if_slack_refuses_that_too(slack: Slack) -> None:
    for _ in range(2):
        slack.workspace.refuse(POST, "invalid_blocks")
    slack.announcer.post_report(slack.report)
    assert slack.kinds == [[]]


@pytest.mark.parametrize(
    ("word", "error"), [("not_in_channel", ChannelRefuses), ("fatal_error", RetryLater), ("ratelimited", RetryLater)]
)
def test_other_refusals_are_the_senders_matter(slack: Slack, word: str, error: type[Exception]) -> None:
    slack.workspace.refuse(POST, word)
    with pytest.raises(error):
        slack.announcer.post_report(slack.report)
    slack.announcer.post_report(slack.report)
    assert slack.kinds == [WITH]


def test_who_set_it_hears_that_the_channel_refuses(slack: Slack) -> None:
    ada = Actor(slack.workspace.person("ada").id)
    slack.workspace.refuse(POST, "internal_error")
    slack.announcer.tell_report_refused(ada, slack.report.channel, "is_archived")
    slack.announcer.tell_report_refused(ada, slack.report.channel, "is_archived")
    (told,) = [message for message in slack.workspace.conversation("@codeship", "ada") if message.bot_id]
    assert "the channel is archived" in told.text


def test_the_chart_is_within_slacks_limits() -> None:
    chart: dict[str, Any] | None = report_chart(FULL)  # type: ignore[assignment]
    assert chart is not None
    assert message_faults("text", [chart]) == []
    assert len(chart["title"]) <= 50
    drawn = chart["chart"]
    categories = drawn["axis_config"]["categories"]
    assert len(categories) == len(set(categories)) <= 20
    assert all(len(name) <= 20 for name in [*categories, *(series["name"] for series in drawn["series"])])
    for series in drawn["series"]:
        assert [point["label"] for point in series["data"]] == categories
    passed, failed = ([point["value"] for point in series["data"]] for series in drawn["series"])
    assert (passed, failed) == ([5, 7, 0, 29], [1, 0, 0, 6])


def test_a_digest_of_long_names_is_within_slacks_limits() -> None:
    drawn, chart = report_message(MOST, BOTH), report_chart(MOST)
    assert message_faults(drawn.text, [*drawn.blocks, chart]) == []
    assert "500 branches were broken" in drawn.text


def test_no_chart_of_a_day_or_of_nothing() -> None:
    assert report_chart(NOTHING) is None
    assert report_chart(replace(FULL, days=(DayRate("Mon 2", Rate(1, 2)), DayRate("Tue 3", Rate())))) is None
