"""The live catalogue: versions, releases, the switch; who was shown what; recalls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "entry_version",
        sa.Column("entry_id", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("base", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("proposed_by", sa.String(length=32), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=400), nullable=True),
        sa.ForeignKeyConstraint(["proposed_by"], ["person.id"], name=op.f("fk_entry_version_proposed_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["person.id"], name=op.f("fk_entry_version_decided_by")),
        sa.PrimaryKeyConstraint("entry_id", "number", name=op.f("pk_entry_version")),
    )
    op.create_index(op.f("ix_entry_version_state"), "entry_version", ["state"], unique=False)
    op.create_table(
        "release",
        sa.Column("number", _serial(), autoincrement=True, nullable=False),
        sa.Column("made_by", sa.String(length=32), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"], name=op.f("fk_release_made_by")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_release")),
    )
    op.create_table(
        "release_entry",
        sa.Column("release", _serial(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["release"], ["release.number"], name=op.f("fk_release_entry_release")),
        sa.ForeignKeyConstraint(
            ["entry_id", "version"],
            ["entry_version.entry_id", "entry_version.number"],
            name=op.f("fk_release_entry_entry_id_version"),
        ),
        sa.PrimaryKeyConstraint("release", "entry_id", name=op.f("pk_release_entry")),
    )
    op.create_table(
        "catalogue",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("live", _serial(), nullable=True),
        sa.Column("switched_by", sa.String(length=32), nullable=True),
        sa.Column("switched_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["live"], ["release.number"], name=op.f("fk_catalogue_live")),
        sa.ForeignKeyConstraint(["switched_by"], ["person.id"], name=op.f("fk_catalogue_switched_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue")),
    )
    _shown()
    _recall()


def _shown() -> None:
    op.create_table(
        "shown",
        sa.Column("seq", _serial(), autoincrement=True, nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("consultation_id", sa.String(length=32), nullable=False),
        sa.Column("entry_id", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("how", sa.String(length=12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_shown_person_id")),
        sa.ForeignKeyConstraint(["consultation_id"], ["consultation.id"], name=op.f("fk_shown_consultation_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_shown")),
    )
    op.create_index(op.f("ix_shown_entry_id_at"), "shown", ["entry_id", "at"], unique=False)
    op.create_index(op.f("ix_shown_consultation_id"), "shown", ["consultation_id"], unique=False)


def _recall() -> None:
    op.create_table(
        "recall",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("entry_id", sa.String(length=80), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("correction", sa.Text(), nullable=True),
        sa.Column("consultation_id", sa.String(length=32), nullable=True),
        sa.Column("made_by", sa.String(length=32), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["consultation_id"], ["consultation.id"], name=op.f("fk_recall_consultation_id")),
        sa.ForeignKeyConstraint(["made_by"], ["person.id"], name=op.f("fk_recall_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall")),
    )
    op.create_index(op.f("ix_recall_consultation_id"), "recall", ["consultation_id"], unique=False)
    op.create_table(
        "recall_person",
        sa.Column("recall_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["recall_id"], ["recall.id"], name=op.f("fk_recall_person_recall_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_recall_person_person_id")),
        sa.PrimaryKeyConstraint("recall_id", "person_id", name=op.f("pk_recall_person")),
    )
    op.create_index(
        op.f("ix_recall_person_person_id_acknowledged_at"),
        "recall_person",
        ["person_id", "acknowledged_at"],
        unique=False,
    )


def downgrade() -> None:
    for table in ("recall_person", "recall", "shown", "catalogue", "release_entry", "release", "entry_version"):
        op.drop_table(table)


def _serial() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")
