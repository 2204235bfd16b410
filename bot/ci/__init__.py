"""The CI services behind `CIProvider`: each a pure wire module and a dull shell, and a row of `SERVICES`."""

from __future__ import annotations

from bot.ci.codeship.client import CODESHIP
from bot.ci.github.settings import GITHUB
from bot.ci.service import ServicePlugin

SERVICES: tuple[ServicePlugin, ...] = (CODESHIP, GITHUB)
"""Every service that the bot can serve, in the order in which to show them: `docs/adding-a-ci-service.md`."""


def by_name(name: str) -> ServicePlugin | None:
    """The service of that name; None where there is none."""
    return next((service for service in SERVICES if service.name == name), None)
