"""What Alembic runs, within the transaction of the given connection. Reads no file and sets up no logging."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
