"""What Alembic runs: on the connection it is given, within the transaction begun there; no file, no logging set-up."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
