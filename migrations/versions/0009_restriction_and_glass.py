"""Restricted consultations, and consultations opened in an emergency."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.String(length=32)
TIME = sa.DateTime(timezone=True)


def _of_consultation(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_consultation_id")
    return sa.ForeignKeyConstraint(["consultation_id"], ["consultation.id"], name=name)


def _of_person(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["person.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        "restriction",
        sa.Column("consultation_id", ID, nullable=False),
        sa.Column("suspect", sa.String(length=8), nullable=False),
        sa.Column("placed_by", ID, nullable=False),
        sa.Column("placed_at", TIME, nullable=False),
        _of_consultation("restriction"),
        _of_person("restriction", "placed_by"),
        sa.PrimaryKeyConstraint("consultation_id", name=op.f("pk_restriction")),
    )
    op.create_table(
        "named_reader",
        sa.Column("consultation_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("named_by", ID, nullable=False),
        sa.Column("named_at", TIME, nullable=False),
        _of_consultation("named_reader"),
        _of_person("named_reader", "person_id"),
        _of_person("named_reader", "named_by"),
        sa.PrimaryKeyConstraint("consultation_id", "person_id", name=op.f("pk_named_reader")),
    )
    op.create_table(
        "broken_glass",
        sa.Column("id", ID, nullable=False),
        sa.Column("consultation_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("began_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.Column("reviewed_by", ID, nullable=True),
        sa.Column("reviewed_at", TIME, nullable=True),
        sa.Column("justified", sa.Boolean(), nullable=True),
        sa.Column("finding", sa.LargeBinary(), nullable=True),
        _of_consultation("broken_glass"),
        _of_person("broken_glass", "person_id"),
        _of_person("broken_glass", "reviewed_by"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broken_glass")),
    )
    op.create_index(op.f("ix_broken_glass_consultation_id"), "broken_glass", ["consultation_id"])
    op.create_index(op.f("ix_broken_glass_person_id"), "broken_glass", ["person_id"])


def downgrade() -> None:
    op.drop_table("broken_glass")
    op.drop_table("named_reader")
    op.drop_table("restriction")
