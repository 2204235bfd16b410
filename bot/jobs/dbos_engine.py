"""Runs DBOS in this process. No other file knows DBOS. Jobs, keys and payloads are plain text here.

A process has one DBOS, and so one `Engine`; after `close` it may open another. Importing this file takes half a second,
so callers import it when they start work.
"""

from __future__ import annotations

import contextvars
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any, ParamSpec, TypeVar

import dbos._sys_db as dbos_database
import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, Serializer, SetEnqueueOptions, SetWorkflowID, WorkflowHandle
from dbos import error as dbos_error
from dbos._sys_db import SystemDatabase

from bot.jobs.serialization import JobFailed, from_text, to_text

T = TypeVar("T")
P = ParamSpec("P")

APPLICATION = "codeship-bot"
VERSION = "1"
"""Never change this: DBOS runs only work of its own version, so older work would stay in the database forever."""

TRUSTED_S = 5.0
"""Seconds after a job's last commit for which no other process can have taken it over: below a missing heartbeat."""

_FULL, _NORMAL = "FULL", "NORMAL"

SCHEMA = "dbos"
THREADS = 96
AT_ONCE = 30
"""Jobs of one kind that this process runs at once; those started without a delay are not counted.

DBOS starts this many every second. With eight, too few builds were polled every fifteen seconds. All kinds together
stay below `THREADS`.
"""

MAX_TAKEOVERS = 200
"""A job whose process dies this often is given up. That takes more than an hour."""

CONNECTIONS = 10
UNUSED_POLL_S = 3600.0
"""Seconds between polls of DBOS's own queue and of its schedules, which stay empty."""

NOT_DONE = ["DELAYED", "ENQUEUED", "PENDING"]
DONE = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_MAX_LISTED = 1000

MAX_SLEEP_S = 3.0
"""The longest that DBOS sleeps before it tries a lost database again. By itself it sleeps up to 90 s."""

_SET_BACK_MS = 5000
"""A job is stored at most this far in the future, by clocks that were not set back."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Work that the process `replica_id` has started and not finished."""

    id: str
    kind: str
    replica_id: str


