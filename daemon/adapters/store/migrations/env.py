"""Run by Alembic on the connection that `daemon.adapters.store.upgrade` hands over."""

from alembic import context

from daemon.adapters.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
