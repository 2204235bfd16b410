"""Carries out the commands about a person's own account and notifications."""

from __future__ import annotations

from dataclasses import replace

from bot.core.model.people.commands import LinkCommand, NotifyCommand, PersonCommand, UnlinkCommand
from bot.core.model.people.outcomes import (
    AccountClaimed,
    AccountLinked,
    AccountShown,
    AccountUnlinked,
    NotifyChanged,
    PersonOutcome,
)
from bot.core.model.people.settings import Scope
from bot.core.people.ports import PeopleStore
from bot.core.request import UserRequest


class Accounts:
    """Thread-safe. A person can change only what is their own."""

    def __init__(self, people: PeopleStore) -> None:
        self._people = people

    def execute(self, command: PersonCommand, request: UserRequest) -> PersonOutcome:
        person = request.actor
        match command:
            case LinkCommand(str() as login):
                return self._link(login, request)
            case UnlinkCommand(login):
                gone = self._people.unlink(person, login, request.clock.now())
                return AccountUnlinked(gone, gone.claimed_by if gone else None)
            case NotifyCommand() if command.words:
                return self._notify(command, request)
            case _:
                return AccountShown(self._people.of_person(person), self._people.settings(person))

    def _link(self, login: str, request: UserRequest) -> PersonOutcome:
        person = request.actor
        mine, known = self._people.of_person(person), self._people.of_login(login)
        before = mine if mine is not None and mine.login.lower() != login.lower() else None
        if before is not None and known is None:  # not replaced by the new one: who has claimed it gets it
            self._people.unlink(person, before.login, request.clock.now())
        link = self._people.claim(login, person, request.clock.now())
        if link.person != person:
            return AccountClaimed(link)
        refused = known.claimed_by if known is not None and known.person == person else None
        settings = self._people.settings(person)
        if before is None:
            return AccountLinked(link, settings, refused=refused)
        return AccountLinked(link, settings, before.login, refused, given_to=before.claimed_by)

    def _notify(self, command: NotifyCommand, request: UserRequest) -> NotifyChanged:
        """A person who only says how has asked to hear something again."""
        person = request.actor
        known = self._people.settings(person)
        scope = command.scope or (Scope.MINE if known.scope is Scope.OFF else known.scope)
        settings = replace(known, scope=scope, way=command.way or known.way)
        self._people.set(person, settings)
        return NotifyChanged(settings, self._people.of_person(person))
