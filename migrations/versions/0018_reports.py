"""The sums that reports are made from, how far they are counted, and who was on duty."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_head")),
    )
    op.create_table(
        "report_month",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("sums", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_report_month")),
    )
    op.create_table(
        "report_shift",
        sa.Column("leaf", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("leaf", name=op.f("pk_report_shift")),
    )
    op.create_index(op.f("ix_report_shift_ends_at"), "report_shift", ["ends_at"])
    op.create_index(op.f("ix_report_shift_person_id"), "report_shift", ["person_id"])


def downgrade() -> None:
    op.drop_table("report_shift")
    op.drop_table("report_month")
    op.drop_table("report_head")
