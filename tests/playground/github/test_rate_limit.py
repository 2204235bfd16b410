"""The sandbox GitHub counts calls against the primary limit, and not those that a 304 answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests

from playground.github import faults as moods
from playground.github.state import GitHubWorld
from tests.playground.github.client import NOON, WEB, Client, SettableClock

RUNS = f"{WEB}/actions/runs"


def limits(answer: requests.Response) -> dict[str, int]:
    words = ("Limit", "Remaining", "Used", "Reset")
    return {word.lower(): int(answer.headers[f"X-RateLimit-{word}"]) for word in words}


def test_every_answer_reports_the_limit_and_each_call_counts(client: Client) -> None:
    reset = int((NOON + timedelta(hours=1)).timestamp())
    assert limits(client.get("/user")) == {"limit": 5000, "remaining": 4999, "used": 1, "reset": reset}
    assert limits(client.get("/repos/acme/nothing"))["used"] == 2
    answer = client.post(f"{RUNS}/1/rerun")
    assert (limits(answer)["used"], answer.headers["X-RateLimit-Resource"]) == (3, "core")


def test_the_window_begins_again_after_an_hour(client: Client, clock: SettableClock) -> None:
    client.get("/user")
    clock.passes(3600)
    answer = limits(client.get("/user"))
    assert (answer["used"], answer["reset"]) == (1, int((NOON + timedelta(hours=2)).timestamp()))


def test_asking_for_the_limit_costs_nothing(client: Client) -> None:
    client.get("/user")
    answer = client.get("/rate_limit")
    assert answer.json()["resources"]["core"] == answer.json()["rate"] == limits(answer)
    assert limits(client.get("/rate_limit"))["used"] == 1


@pytest.mark.parametrize("status", [403, 429])
def test_who_has_spent_all_is_refused_until_the_reset(
    client: Client, world: GitHubWorld, clock: SettableClock, status: Any
) -> None:
    run = world.fail(world.trigger("acme/web"))
    world.accounts.limits.refuses_with = status
    world.accounts.limits.leave(2, resets_in_s=600)
    assert [limits(client.get("/user"))["remaining"] for _ in range(2)] == [1, 0]
    refused = client.post(f"{RUNS}/{run.id}/rerun")
    assert refused.status_code == status
    assert refused.json()["message"].startswith("API rate limit exceeded for user ID ")
    assert (limits(refused)["remaining"], limits(refused)["reset"]) == (0, int(NOON.timestamp()) + 600)
    assert "Retry-After" not in refused.headers
    assert world.run(run).attempt == 1
    assert client.get("/rate_limit").status_code == 200
    clock.passes(600)
    assert limits(client.get("/user"))["remaining"] == 4999


def test_the_tokens_of_a_user_share_a_rate_limit_and_those_of_two_do_not(client: Client, world: GitHubWorld) -> None:
    world.add_token("github_pat_again", "acme-bot")
    world.add_token("github_pat_bob", "bob")
    client.get("/user")
    assert limits(client.as_("github_pat_again").get("/user"))["used"] == 2
    assert limits(client.as_("github_pat_bob").get("/user"))["used"] == 1


def test_an_enterprise_server_may_have_no_limit(client: Client, world: GitHubWorld) -> None:
    world.accounts.limits.per_hour = None
    assert not any(name.lower().startswith("x-ratelimit") for name in client.get("/user").headers)
    answer = client.get("/rate_limit")
    assert (answer.status_code, answer.json()["message"]) == (404, "Rate limiting is not enabled.")


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("retry_after", ["17", None])
def test_a_secondary_limit_says_so_while_calls_are_left(
    client: Client, world: GitHubWorld, status: Any, retry_after: str | None
) -> None:
    run = world.fail(world.trigger("acme/web"))
    world.mood = moods.secondary_limit(status, retry_after)
    for answer in (client.get(RUNS), client.post(f"{RUNS}/{run.id}/rerun")):
        assert answer.status_code == status
        assert "secondary rate limit" in answer.json()["message"]
        assert answer.headers.get("Retry-After") == retry_after
        assert limits(answer)["remaining"] == 5000
    assert world.run(run).attempt == 1


# Conditional requests


def test_an_unchanged_answer_is_a_304_that_costs_nothing(client: Client, world: GitHubWorld) -> None:
    world.push("acme/web")
    first = client.get(RUNS, per_page="1")
    etag = first.headers["ETag"]
    assert etag.startswith('W/"')
    again = client.ask("GET", RUNS, headers={"If-None-Match": etag}, per_page="1")
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    assert limits(again) == limits(first)


def test_an_unchanged_page_names_the_other_pages(client: Client, world: GitHubWorld) -> None:
    for _ in range(3):
        world.trigger("acme/web")
    first = client.get(RUNS, per_page="1", page="2")
    again = client.ask("GET", RUNS, headers={"If-None-Match": first.headers["ETag"]}, per_page="1", page="2")
    assert (again.status_code, again.headers["Link"]) == (304, first.headers["Link"])
    only = client.get("/user/repos")
    assert "Link" not in client.ask("GET", "/user/repos", headers={"If-None-Match": only.headers["ETag"]}).headers


def test_a_changed_answer_is_whole_and_counts(client: Client, world: GitHubWorld) -> None:
    [run, _] = world.push("acme/web")
    first = client.get(RUNS)
    world.start(run)
    again = client.ask("GET", RUNS, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    assert again.headers["ETag"] != first.headers["ETag"]
    assert limits(again)["used"] == limits(first)["used"] + 1


@pytest.mark.parametrize(
    ("form", "status"),
    [("{0}", 304), ('"x", {0}', 304), ("*", 304), ("{1}", 304), ('W/"x"', 200), ("", 200)],
)
def test_tags_are_compared_weakly_and_many_at_once(client: Client, form: str, status: int) -> None:
    etag = client.get("/user").headers["ETag"]
    tag = form.format(etag, etag.removeprefix("W/"))
    assert client.ask("GET", "/user", headers={"If-None-Match": tag}).status_code == status


def test_a_tag_holds_for_the_token_that_got_it(client: Client, world: GitHubWorld) -> None:
    world.add_token("github_pat_again", "acme-bot")
    etag = client.get(RUNS).headers["ETag"]
    assert client.as_("github_pat_again").ask("GET", RUNS, headers={"If-None-Match": etag}).status_code == 200


def test_refusals_and_posts_have_no_tag(client: Client, world: GitHubWorld) -> None:
    run = world.fail(world.trigger("acme/web"))
    assert "ETag" not in client.get("/repos/acme/nothing").headers
    assert "ETag" not in client.post(f"{RUNS}/{run.id}/rerun").headers


def test_who_has_spent_all_gets_no_304_either(client: Client, world: GitHubWorld) -> None:
    etag = client.get("/user").headers["ETag"]
    world.accounts.limits.leave(0)
    assert client.ask("GET", "/user", headers={"If-None-Match": etag}).status_code == 403
