"""How does Alembic reach the store? By the connection that it is handed, inside that connection's transaction."""

from alembic import context

from reconciler.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=False)
context.run_migrations()
