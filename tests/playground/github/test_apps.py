"""A GitHub App at the sandbox: its JWT is checked as GitHub checks it, its installation's tokens last an hour."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from playground.github.api.server import GitHubHost
from playground.github.apps import App
from playground.github.state import GitHubWorld
from playground.github.webhooks import GitHubWebhooks
from tests.playground.github.client import NOON, TOKEN, WEB, Client, SettableClock

APP_ID = 1_071_204
NOW = int(NOON.timestamp())
NOT_DECODED = "A JSON web token could not be decoded"


@cache
def key_of(name: str) -> rsa.RSAPrivateKey:
    """A key for each name; made once, since making one takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def signed(key: rsa.RSAPrivateKey | str, algorithm: str = "RS256", **claims: Any) -> str:
    """With `None` a claim is left out."""
    whole = {"iss": str(APP_ID), "iat": NOW - 60, "exp": NOW + 540, **claims}
    return jwt.encode({name: claim for name, claim in whole.items() if claim is not None}, key, algorithm)


@pytest.fixture
def app(world: GitHubWorld) -> App:
    return world.accounts.add_app(public_pem(key_of("app")), id=APP_ID)


@pytest.fixture
def tokens_path(world: GitHubWorld, app: App) -> str:
    return f"/app/installations/{world.accounts.install(app, 'acme').id}/access_tokens"


@pytest.fixture
def new_token(client: Client, tokens_path: str) -> Callable[[], str]:
    def ask(now: int = NOW) -> str:
        answer = client.as_(signed(key_of("app"), iat=now - 60, exp=now + 540)).post(tokens_path)
        assert answer.status_code == 201
        token: str = answer.json()["token"]
        return token

    return ask


@pytest.mark.parametrize("iss", ["1071204", "Iv23li00000001071204"])
def test_an_app_gets_a_token_of_its_installation(client: Client, tokens_path: str, iss: str) -> None:
    answer = client.as_(signed(key_of("app"), iss=iss)).post(tokens_path)
    assert answer.status_code == 201
    assert answer.json() == {
        "token": answer.json()["token"],
        "expires_at": "2026-03-02T13:00:00Z",
        "permissions": {"actions": "write", "metadata": "read"},
        "repository_selection": "all",
    }
    assert answer.json()["token"].startswith("ghs_")


@pytest.mark.parametrize(
    ("jwt_of", "status", "words"),
    [
        (lambda: signed(key_of("another")), 401, NOT_DECODED),
        (lambda: signed("a-secret-that-is-long-enough-for-hmac", "HS256"), 401, NOT_DECODED),
        (lambda: jwt.encode({"iss": str(APP_ID), "iat": NOW, "exp": NOW + 60}, None, "none"), 401, NOT_DECODED),
        (lambda: signed(key_of("app")) + "x", 401, NOT_DECODED),
        (lambda: "no.jwt.atall", 401, NOT_DECODED),
        (lambda: TOKEN, 401, NOT_DECODED),
        (lambda: signed(key_of("app"), iss=None), 401, "Missing 'issuer' claim ('iss') in assertion"),
        (lambda: signed(key_of("app"), iss="7"), 404, "Integration not found"),
        (lambda: signed(key_of("app"), exp=NOW), 401, "'Expiration time' claim ('exp') must be"),
        (lambda: signed(key_of("app"), exp=None), 401, "'Expiration time' claim ('exp') must be"),
        (lambda: signed(key_of("app"), exp=NOW + 601), 401, "'Expiration time' claim ('exp') is too far in the future"),
        (lambda: signed(key_of("app"), iat=None), 401, "'Issued at' claim ('iat') must be an Integer"),
        (lambda: signed(key_of("app"), iat=NOW + 1), 401, "'Issued at' claim ('iat') must be an Integer"),
        (lambda: signed(key_of("app"), iat=NOW - 0.5), 401, "'Issued at' claim ('iat') must be an Integer"),
    ],
)
def test_a_jwt_that_is_not_right_is_refused_in_githubs_words(
    client: Client, tokens_path: str, jwt_of: Callable[[], str], status: int, words: str
) -> None:
    answer = client.as_(jwt_of()).post(tokens_path)
    assert answer.status_code == status
    assert answer.json()["message"].startswith(words)


