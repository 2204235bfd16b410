"""The core's `Jobs`: background work that is carried out even if a process dies in between.

`DurableJobs` stores it with DBOS in the store's database: SQLite, or PostgreSQL if several processes share it. It knows
how work is stored, resumed and taken over, and must not know what the work is about.
"""

from bot.jobs.durable import DurableJobs, JobTimings
from bot.jobs.heartbeat import Replicas, new_replica_id

__all__ = ["DurableJobs", "JobTimings", "Replicas", "new_replica_id"]
