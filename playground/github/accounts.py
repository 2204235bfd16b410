"""The sandbox GitHub's accounts, tokens, apps and installations, and what each may do. Thread-safe."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from playground.github.apps import App, Installation, signer
from playground.github.model import Account, NotFound, NotPossible, SandboxRepo
from playground.github.rate_limit import Limits

INSTALLATION_TOKEN_LASTS = timedelta(hours=1)
ALL_THAT_IS_NEEDED: Mapping[str, str] = {"actions": "write", "metadata": "read"}

SUSPENDED = "This installation has been suspended"

Kind = Literal["fine-grained", "classic", "installation"]


@dataclass(frozen=True)
class Caller:
    """The owner of a token. `repos` are ids; None: all of the account's. A classic token may do everything."""

    kind: Kind
    login: str
    repos: frozenset[int] | None = None
    permissions: Mapping[str, str] = field(default_factory=lambda: ALL_THAT_IS_NEEDED)
    expires_at: datetime | None = None
    installation: Installation | None = None
    user_id: int = 0
    sso_for: frozenset[str] = frozenset()
    """The organizations, in lower case, for which a classic token was authorized by single sign-on."""

    @property
    def key(self) -> str:
        """The key of the rate limit that its calls count against: a user's tokens share one."""
        return f"installation ID {self.installation.id}" if self.installation else f"user ID {self.user_id}"

    def owns(self, repo: SandboxRepo) -> bool:
        """Whether the token was made for this repository."""
        if self.installation and repo.owner.lower() != self.installation.account.lower():
            return False
        return self.repos is None or repo.id in self.repos

    def may(self, permission: str, level: str) -> bool:
        if self.kind == "classic":
            return True
        held = self.permissions.get(permission)
        return held in {"write", level}


class Accounts:
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._accounts: dict[str, Account] = {}
        self._tokens: dict[str, Caller] = {}
        self._apps: dict[int, App] = {}
        self._installations: dict[int, Installation] = {}
        self._tokens_made = 0
        self._need_sso: set[str] = set()
        self.limits = Limits(clock)

    def account(self, login: str, type: Literal["User", "Organization", "Bot"] = "User") -> Account:
        """Created when it is first named."""
        with self._lock:
            key = login.lower()
            if key not in self._accounts:
                self._accounts[key] = Account(583_231 + len(self._accounts), login, type)
            return self._accounts[key]

    def grant(self, token: str, caller: Caller) -> Caller:
        with self._lock:
            caller = replace(caller, user_id=self.account(caller.login).id)
            self._tokens[_digest(token)] = caller
            return caller

    def revoke(self, token: str) -> None:
        with self._lock:
            self._tokens.pop(_digest(token), None)

    def caller(self, token: str) -> Caller:
        """Raises NotPossible for a token that is unknown or has expired."""
        with self._lock:
            caller = self._tokens.get(_digest(token))
            if caller is not None and caller.installation is not None:
                installation = self._installations.get(caller.installation.id)
                if installation is None:
                    caller = None
                elif installation.suspended_at is not None:
                    raise NotPossible(403, SUSPENDED)
        if caller is None or (caller.expires_at is not None and caller.expires_at <= self._clock()):
            raise NotPossible(401, "Bad credentials")
        return caller

    def require_sso(self, organization: str) -> None:
        """From now on classic tokens need single sign-on for its repositories, public ones too."""
        with self._lock:
            self._need_sso.add(self.account(organization, "Organization").login.lower())

    def authorize_sso(self, token: str, organization: str) -> None:
        with self._lock:
            caller = self._tokens[_digest(token)]
            self._tokens[_digest(token)] = replace(caller, sso_for=caller.sso_for | {organization.lower()})

    def lacks_sso(self, caller: Caller) -> frozenset[str]:
        """The organizations whose repositories the caller does not see, as single sign-on is missing."""
        with self._lock:
            return frozenset(self._need_sso) - caller.sso_for if caller.kind == "classic" else frozenset()

    def add_app(self, public_key: str, *, id: int = 1_071_204, slug: str = "acme-chatops") -> App:
        """`public_key` is PEM. A JWT may name the app by its id or by its client id."""
        with self._lock:
            self._apps[id] = App(id, f"Iv23li{id:014d}", slug, public_key)
            self.account(f"{slug}[bot]", "Bot")
            return self._apps[id]

    def install(
        self,
        app: App,
        account: str,
        *,
        repos: Iterable[SandboxRepo] | None = None,
        permissions: Mapping[str, str] = ALL_THAT_IS_NEEDED,
        id: int | None = None,
    ) -> Installation:
        with self._lock:
            number = 52_001_100 + len(self._installations) if id is None else id
            chosen = None if repos is None else frozenset(repo.id for repo in repos)
            self._installations[number] = Installation(number, app, account, chosen, permissions, self._clock())
            return self._installations[number]

    def suspend(self, installation: Installation) -> None:
        with self._lock:
            now = self._clock()
            self._installations[installation.id] = replace(installation, suspended_at=now)

    def uninstall(self, installation: Installation) -> None:
        """Its tokens are invalid from now on."""
        with self._lock:
            del self._installations[installation.id]

    def signer(self, token: str) -> App:
        """Raises NotPossible if no app here signed the JWT."""
        with self._lock:
            return signer(token, tuple(self._apps.values()), self._clock())

    def installation_of(self, app: App, repo: SandboxRepo) -> Installation:
        """Raises NotFound."""
        with self._lock:
            for installation in self._installations.values():
                if installation.app == app and _as_caller(installation, None).owns(repo):
                    return installation
        raise NotFound(f"{app.slug} is not installed on {repo.full_name}")

    def installation_token(self, app: App, number: int) -> tuple[str, Caller]:
        """A new token for an hour. Raises NotFound if the app has no such installation."""
        with self._lock:
            installation = self._installations.get(number)
            if installation is None or installation.app != app:
                raise NotFound(f"no installation {number}")
            if installation.suspended_at is not None:
                raise NotPossible(403, SUSPENDED)
            self._tokens_made += 1
            token = "ghs_" + _digest(f"installation token {number} {self._tokens_made}")[:36]
            caller = _as_caller(installation, self._clock() + INSTALLATION_TOKEN_LASTS)
            return token, self.grant(token, caller)


def _as_caller(installation: Installation, expires_at: datetime | None) -> Caller:
    return Caller(
        "installation",
        f"{installation.app.slug}[bot]",
        installation.repos,
        installation.permissions,
        expires_at,
        installation,
    )


def _digest(token: str) -> str:
    """Tokens are kept as digests, so that no traceback or repr holds one."""
    return hashlib.sha256(token.encode()).hexdigest()
