"""How often a typed status and a typed restart go to the database, and which commits reach the disk: exact counts."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import make_url

from bench.scenes.counts import tracer
from tests.app.database_work import Statements, Wire, named, recorded, types, warm
from tests.postgres import Server
from tests.programs import program

pytestmark = [pytest.mark.usefixtures("empty_databases"), pytest.mark.slow]


@pytest.fixture
def on_sqlite() -> Iterator[Callable[[str], Statements]]:
    with recorded() as statements, warm() as sandbox:

        def counted(verb: str) -> Statements:
            statements.sent.clear()
            statements.commits.clear()
            types(sandbox, verb)
            return Statements(list(statements.sent), list(statements.commits))

        yield counted


def test_a_status_reads_once_and_without_a_transaction(on_sqlite):
    assert on_sqlite("status") == Statements(["select claims"], [])


def test_a_restart_takes_to_the_disk_what_guards_its_post_or_precedes_its_acknowledgement(on_sqlite):
    restart = on_sqlite("restart")
    assert restart.commits == [
        ("insert response_urls", "NORMAL"),
        ("insert workflow_status", "FULL"),  # then the acknowledgement
        ("update workflow_status", "NORMAL"),  # the decision: the claim's commit takes it along
        ("insert runs", "NORMAL"),
        ("insert claims", "FULL"),
        ("update claims", "FULL"),  # then the POST
        ("update claims", "FULL"),  # its result, with the audit
        ("update workflow_status", "NORMAL"),
        ("insert live_claims", "NORMAL"),
        ("update workflow_status", "NORMAL"),  # the reply
        ("insert follows", "NORMAL"),
        ("insert poll_chains", "NORMAL"),
        ("insert workflow_status", "NORMAL"),  # the first poll
        ("update workflow_status", "NORMAL"),
    ]
    assert len(restart.sent) == 26


@pytest.fixture
def on_postgresql(postgres: Server) -> Iterator[Callable[[str], list[str]]]:
    url = make_url(postgres.new_database())
    wire = Wire(url.port or 0)
    with warm(url.set(port=wire.port).render_as_string(hide_password=False)) as sandbox:

        def counted(verb: str) -> list[str]:
            wire.clear()
            types(sandbox, verb)
            return wire.trips()

        yield counted
    wire.close()


def test_a_status_is_one_round_trip_to_postgresql(on_postgresql):
    assert on_postgresql("status") == ["select claims"]


def test_a_restart_is_thirty_seven_statements_to_postgresql(on_postgresql):
    trips = [name for name in on_postgresql("restart") if name != "ping"]
    assert trips == [
        "insert response_urls",
        *("begin", "insert workflow_status", "insert workflow_input", "commit"),
        "select claims",
        *_STEP,
        "select claims",
        "insert runs",
        "insert claims",
        *("begin", "update claims", "insert audit", "commit"),
        *("begin", "update claims", "insert audit", "commit"),
        *_STEP,
        "insert live_claims",
        *_STEP,
        "insert follows",
        "insert poll_chains",
        *("begin", "insert workflow_status", "insert workflow_input", "commit"),
        "with workflow_status",
    ]
    assert len(trips) == 37


_STEP = ("begin", "select workflow_status", "insert operation_outputs", "commit")


def test_postgresql_waits_for_the_disk_whatever_the_server_is_set_to(postgres: Server):
    url = postgres.new_database()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("off",), "else this test shows nothing"
    found: list[str] = []

    def committed(connection: sa.Connection) -> None:
        if connection.info.pop("claims", False):
            found.append(connection.exec_driver_sql("SHOW synchronous_commit").scalar_one())

    def executed(connection: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
        if named(statement) in ("insert claims", "update claims"):
            connection.info["claims"] = True

    event.listen(sa.Engine, "commit", committed)
    event.listen(sa.Engine, "before_cursor_execute", executed)
    try:
        with warm(url) as sandbox:
            types(sandbox, "restart")
    finally:
        event.remove(sa.Engine, "commit", committed)
        event.remove(sa.Engine, "before_cursor_execute", executed)
    assert found == ["on"] * 6, "three for each restart"


@pytest.mark.serial
def test_the_disk_is_waited_for_before_the_acknowledgement_the_claim_and_the_post(tmp_path: Path):
    program("strace")
    if tracer() is None:
        pytest.skip("this machine lets no process be traced")
    log = tmp_path / "calls"
    traced = ["strace", "-f", "-qq", "-s", "60", "-e", "trace=fdatasync,fsync,sendto,sendmsg,access", "-o", str(log)]
    done = subprocess.run(
        [*traced, sys.executable, "-m", "tests.app.database_work"],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    calls = [call for line in log.read_text().splitlines() if (call := _named_call(line))]
    restart = calls[calls.index("typed") + 1 : calls.index("settled")]
    acknowledged, claimed, post = (restart.index(name) for name in ("acknowledged", "claimed", "POST"))
    assert "sync" in restart[:acknowledged]
    assert "sync" in restart[acknowledged:claimed]
    assert "sync" in restart[claimed:post]
    assert 4 <= restart.count("sync") <= 7, "background threads wait for the disk, too, at their own times"


def _named_call(line: str) -> str:
    """What a line of strace says, if it is a part of a restart; else nothing."""
    if re.search(r" f(data)?sync\(", line):
        return "sync"
    marked = re.search(r'access\("/marked/(\w+)"', line)
    if marked is not None:
        return marked[1]
    if re.search(r"send(to|msg)\(.*POST \S*/restart", line):
        return "POST"
    if re.search(r"send(to|msg)\(.*POST \S*chat\.postMessage", line):
        return "reply"
    return ""
