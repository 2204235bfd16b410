"""What the core needs to know of people, as Protocols in its own words."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.core.model.builds import Actor
from bot.core.model.people.settings import AccountLink, NotifySettings


class PeopleStore(Protocol):
    """Stores whose GitHub account is whose, one login for one person, in any case. Each method is one transaction."""

    def claim(self, login: str, person: Actor, at: datetime) -> AccountLink:
        """Links a free login to the person, in the place of their earlier one. Returns the login's link.

        A login of their own stays theirs, and another person's claim on it ends. A login of another person stays that
        one's, and is then claimed by this person.
        """

    def unlink(self, person: Actor, login: str | None, at: datetime) -> AccountLink | None:
        """Removes the person's link if it is to that login, or to any if `login` is None. Returns it; None for none.

        Links it to the person who has claimed it, if one has.
        """

    def of_login(self, login: str) -> AccountLink | None:
        """The login's link."""

    def of_person(self, person: Actor) -> AccountLink | None:
        """The person's link."""

    def settings(self, person: Actor) -> NotifySettings:
        """What the person wants to hear; the default if they never said."""

    def set(self, person: Actor, settings: NotifySettings) -> None:
        """Stores it, in the place of what they said before."""
