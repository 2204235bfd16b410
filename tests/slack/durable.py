"""Shared by the tests of requests that change something, which jobs carry out step by step."""

from __future__ import annotations

import json

from bot.core.model.builds import Actor, Location
from bot.core.model.command_entries import Command
from bot.core.model.commands import parse
from bot.core.model.errors import NotUnderstood
from bot.slack.handler import RequestHandler
from bot.slack.incoming.payloads import SlackRequest, Source
from bot.slack.incoming.text import words_of_command
from playground.sandbox import Sandbox
from playground.slack.plain_text import as_text
from tests.slack.steps import Crash, Steps


def conversation(stage: Sandbox) -> RequestHandler:
    assert stage.bot is not None
    assert stage.bot.work is not None
    return stage.bot.work.handler


def ask(
    stage: Sandbox, text: str, source: Source = Source.COMMAND, *, person: str = "U0ADA", number: int = 1
) -> SlackRequest:
    channel = stage.workspace.channel("#builds").id
    try:
        command: Command | NotUnderstood = parse(words_of_command(text))
    except NotUnderstood as error:
        command = error
    return SlackRequest(source, Actor(person), Location(channel), f"{source.value}:{number}", False, command, text)


def does(stage: Sandbox, slack_request: SlackRequest, steps: Steps) -> None:
    """Runs to its end, in another process if the first one dies."""
    job = conversation(stage).job_of(slack_request)
    try:
        conversation(stage).job(json.loads(json.dumps(job)), steps)
    except Crash:
        stage.stop_bot()
        stage.start_bot()
        conversation(stage).job(json.loads(json.dumps(job)), steps)


def posts(stage: Sandbox) -> int:
    return sum(request.call == "restart" for request in stage.codeship.requests)


def said(stage: Sandbox) -> list[str]:
    messages = stage.workspace.conversation("#builds", "ada")
    return ["\n".join(as_text(message, stage.workspace.names)) for message in messages if message.bot_id]
