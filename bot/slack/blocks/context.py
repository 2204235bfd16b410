"""What messages need to know about the deployment and the current time. Values only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.model.builds import Ability, Build, Project
from bot.core.model.command_values import Word

NO_TITLE = "CI"
"""The title of a service that is no longer configured: buttons and stored data outlive settings."""


@dataclass(frozen=True, slots=True)
class ServiceInfo:
    """One CI service: its title, the settings of its key and its limit, and its abilities.

    `rights` are those that its key needs, in the service's words.
    """

    title: str
    key_setting: str
    calls_setting: str
    abilities: frozenset[Ability] = frozenset({Ability.RESTART})
    rights: str = ""


@dataclass(frozen=True, slots=True)
class RenderContext:
    """`/codeship`, `@codeship`, the CI services by name in configuration order, and the time.

    `needs_confirmation(repository, branch)` says whether a button that restarts the branch needs confirmation.
    """

    command: str
    mention: str
    services: Mapping[str, ServiceInfo]
    now: datetime
    needs_confirmation: Callable[[str, str | None], bool]

    @property
    def has_several(self) -> bool:
        """Whether several services are configured, so that messages name the service."""
        return len(self.services) > 1

    def title_of(self, service: str) -> str:
        """The title of a project's service; never empty."""
        known = self.services.get(service)
        return known.title if known else NO_TITLE

    def of_title(self, title: str) -> ServiceInfo | None:
        """The service with the title in an error; None if it is not configured."""
        return next((service for service in self.services.values() if service.title == title), None)

    def can(self, ability: Ability, build: Build) -> bool:
        """Whether the build's service can do this."""
        known = self.services.get(build.project.service)
        return known is not None and ability in known.abilities

    def meaning(self, project: Project) -> Word:
        """A word that refers only to this project: with its service if several are configured."""
        return Word.of(self.exactly(project) if self.has_several else project.name)

    def exactly(self, project: Project) -> str:
        """`acme/web@github`."""
        return f"{project.name}@{project.service}"


def listed(names: Sequence[str], last: str = "and") -> str:
    """`CodeShip, GitHub Actions and Jenkins`."""
    *before, end = names
    return f"{', '.join(before)} {last} {end}" if before else end
