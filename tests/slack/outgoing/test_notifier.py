"""Messages that answer no request, in a workspace over real HTTP: what each of Slack's errors leads to."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.core.model.builds import Actor, Build, FailedJob, FailureLog, Location, Project, Status
from bot.core.model.follows import Follow, FollowState, FollowView, MessageGone, RetryLater, ToldLog
from bot.core.model.policy import OPEN
from bot.slack.blocks.context import RenderContext
from bot.slack.client.api_errors import BLOCKS_REFUSED, KINDS, Kind
from bot.slack.client.chat_client import ChatClient
from bot.slack.client.connections import Connections
from bot.slack.client.web_client import web_client
from bot.slack.outgoing.notifier import LONG_S, PAUSE_S, SlackNotifier
from playground.slack.model import Message
from playground.slack.server import SlackApi
from playground.slack.workspace import Workspace
from tests.held_clock import NOON, HeldClock
from tests.log_lines import configured, process_put_back
from tests.slack.several import CODESHIP

TOKEN = "xoxb-of-the-test"


def of_kind(kind: Kind) -> list[str]:
    return sorted(word for word, its in KINDS.items() if its is kind)


HOW = RenderContext("/codeship", "@codeship", {"codeship": CODESHIP}, NOON, OPEN.needs_confirmation)
WEB = Project("3", "acme/web", "codeship", "https://app.codeship.com/projects/3")
BUILD = Build("7", WEB, Status.RUNNING, "testing", branch="main", started_at=NOON)


class Slack:
    """A workspace, the bot's notifier, and one live message in #builds."""

    def __init__(self) -> None:
        self.workspace = Workspace(HeldClock().now, TOKEN, None, "secret")
        self.api = SlackApi(self.workspace)
        self.api.start()
        self.client = web_client(TOKEN, self.api.api_url, 5.0, sleep=lambda _seconds: None)
        self.connections = Connections(5.0)
        chat = ChatClient(TOKEN, self.api.api_url, self.connections, sleep=lambda _seconds: None)
        self.notifier = SlackNotifier(chat, lambda: HOW)
        channel = self.workspace.channel("#builds").id
        ts = self.client.chat_postMessage(channel=channel, text="restarted").data["ts"]  # type: ignore[call-overload]
        ada = self.workspace.person("ada").id
        self.follow = Follow("ask", "codeship", "3", "7", 1, "main", Actor(ada), Location(channel), str(ts), NOON)
        self.shown = FollowView(self.follow, BUILD)

    def says(self, where: str = "#builds") -> list[Message]:
        return [message for message in self.workspace.conversation(where, "ada") if message.bot_id]


@pytest.fixture
def slack() -> Iterator[Slack]:
    made = Slack()
    yield made
    made.connections.close()
    made.api.stop()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    with process_put_back():
        yield configured("text", "INFO")


def test_a_live_message_is_changed_in_place(slack: Slack) -> None:
    slack.notifier.show(slack.shown)
    slack.notifier.show(slack.shown)
    (message,) = slack.says()
    assert "running" in message.text
    assert message.ts == slack.follow.message_ts


def test_the_reply_goes_to_the_thread_of_the_message(slack: Slack) -> None:
    ended = replace(BUILD, status=Status.PASSED, finished_at=NOON)
    slack.notifier.reply(replace(slack.shown, build=ended))
    reply = slack.says()[-1]
    assert reply.thread_ts == slack.follow.message_ts
    assert f"<@{slack.follow.asker.id}>" in reply.text


def test_of_a_message_in_a_thread_the_reply_goes_to_the_same_thread(slack: Slack) -> None:
    head = slack.follow.message_ts
    channel = slack.follow.location.channel
    ts = slack.client.chat_postMessage(channel=channel, text="restarted", thread_ts=head).data["ts"]  # type: ignore[call-overload]
    follow = replace(slack.follow, location=Location(channel, head), message_ts=str(ts))
    slack.notifier.show(replace(slack.shown, follow=follow))
    slack.notifier.reply(replace(slack.shown, follow=follow))
    assert [message.thread_ts for message in slack.says()] == [None, head, head]
    assert "running" in slack.says()[1].text


