"""The sandbox GitHub's accounts and repositories as its API writes them. Pure functions; runs: `run_serializers`."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from playground.github.apps import App, Installation
from playground.github.model import Account, Hook, HookDelivery, PullRequest, SandboxRepo
from playground.github.rate_limit import Window

Json = dict[str, Any]
AccountOf = Callable[[str], Account]
"""The account with a login."""

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
    """The base URLs of the API and of the pages, without a slash at the end."""

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
    """public-user: what a token sees of its own user without permissions for the profile."""
    empty_fields = dict.fromkeys(("name", "company", "location", "email", "hireable", "bio"))
    counted = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    times = {"created_at": time_json(since), "updated_at": time_json(since)}
    return {**user_json(account, at), **empty_fields, "blog": "", **counted, **times}


def minimal_repo_json(repo: SandboxRepo, owner: Account, at: Addresses) -> Json:
    """minimal-repository, as in runs."""
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
    """repository, as in lists."""
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
    """full-repository, as in a response of its own."""
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
        "suspended_at": maybe_time_json(installation.suspended_at),
    }


def limits_json(window: Window) -> Json:
    """rate-limit-overview; what the sandbox does not serve is unspent."""
    reset = int(window.resets_at.timestamp())
    core = {"limit": window.limit, "used": window.used, "remaining": window.remaining, "reset": reset}
    others: Mapping[str, int] = {"search": 30, "graphql": 5_000, "integration_manifest": 5_000, "code_search": 10}
    unspent = {name: {"limit": limit, "used": 0, "remaining": limit, "reset": reset} for name, limit in others.items()}
    return {"resources": {"core": core, **unspent}, "rate": core}


def integration_json(app: App, owner: Account, permissions: Mapping[str, str], at: Addresses, since: datetime) -> Json:
    """integration"""
    return {
        "id": app.id,
        "slug": app.slug,
        "node_id": node_id("A", app.id),
        "client_id": app.client_id,
        "owner": user_json(owner, at),
        "name": app.slug,
        "description": None,
        "external_url": f"{at.web}/{owner.login}",
        "html_url": f"{at.web}/apps/{app.slug}",
        "created_at": time_json(since),
        "updated_at": time_json(since),
        "permissions": dict(permissions),
        "events": ["workflow_run"],
        "installations_count": 1,
    }


def hook_json(hook: Hook, at: Addresses, since: datetime) -> Json:
    """hook, or org-hook for one of an organization."""
    is_of_a_repo = "/" in hook.owner
    url = f"{at.api}/{'repos' if is_of_a_repo else 'orgs'}/{hook.owner}/hooks/{hook.id}"
    done = [delivery for delivery in hook.deliveries if delivery.is_done]
    code, status = delivery_outcome(done[-1]) if done else (None, "unused")
    of_a_repo = {"test_url": f"{url}/test", "last_response": {"code": code, "status": status, "message": None}}
    return {
        "type": "Repository" if is_of_a_repo else "Organization",
        "id": hook.id,
        "name": "web",
        "active": True,
        "events": list(hook.events),
        "config": {"url": hook.url, "content_type": "json", "insecure_ssl": "0", "secret": "********"},
        "updated_at": time_json(since),
        "created_at": time_json(since),
        "url": url,
        "ping_url": f"{url}/pings",
        "deliveries_url": f"{url}/deliveries",
        **(of_a_repo if is_of_a_repo else {}),
    }


def delivery_outcome(delivery: HookDelivery) -> tuple[int, str]:
    """The status code and the word that GitHub stores for a POST. Without a response, the code is a gateway's."""
    if delivery.status is None:
        is_late = delivery.failure == "timed out"
        return (504, "timed out") if is_late else (502, delivery.failure or "pending")
    return delivery.status, "OK" if delivery.status < 400 else f"Invalid HTTP Response: {delivery.status}"


def delivery_json(delivery: HookDelivery) -> Json:
    """hook-delivery-item"""
    code, status = delivery_outcome(delivery)
    return {
        "id": delivery.id,
        "guid": delivery.guid,
        "delivered_at": time_json(delivery.at),
        "redelivery": delivery.redelivery,
        "duration": 0.27,
        "status": status,
        "status_code": code,
        "event": delivery.event,
        "action": delivery.payload.get("action"),
        "installation_id": None,
        "repository_id": (delivery.payload.get("repository") or {}).get("id"),
        "throttled_at": None,
    }


