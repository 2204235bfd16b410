"""As a GitHub App the bot gets tokens for an hour, and gets the next before it expires or if it is rejected."""

from __future__ import annotations

import logging
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import jwt
import pytest
import responses
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from requests.exceptions import ReadTimeout

from bot.ci.github.client import GitHub
from bot.ci.github.hook_deliveries import APP_HOOK
from bot.ci.github.http.auth import App, signing_key
from bot.config.parsers import Secret
from bot.core.model.builds import Ability, ActionResult
from bot.core.model.errors import CIError, InvalidResponse, OverLimit, Unauthorized, Unreachable
from tests.ci.acting import restart
from tests.ci.codeship.canned import Clock, Gate, surroundings
from tests.ci.github.canned import API, RUNS, WEB, runs_json, seen_build, workflow

TOKENS = f"{API}/app/installations/52001100/access_tokens"
REPOSITORIES = f"{API}/installation/repositories"
DATE, IN_AN_HOUR = "Sun, 01 Mar 2026 12:00:00 GMT", "2026-03-01T13:00:00Z"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: Any, kind: PrivateFormat = PrivateFormat.TraditionalOpenSSL) -> str:
    text: str = key.private_bytes(Encoding.PEM, kind, NoEncryption()).decode()
    return text


PEM = pem(KEY)


def given(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "json": {"token": f"ghs_s3cret_{name}", "expires_at": IN_AN_HOUR, **changes},
        "status": 201,
        "headers": {"Date": DATE},
    }


@pytest.fixture
def github(clock: Clock, gate: Gate, seen: list[tuple[str, str]]) -> Iterator[GitHub]:
    provider = GitHub(
        API,
        App("1071204", "52001100", Secret(PEM)),
        surroundings(
            clock,
            observe=lambda call, result, seconds: seen.append((call, result)),
            before_request=gate.before_request,
            after_request=gate.after_request,
        ),
    )
    yield provider
    provider.close()


def sent(api: responses.RequestsMock) -> list[tuple[str, str]]:
    """The tokens' names and where they went."""
    calls = [(str(call.request.headers["Authorization"]), str(call.request.url)) for call in api.calls]
    return [(token.rpartition("_")[2], url) for token, url in calls if url != TOKENS]


def asked_for_tokens(api: responses.RequestsMock) -> int:
    return sum(call.request.url == TOKENS for call in api.calls)


def test_the_app_proves_who_it_is_with_a_proof_that_is_soon_over(github: GitHub, api: responses.RequestsMock) -> None:
    api.post(TOKENS, **given("one"))
    api.get(RUNS, runs_json())
    github.builds(WEB)
    proof = str(api.calls[0].request.headers["Authorization"]).removeprefix("Bearer ")
    claims = jwt.decode(
        proof, KEY.public_key(), algorithms=["RS256"], options={"verify_exp": False, "verify_iat": False}
    )
    now = datetime.fromisoformat("2026-03-01T12:00:00Z").timestamp()
    assert claims == {"iat": now - 60, "exp": now + 9 * 60, "iss": "1071204"}
    assert sent(api) == [("one", str(api.calls[1].request.url))]


def test_it_lists_what_the_installation_can_see(github: GitHub, api: responses.RequestsMock) -> None:
    api.post(TOKENS, **given("one"))
    api.get(REPOSITORIES, json={"total_count": 1, "repositories": [{"id": 7, "full_name": "acme/web"}]})
    assert [project.id for project in github.projects()] == ["7"]


def test_a_token_is_kept_until_five_minutes_before_its_end(
    github: GitHub, api: responses.RequestsMock, clock: Clock, gate: Gate
) -> None:
    api.post(TOKENS, **given("one"))
    api.get(RUNS, runs_json())
    github.builds(WEB)
    clock.now += 55 * 60 - 1
    github.builds(WEB)
    assert asked_for_tokens(api) == 1
    api.replace("POST", TOKENS, **given("two"))
    clock.now += 2
    github.builds(WEB)
    assert [token for token, _ in sent(api)] == ["one", "one", "two"]
    assert gate.asked == ["token", "builds", "builds", "token", "builds"]


