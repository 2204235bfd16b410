"""python -m bot --check, of the CI services: that each takes its key, how often it is asked, and which repositories
belong to which of several. Asks each for its list of repositories once, and for the builds of the first of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.ci.service import CIService
from bot.clock import SystemClock
from bot.core.errors import CIError, KeyRefused, NoRights, Unreachable
from bot.core.model import Project
from bot.core.services import Pin
from bot.parts import connected
from bot.setting_services import key_setting, named
from bot.settings import Settings

Say = Callable[[str], None]

NAMES_TOLD = 3


def services_in_place(settings: Settings, environ: Mapping[str, str], say: Say) -> bool:
    """Says a line for each thing that must be in place; False where one is not."""
    services = named(settings.ci_providers)
    seen = {
        service.name: projects
        for service in services
        if (projects := _in_place(service, settings, environ, say)) is not None
    }
    if len(seen) < len(services):
        return False
    for pin in pins_in_vain(settings.ci_pinned, seen):
        title = next(service.title for service in services if service.name == pin.service)
        say(f"hint  CI_PINNED: {pin.names}={pin.service} fits no repository that is seen at {title}")
    both = in_several(settings.ci_pinned, seen)
    if both:
        first = both[0]
        at = next(name for name in reversed(settings.ci_providers) if any(_is_named(p, first) for p in seen[name]))
        names = ", ".join(both[:NAMES_TOLD]) + (", …" if len(both) > NAMES_TOLD else "")
        several = "1 name is" if len(both) == 1 else f"{len(both)} names are"
        say(
            f"hint  Repositories: {several} at more than one service ({names}). People say which ({first}@{at}), "
            f"or CI_PINNED does ({first}={at})"
        )
    return True


def _may_read_builds(service: CIService, values: Mapping[str, Any], environ: Mapping[str, str], of: Project) -> str:
    """Why the builds of a repository that is listed cannot be read; empty where they can."""
    client = connected(service, values, SystemClock(), environ)
    try:
        client.builds(of)
    except NoRights as failure:
        needed = f"It needs {service.rights}. " if service.rights else ""
        return f"lists {of.name}, and may not read its builds. {needed}{failure.detail}".rstrip()
    except CIError:  # of this one repository: says nothing of the key
        return ""
    finally:
        client.close()
    return ""


def projects_of(service: CIService, values: Mapping[str, Any], environ: Mapping[str, str]) -> list[Project]:
    """What its key can see. Raises CIError."""
    client = connected(service, values, SystemClock(), environ)
    try:
        return client.projects()
    finally:
        client.close()


def cause(service: CIService, values: Mapping[str, Any], failure: CIError) -> str:
    """Why the repositories could not be listed, with the setting to look at."""
    rows = {row.name: row for row in service.rows}
    match failure:
        case KeyRefused():
            name = key_setting(service, values)
            return f"{name} is refused. Copy it from {rows[name].where}"
        case Unreachable():
            address = next((name for name in rows if name.endswith("_API_URL")), service.title)
            default = values.get(address) == rows[address].default if address in rows else False
            ended = f". That is its default: is {service.title} served there?" if default else ""
            return f"{address} cannot be reached: {failure.detail}{ended}"
        case _:
            return str(failure)


def pins_in_vain(pins: Sequence[Pin], seen: Mapping[str, Sequence[Project]]) -> list[Pin]:
    """Those that fit nothing that their service has. `seen` is what each service has, by its name."""
    return [pin for pin in pins if not any(_fits(pin, project.name) for project in seen[pin.service])]


def in_several(pins: Sequence[Pin], seen: Mapping[str, Sequence[Project]]) -> list[str]:
    """The names, in any case, that several services have a repository of, and no pin says which is meant."""
    having: dict[str, dict[str, str]] = {}
    for service, projects in seen.items():
        for project in projects:
            having.setdefault(project.name.lower(), {})[service] = project.name
    unsaid = []
    for name, spelled in having.items():
        pinned = next((pin.service for pin in pins if _fits(pin, name)), None)
        if len(spelled) > 1 and pinned not in spelled:
            unsaid.append(next(iter(spelled.values())))
    return sorted(unsaid, key=str.lower)


def repositories(number: int) -> str:
    return "1 repository" if number == 1 else f"{number} repositories"


def _in_place(service: CIService, settings: Settings, environ: Mapping[str, str], say: Say) -> list[Project] | None:
    values = settings.ci[service.name]
    try:
        projects = projects_of(service, values, environ)
    except CIError as failure:
        say(f"wrong {service.title} key: {cause(service, values, failure)}")
        return None
    say(f"ok    {service.title} key: sees {repositories(len(projects))}")
    refused = _may_read_builds(service, values, environ, projects[0]) if projects else ""
    if refused:
        say(f"wrong {service.title} key: {refused}")
        return None
    say(f"ok    {service.title} budget: {values[service.calls_setting]} calls a minute at most")
    webhook = service.webhook(values, lambda _project_id, _key: None)
    if webhook is not None and settings.port is None:
        say(f"hint  {service.title} webhook: nothing listens, for in Socket Mode HTTP is served only where PORT is set")
    elif webhook is not None:
        say(f"ok    {service.title} webhook: HTTP on {settings.host}, port {settings.port}; to {webhook[0]}")
    return projects


def _is_named(project: Project, name: str) -> bool:
    return project.name.lower() == name.lower()


def _fits(pin: Pin, name: str) -> bool:
    return pin.names.fit(name, any_case=True)