def full_delivery_json(delivery: HookDelivery, hook: Hook) -> Json:
    """hook-delivery"""
    sent = {"headers": {"X-GitHub-Delivery": delivery.guid, "X-GitHub-Event": delivery.event}}
    asked = {**sent, "payload": dict(delivery.payload)}
    return {**delivery_json(delivery), "url": hook.url, "request": asked, "response": {"headers": {}, "payload": ""}}


def branch_json(name: str, sha: str, repo: SandboxRepo, at: Addresses) -> Json:
    """short-branch"""
    commit = {"sha": sha, "url": f"{at.repo(repo)}/commits/{sha}"}
    return {"name": name, "commit": commit, "protected": name == repo.default_branch}


def full_branch_json(name: str, sha: str, repo: SandboxRepo, at: Addresses) -> Json:
    """branch-with-protection"""
    url, is_protected = f"{at.repo(repo)}/branches/{name}", name == repo.default_branch
    person = {"name": "Ada", "email": "ada@users.noreply.github.com", "date": time_json(repo.pushed_at)}
    tree = hashlib.sha256(f"tree {sha}".encode()).hexdigest()[:40]
    commit_url = f"{at.repo(repo)}/commits/{sha}"
    return {
        "name": name,
        "commit": {
            "url": commit_url,
            "sha": sha,
            "node_id": f"C_{sha[:12]}",
            "html_url": f"{at.web}/{repo.full_name}/commit/{sha}",
            "comments_url": f"{commit_url}/comments",
            "commit": {
                "url": f"{at.repo(repo)}/git/commits/{sha}",
                "author": person,
                "committer": person,
                "message": "Tidy up",
                "comment_count": 0,
                "tree": {"sha": tree, "url": f"{at.repo(repo)}/git/trees/{tree}"},
            },
            "author": None,
            "committer": None,
            "parents": [],
        },
        "_links": {"html": f"{at.web}/{repo.full_name}/tree/{name}", "self": url},
        "protected": is_protected,
        "protection": {"enabled": is_protected},
        "protection_url": f"{url}/protection",
    }


def pull_json(pull: PullRequest, repo: SandboxRepo, base_sha: str, account: AccountOf, at: Addresses) -> Json:
    """pull-request. `head.repo` is null if the fork is gone, as GitHub answers although its description forbids it."""
    url, html_url = f"{at.repo(repo)}/pulls/{pull.number}", f"{at.web}/{repo.full_name}/pull/{pull.number}"
    issue = f"{at.repo(repo)}/issues/{pull.number}"
    links = {
        "self": url,
        "html": html_url,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{at.repo(repo)}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": f"{at.repo(repo)}/statuses/{pull.head_sha}",
    }
    counts = dict.fromkeys(("comments", "review_comments", "commits", "additions", "deletions", "changed_files"), 0)
    return {
        "url": url,
        "id": repo.id + pull.number,
        "node_id": node_id("PR", repo.id + pull.number),
        "html_url": html_url,
        "diff_url": f"{html_url}.diff",
        "patch_url": f"{html_url}.patch",
        **{f"{name}_url": link for name, link in links.items() if name not in ("self", "html")},
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "title": pull.title,
        "user": user_json(account(pull.by), at),
        "body": None,
        "labels": [],
        "milestone": None,
        "active_lock_reason": None,
        "created_at": time_json(pull.created_at),
        "updated_at": time_json(pull.updated_at),
        "closed_at": time_json(pull.updated_at) if pull.state == "closed" else None,
        "merged_at": maybe_time_json(pull.merged_at),
        "merge_commit_sha": None,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": _side(pull.head, pull.head_sha, pull.head_repo, pull.by, account, at),
        "base": _side(pull.base, base_sha, repo, repo.owner, account, at),
        "_links": {name: {"href": link} for name, link in links.items()},
        "author_association": "CONTRIBUTOR",
        "auto_merge": None,
        "draft": False,
        "merged": pull.merged_at is not None,
        "mergeable": None,
        "rebaseable": None,
        "mergeable_state": "unknown",
        "merged_by": None,
        "maintainer_can_modify": False,
        **counts,
    }


def _side(ref: str, sha: str, repo: SandboxRepo | None, by: str, account: AccountOf, at: Addresses) -> Json:
    owner = account(by if repo is None else repo.owner)
    shown = None if repo is None else repo_json(repo, owner, at, may_write=False)
    return {"label": f"{owner.login}:{ref}", "ref": ref, "sha": sha, "user": user_json(owner, at), "repo": shown}
