"""Until when a consultation that was reviewed is kept on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("consultation", sa.Column("keep_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("consultation", "keep_until")
