"""Reviews of consultations that have ended, what was asked in them, and grades given later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ID = sa.String(length=32)
WHEN = sa.DateTime(timezone=True)


def upgrade() -> None:
    _reviews()
    _questions()
    op.add_column("consultation", sa.Column("later_grade", sa.String(length=12), nullable=True))
    op.create_index(op.f("ix_consultation_ended_at"), "consultation", ["ended_at"])


def _reviews() -> None:
    marks = [
        sa.Column(name, sa.String(length=4), nullable=True) for name in ("safe", "right", "recorded", "kind", "timely")
    ]
    op.create_table(
        "review",
        sa.Column("id", ID, nullable=False),
        sa.Column("consultation_id", ID, nullable=False),
        sa.Column("reviewer_id", ID, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *marks,
        sa.Column("comment", sa.LargeBinary(), nullable=True),
        sa.Column("learning", sa.LargeBinary(), nullable=True),
        sa.Column("began_at", WHEN, nullable=False),
        sa.Column("signed_at", WHEN, nullable=True),
        sa.ForeignKeyConstraint(["consultation_id"], ["consultation.id"], name=op.f("fk_review_consultation_id")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["person.id"], name=op.f("fk_review_reviewer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("consultation_id", "reviewer_id", name=op.f("uq_review_consultation_id_reviewer_id")),
        sa.UniqueConstraint("consultation_id", "place", name=op.f("uq_review_consultation_id_place")),
    )
    op.create_index(op.f("ix_review_reviewer_id"), "review", ["reviewer_id"])


def _questions() -> None:
    op.create_table(
        "review_question",
        sa.Column("id", ID, nullable=False),
        sa.Column("review_id", ID, nullable=False),
        sa.Column("consultation_id", ID, nullable=False),
        sa.Column("idva_id", ID, nullable=False),
        sa.Column("question", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("asked_at", WHEN, nullable=False),
        sa.Column("answered_at", WHEN, nullable=True),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_review_question_review_id")),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name=op.f("fk_review_question_consultation_id")
        ),
        sa.ForeignKeyConstraint(["idva_id"], ["person.id"], name=op.f("fk_review_question_idva_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_question")),
    )
    op.create_index(op.f("ix_review_question_review_id"), "review_question", ["review_id"])
    op.create_index(op.f("ix_review_question_consultation_id"), "review_question", ["consultation_id"])
    op.create_index(op.f("ix_review_question_idva_id_answered_at"), "review_question", ["idva_id", "answered_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_consultation_ended_at"), table_name="consultation")
    op.drop_column("consultation", "later_grade")
    op.drop_table("review_question")
    op.drop_table("review")
