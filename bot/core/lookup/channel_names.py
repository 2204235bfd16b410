"""Short names of a channel: sets them, and puts what they mean into commands. A real repository's name wins."""

from __future__ import annotations

from dataclasses import replace

from bot.core.authorization import Authorizer
from bot.core.lookup.ci_registry import CIRegistry
from bot.core.lookup.repo_urls import split_branch
from bot.core.model.builds import Location
from bot.core.model.command_entries import Command
from bot.core.model.command_values import HERE, BranchCommand, NameCommand, Word
from bot.core.model.commands import entry_named
from bot.core.model.errors import WHICH_REPOSITORY, NotUnderstood
from bot.core.model.names.channel_names import ALIAS, MAX_ALIASES, ChannelName
from bot.core.model.outcomes import ChannelNamesShown
from bot.core.ports import ChannelNameStore
from bot.core.request import UserRequest


class ChannelNames:
    """Thread-safe. Reads the store only for words that are no known repository."""

    def __init__(self, services: CIRegistry, store: ChannelNameStore, authorizer: Authorizer) -> None:
        self._services = services
        self._store = store
        self._authorizer = authorizer

    def spelled_out(self, command: Command, location: Location) -> Command:
        """The command with the repository and the branch that its words mean in the channel.

        Raises NotUnderstood if it names no repository and the channel has no default.
        """
        if not isinstance(command, BranchCommand):
            return command
        if command.repo == HERE:
            default = self._names(location).get("")
            if default is None:
                raise NotUnderstood(WHICH_REPOSITORY, command.verb)
            return _meaning(command, default, command.branch)
        if self._services.knows(command.repo):
            return command
        names = self._names(location)
        for spelling in command.repo.spellings:
            word, branch = split_branch(spelling, self._services.names)
            if word and (name := names.get(word.lower())):
                return _meaning(command, name, command.branch or (Word.of(branch) if branch else None))
        for spelling in command.branch.spellings if command.branch else ():
            if name := names.get(spelling.lower()):
                return _meaning(command, name, command.repo)
        return command

    def change(self, command: NameCommand, request: UserRequest) -> ChannelNamesShown:
        """Sets or removes a name, or only shows them. Raises NotAllowed, NotUnderstood, NoSuchProject, CIError."""
        channel, names = request.location.channel, self._names(request.location)
        if command.is_question:
            return ChannelNamesShown(tuple(names.values()))
        alias = command.alias.lower()
        known = names.get(alias)
        if command.repo is None:
            self._authorizer.check(request, command.verb, known.repo.partition("@")[0] if known else None, None)
            self._store.remove(channel, alias)
            left = tuple(name for name in names.values() if name.alias != alias)
            return ChannelNamesShown(left, alias, known, self._services.named(known.repo) if known else None)
        if alias and (ALIAS.fullmatch(alias) is None or entry_named(alias) is not None):
            raise NotUnderstood(f"An alias is one word, and no command: “{command.alias}”", command.verb)
        if alias and self._services.knows(Word.of(alias)):
            raise NotUnderstood(f"“{command.alias}” already is the name of a repository.", command.verb)
        if known is None and len(names) > MAX_ALIASES:
            raise NotUnderstood(f"This channel has {MAX_ALIASES} aliases already. Remove one first.", command.verb)
        meant = self._services.resolve(command.repo, timeout_s=request.seconds_left, for_certain=True)
        branch = command.branch or meant.branch
        self._authorizer.check(request, command.verb, meant.project.name, branch.cleanest if branch else None)
        name = ChannelName(
            channel,
            alias,
            f"{meant.project.name}@{meant.project.service}",
            branch.cleanest if branch else None,
            request.actor,
            request.clock.now(),
        )
        self._store.put(name)
        return ChannelNamesShown(tuple({**names, alias: name}.values()), alias, project=meant.project)

    def _names(self, location: Location) -> dict[str, ChannelName]:
        return {name.alias: name for name in self._store.of_channel(location.channel)}


def _meaning(command: BranchCommand, name: ChannelName, branch: Word | None) -> BranchCommand:
    return replace(
        command,
        repo=Word.of(name.repo),
        branch=branch or (Word.of(name.branch) if name.branch else None),
        is_guess=False,
    )
