"""DBOS in this process: the only file that knows it. Jobs, keys and payloads are plain text in here.

DBOS is one for a whole process, and so is an `Engine`; after `close` another may follow. Importing this file costs
half a second, so it is imported where work begins.
"""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from dbos import DBOS, DBOSConfig, Serializer, SetEnqueueOptions, SetWorkflowID, WorkflowHandle
from dbos import error as dbos_error

from bot.jobs.serialization import JobFailed, from_text, to_text

T = TypeVar("T")
P = ParamSpec("P")

APPLICATION = "codeship-bot"
VERSION = "1"
"""Never changed: DBOS runs only work of its own version, and would strand what an older one has left."""

SCHEMA = "dbos"
THREADS = 96
AT_ONCE = 24
"""Of one kind, in one process; what is started without a delay is not counted. DBOS takes so many every half second:
with eight, only 240 builds were looked at every fifteen seconds. All kinds together stay below `THREADS`."""

MAX_TAKEOVERS = 200
"""Work whose every process dies is given up in the end: after more than an hour of that."""

CONNECTIONS = 10
POLLS_NOTHING_S = 0.1
"""DBOS's thread for messages, of which we send none, sleeps for so long at a time: a stop waits for it."""

DONE = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_MAX_LISTED = 1000


@dataclass(frozen=True, slots=True)
class Pending:
    """Work that the process `replica_id` has begun and not finished."""

    id: str
    kind: str
    replica_id: str


Body = Callable[[str, str], None]
"""Gets an id and a payload."""


class Engine:
    """Runs the bodies of `kinds`, each under its name, with what it was started with."""

    def __init__(self, database_url: str, kinds: Mapping[str, Body], replica_id: str) -> None:
        """Connects to nothing yet. Raises RuntimeError where another one is open in this process."""
        self._log = _Quiet()
        self._dbos = DBOS(config=_config(database_url, replica_id))
        if self._dbos._launched:  # a process has one, and DBOS hands it out again without a word
            self._log.end()
            raise RuntimeError("durable jobs are open in this process already")
        self._log.begin()
        self._bodies = {
            kind: DBOS.workflow(name=kind, max_recovery_attempts=MAX_TAKEOVERS)(_workflow(kind, body))
            for kind, body in kinds.items()
        }
        DBOS.listen_queues(list(kinds))

    def launch(self, poll_s: float) -> None:
        """Bodies may run before this returns. Raises what the driver raises."""
        DBOS.launch()
        for kind in self._bodies:
            DBOS.register_queue(
                kind, worker_concurrency=AT_ONCE, polling_interval_sec=poll_s, on_conflict="always_update"
            )

    def run_now(self, kind: str, id: str, payload: str) -> Future[Any] | None:
        """Stores it and begins, in this process. None where the id was there already."""

        def start() -> WorkflowHandle[None]:
            with SetWorkflowID(id):
                return DBOS.start_workflow(self._bodies[kind], payload)

        # DBOS gives a handle with a future only for what it runs here; any other one asks the database.
        return getattr(_apart(start), "future", None)

    def enqueue(self, kind: str, id: str, payload: str, delay_s: float) -> None:
        """Stores it; some process that knows the kind takes it up, up to two seconds after it is due."""

        def start() -> None:
            with SetWorkflowID(id), SetEnqueueOptions(delay_seconds=delay_s if delay_s > 0 else None):
                DBOS.enqueue_workflow(kind, self._bodies[kind], payload)

        _apart(start)

    def cancel(self, id: str) -> None:
        _apart(DBOS.cancel_workflow, id)

    def step(self, name: str, work: Callable[[], T]) -> T:
        """Within a body: what `work` returns or raises is kept, and not done again."""
        return DBOS.run_step({"name": name}, work)

    def pending(self, replica_id: str | None = None) -> list[Pending]:
        """Work of our kinds, of one process or of all, the oldest first."""
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

    def take_over(self, work: Pending) -> bool:
        """Gives it to whoever takes it from its kind's queue; False where it is no longer with the process named.

        The public `resume_workflows` asks nothing: of two processes that look after the same dead one, the slower
        would take the work away from the one that has begun it meanwhile. This one is a single conditional UPDATE.
        """
        return self._dbos._sys_db.reenqueue_for_recovery(work.id, [work.replica_id], work.kind)

    def purge(self, before: datetime, limit: int) -> int:
        """Forgets at most so much work that ended before then, and returns how much that was."""
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

    def take_nothing_more(self) -> None:
        """What is queued stays there. What runs goes on."""
        for event in self._dbos.background_thread_stop_events:
            event.set()

    def close(self) -> None:
        """Waits for no work; what runs has to leave DBOS alone from now on."""
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
        "db_engine_kwargs": {"hide_parameters": True},  # values stay out of logs
        "serializer": _Json(),
        "use_listen_notify": False,
        "notification_listener_polling_interval_sec": POLLS_NOTHING_S,
        "log_level": "WARNING",
    }


class _Json(Serializer):
    """In place of DBOS's pickles, which name classes and modules, and run code as they are read.

    DBOS's own JSON is not used: it changes values silently, and fails on half of a surrogate pair.
    """

    def name(self) -> str:
        """Stands beside each value in the database, and is never changed."""
        return "json"

    def serialize(self, data: Any) -> str:
        if isinstance(data, dict) and isinstance(data.get("args"), tuple):  # a workflow's arguments, as DBOS has them
            data = {**data, "args": list(data["args"])}
        return to_text(data)

    def deserialize(self, serialized_data: str) -> Any:
        return from_text(serialized_data)


def _workflow(kind: str, body: Body) -> Callable[[str], None]:
    """A function of its own for each kind, since DBOS writes on the functions that it is given."""

    def run(payload: str) -> None:
        body(str(DBOS.workflow_id), payload)

    run.__name__ = run.__qualname__ = kind
    return run


def _apart(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Outside of any job that asks: DBOS would count it as a step of that, and refuses some of it within a step."""
    return contextvars.Context().run(function, *args, **kwargs)


class _Quiet(logging.Filter):
    """DBOS's lines, through the root logger as everybody's, without those that say what has been told or is meant."""

    _MEANT = ("already exists in queue", "was cancelled during execution", "no longer owned by this execution")

    def __init__(self) -> None:
        super().__init__()
        self._logger = logging.getLogger("dbos")
        self._silence = logging.NullHandler()
        self._logger.addHandler(self._silence)  # without any handler DBOS adds one of its own, to standard error

    def begin(self) -> None:
        """Once DBOS has set up its logger, and its filter, before which ours must not come."""
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
