"""alembic's entry point: `multisite.db.schema` hands the connection over."""

from alembic import context

from multisite.db import quota_tables as quota_tables  # noqa: PLC0414 - its tables belong to the metadata
from multisite.db.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
