"""Legal holds, and what is kept of an erased consultation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("consultation_id", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("placed_by", sa.String(length=32), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lift_asked_by", sa.String(length=32), nullable=True),
        sa.Column("lift_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.String(length=32), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["consultation_id"], ["consultation.id"], name=op.f("fk_legal_hold_consultation_id")),
        sa.ForeignKeyConstraint(["lift_asked_by"], ["person.id"], name=op.f("fk_legal_hold_lift_asked_by")),
        sa.ForeignKeyConstraint(["lifted_by"], ["person.id"], name=op.f("fk_legal_hold_lifted_by")),
        sa.ForeignKeyConstraint(["placed_by"], ["person.id"], name=op.f("fk_legal_hold_placed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
    )
    op.create_index(op.f("ix_legal_hold_consultation_id"), "legal_hold", ["consultation_id"], unique=False)
    op.create_table(
        "erased",
        sa.Column("consultation_id", sa.String(length=32), nullable=False),
        sa.Column("ref", sa.String(length=6), nullable=False),
        sa.Column("rule", sa.String(length=16), nullable=False),
        sa.Column("by_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("destroyed", sa.String(length=400), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_erased_by_id")),
        sa.PrimaryKeyConstraint("consultation_id", name=op.f("pk_erased")),
        sa.UniqueConstraint("ref", name=op.f("uq_erased_ref")),
    )


def downgrade() -> None:
    op.drop_table("erased")
    op.drop_table("legal_hold")