def test_in_a_direct_message_it_is_the_same(slack: Slack) -> None:
    channel = slack.workspace.channel("@codeship", "ada").id
    ts = slack.client.chat_postMessage(channel=channel, text="restarted").data["ts"]  # type: ignore[call-overload]
    follow = replace(slack.follow, location=Location(channel), message_ts=str(ts))
    slack.notifier.show(replace(slack.shown, follow=follow))
    slack.notifier.reply(replace(slack.shown, follow=follow))
    first, second = slack.says("@codeship")
    assert "running" in first.text
    assert second.thread_ts == first.ts


# Refusals of a kind each.


@pytest.mark.parametrize("word", of_kind(Kind.DELETED))
@pytest.mark.parametrize("say", ["show", "reply"])
def test_a_deleted_message_is_lost_and_no_one_is_told(slack: Slack, say: str, word: str) -> None:
    slack.workspace.refuse("*", word)
    with pytest.raises(MessageGone) as lost:
        getattr(slack.notifier, say)(slack.shown)
    assert (str(lost.value), lost.value.is_told) == (word, False)


def test_a_message_that_its_channel_refuses_is_lost_and_the_asker_is_told(slack: Slack) -> None:
    for word in (*of_kind(Kind.LOST), *of_kind(Kind.BUG)):
        slack.workspace.refuse("chat.update", word, None)
        with pytest.raises(MessageGone) as lost:
            slack.notifier.show(slack.shown)
        assert (str(lost.value), lost.value.is_told) == (word, True)
        slack.workspace.refuse_no_more("chat.update")


@pytest.mark.parametrize("word", of_kind(Kind.PAUSE))
def test_a_bot_without_access_tries_much_later_and_logs_that(slack: Slack, log: io.StringIO, word: str) -> None:
    slack.workspace.refuse("chat.update", word)
    with pytest.raises(RetryLater) as later:
        slack.notifier.show(slack.shown)
    assert (later.value.retry_after_s, later.value.is_everywhere, later.value.may_have_happened) == (
        PAUSE_S,
        True,
        False,
    )
    assert f"why={word}" in log.getvalue()
    assert TOKEN not in log.getvalue()


def test_a_rate_limit_is_waited_for_as_long_as_slack_requests(slack: Slack) -> None:
    slack.workspace.refuse("chat.update", "ratelimited", None, retry_after_s=45)
    slack.workspace.refuse("chat.postMessage", "ratelimited", None, retry_after_s=45)
    with pytest.raises(RetryLater) as later:
        slack.notifier.show(slack.shown)
    assert (later.value.retry_after_s, later.value.is_everywhere, later.value.may_have_happened) == (45, True, False)
    with pytest.raises(RetryLater) as later:
        slack.notifier.reply(slack.shown)
    assert (later.value.retry_after_s, later.value.is_everywhere, later.value.may_have_happened) == (45, False, False)


@pytest.mark.parametrize("word", of_kind(Kind.UNKNOWN))
@pytest.mark.parametrize("status", [200, 503])
def test_after_a_server_error_the_result_is_unknown(slack: Slack, word: str, status: int) -> None:
    slack.workspace.refuse("*", word, None, status=status)
    for say in (slack.notifier.show, slack.notifier.reply):
        with pytest.raises(RetryLater) as later:
            say(slack.shown)
        assert (later.value.may_have_happened, later.value.is_everywhere) == (True, True)


@pytest.mark.parametrize("word", sorted(BLOCKS_REFUSED))
def test_if_slack_refuses_the_blocks_the_text_is_sent_alone(slack: Slack, log: io.StringIO, word: str) -> None:
    slack.workspace.refuse("chat.update", word, 1)
    slack.notifier.show(slack.shown)
    (message,) = slack.says()
    assert "running" in message.text
    assert message.blocks == ()
    assert f"why={word}" in log.getvalue()


