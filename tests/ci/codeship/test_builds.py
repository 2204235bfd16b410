"""How each field of a build is parsed, including invalid ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import strategies as st

from bot.ci.codeship.api import parse_builds
from bot.core.model.builds import Build, Project, Status
from bot.core.model.errors import CIError
from bot.core.model.people.authors import CommitAuthor
from tests.examples import examples

API = "https://codeship.com/api/v1"
KEY = "s3cret/key +%&é~"
WEB = Project("33837", "acme/web", "codeship")
COMMIT = "96943dc5269634c211b6fbb18896ecdcbd40a047"
BUILD: dict[str, Any] = {
    "id": 3277309,
    "uuid": "7c4d5e10-6755-0132-b8a1-5e3ee6c4a2a1",
    "project_id": 33837,
    "status": "success",
    "branch": "main",
    "commit_id": COMMIT,
    "github_username": "ada",
    "message": "Fix login\n\nFor good.",
    "started_at": "2014-12-16T11:08:34.123Z",
    "finished_at": "2014-12-16T11:14:08.271Z",
    "debug_connection": None,
}


def builds(*entries: object, **project: object) -> list[Build]:
    answer = {"id": 33837, "repository_name": "acme/web", "uuid": "u", "builds": list(entries), **project}
    return parse_builds(200, {}, json.dumps(answer).encode(), WEB)


def build(**changes: object) -> Build:
    [only] = builds({**BUILD, **changes})
    return only


def test_every_field_of_a_build_is_parsed() -> None:
    assert build() == Build(
        id="3277309",
        project=WEB,
        status=Status.PASSED,
        status_word="success",
        branch="main",
        commit=COMMIT,
        message="Fix login\n\nFor good.",
        author="ada",
        started_at=datetime(2014, 12, 16, 11, 8, 34, 123000, UTC),
        finished_at=datetime(2014, 12, 16, 11, 14, 8, 271000, UTC),
        url="https://app.codeship.com/projects/33837/builds/3277309",
        commit_url=f"https://github.com/acme/web/commit/{COMMIT}",
        made_by=CommitAuthor("ada"),
    )


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("initiated", Status.QUEUED),
        ("waiting", Status.QUEUED),
        ("testing", Status.RUNNING),
        ("success", Status.PASSED),
        ("SUCCESS", Status.PASSED),
        ("error", Status.FAILED),
        ("failed", Status.FAILED),
        ("stopped", Status.STOPPED),
        ("cancelled", Status.STOPPED),
        ("skipped", Status.SKIPPED),
        ("ignored", Status.IGNORED),
        ("blocked", Status.BLOCKED),
        ("infrastructure_failure", Status.INFRASTRUCTURE_FAILURE),
        ("on_holiday", Status.UNKNOWN),
        ("", Status.UNKNOWN),
    ],
)
def test_every_status_word_has_its_meaning(word: str, status: Status) -> None:
    assert (build(status=word).status, build(status=word).status_word) == (status, word)


@pytest.mark.parametrize("status", [None, 5, ["success"], {}])
def test_a_status_that_is_no_word_is_unknown(status: object) -> None:
    assert (build(status=status).status, build(status=status).status_word) == (Status.UNKNOWN, "")


def test_an_unknown_status_word_is_kept_up_to_100_characters() -> None:
    assert build(status="x" * 500).status_word == "x" * 100


def test_a_build_of_nulls_is_a_build() -> None:
    alone = Build("1", WEB, Status.UNKNOWN, "", url="https://app.codeship.com/projects/33837/builds/1")
    assert builds({**dict.fromkeys(BUILD), "id": 1}) == [alone]
    assert builds({"id": 1}) == [alone]


@pytest.mark.parametrize("field", sorted(set(BUILD) - {"id", "status"}))
@pytest.mark.parametrize("wrong", [5, 1.5, True, [], {"a": 1}])
def test_a_field_of_the_wrong_type_invalidates_only_itself(field: str, wrong: object) -> None:
    assert build(**{field: wrong}) == build(**{field: None})


@pytest.mark.parametrize("broken", [None, 5, "build", [], {}, {"id": None}, {"id": []}, {"id": True}, {"id": ""}])
def test_a_broken_build_is_left_out_and_the_others_stay(broken: object) -> None:
    assert [each.id for each in builds({"id": 1}, broken, {"id": 2})] == ["2", "1"]


def test_builds_are_sorted_by_number_the_highest_first() -> None:
    ids: list[object] = [9, "10", 8, 11.0, "x7", 10**17, "a"]
    assert [each.id for each in builds(*({"id": id_} for id_ in ids))] == [str(10**17), "11", "10", "9", "8", "x7", "a"]


def test_invalid_utf8_is_replaced_byte_by_byte() -> None:
    body = b'{"id": 1, "builds": [{"id": 2, "message": "caf\xe9", "branch": "main"}]}'
    [only] = parse_builds(200, {}, body, WEB)
    assert (only.message, only.branch) == ("caf\ufffd", "main")


def test_half_surrogate_pairs_are_replaced() -> None:
    body = rb'{"id": 1, "builds": [{"id": 2, "message": "a\ud800b", "branch": "c\udfffd"}]}'
    [only] = parse_builds(200, {}, body, WEB)
    assert (only.message, only.branch) == ("ab", "cd")


def test_texts_are_bounded_and_lines_are_single() -> None:
    long = build(branch="b" * 5000, message="m" * 50_000, github_username="a" * 500, commit_id="c" * 500)
    sizes = [len(text or "") for text in (long.branch, long.message, long.author, long.commit)]
    assert sizes == [1_000, 10_000, 200, 100]
    odd = build(branch="a\nb\x00\x1b\u2028c", github_username="\tada\r", message="one\r\ntwo\x00\x07\tthree\rfour")
    assert (odd.branch, odd.author, odd.message) == ("abc", "ada", "one\ntwo\tthree\nfour")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2014-12-16T11:14:08.271Z", datetime(2014, 12, 16, 11, 14, 8, 271000, UTC)),
        ("2014-12-16T11:14:08Z", datetime(2014, 12, 16, 11, 14, 8, tzinfo=UTC)),
        ("2014-12-16T12:14:08+01:00", datetime(2014, 12, 16, 11, 14, 8, tzinfo=UTC)),
        ("2014-12-16T11:14:08", datetime(2014, 12, 16, 11, 14, 8, tzinfo=UTC)),
        ("2014-12-16 11:14:08.271828182Z", datetime(2014, 12, 16, 11, 14, 8, 271828, UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
        (1418728448, None),
    ],
)
def test_times_are_aware_and_in_utc_or_none(written: object, meant: datetime | None) -> None:
    at = build(finished_at=written).finished_at
    assert at == meant
    assert at is None or at.utcoffset() == datetime.now(UTC).utcoffset()


@pytest.mark.parametrize(
    ("provider", "page"),
    [
        (None, f"https://github.com/acme/web/commit/{COMMIT}"),
        ("GitHub", f"https://github.com/acme/web/commit/{COMMIT}"),
        ("bitbucket", f"https://bitbucket.org/acme/web/commits/{COMMIT}"),
        ("gitlab", f"https://gitlab.com/acme/web/-/commit/{COMMIT}"),
        ("elsewhere", None),
    ],
)
def test_the_commit_is_linked_if_its_host_is_known(provider: str | None, page: str | None) -> None:
    assert builds(BUILD, repository_provider=provider)[0].commit_url == page


@pytest.mark.parametrize(
    ("name", "commit"),
    [
        ("acme/web", "4f2c1e"),
        ("acme/web", "g" * 40),
        ("acme/web", f"{COMMIT}0"),
        ("acme/web", f"{COMMIT}/.."),
        ("web", COMMIT),
        ("acme/web/more", COMMIT),
        ("acme/..", COMMIT),
        ("../web", COMMIT),
        ("acme/w eb", COMMIT),
        ("acme/web?x", COMMIT),
        ("acme/wéb", COMMIT),
    ],
)
def test_no_commit_is_linked_to_another_host(name: str, commit: str) -> None:
    body = json.dumps({"id": 1, "builds": [{**BUILD, "commit_id": commit}]}).encode()
    [only] = parse_builds(200, {}, body, Project("33837", name, "codeship"))
    assert only.commit_url is None


def test_pages_are_linked_at_the_configured_web_address() -> None:
    body = json.dumps({"id": 1, "builds": [BUILD]}).encode()
    [only] = parse_builds(200, {}, body, WEB, web_url="http://127.0.0.1:8080/")
    assert only.url == "http://127.0.0.1:8080/projects/33837/builds/3277309"


def test_a_project_without_builds_has_none() -> None:
    assert builds() == []
    assert parse_builds(200, {}, b'{"id": 1, "builds": null}', WEB) == []
    assert parse_builds(200, {}, b'{"id": 1}', WEB) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*BUILD, "projects", "builds", "repository_name", "error", "errors"]), inner)
    ),
    max_leaves=20,
)


@examples(10, 100, entries=st.lists(JSON, max_size=4))
def test_every_parsed_build_is_bounded_and_can_be_stored(entries: list[object]) -> None:
    try:
        found = builds(*entries)
    except CIError:
        return
    for each in found:
        for text in (each.id, each.status_word, each.branch, each.commit, each.author, each.message, each.url):
            assert text is None or (text.encode() is not None and "\x00" not in text and len(text) <= 10_000)