class _ShortSleeps:
    """Replaces the module `time` in DBOS's retries of database calls: no setting limits their pauses."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, MAX_SLEEP_S))


Body = Callable[[str, str], None]
"""Called with an id and a payload."""


class Engine:
    """Runs jobs: each body of `kinds` is registered under its name and called with the payload it was started with.

    Delays count by `now`, seconds since 1970.
    """

    def __init__(self, database_url: str, kinds: Mapping[str, Body], replica_id: str, now: Callable[[], float]) -> None:
        """Connects to nothing yet. Raises RuntimeError if this process has an open engine."""
        self._now = now
        self._log = _Quiet()
        dbos_database.time = _ShortSleeps()  # type: ignore[assignment, attr-defined]
        self._dbos = DBOS(config=_config(database_url, replica_id))
        if self._dbos._launched:  # a process has one DBOS, which is returned again without an error
            self._log.end()
            raise RuntimeError("durable jobs are open in this process already")
        self._log.begin()
        self._committed_at: dict[str, float] = {}
        self._bodies = {
            kind: DBOS.workflow(name=kind, max_recovery_attempts=MAX_TAKEOVERS)(self._workflow(kind, body))
            for kind, body in kinds.items()
        }
        DBOS.listen_queues(list(kinds))

    def launch(self, poll_s: float) -> None:
        """Starts the engine; bodies may run before this returns. Raises what the driver raises."""
        # The bot sends no messages between jobs: without this thread it wakes up ten times a second less.
        SystemDatabase.run_notification_listener = _listen_to_nothing  # type: ignore[method-assign, assignment]
        self._dbos._registry.get_internal_queue()._polling_interval_sec = UNUSED_POLL_S
        DBOS.launch()
        if self._dbos._sys_db.engine.dialect.name == "sqlite":
            sa.event.listen(self._dbos._sys_db.engine, "checkout", _set_synchronous)
        self._look_up = self._dbos._sys_db.check_operation_execution
        self._dbos._sys_db.check_operation_execution = self._stored_step  # type: ignore[method-assign]
        # DBOS's own compares with the machine's clock, which other replicas do not share.
        self._dbos._sys_db.transition_delayed_workflows = self._enqueue_due  # type: ignore[method-assign]
        for kind in self._bodies:
            DBOS.register_queue(
                kind, worker_concurrency=AT_ONCE, polling_interval_sec=poll_s, on_conflict="always_update"
            )
        self._ask_only_for_jobs()

    def _ask_only_for_jobs(self) -> None:
        """Spares four of five queries of an idle process: those for what the bot does not use or change."""
        stored: Any = self._dbos._sys_db
        queues = {kind: stored.get_queue(kind) for kind in self._bodies}
        stored.get_queue = queues.get
        stored.list_queues = lambda **_: list(queues.values())
        stored._is_latest_version = lambda *_: True  # VERSION never changes
        stored.cancel_timed_out_workflows = lambda *_: []  # no job has a timeout
        stored.list_schedules = lambda *_, **__: []

    def run_now(self, kind: str, id: str, payload: str) -> Future[Any] | None:
        """Stores the job and starts it in this process. None if the id exists."""

        survives = _survives_power_loss()

        def start() -> WorkflowHandle[None]:
            _synchronous.set(survives)
            with SetWorkflowID(id):
                return DBOS.start_workflow(self._bodies[kind], _JustStarted(payload))

        # DBOS returns a handle with a future only for what it runs here. Any other handle queries the database.
        return getattr(_apart(start), "future", None)

    def enqueue(self, kind: str, id: str, payload: str, delay_s: float) -> None:
        """Stores the job. Any process that knows the kind starts it, up to two seconds after it is due."""

        survives = _survives_power_loss()

        def start() -> None:
            _synchronous.set(survives)
            options = SetEnqueueOptions()
            if delay_s > 0:
                options.delay_until_epoch_ms = int((self._now() + delay_s) * 1000)
            with SetWorkflowID(id), options:
                DBOS.enqueue_workflow(kind, self._bodies[kind], payload)

        _apart(start)

    def cancel(self, id: str) -> None:
        _apart(DBOS.cancel_workflow, id)

    def step(self, name: str, work: Callable[[], T]) -> T:
        """Call within a body: stores what `work` returns or raises, so that it does not run again."""
        result = DBOS.run_step({"name": name}, work)
        if DBOS.workflow_id in self._committed_at:
            self._committed_at[DBOS.workflow_id] = monotonic()
        return result

    def pending(self, replica_id: str | None = None) -> list[Pending]:
        """Unfinished work of the known kinds, of one process or of all, the oldest first."""
        result = _apart(
            DBOS.list_workflows,
            status="PENDING",
            name=list(self._bodies),
            executor_id=replica_id,
            load_input=False,
            load_output=False,
            limit=_MAX_LISTED,
        )
        return [Pending(each.workflow_id, each.name, each.executor_id or "") for each in result]

    def unfinished(self, ids: list[str]) -> list[str]:
        """Those of the jobs that wait or run, in any process."""
        listed = _apart(DBOS.list_workflows, workflow_ids=ids, status=NOT_DONE, load_input=False, load_output=False)
        return [each.workflow_id for each in listed]

    def take_over(self, work: Pending) -> bool:
        """Puts the job back into its kind's queue. False if it no longer belongs to the named process.

        The public `resume_workflows` has no such condition. If two processes took over from a dead one, the slower
        would take the job from the one that has started it. This call is a single conditional UPDATE.
        """
        return self._dbos._sys_db.reenqueue_for_recovery(work.id, [work.replica_id], work.kind)

    def purge(self, before: datetime, limit: int) -> int:
        """Deletes at most `limit` jobs that ended before `before`. Returns how many."""
        result = _apart(
            DBOS.list_workflows,
            status=DONE,
            completed_before=before.isoformat(),
            load_input=False,
            load_output=False,
            limit=limit,
        )
        ids = [each.workflow_id for each in result]
        if ids:
            _apart(DBOS.delete_workflows, ids)
        return len(ids)

    def _enqueue_due(self) -> None:
        """Puts delayed jobs that are due into their queues.

        A job that was stored in the future is due, too: the clock was set back since, so its time is too far ahead.
        """
        jobs, now_ms = self._dbos._sys_db.tables.workflow_status.c, int(self._now() * 1000)
        is_due = sa.or_(jobs.delay_until_epoch_ms <= now_ms, jobs.created_at > now_ms + _SET_BACK_MS)
        due = sa.update(self._dbos._sys_db.tables.workflow_status).where(jobs.status == "DELAYED", is_due)
        with self._dbos._sys_db.engine.begin() as connection:
            connection.execute(due.values(status="ENQUEUED"))

    def _workflow(self, kind: str, body: Body) -> Callable[[str], None]:
        """A separate function for each kind, since DBOS sets attributes on the functions it receives."""

        def run(payload: str) -> None:
            id = str(DBOS.workflow_id)
            if isinstance(payload, _JustStarted):
                self._committed_at[id] = monotonic()
            try:
                body(id, payload)
            finally:
                self._committed_at.pop(id, None)

        run.__name__ = run.__qualname__ = kind
        return run

    def _stored_step(self, workflow_id: str, *more: Any, **options: Any) -> Any:
        """What an earlier run of the job has stored for a step; None without a query if there was no earlier run.

        Another process takes a job over only after a long silence, so only a job that was silent for a while queries.
        """
        if monotonic() - self._committed_at.get(workflow_id, -TRUSTED_S) < TRUSTED_S:
            return None
        return self._look_up(workflow_id, *more, **options)

    def take_nothing_more(self) -> None:
        """Starts no more jobs: queued ones stay in the database, running ones go on."""
        for event in self._dbos.background_thread_stop_events:
            event.set()

    def close(self) -> None:
        """Closes DBOS without waiting for jobs. Those still running must not use it afterwards."""
        DBOS.destroy(destroy_registry=True)
        self._log.end()


def _config(database_url: str, replica_id: str) -> DBOSConfig:
    return {
        "name": APPLICATION,
        "system_database_url": database_url,
        "dbos_system_schema": SCHEMA,
        "application_version": VERSION,
        "executor_id": replica_id,
        "max_executor_threads": THREADS,
        "sys_db_pool_size": CONNECTIONS,
        "db_engine_kwargs": {"hide_parameters": True},  # keeps values out of logs
        "serializer": _Json(),
        "use_listen_notify": False,
        "scheduler_polling_interval_sec": UNUSED_POLL_S,
        "log_level": "WARNING",
    }


class _Json(Serializer):
    """Replaces DBOS's pickles, which name classes and modules and execute code when they are read.

    DBOS's own JSON is not used: it changes values silently and fails on half a surrogate pair.
    """

    def name(self) -> str:
        """Stored next to each value in the database. Never change it."""
        return "json"

    def serialize(self, data: Any) -> str:
        if isinstance(data, dict) and isinstance(data.get("args"), tuple):  # a workflow's arguments
            data = {**data, "args": list(data["args"])}
        return to_text(data)

    def deserialize(self, serialized_data: str) -> Any:
        return from_text(serialized_data)


def _listen_to_nothing(_database: SystemDatabase) -> None:
    pass


class _JustStarted(str):
    """The payload of a job that this process has just stored. DBOS passes others a plain string."""

    __slots__ = ()


_synchronous: contextvars.ContextVar[str] = contextvars.ContextVar("synchronous", default=_NORMAL)
"""SQLite's `synchronous` for the next commit of DBOS.