def test_a_reply_refused_by_its_thread_goes_to_the_asker(slack: Slack) -> None:
    slack.workspace.refuse("chat.postMessage", "restricted_action_thread_locked", 1)
    slack.notifier.reply(replace(slack.shown, build=replace(BUILD, status=Status.PASSED, finished_at=NOON)))
    (told,) = slack.says("@codeship")
    assert "Slack doesn’t let me answer in" in told.text
    assert len(slack.says()) == 1


def test_an_unknown_error_code_is_retried_later_and_logged(slack: Slack, log: io.StringIO) -> None:
    word = "a_word_never_met"
    slack.workspace.refuse("chat.update", word)
    with pytest.raises(RetryLater) as later:
        slack.notifier.show(slack.shown)
    assert (later.value.retry_after_s, later.value.is_everywhere) == (LONG_S, False)
    assert f"why={word}" in log.getvalue()


def test_if_nothing_listens_nothing_was_sent(slack: Slack) -> None:
    slack.api.stop()
    for say in (slack.notifier.show, slack.notifier.reply):
        with pytest.raises(RetryLater) as later:
            say(slack.shown)
        assert (later.value.may_have_happened, later.value.is_everywhere) == (False, True)
        assert TOKEN not in str(later.value)


# What people do to a message.


def test_a_deleted_message_is_lost(slack: Slack) -> None:
    slack.client.chat_delete(channel=slack.follow.location.channel, ts=slack.follow.message_ts)
    with pytest.raises(MessageGone) as lost:
        slack.notifier.show(slack.shown)
    assert not lost.value.is_told


def test_in_an_archived_channel_the_message_is_lost_and_only_the_asker_gets_the_status(slack: Slack) -> None:
    slack.workspace.archive("#builds")
    with pytest.raises(MessageGone) as lost:
        slack.notifier.show(slack.shown)
    slack.notifier.tell(slack.shown, str(lost.value))
    (told,) = slack.says("@codeship")
    assert "acme/web" in told.text
    assert "the channel is archived" in told.text


def test_if_the_asker_cannot_be_reached_either_it_is_logged(slack: Slack, log: io.StringIO) -> None:
    slack.workspace.refuse("chat.postMessage", "account_inactive")
    slack.notifier.tell(slack.shown, "is_archived")
    assert "follow_loss_not_reported" in log.getvalue()


@pytest.mark.parametrize("state", FollowState)
def test_slack_accepts_the_message_of_a_follow_in_every_state(slack: Slack, state: FollowState) -> None:
    slack.notifier.show(replace(slack.shown, follow=replace(slack.follow, state=state)))
    assert len(slack.says()) == 1


FAILURE = FailureLog(FailedJob("test", "Run the tests"), ("E assert 3 == 4", "Process completed with exit code 1."))


def test_a_log_that_all_may_read_is_in_the_reply(slack: Slack) -> None:
    slack.notifier.reply(replace(slack.shown, log=ToldLog(FAILURE, to_all=True)))
    said = slack.says()[-1]
    assert said.ephemeral_to is None
    assert "exit code 1" in said.text


def test_a_log_that_others_may_not_read_is_shown_to_the_asker_alone_below_the_reply(slack: Slack) -> None:
    slack.notifier.reply(replace(slack.shown, log=ToldLog(FAILURE, to_all=False)))
    reply, log = slack.says()[-2:]
    assert (reply.ephemeral_to, "exit code" in reply.text) == (None, False)
    assert (log.ephemeral_to, "exit code" in log.text) == (slack.follow.asker.id, True)
    assert log.thread_ts == reply.thread_ts


def test_a_log_that_slack_does_not_show_costs_nothing_else(slack: Slack) -> None:
    slack.workspace.refuse("chat.postEphemeral", "user_not_in_channel")
    slack.notifier.reply(replace(slack.shown, log=ToldLog(FAILURE, to_all=False)))
    assert slack.says()[-1].ephemeral_to is None
