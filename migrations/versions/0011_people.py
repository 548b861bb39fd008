"""Who asks to bind a Telegram account from a page, and until when somebody may sign in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("person", sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "telegram_claim",
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.String(length=2), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_telegram_claim_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_telegram_claim")),
    )


def downgrade() -> None:
    op.drop_table("telegram_claim")
    op.drop_column("person", "signed_in_at")
    op.drop_column("person", "lease_until")
