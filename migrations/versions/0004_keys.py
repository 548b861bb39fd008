"""A commitment beside each wrapped key. Rows that are there get theirs when they are next wrapped anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("data_key", sa.Column("commitment", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.drop_column("data_key", "commitment")
