"""The trail's tree: its frontier with the head, full tiles of hashes beside the leaves, salts of commitments.

A trail written before this has no frontier; the first leaf after it builds the tree from the leaves that are there.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message_version", sa.Column("salt", sa.LargeBinary(), nullable=True))
    op.add_column("trail_head", sa.Column("frontier", sa.LargeBinary(), nullable=True))
    op.add_column("trail_head", sa.Column("urgent_size", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("trail_head", sa.Column("epoch", sa.Integer(), nullable=False, server_default="1"))
    op.create_table(
        "tile",
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name=op.f("pk_tile")),
    )
    if op.get_bind().dialect.name == "sqlite":
        for act in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER tile_no_{act} BEFORE {act.upper()} ON tile "
                "BEGIN SELECT RAISE(ABORT, 'the trail is append only'); END"
            )
    else:
        op.execute(
            "CREATE TRIGGER tile_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON tile "
            "FOR EACH STATEMENT EXECUTE FUNCTION leaf_stays()"
        )


def downgrade() -> None:
    op.drop_table("tile")
    for column in ("epoch", "urgent_size", "frontier"):
        op.drop_column("trail_head", column)
    op.drop_column("message_version", "salt")
