"""Sign-ins of forces and trusts: whose they are, who is away at one, and how a session began."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ID = sa.String(length=32)
HASH = sa.String(length=64)
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "identity",
        sa.Column("identity_hash", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("provider", ID, nullable=False),
        sa.Column("linked_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_identity_person_id")),
        sa.PrimaryKeyConstraint("identity_hash", name=op.f("pk_identity")),
        sa.UniqueConstraint("person_id", "provider", name=op.f("uq_identity_person_id_provider")),
    )
    op.create_table(
        "sign_in_flow",
        sa.Column("token_hash", HASH, nullable=False),
        sa.Column("provider", ID, nullable=False),
        sa.Column("session_hash", HASH, nullable=True),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sign_in_flow")),
    )
    # Until now a one-time link was the only way in.
    op.add_column("web_session", sa.Column("way", sa.String(length=8), nullable=False, server_default="link"))


def downgrade() -> None:
    op.drop_column("web_session", "way")
    op.drop_table("sign_in_flow")
    op.drop_table("identity")
