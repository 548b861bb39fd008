"""Around the shifts: leave, swaps, changes that a second person has to agree to; and questions by when they came."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ID = sa.String(length=32)
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_index(op.f("ix_consultation_asked_at"), "consultation", ["asked_at"])
    op.create_index(op.f("ix_shift_starts_at"), "shift", ["starts_at"])
    op.create_table(
        "leave",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.Column("placed_by", ID, nullable=False),
        sa.Column("placed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_leave_person_id")),
        sa.ForeignKeyConstraint(["placed_by"], ["person.id"], name=op.f("fk_leave_placed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leave")),
    )
    op.create_index(op.f("ix_leave_person_id"), "leave", ["person_id"])
    op.create_index(op.f("ix_leave_ends_at"), "leave", ["ends_at"])
    _swaps()
    _drafts()


def _swaps() -> None:
    op.create_table(
        "swap",
        sa.Column("id", ID, nullable=False),
        sa.Column("asked_by", ID, nullable=False),
        sa.Column("asked_of", ID, nullable=False),
        sa.Column("gives", ID, nullable=False),
        sa.Column("gives_from", TIME, nullable=False),
        sa.Column("gives_until", TIME, nullable=False),
        sa.Column("takes", ID, nullable=True),
        sa.Column("takes_from", TIME, nullable=True),
        sa.Column("takes_until", TIME, nullable=True),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("answer", sa.String(length=10), nullable=True),
        sa.Column("answered_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"], name=op.f("fk_swap_asked_by")),
        sa.ForeignKeyConstraint(["asked_of"], ["person.id"], name=op.f("fk_swap_asked_of")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_swap")),
    )
    op.create_index(op.f("ix_swap_asked_by"), "swap", ["asked_by"])
    op.create_index(op.f("ix_swap_asked_of"), "swap", ["asked_of"])


def _drafts() -> None:
    op.create_table(
        "rota_draft",
        sa.Column("id", ID, nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("asked_by", ID, nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("decided_by", ID, nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("published", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"], name=op.f("fk_rota_draft_asked_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_rota_draft_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rota_draft")),
    )
    op.create_table(
        "rota_draft_change",
        sa.Column("draft_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("shift_id", ID, nullable=True),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("duty", sa.String(length=8), nullable=False),
        sa.Column("starts_at", TIME, nullable=True),
        sa.Column("ends_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["draft_id"], ["rota_draft.id"], name=op.f("fk_rota_draft_change_draft_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_rota_draft_change_person_id")),
        sa.PrimaryKeyConstraint("draft_id", "number", name=op.f("pk_rota_draft_change")),
    )


def downgrade() -> None:
    op.drop_table("rota_draft_change")
    op.drop_table("rota_draft")
    op.drop_table("swap")
    op.drop_table("leave")
    op.drop_index(op.f("ix_shift_starts_at"), "shift")
    op.drop_index(op.f("ix_consultation_asked_at"), "consultation")
