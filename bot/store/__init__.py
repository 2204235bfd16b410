"""What the bot remembers over a restart of its process: restarts, live messages, how runs ended, who did what, the
project directory, what was done once.

SQLAlchemy Core, one implementation: SQLite, or PostgreSQL where several processes share one memory. It stores the
core's values and gives them back the same; it decides nothing and knows neither Slack nor a CI service.
"""

from bot.store.database import Store, open_store
from bot.store.engine import StoreError

__all__ = ["Store", "StoreError", "open_store"]