@pytest.mark.parametrize(
    ("changes", "headers"),
    [
        ({"expires_at": None}, {"Date": DATE}),
        ({"expires_at": "soon"}, {"Date": DATE}),
        ({}, {"Date": "yesterday"}),
        ({"expires_at": "2999-01-01T00:00:00Z"}, {"Date": DATE}),
    ],
)
def test_a_token_whose_end_cannot_be_read_is_kept_as_one_for_an_hour(
    github: GitHub, api: responses.RequestsMock, clock: Clock, changes: dict[str, Any], headers: dict[str, str]
) -> None:
    api.post(TOKENS, **{**given("one", **changes), "headers": headers})
    api.get(RUNS, runs_json())
    github.builds(WEB)
    clock.now += 55 * 60 - 1
    github.builds(WEB)
    assert asked_for_tokens(api) == 1
    clock.now += 2
    github.builds(WEB)
    assert asked_for_tokens(api) == 2


def test_a_token_that_is_refused_is_replaced_and_the_question_requested_again(
    github: GitHub, api: responses.RequestsMock, seen: list[tuple[str, str]]
) -> None:
    api.post(TOKENS, **given("one"))
    api.post(TOKENS, **given("two"))
    api.get(RUNS, status=401, json={"message": "Bad credentials"})
    api.get(RUNS, runs_json())
    assert github.builds(WEB) == []
    assert [token for token, _ in sent(api)] == ["one", "two"]
    assert [result for _, result in seen] == ["ok", "Unauthorized", "ok", "ok"]


def test_a_restart_that_was_refused_with_the_token_did_nothing_and_is_sent_with_the_next(
    github: GitHub, api: responses.RequestsMock
) -> None:
    api.post(TOKENS, **given("one"))
    api.post(TOKENS, **given("two"))
    api.post(f"{RUNS}/19440221001/rerun", status=401)
    api.post(f"{RUNS}/19440221001/rerun", status=201)
    build = seen_build(workflow(1, "CI"))
    assert restart(github, build) == ActionResult(build.id, done=("CI",))


def test_a_second_refusal_is_reported(github: GitHub, api: responses.RequestsMock) -> None:
    api.post(TOKENS, **given("one"))
    api.post(TOKENS, **given("two"))
    api.get(RUNS, status=401)
    with pytest.raises(Unauthorized):
        github.builds(WEB)
    assert len(sent(api)) == 2


def said(status: int, message: str) -> dict[str, Any]:
    return {"status": status, "json": {"message": message}}


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (said(401, "A JSON web token could not be decoded"), Unauthorized, "could not be decoded"),
        (said(404, "Not Found"), Unauthorized, "Not Found; check GITHUB_APP_ID and GITHUB_APP_INSTALLATION_ID"),
        (said(404, ""), Unauthorized, "no such App, or not installed there; check GITHUB_APP_ID"),
        (said(403, "This installation has been suspended"), Unauthorized, "has been suspended; check"),
        (said(429, "slow down"), OverLimit, "slow down"),
        (said(500, "Server Error"), Unreachable, "no token for the App came: answered 500"),
        ({"body": ReadTimeout("x")}, Unreachable, "no token for the App came: the connection broke"),
        ({"status": 201, "json": {}}, InvalidResponse, "no token in it"),
        ({"status": 201, "json": {"token": "a b: c"}}, InvalidResponse, "no token in it"),
        ({"status": 201, "json": {"token": 7}}, InvalidResponse, "no token in it"),
        ({"status": 201, "body": "<html>"}, InvalidResponse, "no token in it"),
        ({"status": 302, "headers": {"Location": "https://evil.test/"}}, InvalidResponse, "check GITHUB_API_URL"),
    ],
)
def test_if_no_token_is_given_nothing_else_is_asked(
    github: GitHub, api: responses.RequestsMock, answer: dict[str, Any], kind: type[CIError], told: str
) -> None:
    api.post(TOKENS, **answer)
    for call in (lambda: github.builds(WEB), lambda: restart(github, seen_build(workflow(1, "CI")))):
        with pytest.raises(kind, match=told) as raised:
            call()
        assert not raised.value.may_have_taken
    assert sent(api) == []


@pytest.mark.parametrize("key", [f"garbage s3cret {PEM[:300]}", "", PEM.replace("MII", "XII")])
def test_a_key_that_is_none_is_reported_and_nothing_is_sent(
    clock: Clock, api: responses.RequestsMock, key: str
) -> None:
    github = GitHub(API, App("1071204", "52001100", Secret(key)), surroundings(clock))
    with pytest.raises(Unauthorized, match="check GITHUB_APP_PRIVATE_KEY_FILE") as raised:
        github.builds(WEB)
    assert (raised.value.__context__, raised.value.__cause__, len(api.calls)) == (None, None, 0)
    github.close()


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        (PEM, True),
        (pem(KEY, PrivateFormat.PKCS8), True),
        (KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(), False),
        (pem(ec.generate_private_key(ec.SECP256R1())), False),
        ("-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----", False),
        ("", False),
    ],
    ids=["as GitHub makes it", "PKCS 8", "public", "another kind", "damaged", "empty"],
)
def test_only_an_rsa_private_key_characters(text: str, signs: bool) -> None:
    assert (signing_key(Secret(text)) is not None) is signs


