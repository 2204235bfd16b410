"""Shared by all tests: the option that rewrites golden files, so that their diff is the review."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.new_databases import NewDatabases
    from tests.postgres import Server


# No test trusts a public authority, and reading the list of them takes 20 ms for each client.
os.environ["SSL_CERT_FILE"] = os.devnull
# jsonschema imports it, for a format that no schema here has, and building its grammars takes more than a second.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]


def pytest_configure() -> None:
    """How long an example takes to run or generate depends on the machine, which has other work.

    `make test` uses the profile `quick`, and `make check` the other.
    """
    settings.register_profile("full", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("quick", settings.get_profile("full"), max_examples=15)
    settings.load_profile("full")


@pytest.hookimpl(tryfirst=True)  # before pytest evaluates the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("serial") or "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")


def pytest_collection_finish() -> None:
    """The garbage collector need not read thousands of tests again and again."""
    gc.collect()
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update", action="store_true", help="rewrite golden messages and transcripts from what is seen now"
    )


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update"))


@pytest.fixture(scope="session", autouse=True)
def new_databases() -> NewDatabases:
    from tests.new_databases import NewDatabases

    return NewDatabases()


@pytest.fixture
def empty_databases(new_databases: NewDatabases) -> Iterator[None]:
    """For tests of the migrations."""
    with new_databases.empty():
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for the session, started for the first test that needs it. Required only in CI."""
    from tests.postgres import MISSING, programs, running

    found = programs()
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(MISSING)
    with running(found) as server:
        yield server