@pytest.mark.parametrize("claims", [{"exp": NOW + 600}, {"iat": NOW}, {"iat": NOW - 3600, "exp": NOW + 1}])
def test_a_jwt_is_good_to_the_second(client: Client, tokens_path: str, claims: dict[str, int]) -> None:
    assert client.as_(signed(key_of("app"), **claims)).post(tokens_path).status_code == 201


def test_the_sandboxs_clock_judges_a_jwt(client: Client, tokens_path: str, clock: SettableClock) -> None:
    asker = client.as_(signed(key_of("app")))
    clock.passes(540)
    assert asker.post(tokens_path).status_code == 401


def test_an_installation_sees_its_accounts_repositories_for_an_hour(
    client: Client, world: GitHubWorld, clock: SettableClock, new_token: Callable[[], str]
) -> None:
    world.add_repo("elsewhere/secret")
    run = world.fail(world.trigger("acme/web"))
    installation = client.as_(new_token())
    listed = installation.get("/installation/repositories").json()
    assert (listed["total_count"], listed["repository_selection"]) == (1, "all")
    assert [repo["full_name"] for repo in listed["repositories"]] == ["acme/web"]
    assert installation.get("/repos/elsewhere/secret").status_code == 404
    assert installation.post(f"{WEB}/actions/runs/{run.id}/rerun").status_code == 201
    assert world.run(run).triggering_actor == "acme-chatops[bot]"
    clock.passes(3600)
    assert installation.get(f"{WEB}/actions/runs").status_code == 401


def test_each_token_is_a_new_one_and_all_share_the_installations_rate_limit(
    client: Client, new_token: Callable[[], str]
) -> None:
    one, other = new_token(), new_token()
    assert one != other
    client.as_(one).get(WEB)
    assert client.as_(other).get(WEB).headers["X-RateLimit-Used"] == "2"


def test_an_installation_of_chosen_repositories_and_fewer_permissions_can_do_no_more(
    client: Client, world: GitHubWorld, app: App
) -> None:
    world.add_repo("acme/other")
    run = world.fail(world.trigger("acme/web"))
    chosen = world.accounts.install(app, "acme", repos=[world.repo("acme/web")], permissions={"actions": "read"})
    answer = client.as_(signed(key_of("app"))).post(f"/app/installations/{chosen.id}/access_tokens").json()
    assert (answer["repository_selection"], answer["permissions"]) == ("selected", {"actions": "read"})
    installation = client.as_(answer["token"])
    assert installation.get("/repos/acme/other").status_code == 404
    refused = installation.post(f"{WEB}/actions/runs/{run.id}/rerun")
    assert (refused.status_code, refused.json()["message"]) == (403, "Resource not accessible by integration")


@pytest.mark.parametrize("path", ["/user", "/user/repos"])
def test_an_installation_is_no_one(client: Client, new_token: Callable[[], str], path: str) -> None:
    answer = client.as_(new_token()).get(path)
    assert (answer.status_code, answer.json()["message"]) == (403, "Resource not accessible by integration")


def test_an_app_finds_its_installation_by_a_repository(client: Client, world: GitHubWorld, app: App) -> None:
    asker = client.as_(signed(key_of("app")))
    assert asker.get(f"{WEB}/installation").status_code == 404
    installation = world.accounts.install(app, "acme")
    found = asker.get(f"{WEB}/installation").json()
    assert (found["id"], found["app_id"], found["account"]["login"]) == (installation.id, APP_ID, "acme")
    world.rename("acme/web", "acme/site")
    assert asker.get(f"{WEB}/installation").status_code == 301
    assert client.get("/repos/acme/site/installation").status_code == 401


def test_another_apps_installation_is_not_there(client: Client, world: GitHubWorld, tokens_path: str) -> None:
    other = world.accounts.add_app(public_pem(key_of("another")), id=7, slug="other")
    assert client.as_(signed(key_of("another"), iss=str(other.id))).post(tokens_path).status_code == 404


def test_a_jwt_is_no_token(client: Client, app: App) -> None:
    assert client.as_(signed(key_of("app"))).get(f"{WEB}/actions/runs").status_code == 401


