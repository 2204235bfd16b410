"""Who made a build's commit, as the CI service tells it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", re.ASCII)
"""A person's login. Those of managed users have an underscore."""

_NOT_PEOPLE = frozenset({"web-flow", "ghost", "github-actions"})
_NO_REPLY = ("noreply.", "no-reply.", "users.noreply.")


@dataclass(frozen=True, slots=True)
class CommitAuthor:
    """`login` is a GitHub login. `email` is what the commit says, which no one has verified.

    Both are None if the service does not tell, or if no person's push began the build.
    """

    login: str | None = None
    email: str | None = None

    @property
    def is_machine(self) -> bool:
        """Whether a bot or GitHub itself made the commit."""
        login = (self.login or "").lower()
        return login.endswith("[bot]") or login in _NOT_PEOPLE

    def has_login(self, login: str) -> bool:
        """Logins are the same in any case."""
        return self.login is not None and self.login.lower() == login.lower()


def listed_email(email: str | None, domains: frozenset[str]) -> str | None:
    """The address in lower case if its domain is one of `domains`. None for others, and for those without a reader."""
    local, at, domain = (email or "").lower().rpartition("@")
    if not at or not local or domain not in domains:
        return None
    if domain.startswith(_NO_REPLY) or local.partition("+")[0] in ("noreply", "no-reply"):
        return None
    return f"{local}@{domain}"
