"""Durable background work, behind the core's `Jobs`: what was started is done, whoever dies in between.

`DurableJobs` keeps it in DBOS, in the database of the store: SQLite, or PostgreSQL where several processes share it.
It knows how work is stored, resumed and taken over; what the work is about, it must not know.
"""

from bot.jobs.durable import DurableJobs, JobTimings
from bot.jobs.heartbeat import Replicas, new_replica_id

__all__ = ["DurableJobs", "JobTimings", "Replicas", "new_replica_id"]
