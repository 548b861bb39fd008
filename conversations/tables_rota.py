"""Around the shifts: leave, swaps, and changes to the rota that a second person has to agree to. No words."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from conversations.tables import ID
from storage.database import Base


class Leave(Base):
    """Somebody is away: no shift of theirs begins then. Why is nobody's business here."""

    __tablename__ = "leave"
    __table_args__ = (Index(None, "person_id"), Index(None, "ends_at"))

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    placed_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    placed_at: Mapped[datetime]


class Swap(Base):
    """One IDVA asks another to take a shift, for one of theirs or for none. The times are those that were agreed to:
    a shift that was moved since is not swapped."""

    __tablename__ = "swap"
    __table_args__ = (Index(None, "asked_by"), Index(None, "asked_of"))

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    asked_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    asked_of: Mapped[str] = mapped_column(ForeignKey("person.id"))
    gives: Mapped[str] = mapped_column(ID)  # a shift; it may be taken off the rota meanwhile
    gives_from: Mapped[datetime]
    gives_until: Mapped[datetime]
    takes: Mapped[str | None] = mapped_column(ID)
    takes_from: Mapped[datetime | None]
    takes_until: Mapped[datetime | None]
    asked_at: Mapped[datetime]
    answer: Mapped[str | None] = mapped_column(String(10))  # `swaps.Answer`; None: not answered
    answered_at: Mapped[datetime | None]


class RotaDraft(Base):
    """Changes that would leave the next day and night uncovered: somebody wants them, a second person decides."""

    __tablename__ = "rota_draft"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))  # of the changes, with what stood there before
    asked_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
    published: Mapped[bool | None]


class RotaDraftChange(Base):
    """One of its changes. Without `shift_id` a shift is added; without `person_id` it is taken off."""

    __tablename__ = "rota_draft_change"

    draft_id: Mapped[str] = mapped_column(ForeignKey("rota_draft.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    shift_id: Mapped[str | None] = mapped_column(ID)
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    duty: Mapped[str] = mapped_column(String(8))
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
