"""Results of commands about a person's own account and notifications. Values."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.model.builds import Actor, Project
from bot.core.model.people.settings import AccountLink, NotifySettings


@dataclass(frozen=True, slots=True)
class AccountShown:
    """What is linked to the asker, and what they hear."""

    link: AccountLink | None
    settings: NotifySettings


@dataclass(frozen=True, slots=True)
class AccountLinked:
    """The account is the asker's. `before` is the login that it replaces. `refused` had claimed it in vain.

    `given_to` had claimed `before`, and has it now.
    """

    link: AccountLink
    settings: NotifySettings
    before: str | None = None
    refused: Actor | None = None
    given_to: Actor | None = None


@dataclass(frozen=True, slots=True)
class AccountClaimed:
    """The account belongs to `link.person`, who is asked to keep it or to give it up."""

    link: AccountLink


@dataclass(frozen=True, slots=True)
class AccountUnlinked:
    """`link` was removed, and given to `given_to` if that person had claimed it. None: it was not linked."""

    link: AccountLink | None
    given_to: Actor | None = None


@dataclass(frozen=True, slots=True)
class NotifyChanged:
    """What the asker hears from now on."""

    settings: NotifySettings
    link: AccountLink | None


@dataclass(frozen=True, slots=True)
class NotMineNoted:
    """The asker is no longer named for the failure of this branch."""

    project: Project
    branch: str


PersonOutcome = AccountShown | AccountLinked | AccountClaimed | AccountUnlinked | NotifyChanged | NotMineNoted
