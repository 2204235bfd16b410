"""Simulated events, written as text: in CI, in its services, and between Slack and the bot.

One table feeds the terminal, the transcripts and their help.
"""

from __future__ import annotations

from playground.codeship import model as codeship_records
from playground.github import model as github_records
from playground.play import codeship_events as codeship_hand
from playground.play import github_events as github_hand
from playground.play.event_table import Said, gesture
from playground.sandbox import Sandbox
from playground.slack.model import CannotDo


def trigger(sandbox: Sandbox, words: str) -> None:
    """Triggers the event that the words name. Raises CannotDo if it is unknown or impossible."""
    for row in WORLD_EVENTS:
        found = row.pattern.fullmatch(words.strip())
        if found:
            try:
                row.does(sandbox, found.groupdict())
            except (codeship_records.NotFound, github_records.NotFound, github_records.NotPossible) as why:
                raise CannotDo(str(why)) from None
            return
    raise CannotDo("unknown event. Events: " + "; ".join(row.usage for row in WORLD_EVENTS))


def _push(sandbox: Sandbox, said: Said) -> None:
    """Pushes to every service that has the repository: to both during a move."""
    repo, branch, message, by = said["repo"], said["branch"], said["message"], said["who"]
    at_codeship = repo in {project.repository_name for project in sandbox.codeship.projects()}
    on_github = sandbox.github is not None and repo in {one.full_name for one in sandbox.github.repos()}
    if sandbox.github is not None and on_github:
        sandbox.github.push(repo, branch, message=message, by=by)
    if at_codeship or not on_github:
        sandbox.codeship.push(repo, branch, message=message, by=by)


def _again(sandbox: Sandbox, _said: Said) -> None:
    sandbox.workspace.deliver_again()


def _invite(sandbox: Sandbox, said: Said) -> None:
    sandbox.workspace.invite_the_app(said["channel"])


def _throw_out(sandbox: Sandbox, said: Said) -> None:
    sandbox.workspace.throw_out_the_app(said["channel"])


def _archive(sandbox: Sandbox, said: Said) -> None:
    sandbox.workspace.archive(said["channel"])


def _delete(sandbox: Sandbox, _said: Said) -> None:
    sandbox.workspace.delete_the_apps_last_message()


def _joins(sandbox: Sandbox, said: Said) -> None:
    workspace = sandbox.workspace
    members, person = workspace.user_groups.setdefault(said["group"], set()), workspace.person(said["who"])
    (members.add if said["how"] == "joins" else members.discard)(person.id)


def _refuse(sandbox: Sandbox, said: Said) -> None:
    sandbox.workspace.refuse(said["method"], said["error"])


def _previews(sandbox: Sandbox, said: Said) -> None:
    sandbox.workspace.previews_links(said["domain"])


def _restart_bot(sandbox: Sandbox, _said: Said) -> None:
    sandbox.stop_bot()
    sandbox.start_bot()


WORLD_EVENTS = (
    *codeship_hand.WORLD_EVENTS,
    *github_hand.WORLD_EVENTS,
    gesture(
        "NAME pushes REPO BRANCH “MESSAGE”",
        r"(?P<who>\S+) pushes (?P<repo>\S+) (?P<branch>\S+) “(?P<message>[^”]*)”",
        _push,
    ),
    gesture("Slack delivers again", r"Slack delivers again", _again),
    gesture("the bot is invited to #CHANNEL", r"the bot is invited to (?P<channel>#\S+)", _invite),
    gesture("the bot is thrown out of #CHANNEL", r"the bot is thrown out of (?P<channel>#\S+)", _throw_out),
    gesture("#CHANNEL is archived", r"(?P<channel>#\S+) is archived", _archive),
    gesture("the bot’s last message is deleted", r"the bot’s last message is deleted", _delete),
    gesture("NAME joins|leaves GROUP", r"(?P<who>[a-z]+) (?P<how>joins|leaves) (?P<group>S\w+)", _joins),
    gesture(
        "Slack refuses METHOD with ERROR", r"Slack refuses (?P<method>[a-z]+\.[a-zA-Z.]+) with (?P<error>\w+)", _refuse
    ),
    gesture("the app previews links of DOMAIN", r"the app previews links of (?P<domain>\S+)", _previews),
    gesture("the bot is restarted", r"the bot is restarted", _restart_bot),
)
