"""How Alembic runs: on the connection it is handed, inside the transaction that is open there."""

from alembic import context

from paraphe import store

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=store.metadata,
    compare_server_default=True,
    # SQLite changes a column only by building the table anew.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
