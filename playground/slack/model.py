"""The parts of a workspace as values: people, channels, messages and their versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Block = Mapping[str, Any]


class CannotDo(Exception):
    """A person tried what Slack's client would not allow. `str()` says what."""


@dataclass(frozen=True, slots=True)
class Team:
    id: str
    name: str
    domain: str


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    team_id: str


@dataclass(frozen=True, slots=True)
class Shortcut:
    """`name` is what people see."""

    name: str
    kind: Literal["global", "message"]
    callback_id: str


@dataclass(frozen=True, slots=True)
class App:
    """The app under test as installed in the workspace."""

    id: str
    name: str
    team: Team
    user_id: str
    bot_id: str
    commands: tuple[str, ...]
    events: frozenset[str]
    shortcuts: tuple[Shortcut, ...] = ()
    unfurl_domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Channel:
    id: str
    name: str
    kind: Literal["public", "private", "im"]
    members: frozenset[str]
    is_shared: bool = False
    is_archived: bool = False

    @property
    def name_in_payloads(self) -> str:
        return {"public": self.name, "private": "privategroup", "im": "directmessage"}[self.kind]


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a message. `number` counts every change in the workspace; `at` is in seconds since the epoch.

    `via` says how it was made: "typed", a Web API method, "response_url", "ack", "slackbot".
    """

    number: int
    at: float
    via: str
    text: str
    blocks: tuple[Block, ...] = ()
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """`versions` has at least one, the oldest first. `thread_ts` is the message that this one replies to.

    `is_broadcast`: a reply that the channel shows, too.
    """

    ts: str
    channel_id: str
    user_id: str
    versions: tuple[Version, ...]
    bot_id: str | None = None
    thread_ts: str | None = None
    ephemeral_to: str | None = None
    metadata: Mapping[str, Any] | None = field(default=None, compare=False)
    is_broadcast: bool = False

    @property
    def now(self) -> Version:
        return self.versions[-1]

    @property
    def text(self) -> str:
        return self.now.text

    @property
    def blocks(self) -> tuple[Block, ...]:
        return self.now.blocks

    @property
    def deleted(self) -> bool:
        return self.now.deleted

    @property
    def edited(self) -> bool:
        return len(self.versions) > 1 and not self.deleted

    @property
    def number(self) -> int:
        """The number of its newest change. Numbers grow over all messages."""
        return self.now.number

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass(frozen=True, slots=True)
class TypedCommand:
    """A slash command as a person typed it. It creates no message; `after` is the last change before it."""

    user_id: str
    channel_id: str
    text: str
    at: float
    after: int


TEAM = Team("T0ACME", "Acme", "acme")
ADA = Person("U0ADA", "ada", TEAM.id)
BOB = Person("U0BOB", "bob", TEAM.id)
GUEST = Person("U0GUEST", "guest", "T0OTHER")
PEOPLE = (ADA, BOB, GUEST)
USER_GROUPS = {"S0RELEASE": frozenset({BOB.id})}
"""The members of each group, by its id."""
SLACKBOT = Person("USLACKBOT", "slackbot", TEAM.id)
APP = App(
    id="A0CODESHIP",
    name="codeship",
    team=TEAM,
    user_id="U0BOT",
    bot_id="B0BOT",
    commands=("/codeship", "/ci"),
    events=frozenset({"app_home_opened", "app_mention", "message.im"}),
    shortcuts=(
        Shortcut("Check or restart a build", "global", "form"),
        Shortcut("Restart this build", "message", "restart"),
    ),
)


def first_channels(app: App) -> tuple[Channel, ...]:
    """The channels of a new workspace. `guest` is in #builds, which is shared with their workspace."""
    ours = {ADA.id, BOB.id}
    direct = tuple(
        Channel(f"D0{person.name.upper()}", app.name, "im", frozenset({person.id, app.user_id})) for person in PEOPLE
    )
    return (
        Channel("C0BUILDS", "builds", "public", frozenset({*ours, GUEST.id, app.user_id}), is_shared=True),
        Channel("C0RANDOM", "random", "public", frozenset(ours)),
        Channel("C0SECRET", "secret", "private", frozenset(ours)),
        *direct,
        Channel("D0ADABOB", "ada-bob", "im", frozenset(ours)),
    )
