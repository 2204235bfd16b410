"""What a CI service brings along to be one of `CI_PROVIDERS`: its name, its settings, and how it is connected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from wsgiref.types import WSGIApplication

from bot.config.setting import Setting
from bot.core.model.builds import Project
from bot.core.model.errors import CIError
from bot.core.model.policy import BuildRules
from bot.core.ports import CIProvider

SettingValues = Mapping[str, Any]
"""The service's own settings as read, by name; None for what is not set."""

Observe = Callable[[str, str, float], None]
"""Called once a try with the call (`projects`, `builds`, `restart`, …), `ok` or the error's class name, and seconds."""

BeforeRequest = Callable[[str], None]
"""Called with the call before every request that goes out, redirects too. Where it raises OverLimit, none does."""

AfterRequest = Callable[[CIError | None, bool], None]
"""Called once a try with its failure, None where it went well, and whether the service does not count it."""

Hint = Callable[[str, str], None]
"""Called with the id of a project in which something has happened, and what names this telling of it."""


BuildRulesOf = Callable[[Project], BuildRules | None]
"""Which of a repository's workflows decide, as the policy says it; None if it says nothing of the repository."""


def no_build_rules(project: Project) -> None:  # noqa: ARG001 - as `BuildRulesOf`
    """For tools that show no build: the policy says nothing."""
    return


class CIClient(CIProvider, Protocol):
    """A provider that holds connections."""

    def close(self) -> None:
        """Closes the kept connections. Calls under way end as they will."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientContext:
    """What a client is given of the process that it runs in. Times are in seconds; `random` is from 0 to 1.

    `total_s` bounds each call with all its tries; proxy and CA bundle come from `environ`.
    """

    wait: Callable[[float], None]
    monotonic: Callable[[], float]
    now: Callable[[], datetime]
    random: Callable[[], float]
    environ: Mapping[str, str]
    observe: Observe
    before_request: BeforeRequest
    after_request: AfterRequest
    workers: int = 64
    connect_s: float = 3.05
    read_s: float = 6.0
    total_s: float = 12.0
    build_rules: BuildRulesOf = no_build_rules


@dataclass(frozen=True, slots=True)
class Permission:
    """Something that a service's key may do. `has` is None if it cannot be told without doing it.

    `without` says what will not work without it. `is_required`: without it no restart will be accepted.
    """

    name: str
    has: bool | None
    without: str
    is_required: bool = False


def _no_permissions(values: SettingValues, context: ClientContext, project: Project) -> list[Permission]:  # noqa: ARG001
    return []


def _nothing_wrong(values: SettingValues) -> list[str]:  # noqa: ARG001 - as `ServicePlugin.problems`
    return []


def _no_webhook(values: SettingValues, hint: Hint) -> None:  # noqa: ARG001 - as `ServicePlugin.webhook`
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlugin:
    """One row of `bot.ci.SERVICES`. `name` is its name in settings, in the store and after an `@`; `title` people read.

    `key_setting` is where the operator puts a new key, `calls_setting` the calls that the bot may make in a minute,
    both among `rows`. `rights` are those that its key needs, in the service's words. `problems` says what no row alone
    can tell, each a sentence and its next step. `permissions` asks the service what the key may do to one repository.
    `webhook` is the path at which the service may tell that something
    has happened, and what answers there; None where it has none.
    """

    name: str
    title: str
    key_setting: str
    calls_setting: str
    rows: tuple[Setting, ...]
    connect: Callable[[SettingValues, ClientContext], CIClient]
    rights: str = ""
    problems: Callable[[SettingValues], list[str]] = _nothing_wrong
    permissions: Callable[[SettingValues, ClientContext, Project], list[Permission]] = _no_permissions
    webhook: Callable[[SettingValues, Hint], tuple[str, WSGIApplication] | None] = _no_webhook
