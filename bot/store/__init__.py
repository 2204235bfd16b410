"""The bot's database: restarts, live messages, how runs ended, the audit log, the project list, idempotency keys.

SQLAlchemy Core on SQLite, or on PostgreSQL if several processes share the database. The store saves the core's values
and returns equal ones. It makes no decisions and knows neither Slack nor any CI service.
"""

from bot.store.database import Store, open_store
from bot.store.engine import StoreError

__all__ = ["Store", "StoreError", "open_store"]