Only a job that is stored before an acknowledgement must be on the disk. If a power failure undoes a job's later
commits, it undoes all that came after them, too, and the job repeats them. What must not be repeated has a claim.
"""


def _survives_power_loss() -> str:
    """A job that a job starts is stored again if that job is repeated."""
    return _FULL if DBOS.workflow_id is None else _NORMAL


def _set_synchronous(connection: Any, record: Any, _proxy: object) -> None:
    wanted = _synchronous.get()
    if record.info.get("synchronous") != wanted:
        connection.execute(f"PRAGMA synchronous={wanted}")
        record.info["synchronous"] = wanted


def _apart(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Calls `function` outside the current job. DBOS would record the call as a step, and rejects some
    within a step.
    """
    return contextvars.Context().run(function, *args, **kwargs)


class _Quiet(logging.Filter):
    """Sends DBOS's log lines to the root logger, without those about expected events and errors reported elsewhere."""

    _MEANT = ("already exists in queue", "was cancelled during execution", "no longer owned by this execution")

    def __init__(self) -> None:
        super().__init__()
        self._logger = logging.getLogger("dbos")
        self._silence = logging.NullHandler()
        self._logger.addHandler(self._silence)  # without any handler DBOS adds its own, which writes to standard error

    def begin(self) -> None:
        """Call after DBOS has set up its logger and its own filter, which must come first."""
        self._logger.addFilter(self)

    def end(self) -> None:
        self._logger.removeHandler(self._silence)
        if self in self._logger.filters:
            self._logger.removeFilter(self)
            self._logger.setLevel(logging.NOTSET)

    def filter(self, record: logging.LogRecord) -> bool:
        for name in ("applicationID", "applicationVersion", "executorID"):  # the same in every line
            record.__dict__.pop(name, None)
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, JobFailed | dbos_error.DBOSAwaitedWorkflowCancelledError):
            return False
        return not any(words in record.getMessage() for words in self._MEANT)
