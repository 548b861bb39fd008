"""The Mini App: who opened it by Telegram's word, and who is away at a provider from there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

HASH = sa.String(length=64)
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "mini_app_entry",
        sa.Column("data_hash", HASH, nullable=False),
        sa.Column("token_hash", HASH, nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("page", sa.String(length=64), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_mini_app_entry_person_id")),
        sa.PrimaryKeyConstraint("data_hash", name=op.f("pk_mini_app_entry")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_mini_app_entry_token_hash")),
    )
    op.add_column("sign_in_flow", sa.Column("entry_hash", HASH, nullable=True))


def downgrade() -> None:
    op.drop_column("sign_in_flow", "entry_hash")
    op.drop_table("mini_app_entry")
