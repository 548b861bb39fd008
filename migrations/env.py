"""Runs migrations on the engine that `lanyard.schema` hands over: one transaction for all of them."""

from __future__ import annotations

from alembic import context

import access.tables
import audit.reports.totals
import audit.trail
import conversations.tables
import conversations.tables_access
import conversations.tables_desk
import conversations.tables_duty
import conversations.tables_review
import conversations.tables_rota
import knowledge.tables
import storage.keys  # noqa: F401  # importing a room's tables is what puts them into the metadata
from storage.database import Base

_ROOMS = (
    access.tables,
    audit.trail,
    conversations.tables,
    conversations.tables_access,
    conversations.tables_desk,
    conversations.tables_duty,
    conversations.tables_review,
    conversations.tables_rota,
    knowledge.tables,
)

with context.config.attributes["engine"].connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
