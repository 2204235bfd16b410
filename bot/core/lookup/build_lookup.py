"""Which builds are meant: by words, by a pasted page, by a button. No Slack and no HTTP in here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bot.core.authorization import Rights
from bot.core.build_fetcher import Look
from bot.core.lookup.ci_registry import Services
from bot.core.lookup.repo_urls import may_be_branch
from bot.core.model.builds import Build, Project, Target, branches_of
from bot.core.model.commands import Word
from bot.core.model.errors import BotError, NoSuchBranch, NotListed
from bot.core.request import Ask


def build_of(target: Target, look: Look, service: str) -> Build:
    """The build that a button names, among those that the look shows. Raises NotListed where it is not among them."""
    for build in look.builds:
        if build.is_named(target.build_id):
            return build
    raise NotListed(service)


SPELLINGS_TRIED = 4
"""Each spelling of a branch may cost a call."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a person's words mean: builds to speak of, newest first, and the look that showed them."""

    project: Project
    branch: str | None
    builds: tuple[Build, ...]
    look: Look


class Finding:
    """What it raises is about what was found by then, as far as anything was."""

    def __init__(self, services: Services, rights: Rights) -> None:
        self._services = services
        self._rights = rights

    def find(self, repo: Word, branch: Word | None, ask: Ask, *, to_do: str | None = None) -> Found:
        """The builds that the words mean. Raises NoSuchProject, AmbiguousProject, NoSuchBranch, CIError.

        Raises NotAllowed before it looks where the words alone tell that the asker may not do `to_do`.
        """
        meant = self._services.meant_by(repo, within_s=ask.seconds_left, for_certain=to_do is not None)
        project, branch = meant.project, branch or meant.branch
        with about(project):
            if meant.build_id is not None:
                return self._find_build(project, meant.build_id, ask)
            if to_do is not None and branch is not None and len(branch.spellings) == 1:
                self._rights.require(ask, to_do, project.name, branch.exact)
            return self._find_branch(project, branch, ask)

    def look_at(self, target: Target, ask: Ask, *, to_do: str | None = None) -> tuple[Build, Look]:
        """The build that a button names. Raises NotListed, NoSuchProject, CIError.

        Raises NotAllowed before it looks where the button alone tells that the asker may not do `to_do`.
        """
        service = self._services.of(target.service)  # ids are the service's own: elsewhere the same ones mean others
        project = service.directory.by_id(target.project_id, within_s=ask.seconds_left)
        with about(project):
            if to_do is not None and target.branch is not None:
                self._rights.require(ask, to_do, project.name, target.branch)
            look = service.looks.builds(project, target.branch, within_s=ask.seconds_left)
            return build_of(target, look, service.provider.title), look

    def _find_build(self, project: Project, build_id: str, ask: Ask) -> Found:
        """Exactly one build, whose page was pasted."""
        service = self._services.of(project.service)
        look = service.looks.builds(project, None, within_s=ask.seconds_left)
        build = build_of(Target(project.service, project.id, build_id=build_id), look, service.provider.title)
        return Found(project, build.branch, (build,), look)

    def _find_branch(self, project: Project, branch: Word | None, ask: Ask) -> Found:
        looks = self._services.of(project.service).looks
        for name in [name for name in branch.spellings if may_be_branch(name)][:SPELLINGS_TRIED] if branch else []:
            look = looks.builds(project, name, within_s=ask.seconds_left)
            builds = tuple(replace(build, branch=name) for build in look.builds if build.branch in (name, None))
            if builds:
                return Found(project, name, builds, look)
        look = looks.builds(project, None, within_s=ask.seconds_left)
        if branch is not None and look.builds:
            raise NoSuchBranch(project, branch.cleanest, branches_of(look.builds))
        return Found(project, None, look.builds, look)


@contextmanager
def about(found: Project | Build) -> Iterator[None]:
    """Whatever is raised within is about `found`, unless it already says what it is about."""
    try:
        yield
    except BotError as error:
        error.about = error.about or found
        raise
