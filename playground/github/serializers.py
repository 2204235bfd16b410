"""The sandbox GitHub's accounts and repositories as its API writes them. Pure functions; runs: `github_run_json`."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from playground.github.apps import Installation
from playground.github.model import Account, SandboxRepo
from playground.github.rate_limit import Window

Json = dict[str, Any]

_USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
_REPO_LINKS = {
    "archive": "/{archive_format}{/ref}",
    "assignees": "/assignees{/user}",
    "blobs": "/git/blobs{/sha}",
    "branches": "/branches{/branch}",
    "collaborators": "/collaborators{/collaborator}",
    "comments": "/comments{/number}",
    "commits": "/commits{/sha}",
    "compare": "/compare/{base}...{head}",
    "contents": "/contents/{+path}",
    "contributors": "/contributors",
    "deployments": "/deployments",
    "downloads": "/downloads",
    "events": "/events",
    "forks": "/forks",
    "git_commits": "/git/commits{/sha}",
    "git_refs": "/git/refs{/sha}",
    "git_tags": "/git/tags{/sha}",
    "hooks": "/hooks",
    "issue_comment": "/issues/comments{/number}",
    "issue_events": "/issues/events{/number}",
    "issues": "/issues{/number}",
    "keys": "/keys{/key_id}",
    "labels": "/labels{/name}",
    "languages": "/languages",
    "merges": "/merges",
    "milestones": "/milestones{/number}",
    "notifications": "/notifications{?since,all,participating}",
    "pulls": "/pulls{/number}",
    "releases": "/releases{/id}",
    "stargazers": "/stargazers",
    "statuses": "/statuses/{sha}",
    "subscribers": "/subscribers",
    "subscription": "/subscription",
    "tags": "/tags",
    "teams": "/teams",
    "trees": "/git/trees{/sha}",
}


@dataclass(frozen=True)
class Addresses:
    """Of the API and of the pages that people look at, neither with a slash at the end."""

    api: str
    web: str

    def repo(self, repo: SandboxRepo) -> str:
        return f"{self.api}/repos/{repo.full_name}"


def time_json(moment: datetime) -> str:
    """To the second, as GitHub writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def maybe_time_json(moment: datetime | None) -> str | None:
    return None if moment is None else time_json(moment)


def node_id(kind: str, number: int) -> str:
    return f"{kind}_{base64.urlsafe_b64encode(number.to_bytes(8)).decode().rstrip('=')}"


def user_json(account: Account, at: Addresses) -> Json:
    """simple-user"""
    url = f"{at.api}/users/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node_id("U", account.id),
        "avatar_url": f"{at.web}/avatars/u/{account.id}?v=4",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{at.web}/{account.login}",
        **{name: url + rest for name, rest in _USER_LINKS.items()},
        "type": account.type,
        "user_view_type": "public",
        "site_admin": False,
    }


def own_user_json(account: Account, at: Addresses, since: datetime) -> Json:
    """public-user: what a token learns of its own user without permissions over the profile."""
    told = dict.fromkeys(("name", "company", "location", "email", "hireable", "bio"))
    counted = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    times = {"created_at": time_json(since), "updated_at": time_json(since)}
    return {**user_json(account, at), **told, "blog": "", **counted, **times}


def minimal_repo_json(repo: SandboxRepo, owner: Account, at: Addresses) -> Json:
    """minimal-repository, as it stands in runs."""
    url = at.repo(repo)
    return {
        "id": repo.id,
        "node_id": node_id("R", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": user_json(owner, at),
        "html_url": f"{at.web}/{repo.full_name}",
        "description": repo.description,
        "fork": repo.fork,
        "url": url,
        **{f"{name}_url": url + rest for name, rest in _REPO_LINKS.items()},
    }


def repo_json(repo: SandboxRepo, owner: Account, at: Addresses, *, may_write: bool) -> Json:
    """repository, as it stands in lists."""
    host = at.web.partition("://")[2]
    nothing = ("forks", "forks_count", "stargazers_count", "watchers", "watchers_count", "size", "open_issues")
    return {
        **minimal_repo_json(repo, owner, at),
        "git_url": f"git://{host}/{repo.full_name}.git",
        "ssh_url": f"git@{host}:{repo.full_name}.git",
        "clone_url": f"{at.web}/{repo.full_name}.git",
        "svn_url": f"{at.web}/{repo.full_name}",
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "license": None,
        **dict.fromkeys(nothing, 0),
        "open_issues_count": 0,
        "default_branch": repo.default_branch,
        "is_template": False,
        "topics": [],
        "visibility": "private" if repo.private else "public",
        "has_issues": True,
        "has_projects": False,
        "has_wiki": False,
        "has_pages": False,
        "has_downloads": True,
        "has_discussions": False,
        "archived": repo.archived,
        "disabled": False,
        "pushed_at": time_json(repo.pushed_at),
        "created_at": time_json(repo.created_at),
        "updated_at": time_json(repo.pushed_at),
        "permissions": {"admin": False, "maintain": False, "push": may_write, "triage": may_write, "pull": True},
    }


def full_repo_json(repo: SandboxRepo, owner: Account, at: Addresses, *, may_write: bool) -> Json:
    """full-repository, as it stands alone."""
    return {**repo_json(repo, owner, at, may_write=may_write), "subscribers_count": 0, "network_count": 0}


def installation_json(installation: Installation, account: Account, at: Addresses) -> Json:
    """installation"""
    api, number = at.api, installation.id
    return {
        "id": number,
        "client_id": installation.app.client_id,
        "account": user_json(account, at),
        "repository_selection": "all" if installation.repos is None else "selected",
        "access_tokens_url": f"{api}/app/installations/{number}/access_tokens",
        "repositories_url": f"{api}/installation/repositories",
        "html_url": f"{at.web}/organizations/{installation.account}/settings/installations/{number}",
        "app_id": installation.app.id,
        "app_slug": installation.app.slug,
        "target_id": account.id,
        "target_type": account.type,
        "permissions": dict(installation.permissions),
        "events": ["workflow_run"],
        "created_at": time_json(installation.created_at),
        "updated_at": time_json(installation.created_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": None,
        "suspended_at": None,
    }


def limits_json(window: Window) -> Json:
    """rate-limit-overview; what the sandbox does not serve is unspent."""
    reset = int(window.resets_at.timestamp())
    core = {"limit": window.limit, "used": window.used, "remaining": window.remaining, "reset": reset}
    others: Mapping[str, int] = {"search": 30, "graphql": 5_000, "integration_manifest": 5_000, "code_search": 10}
    unspent = {name: {"limit": most, "used": 0, "remaining": most, "reset": reset} for name, most in others.items()}
    return {"resources": {"core": core, **unspent}, "rate": core}