def at_once(many: int, work: Callable[[], object]) -> list[object]:
    """What each of so many threads got, that begin together."""
    ready = threading.Barrier(many)

    def one(_: int) -> object:
        ready.wait(5)
        try:
            return work()
        except CIError as error:
            return type(error)

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(one, range(many)))


def test_one_thread_requests_the_token_of_all(github: GitHub, api: responses.RequestsMock) -> None:
    api.post(TOKENS, **given("one"))
    api.get(RUNS, runs_json())
    assert at_once(8, lambda: github.builds(WEB)) == [[]] * 8
    assert asked_for_tokens(api) == 1


def test_threads_that_waited_for_a_token_that_was_not_given_do_not_ask_one_after_another(
    clock: Clock, api: responses.RequestsMock
) -> None:
    read: Counter[int] = Counter()
    changed = threading.Condition()

    def monotonic() -> float:
        with changed:
            read[threading.get_ident()] += 1
            changed.notify_all()
        return clock.now

    def late(_: object) -> tuple[int, dict[str, str], str]:
        with changed:  # before it waits, each thread reads the clock twice: until when, and since when
            assert changed.wait_for(lambda: len(read) == 3 and min(read.values()) >= 2, 5)
        clock.now += 5
        return 404, {}, ""

    github = GitHub(API, App("1071204", "52001100", Secret(PEM)), surroundings(clock, monotonic=monotonic))
    api.add_callback("POST", TOKENS, late)
    assert at_once(3, lambda: github.builds(WEB)) == [Unauthorized] * 3
    assert asked_for_tokens(api) == 1
    github.close()


@pytest.mark.parametrize("status", [401, 403, 404, 500, 201])
def test_neither_key_nor_proof_nor_token_stands_in_an_error_a_log_or_a_repr(
    github: GitHub, api: responses.RequestsMock, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.DEBUG)

    def parrot(request: Any) -> tuple[int, dict[str, str], str]:
        return status, {}, f'{{"message": "no, {request.headers["Authorization"]}"}}'

    api.add_callback("POST", TOKENS, parrot)
    with pytest.raises(CIError) as raised:
        github.builds(WEB)
    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + caplog.text
    proofs = [str(call.request.headers["Authorization"]).removeprefix("Bearer ") for call in api.calls]
    assert not any(piece in told for proof in proofs for piece in proof.split("."))
    api.replace("POST", TOKENS, **given("one"))
    api.add_callback("GET", RUNS, parrot)
    with pytest.raises(CIError) as raised:
        github.builds(WEB)
    told += "".join(traceback.format_exception(raised.value)) + repr(raised.value) + caplog.text
    app = App("1071204", "52001100", Secret(PEM))
    assert "s3cret" not in told
    assert not any(line in told + repr(app) + repr(github) for line in PEM.splitlines()[1:-1])


def test_the_app_itself_asks_for_its_webhooks_failed_deliveries(clock: Clock, api: responses.RequestsMock) -> None:
    github = GitHub(API, App("1071204", "52001100", Secret(PEM)), surroundings(clock), hook=APP_HOOK)
    api.get(f"{API}/app/hook/deliveries", json=[])
    assert github.redeliver_failed(lambda _guid: True) == 0
    proof = str(api.calls[0].request.headers["Authorization"]).removeprefix("Bearer ")
    assert jwt.decode(proof, options={"verify_signature": False})["iss"] == "1071204"
    github.close()


@pytest.mark.parametrize(
    ("permissions", "may_write"),
    [({"actions": "write"}, True), ({"actions": "read"}, False), ({"metadata": "read"}, False), (None, True)],
)
def test_an_app_that_may_not_write_offers_no_restart(
    github: GitHub, api: responses.RequestsMock, permissions: dict[str, str] | None, may_write: bool
) -> None:
    more = {} if permissions is None else {"permissions": permissions}
    api.post(TOKENS, **given("one", **more))
    api.get(REPOSITORIES, json={"repositories": []})
    assert Ability.RESTART in github.abilities, "it is not known before the first token"
    github.projects()
    assert (Ability.RESTART in github.abilities) is may_write
    assert (Ability.CANCEL in github.abilities) is may_write
    assert Ability.LOGS in github.abilities
