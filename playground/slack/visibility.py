"""People, channels and messages of a workspace as one person sees them. Changes nothing."""

from __future__ import annotations

from playground.slack.message_store import Conversations
from playground.slack.model import PEOPLE, SLACKBOT, App, CannotDo, Channel, Message, Person


class Visibility:
    def __init__(self, app: App, conversations: Conversations) -> None:
        self._app = app
        self._conversations = conversations

    @property
    def names(self) -> dict[str, str]:
        """The handle of each user id, including the app's and Slackbot's, and the name of each channel that has one."""
        channels = (channel for channel in self._conversations.channels if channel.kind != "im")
        return self._handles | {channel.id: channel.name for channel in channels}

    @property
    def ids(self) -> dict[str, str]:
        """User ids by handle."""
        return {handle: user_id for user_id, handle in self._handles.items()}

    @property
    def _handles(self) -> dict[str, str]:
        return {self._app.user_id: self._app.name} | {person.id: person.name for person in (*PEOPLE, SLACKBOT)}

    def person(self, name: str) -> Person:
        """The person with this handle or id. Raises CannotDo."""
        for person in PEOPLE:
            if name.removeprefix("@") in (person.name, person.id):
                return person
        raise CannotDo(f"there is no person called {name}")

    def channel(self, name: str, seen_from: Person) -> Channel:
        """A channel by #name, id, or the handle of the other person in a direct message. Raises CannotDo."""
        bare = name.lstrip("#@")
        both = {seen_from.id, self.ids.get(bare)}
        for channel in self._conversations.channels:
            if channel.id == bare:
                return channel
            if channel.members == both if channel.kind == "im" else channel.name == bare:
                return channel
        raise CannotDo(f"{seen_from.name} cannot see {name}")

    def entered(self, name: str, person: Person) -> Channel:
        """A channel in which this person may write. Raises CannotDo."""
        channel = self.channel(name, person)
        if person.id not in channel.members:
            raise CannotDo(f"{person.name} is not in {name}")
        if channel.is_archived:
            raise CannotDo(f"{name} is archived")
        return channel

    def read(self, name: str, person: Person) -> list[Message]:
        """What this person sees in a channel, including public ones without membership. Raises CannotDo."""
        channel = self.channel(name, person)
        if channel.kind != "public" and person.id not in channel.members:
            raise CannotDo(f"{person.name} is not in {name}")
        return self._conversations.seen_by(channel, person.id)

    def message(self, message: Message | str, person: Person) -> tuple[Channel, Message]:
        """The current state of a message (or ts), if this person sees it. Raises CannotDo."""
        ts = message.ts if isinstance(message, Message) else message
        for channel in self._conversations.channels:
            current = self._conversations.find(channel.id, ts) if person.id in channel.members else None
            if current is not None and current.ephemeral_to in (None, person.id):
                return channel, current
        raise CannotDo(f"{person.name} cannot see message {ts}")
