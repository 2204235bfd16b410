"""Of the workflows that did not run for a commit only those are carried that GitHub calls active."""

from __future__ import annotations

from typing import Any

import pytest
import responses
from responses import matchers

from bot.ci.github.client import WORKFLOWS_KNOWN_S, WORKFLOWS_UNKNOWN_S, GitHub
from bot.core.model.builds import Project
from tests.ci.codeship.canned import Clock, Gate
from tests.ci.github.canned import API, OLDER, RUNS, WEB, lint, run, runs_json

WORKFLOWS = f"{API}/repos/acme/web/actions/workflows"
CARRIES = runs_json(run(2), lint(1, head_sha=OLDER, created_at="2026-03-01T10:00:00Z"))
CI, LINT = 58400001, 58400002


def listed(*active: int, **others: str) -> dict[str, Any]:
    states = {
        **dict.fromkeys(map(str, active), "active"),
        **{id_.removeprefix("_"): state for id_, state in others.items()},
    }
    return {
        "total_count": len(states),
        "workflows": [{"id": int(id_), "state": state} for id_, state in states.items()],
    }


def carried(github: GitHub, project: Project = WEB) -> list[str]:
    return [run.name for run in github.builds(project)[0].workflows if run.commit]


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        (listed(CI, LINT), ["Lint"]),
        (listed(CI), []),
        (listed(CI, _58400002="deleted"), []),
        (listed(CI, _58400002="disabled_manually"), []),
        (listed(CI, _58400002="disabled_inactivity"), []),
    ],
    ids=["active", "gone", "deleted", "disabled", "asleep"],
)
def test_only_an_active_workflow_is_inherited(
    github: GitHub, api: responses.RequestsMock, gate: Gate, answer: dict[str, Any], names: list[str]
) -> None:
    api.get(RUNS, CARRIES)
    api.get(WORKFLOWS, json=answer)
    assert carried(github) == names
    assert gate.asked == ["builds", "workflows"]


def test_if_nothing_would_be_inherited_no_one_requests(github: GitHub, api: responses.RequestsMock, gate: Gate) -> None:
    api.get(RUNS, runs_json(run(2), lint(1), run(3, head_branch="dev", head_sha=OLDER)))
    github.builds(WEB)
    assert gate.asked == ["builds"]


def test_it_is_asked_once_in_ten_minutes_for_each_repository_and_then_only_for_changes(
    github: GitHub, api: responses.RequestsMock, gate: Gate, clock: Clock
) -> None:
    api.get(RUNS, CARRIES)
    api.get(WORKFLOWS, json=listed(CI), headers={"ETag": '"w"'})
    assert carried(github) == []
    clock.now += WORKFLOWS_KNOWN_S - 1
    assert carried(github) == []
    assert gate.asked == ["builds", "workflows", "builds"]
    clock.now += 1
    api.replace("GET", WORKFLOWS, status=304, match=[matchers.header_matcher({"If-None-Match": '"w"'})])
    assert carried(github) == []
    assert (gate.asked[3:], gate.free[-1]) == (["builds", "workflows"], True)
    assert carried(github) == []
    assert len(gate.asked) == 6


def test_each_repository_has_workflows_of_its_own(github: GitHub, api: responses.RequestsMock) -> None:
    other = {"id": 5, "full_name": "acme/api"}
    of_other = runs_json(
        *({**each, "repository": other, "head_repository": other} for each in (run(2), lint(1, head_sha=OLDER)))
    )
    api.get(RUNS, CARRIES)
    api.get(WORKFLOWS, json=listed(CI))
    api.get(RUNS.replace("web", "api"), of_other)
    api.get(WORKFLOWS.replace("web", "api"), json=listed(CI, LINT))
    assert carried(github) == []
    assert carried(github, Project("5", "acme/api", "github")) == ["Lint"]


@pytest.mark.parametrize("answer", [{"status": 404}, {"status": 500}, {"body": "<html>"}, {"json": {"workflows": [7]}}])
def test_if_it_cannot_be_learned_all_is_inherited_and_it_is_requested_again_soon(
    github: GitHub, api: responses.RequestsMock, gate: Gate, clock: Clock, answer: dict[str, Any]
) -> None:
    api.get(RUNS, CARRIES)
    api.get(WORKFLOWS, **answer)
    assert carried(github) == ["Lint"]
    asked = gate.asked.count("workflows")
    assert carried(github) == ["Lint"]
    assert gate.asked.count("workflows") == asked
    clock.now += WORKFLOWS_UNKNOWN_S
    api.replace("GET", WORKFLOWS, json=listed(CI))
    assert carried(github) == []


def test_what_was_learned_before_holds_if_it_cannot_be_learned_again(
    github: GitHub, api: responses.RequestsMock, clock: Clock
) -> None:
    api.get(RUNS, CARRIES)
    api.get(WORKFLOWS, json=listed(CI))
    carried(github)
    clock.now += WORKFLOWS_KNOWN_S
    api.replace("GET", WORKFLOWS, status=404)
    assert carried(github) == []


def test_without_a_rate_limit_for_it_all_is_inherited_and_it_is_asked_next_time(
    github: GitHub, api: responses.RequestsMock, gate: Gate
) -> None:
    gate.lets = 1
    api.get(RUNS, CARRIES)
    assert carried(github) == ["Lint"]
    gate.lets = 10
    api.get(WORKFLOWS, json=listed(CI))
    assert carried(github) == []


def test_all_pages_of_workflows_count_and_if_there_are_too_many_all_is_inherited(
    github: GitHub, api: responses.RequestsMock, clock: Clock
) -> None:
    def next_page(number: int) -> dict[str, str]:
        return {"Link": f'<{WORKFLOWS}?page={number}>; rel="next"'}

    for last, names in ((listed(LINT), ["Lint"]), (listed(3), [])):
        api.get(RUNS, CARRIES)
        api.get(WORKFLOWS, json=listed(CI), headers=next_page(2))
        api.get(f"{WORKFLOWS}?page=2", json=last)
        assert carried(github) == names
        clock.now += WORKFLOWS_KNOWN_S
        api.reset()
    api.get(RUNS, CARRIES)
    api.get(WORKFLOWS, json=listed(CI), headers=next_page(2))
    api.get(f"{WORKFLOWS}?page=2", json=listed(3), headers=next_page(3))
    api.get(f"{WORKFLOWS}?page=3", json=listed(4), headers=next_page(4))
    assert carried(github) == ["Lint"]
    assert len(api.calls) == 4  # since they were forgotten: the runs, and three pages


def test_the_workflows_take_a_third_of_the_time_at_most(
    github: GitHub, api: responses.RequestsMock, clock: Clock
) -> None:
    def slow(_: object) -> tuple[int, dict[str, str], str]:
        clock.now += 3
        return 503, {}, ""

    api.get(RUNS, CARRIES)
    api.add_callback("GET", WORKFLOWS, slow)
    assert carried(github) == ["Lint"]
    assert len(api.calls) == 3  # of four seconds: the first, and one more try of it
