"""The test call at the start of a shift."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "start_check",
        sa.Column("shift_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("missed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_start_check_person_id")),
        sa.ForeignKeyConstraint(["shift_id"], ["shift.id"], name=op.f("fk_start_check_shift_id")),
        sa.PrimaryKeyConstraint("shift_id", name=op.f("pk_start_check")),
    )
    op.create_index(op.f("ix_start_check_person_id_answered_at"), "start_check", ["person_id", "answered_at"])


def downgrade() -> None:
    op.drop_table("start_check")
