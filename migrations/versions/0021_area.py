"""Where somebody works: services near there are put forward first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("area", sa.String(length=32), nullable=True))


def downgrade() -> None:
    op.drop_column("person", "area")
