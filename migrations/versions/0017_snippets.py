"""IDVAs' own wording."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "snippet",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("author_id", sa.String(length=32), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_snippet_author_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snippet")),
    )
    op.create_index(op.f("ix_snippet_author_id"), "snippet", ["author_id"])


def downgrade() -> None:
    op.drop_table("snippet")
