"""Runs the migrations inside the transaction of the connection that is handed over."""

from alembic import context

from indexer.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # on SQLite too: a killed migration leaves nothing
)
with context.begin_transaction():
    context.run_migrations()
