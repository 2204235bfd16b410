"""The bot's Home: what a person follows, their builds and repositories, and help. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.core.model.builds import Build, Location, Project, find_build, newest_of_each
from bot.core.model.command_values import Verb
from bot.core.model.commands import TABLE, entry_for
from bot.core.model.errors import LastKnown
from bot.core.model.follows import Follow
from bot.core.model.names.channel_names import ChannelName
from bot.core.model.people.settings import AccountLink, NotifySettings
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block, plain
from bot.slack.blocks.rich_text import Line, ago, channel, code, emoji, join_dots, line, since, timestamp
from bot.slack.messages.builds import branch_named, headline, repository
from bot.slack.messages.channels.channel_names import meaning_of
from bot.slack.messages.people.accounts import account, settings_choices, settings_line
from bot.slack.views.elements import View, section, small
from bot.slack.views.form import Preset, form_button

REFRESH = "home:refresh"
"""The action id of [Refresh]."""
NOTIFY = re.compile(r"^home:notify:\d\Z")
"""The action ids of the buttons that say what the person hears; their values are the words after `notify`."""
MAX_FOLLOWED, MAX_RECENT, MAX_CHANNELS, MAX_MINE = 10, 8, 10, 5
_BRANCHES = 3
_FRESH_S = 60.0


@dataclass(frozen=True, slots=True)
class Followed:
    """A live message that the person asked for, its repository, and what is last known of its builds."""

    follow: Follow
    project: Project
    known: LastKnown | None


@dataclass(frozen=True, slots=True)
class Recent:
    """A repository that the person asked about, and what is last known of its builds."""

    project: Project
    known: LastKnown | None


@dataclass(frozen=True, slots=True)
class Mine:
    """The person's GitHub account, if one is linked, what they hear, and their newest builds, as last known."""

    link: AccountLink | None = None
    settings: NotifySettings = field(default_factory=NotifySettings)
    builds: Sequence[Build] = ()


@dataclass(frozen=True, slots=True)
class HomeShown:
    """What the Home shows. `channels`: the names of each of the person's channels. `at`: when it was made.

    `is_refreshing`: newer states will follow in a moment.
    """

    followed: Sequence[Followed]
    recent: Sequence[Recent]
    channels: Sequence[Sequence[ChannelName]]
    at: datetime
    is_refreshing: bool = False
    mine: Mine = field(default_factory=Mine)


def home(shown: HomeShown, context: RenderContext) -> View:
    """Within Slack's 100 blocks: at most ten followed builds, eight repositories and ten channels."""
    refresh = {"type": "button", "action_id": REFRESH, "text": plain("Refresh"), "value": "home"}
    blocks: list[Block] = [
        {"type": "actions", "elements": [form_button("Open form"), refresh]},
        small(_as_of(shown)),
        _title("Following"),
        *[section(_followed(one, context), _where(one)) for one in shown.followed[:MAX_FOLLOWED]],
    ]
    if not shown.followed:
        blocks.append(
            small(line("Nothing. Builds that you restart or ", code("follow"), " are here until they finish."))
        )
    blocks += [_title("My builds"), *_mine(shown.mine, context)]
    blocks.append(_title("Recent repositories"))
    blocks += [_recent(one, number, context) for number, one in enumerate(shown.recent[:MAX_RECENT], 1)]
    if not shown.recent:
        blocks.append(small(line("None yet. For example: ", code(f"{context.command} {TABLE[0].example}"))))
    blocks.append(_title("My channels"))
    blocks += [section(_channel(names, context)) for names in shown.channels[:MAX_CHANNELS] if names]
    if not shown.channels:
        example = code(f"{context.command} {entry_for(Verb.USE).example}")
        blocks.append(small(line("None yet. In a channel, ", example, " sets its default repository.")))
    blocks += [_title("Commands"), section(*(line(code(f"{context.command} {entry.usage}")) for entry in TABLE))]
    return {"type": "home", "blocks": blocks}


def _mine(mine: Mine, context: RenderContext) -> list[Block]:
    """The newest builds of the person's commits, and what they hear of those that break a branch."""
    if mine.link is None:
        command = code(f"{context.command} {entry_for(Verb.LINK).example}")
        linked = line("Link your GitHub account to see your builds here: ", command)
    else:
        linked = line("GitHub account: ", account(mine.link.login))
    builds = [section(headline(build, context)) for build in mine.builds[:MAX_MINE]]
    if mine.link is not None and not builds:
        builds = [small(line("No recent builds of your commits are known."))]
    choices = [
        {"type": "button", "action_id": f"home:notify:{number}", "text": plain(label), "value": " ".join(command.words)}
        for number, (label, command) in enumerate(settings_choices(mine.settings))
    ]
    return [*builds, small(linked, settings_line(mine.settings)), {"type": "actions", "elements": choices}]


def _as_of(shown: HomeShown) -> Line:
    return line("As of ", timestamp(shown.at, "{time_secs}"), ". Refreshing …" if shown.is_refreshing else ".")


def _title(text: str) -> Block:
    return {"type": "header", "text": plain(text)}


def _followed(one: Followed, context: RenderContext) -> Line:
    build = find_build(one.known.builds, one.follow.build_id) if one.known else None
    if build is not None:
        return headline(build, context)
    name = line(repository(one.project), " ", branch_named(one.follow.branch))
    return line(emoji("hourglass_flowing_sand"), " ", name)


def _where(one: Followed) -> Line:
    location = one.follow.location
    where = line("in this app’s messages") if location.is_between_two else line("in ", channel(location.channel))
    return join_dots(where, line("followed ", since(one.follow.began_at)))


def _recent(one: Recent, number: int, context: RenderContext) -> Block:
    """The newest builds of up to three branches, with a button that opens the form for the repository."""
    button = form_button("Choose …", Preset(repo=context.meaning(one.project).exact), number)
    lines = [_state(build, context) for build in newest_of_each(one.known.builds)[:_BRANCHES]] if one.known else []
    if not lines:
        lines = [line(repository(one.project), " · no builds known yet")]
    elif one.known and one.known.age_s > _FRESH_S:
        lines.append(line(f"last known status, {ago(one.known.age_s)}"))
    return {**section(*lines), "accessory": button}


def _channel(names: Sequence[ChannelName], context: RenderContext) -> Line:
    """`#builds: acme/web main · 2 aliases`."""
    default = next((name for name in names if not name.alias), None)
    aliases = len(names) - (1 if default else 0)
    means = meaning_of(default, context) if default else line("no default repository")
    count = f"{aliases} aliases" if aliases > 1 else "1 alias" if aliases else None
    where = line("this app’s messages") if _is_direct(names[0]) else line(channel(names[0].channel))
    return join_dots(line(where, ": ", means), count)


def _is_direct(name: ChannelName) -> bool:
    return Location(name.channel).is_between_two


def _state(build: Build, context: RenderContext) -> Line:
    return headline(build, context)
