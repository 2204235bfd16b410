"""What texts need to know of the deployment and the moment. Values only; draws nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.model.builds import Ability, Build, Project
from bot.core.model.commands import Word

NO_TITLE = "CI"
"""What a service is called that is no longer set up here: buttons and stored things outlive settings."""


@dataclass(frozen=True, slots=True)
class ServiceInfo:
    """One CI service: its title as people write it, which settings hold its key and its limit, and what it can do.

    `rights` are those that its key needs, in the service's words.
    """

    title: str
    key_setting: str
    calls_setting: str
    abilities: frozenset[Ability] = frozenset()
    rights: str = ""


@dataclass(frozen=True, slots=True)
class RenderContext:
    """`/codeship`, `@codeship`, the CI services by their names in the order in which they are set, the time.

    `needs_confirmation` says of a repository's name and a branch whether a button that restarts it asks first.
    """

    command: str
    mention: str
    services: Mapping[str, ServiceInfo]
    now: datetime
    needs_confirmation: Callable[[str, str | None], bool]

    @property
    def has_several(self) -> bool:
        """Whether it is worth saying which service is meant."""
        return len(self.services) > 1

    def title_of(self, service: str) -> str:
        """Of a project's service. Never empty."""
        known = self.services.get(service)
        return known.title if known else NO_TITLE

    def of_title(self, title: str) -> ServiceInfo | None:
        """Of the service that an error names; None where it is none of ours."""
        return next((service for service in self.services.values() if service.title == title), None)

    def can(self, ability: Ability, build: Build) -> bool:
        """Whether the service of the build can do this."""
        known = self.services.get(build.project.service)
        return known is not None and ability in known.abilities

    def meaning(self, project: Project) -> Word:
        """A word that means this project and no other: with its service, where there are several."""
        return Word.of(self.exactly(project) if self.has_several else project.name)

    def exactly(self, project: Project) -> str:
        """`acme/web@github`."""
        return f"{project.name}@{project.service}"


def listed(names: Sequence[str], last: str = "and") -> str:
    """`CodeShip, GitHub Actions and Jenkins`."""
    *before, end = names
    return f"{', '.join(before)} {last} {end}" if before else end
