"""Private notes of IDVAs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "private_note",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("consultation_id", sa.String(length=32), nullable=False),
        sa.Column("author_id", sa.String(length=32), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_private_note_author_id")),
        sa.ForeignKeyConstraint(["consultation_id"], ["consultation.id"], name=op.f("fk_private_note_consultation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_private_note")),
    )
    op.create_index(op.f("ix_private_note_consultation_id"), "private_note", ["consultation_id"])


def downgrade() -> None:
    op.drop_table("private_note")
