"""The words of `link`, `unlink` and `notify`, and what they ask for. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bot.core.model.command_values import Verb, Word
from bot.core.model.errors import NotUnderstood
from bot.core.model.people.authors import LOGIN
from bot.core.model.people.settings import Scope, Way

GITHUB = "github"
_SERVICES = (GITHUB, "codeship")
"""CodeShip names authors by their GitHub login, so both words mean the same account."""
_LOGIN = re.compile(rf"(?:https?://)?(?:[\w.-]+/)?@?(?P<login>{LOGIN.pattern})/?", re.ASCII)
_WAYS = {"dm": Way.DM, "direct": Way.DM, "mention": Way.MENTION, "channel": Way.MENTION}
_SCOPES = {"mine": Scope.MINE, "on": Scope.MINE, "main": Scope.MAIN, "off": Scope.OFF, "none": Scope.OFF}


@dataclass(frozen=True, slots=True)
class LinkCommand:
    """Says that the GitHub account is the asker's. Without `login`, shows what is linked."""

    verb: ClassVar[Verb] = Verb.LINK

    login: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        return (GITHUB, self.login) if self.login else ()


@dataclass(frozen=True, slots=True)
class UnlinkCommand:
    """Removes the asker's link, if it is to `login` or that is None."""

    verb: ClassVar[Verb] = Verb.UNLINK

    login: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        return (GITHUB, self.login) if self.login else (GITHUB,)


@dataclass(frozen=True, slots=True)
class NotifyCommand:
    """Changes of what the asker hears, and how; what is None stays. With neither, shows both."""

    verb: ClassVar[Verb] = Verb.NOTIFY

    scope: Scope | None = None
    way: Way | None = None

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word.value for word in (self.scope, self.way) if word is not None)


@dataclass(frozen=True, slots=True)
class NotMine:
    """The button of a person's direct message: what broke in `period` of the branch is not theirs."""

    verb: ClassVar[Verb] = Verb.NOT_MINE

    repo: Word
    branch: str
    period: str


PersonCommand = LinkCommand | UnlinkCommand | NotifyCommand


def link_command(verb: Verb, words: Sequence[Word]) -> LinkCommand:
    """Raises NotUnderstood."""
    return LinkCommand(_login(verb, words))


def unlink_command(verb: Verb, words: Sequence[Word]) -> UnlinkCommand:
    """Raises NotUnderstood."""
    return UnlinkCommand(_login(verb, words, may_lack=True))


def notify_command(verb: Verb, words: Sequence[Word]) -> NotifyCommand:
    """Raises NotUnderstood."""
    scope, way = None, None
    for word in words:
        said = word.cleanest.lower()
        if said in _SCOPES and scope is None:
            scope = _SCOPES[said]
        elif said in _WAYS and way is None:
            way = _WAYS[said]
        else:
            raise NotUnderstood(f"“{word.cleanest}” is not one of mine, main, off, dm, mention.", verb)
    return NotifyCommand(scope, way)


def _login(verb: Verb, words: Sequence[Word], *, may_lack: bool = False) -> str | None:
    """The login after an optional `github`; None if there are no words."""
    said = [word.cleanest for word in words]
    if said and said[0].lower() in _SERVICES:
        if len(said) == 1 and not may_lack:
            raise NotUnderstood("Which GitHub account?", verb)
        said = said[1:]
    if not said:
        return None
    found = _LOGIN.fullmatch(said[0])
    if found is None or len(said) > 1:
        raise NotUnderstood(f"A GitHub login has letters, digits and hyphens: “{' '.join(said)}”", verb)
    return found["login"]
