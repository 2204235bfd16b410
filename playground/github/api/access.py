"""Resolves the target of a request to the simulated GitHub, and checks the caller's permissions.

A repository that the caller may not see gives 404. A renamed one is redirected to its new name.
"""

from __future__ import annotations

from aiohttp import web

from playground.github.accounts import Caller
from playground.github.api.middleware import NEEDS, call_of, token_of
from playground.github.api.serializers import Addresses
from playground.github.model import NotFound, NotPossible, SandboxRepo, SandboxRun
from playground.github.state import GitHubWorld

_SAML = (
    "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this "
    "organization."
)
_HOW_TO_FOLLOW = "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects"


class Moved(Exception):
    """The requested repository has another name now."""

    def __init__(self, repo: SandboxRepo) -> None:
        super().__init__(repo.full_name)
        self.repo = repo


class Access:
    """`prefix` begins every path of the API; `web_url` is the base address of the pages."""

    def __init__(self, world: GitHubWorld, prefix: str, web_url: str) -> None:
        self._world = world
        self.prefix, self._web_url = prefix, web_url

    def at(self, request: web.Request) -> Addresses:
        return Addresses(f"{request.url.origin()}{self.prefix}", self._web_url)

    def named(self, request: web.Request) -> SandboxRepo:
        """The requested repository, for any caller. Raises NotFound and Moved."""
        asked = request.match_info
        if "repository_id" in asked:
            return self._world.repo(int(asked["repository_id"]))
        full_name = f"{asked['owner']}/{asked['repo']}"
        moved = self._world.repo_once_named(full_name)
        if moved is not None:
            raise Moved(moved)
        return self._world.repo(full_name)

    def caller(self, request: web.Request) -> Caller:
        """Raises NotPossible."""
        return self._world.accounts.caller(token_of(request))

    def person(self, request: web.Request) -> Caller:
        """Raises NotPossible, also if an app requests what only a person can see."""
        caller = self.caller(request)
        if caller.installation is not None:
            raise _not_accessible(caller)
        return caller

    def repo(self, request: web.Request) -> SandboxRepo:
        """The requested repository, if the caller may do this. Raises NotFound, NotPossible and Moved."""
        caller = self.caller(request)
        try:
            repo = self.named(request)
        except Moved as moved:
            if not sees(caller, moved.repo):
                raise NotFound(moved.repo.full_name) from None
            raise
        if not sees(caller, repo):
            raise NotFound(repo.full_name)
        self._check_sso(caller, repo.owner)
        permission, level = NEEDS[call_of(request) or ""]
        is_open = level == "read" and not repo.private and permission != "repository_hooks"
        if not is_open and not (caller.owns(repo) and caller.may(permission, level)):
            raise _not_accessible(caller)
        return repo

    def org(self, request: web.Request) -> str:
        """The requested organization's login, if the caller may do this. Raises NotFound, NotPossible."""
        caller, org = self.caller(request), request.match_info["org"].lower()
        if org not in {repo.owner.lower() for repo in self._world.repos()}:
            raise NotFound(org)
        self._check_sso(caller, org)
        if not caller.may(*NEEDS[call_of(request) or ""]):
            raise _not_accessible(caller)
        return org

    def _check_sso(self, caller: Caller, owner: str) -> None:
        if owner.lower() in self._world.accounts.lacks_sso(caller):
            at = f"{self._web_url}/orgs/{owner}/sso?authorization_request=A5DB"
            raise NotPossible(403, _SAML, {"X-GitHub-SSO": f"required; url={at}"})

    def run(self, request: web.Request) -> SandboxRun:
        """The requested run, if the caller may do this. Raises what `repo` does."""
        repo = self.repo(request)
        run = self._world.run(int(request.match_info["run_id"]))
        if run.repo_id != repo.id:
            raise NotFound(f"no run {run.id} in {repo.full_name}")
        return run

    def url_of(self, request: web.Request) -> str:
        """The address of the request as GitHub's own links have it: repositories by their ids."""
        path = request.path.removeprefix(self.prefix)
        if path.startswith("/repos/"):
            path = f"/repositories/{self.named(request).id}{_after_the_repo(path)}"
        return self.at(request).api + path

    def redirect(self, request: web.Request, repo: SandboxRepo) -> web.Response:
        """To the repository by its id; a POST stays a POST."""
        path = _after_the_repo(request.path.removeprefix(self.prefix))
        url = f"{self.at(request).api}/repositories/{repo.id}{path}"
        url += f"?{request.query_string}" if request.query_string else ""
        body = {"message": "Moved Permanently", "url": url, "documentation_url": _HOW_TO_FOLLOW}
        return web.json_response(body, status=301 if request.method == "GET" else 307, headers={"Location": url})


def sees(caller: Caller, repo: SandboxRepo) -> bool:
    return caller.owns(repo) or not repo.private


def _not_accessible(caller: Caller) -> NotPossible:
    by = "integration" if caller.installation is not None else "personal access token"
    return NotPossible(403, f"Resource not accessible by {by}")


def _after_the_repo(path: str) -> str:
    """`/repos/acme/web/actions/runs` → `/actions/runs`"""
    rest = path.split("/", 4)[4:]
    return f"/{rest[0]}" if rest else ""
