"""Who may ask the sandbox GitHub what: tokens, permissions, what is not to be seen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from playground.github.state import GitHubWorld
from tests.playground.github.client import NOON, TOKEN, WEB, Client, SettableClock

OTHER = "github_pat_11OTHER"
READ_ONLY = {"actions": "read", "metadata": "read"}


@pytest.mark.parametrize(
    "authorization", ["Bearer wrong", "token wrong", "Basic YTpi", "Bearer", "Bearer schl\xfcssel", ""]
)
@pytest.mark.parametrize("path", ["/user", "/user/repos", WEB, f"{WEB}/actions/runs", "/nothing"])
def test_a_wrong_token_is_reported_on_every_call(client: Client, authorization: str, path: str) -> None:
    answer = client.ask("GET", path, headers={"Authorization": authorization}, described=False)
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")


def test_no_token_is_reported(client: Client) -> None:
    answer = client.ask("GET", "/user", headers={"Authorization": None})
    assert (answer.status_code, answer.json()["message"]) == (401, "Requires authentication")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "token"])
def test_a_token_has_a_user(client: Client, scheme: str) -> None:
    assert client.ask("GET", "/user", headers={"Authorization": f"{scheme} {TOKEN}"}).json()["login"] == "acme-bot"


def test_a_token_that_was_revoked_or_has_expired_is_a_wrong_one(
    client: Client, world: GitHubWorld, clock: SettableClock
) -> None:
    world.add_token(OTHER, expires_at=NOON + timedelta(hours=1))
    assert client.as_(OTHER).get("/user").status_code == 200
    clock.passes(3600)
    assert client.as_(OTHER).get("/user").status_code == 401
    world.accounts.revoke(TOKEN)
    assert client.get("/user").status_code == 401


def test_a_repository_that_is_not_to_be_seen_is_not_there(client: Client, world: GitHubWorld) -> None:
    world.add_repo("acme/secret")
    run = world.trigger("acme/secret")
    world.add_token(OTHER, repos=["acme/web"])
    other = client.as_(OTHER)
    assert [repo["full_name"] for repo in other.get("/user/repos").json()] == ["acme/web"]
    for path in ("/repos/acme/secret", "/repos/acme/secret/actions/runs", "/repos/acme/nothing/actions/runs"):
        assert (other.get(path).status_code, other.get(path).json()["message"]) == (404, "Not Found")
    assert other.post(f"/repos/acme/secret/actions/runs/{run.id}/rerun").status_code == 404
    assert other.get(f"{WEB}/actions/runs/{run.id}").status_code == 404


@pytest.mark.parametrize(
    ("permissions", "read", "write"),
    [({"metadata": "read"}, 403, 403), (READ_ONLY, 200, 403), ({"actions": "write"}, 200, 201)],
)
def test_a_token_can_do_what_its_permissions_say_and_is_reported_what_it_lacks(
    client: Client, world: GitHubWorld, permissions: dict[str, str], read: int, write: int
) -> None:
    run = world.fail(world.trigger("acme/web"))
    world.add_token(OTHER, permissions=permissions)
    other = client.as_(OTHER)
    listed, rerun = other.get(f"{WEB}/actions/runs"), other.post(f"{WEB}/actions/runs/{run.id}/rerun")
    assert (listed.status_code, rerun.status_code) == (read, write)
    assert listed.headers["X-Accepted-GitHub-Permissions"] == "actions=read"
    assert rerun.headers["X-Accepted-GitHub-Permissions"] == "actions=write"
    if write == 403:
        assert rerun.json()["message"] == "Resource not accessible by personal access token"
        assert world.run(run).attempt == 1


def test_branches_need_a_permission_of_their_own(client: Client, world: GitHubWorld) -> None:
    first, second = world.trigger("acme/web"), world.trigger("acme/web", branch="a&b#c")
    newer = world.trigger("acme/web")
    assert client.get(f"{WEB}/branches").headers["X-Accepted-GitHub-Permissions"] == "contents=read"
    assert client.get(f"{WEB}/branches").status_code == 403
    world.add_token(OTHER, permissions={"contents": "read"})
    heads = {branch["name"]: branch["commit"]["sha"] for branch in client.as_(OTHER).get(f"{WEB}/branches").json()}
    assert heads == {"main": newer.head_sha, "a&b#c": second.head_sha}
    assert first.head_sha != newer.head_sha


def test_everybody_reads_a_public_repository_and_only_its_own_token_writes(client: Client, world: GitHubWorld) -> None:
    world.add_repo("elsewhere/open", private=False)
    run = world.fail(world.trigger("elsewhere/open"))
    world.add_token(OTHER, repos=["acme/web"])
    other = client.as_(OTHER)
    assert other.get("/repos/elsewhere/open/actions/runs").json()["total_count"] == 1
    assert other.post(f"/repos/elsewhere/open/actions/runs/{run.id}/rerun").status_code == 403
    assert [repo["full_name"] for repo in other.get("/user/repos").json()] == ["acme/web"]


def test_an_organisation_shows_what_the_token_may_see(client: Client, world: GitHubWorld) -> None:
    world.add_repo("acme/secret")
    world.add_repo("acme/open", private=False)
    world.add_token(OTHER, repos=["acme/web"])
    assert [repo["name"] for repo in client.as_(OTHER).get("/orgs/ACME/repos").json()] == ["web", "open"]
    assert client.get("/orgs/nobody/repos").status_code == 404


def test_only_an_installation_lists_its_repositories(client: Client) -> None:
    answer = client.get("/installation/repositories")
    assert answer.status_code == 403
    assert "installation access token" in answer.json()["message"]


def test_a_classic_token_without_single_sign_on_sees_less_and_is_told_so(client: Client, world: GitHubWorld) -> None:
    world.add_repo("elsewhere/open", private=False)
    world.add_token(OTHER, kind="classic")
    world.accounts.require_sso("acme")
    org_id = world.accounts.account("acme").id
    other = client.as_(OTHER)
    listed = other.get("/user/repos")
    assert [repo["full_name"] for repo in listed.json()] == ["elsewhere/open"]
    assert listed.headers["X-GitHub-SSO"] == f"partial-results; organizations={org_id}"
    of_org = other.get("/orgs/acme/repos")
    assert (of_org.json(), of_org.headers["X-GitHub-SSO"]) == ([], listed.headers["X-GitHub-SSO"])
    refused = other.get(f"{WEB}/actions/runs")
    assert refused.status_code == 403
    assert "organization SAML enforcement" in refused.json()["message"]
    assert refused.headers["X-GitHub-SSO"].startswith("required; url=https://github.com/orgs/acme/sso?")
    world.accounts.authorize_sso(OTHER, "acme")
    whole = other.get("/user/repos")
    assert (len(whole.json()), "X-GitHub-SSO" in whole.headers) == (2, False)
    assert other.get(f"{WEB}/actions/runs").status_code == 200


def test_a_fine_grained_token_needs_no_single_sign_on(client: Client, world: GitHubWorld) -> None:
    world.accounts.require_sso("acme")
    assert client.get(f"{WEB}/actions/runs").status_code == 200
    assert "X-GitHub-SSO" not in client.get("/user/repos").headers
