"""Alembic's entry: runs the versions on the connection that `center.schema` hands over."""

from alembic import context
from sqlalchemy import Connection

from center.records import METADATA

connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    compare_type=True,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