def test_a_token_is_not_narrowed_unsaid(client: Client, tokens_path: str) -> None:
    asker = client.as_(signed(key_of("app")))
    with asker.session.post(client.url + tokens_path, json={"repositories": ["web"]}, timeout=5) as answer:
        assert answer.status_code == 422


def test_no_key_or_token_stands_in_what_is_kept(
    host: GitHubHost, world: GitHubWorld, new_token: Callable[[], str]
) -> None:
    token = new_token()
    [wire] = host.wires.since(0)
    assert (wire.sent["headers"]["Authorization"], wire.came_back["token"]) == ("[redacted]", "[redacted]")
    kept = repr([world.requests, vars(world.accounts), world.accounts.caller(token), wire])
    assert token not in kept
    assert "PUBLIC KEY" not in kept


def test_an_app_reads_about_itself(client: Client, app: App) -> None:
    told = client.as_(signed(key_of("app"))).get("/app").json()
    assert (told["id"], told["slug"], told["client_id"]) == (APP_ID, app.slug, app.client_id)
    assert client.get("/app").status_code == 401


def test_a_suspended_installation_gets_no_token_and_its_tokens_are_refused(
    client: Client, world: GitHubWorld, app: App
) -> None:
    installed = world.accounts.install(app, "acme")
    by_app = client.as_(signed(key_of("app")))
    path = f"/app/installations/{installed.id}/access_tokens"
    token = by_app.post(path).json()["token"]
    world.accounts.suspend(installed)
    for refused in (by_app.post(path), client.as_(token).get(f"{WEB}/actions/runs")):
        assert (refused.status_code, refused.json()["message"]) == (403, "This installation has been suspended")
    assert by_app.get(f"{WEB}/installation").json()["suspended_at"] == "2026-03-02T12:00:00Z"


def test_an_installation_that_was_removed_is_not_there_and_its_tokens_are_wrong(
    client: Client, world: GitHubWorld, app: App
) -> None:
    installed = world.accounts.install(app, "acme")
    by_app = client.as_(signed(key_of("app")))
    path = f"/app/installations/{installed.id}/access_tokens"
    token = by_app.post(path).json()["token"]
    world.accounts.uninstall(installed)
    assert by_app.post(path).status_code == 404
    assert client.as_(token).get(f"{WEB}/actions/runs").status_code == 401


def test_an_installation_may_lack_actions_and_its_token_says_so(client: Client, world: GitHubWorld, app: App) -> None:
    installed = world.accounts.install(app, "acme", permissions={"metadata": "read"})
    answer = client.as_(signed(key_of("app"))).post(f"/app/installations/{installed.id}/access_tokens").json()
    assert answer["permissions"] == {"metadata": "read"}
    refused = client.as_(answer["token"]).get(f"{WEB}/actions/runs")
    assert (refused.status_code, refused.json()["message"]) == (403, "Resource not accessible by integration")


def test_an_app_reads_its_failed_deliveries_and_asks_for_one_again(
    client: Client, world: GitHubWorld, app: App, host: GitHubHost
) -> None:
    by_app = client.as_(signed(key_of("app")))
    assert by_app.get("/app/hook/deliveries").status_code == 404
    with GitHubWebhooks(world, "http://127.0.0.1:9/nobody", "secret", api_url=host.url) as hooks:
        world.trigger("acme/web")
        assert hooks.wait_until(lambda: hooks.deliveries[0].is_done)
        [failed] = by_app.get("/app/hook/deliveries", status="failure").json()
        assert (failed["event"], failed["action"], failed["status_code"]) == ("workflow_run", "requested", 502)
        whole = by_app.get(f"/app/hook/deliveries/{failed['id']}").json()
        assert whole["request"]["payload"]["workflow_run"]["event"] == "push"
        assert by_app.post(f"/app/hook/deliveries/{failed['id']}/attempts").status_code == 202
        assert hooks.wait_until(lambda: [delivery.is_done for delivery in hooks.deliveries] == [True, True])
        again, _ = by_app.get("/app/hook/deliveries", status="failure").json()
        assert (again["guid"], again["redelivery"]) == (failed["guid"], True)
        assert again["id"] != failed["id"]
        assert by_app.get("/app/hook/deliveries", status="success").json() == []
        assert by_app.post("/app/hook/deliveries/7/attempts").status_code == 404
    assert client.get("/app/hook/deliveries").status_code == 401
