"""The CI services behind `CIProvider`, each a row of `SERVICES`. Pure modules parse, one client does the I/O."""

from __future__ import annotations

from bot.ci.codeship.client import CODESHIP
from bot.ci.github.settings import GITHUB
from bot.ci.service import ServicePlugin

SERVICES: tuple[ServicePlugin, ...] = (CODESHIP, GITHUB)
"""Every service the bot supports, in display order. See `docs/adding-a-ci-service.md`."""


def by_name(name: str) -> ServicePlugin | None:
    """The service with that name, or None."""
    return next((service for service in SERVICES if service.name == name), None)
