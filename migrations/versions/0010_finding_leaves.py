"""Leaves can be found by whom they name and by what happened. What is there already is indexed too."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

PAGE = 10_000


def upgrade() -> None:
    table = op.create_table(
        "leaf_person",
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "idx", name=op.f("pk_leaf_person")),
    )
    op.create_index(op.f("ix_leaf_event"), "leaf", ["event", "idx"])
    leaf = sa.table("leaf", sa.column("idx"), sa.column("data"))
    connection, start = op.get_bind(), 0
    while rows := connection.execute(
        sa.select(leaf.c.idx, leaf.c.data).where(leaf.c.idx >= start).order_by(leaf.c.idx).limit(PAGE)
    ).all():
        named = [{"person_id": one, "idx": row.idx} for row in rows for one in sorted(_ids(row.data))]
        if named:
            connection.execute(sa.insert(table), named)
        start = rows[-1].idx + 1


def _ids(data: bytes) -> set[str]:
    leaf = json.loads(data)
    return {one for one in (leaf["actor"], *leaf["facts"].values()) if isinstance(one, str) and len(one) == 32}


def downgrade() -> None:
    op.drop_index(op.f("ix_leaf_event"), "leaf")
    op.drop_table("leaf_person")
