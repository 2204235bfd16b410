"""What a CI service provides to be one of `CI_PROVIDERS`: its name, its settings, how to connect to it."""

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
"""The service's own settings, parsed, by name; None for what is not set."""

Observe = Callable[[str, str, float], None]
"""Called after each attempt with the call (`projects`, `builds`, …), `ok` or the error's class name, and
the seconds.
"""

BeforeRequest = Callable[[str], None]
"""Called with the call's name before every request, including redirects. If it raises OverLimit, nothing is sent."""

AfterRequest = Callable[[CIError | None, bool], None]
"""Called after each attempt with its error, or None, and whether the service does not count it."""

PollNow = Callable[[str, str], None]
"""Called with the id of a project that changed, and a key that identifies the event."""


BuildRulesOf = Callable[[Project], BuildRules | None]
"""Which of a repository's workflows decide, as the policy says it; None if it says nothing of the repository."""


def no_build_rules(project: Project) -> None:  # noqa: ARG001 - as `BuildRulesOf`
    """For tools that show no build: the policy says nothing."""
    return


class CIClient(CIProvider, Protocol):
    """A provider with open connections."""

    def redeliver_failed(self, is_first: Callable[[str], bool]) -> int:
        """Asks the service to send webhooks again that did not arrive. Called every few seconds.

        `is_first` is called with a webhook's id before it is asked for; False if a process has asked for it before.
        Returns how many; 0 if it cannot. Raises CIError.
        """

    def close(self) -> None:
        """Closes idle connections. Running calls are not interrupted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientContext:
    """What a client receives from its process. Times are in seconds; `random` returns a number from 0 to 1.

    `total_s` limits each call with all its attempts. Proxy and CA bundle come from `environ`.
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
    """Something that a service's key may do. `has` is None if that is unknown without using it.

    `without` says what will not work without it. `is_required`: without it no restart will be accepted.
    """

    name: str
    has: bool | None
    without: str
    is_required: bool = False


def _no_permissions(
    values: SettingValues,  # noqa: ARG001 - as `ServicePlugin.permissions`
    context: ClientContext,  # noqa: ARG001
    project: Project,  # noqa: ARG001
) -> list[Permission]:
    return []


def _nothing_wrong(values: SettingValues) -> list[str]:  # noqa: ARG001 - as `ServicePlugin.problems`
    return []


def _no_webhook(values: SettingValues, client: CIClient, poll_now: PollNow) -> None:  # noqa: ARG001 - as `ServicePlugin.webhook`
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePlugin:
    """One row of `bot.ci.SERVICES`.

    `name` is used in settings, in the store and after an `@`; people read `title`. `key_setting` is the setting for the
    key, `calls_setting` the one for the calls per minute; both are in `rows`. `rights` are those the key needs, in the
    service's words. `problems` checks what no single setting shows, and returns sentences with the next step.
    `permissions` asks the service what the key may do to one repository. `webhook` returns the path of the service's
    webhook and its application, or None; it gets what `connect` returned. `unreachable_by_default`: what an operator
    should know if the default address does not answer.
    """

    name: str
    title: str
    key_setting: str
    calls_setting: str
    rows: tuple[Setting, ...]
    connect: Callable[[SettingValues, ClientContext], CIClient]
    app_settings: tuple[str, ...] = ()
    """Those that connect the bot as an App instead of with a key; the one for the App's key is the last."""
    rights: str = ""
    unreachable_by_default: str = ""
    problems: Callable[[SettingValues], list[str]] = _nothing_wrong
    permissions: Callable[[SettingValues, ClientContext, Project], list[Permission]] = _no_permissions
    webhook: Callable[[SettingValues, CIClient, PollNow], tuple[str, WSGIApplication] | None] = _no_webhook
