"""Who may come to a consultation beyond its two sides, and who may not: restrictions and broken glass."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from conversations.tables import ID
from storage.database import Base
from storage.sealing import Sealed, SealedText


class Restriction(Base):
    """The suspect is police or NHS staff: only the two sides and named people may know of this consultation."""

    __tablename__ = "restriction"

    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultation.id"), primary_key=True)
    suspect: Mapped[str] = mapped_column(String(8))  # `restrict.Suspect`
    placed_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    placed_at: Mapped[datetime]


class NamedReader(Base):
    """Somebody who may know of a restricted consultation, as far as their role goes."""

    __tablename__ = "named_reader"

    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultation.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    named_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    named_at: Mapped[datetime]


class BrokenGlass(Base):
    """Somebody opened a consultation that is not theirs, in an emergency, for half an hour."""

    __tablename__ = "broken_glass"
    __table_args__ = (Index(None, "consultation_id"), Index(None, "person_id"))

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultation.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    role: Mapped[str] = mapped_column(String(12))  # in which role: the other organisation is told, and reviews
    reason: Mapped[Sealed] = mapped_column(SealedText)
    began_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reviewed_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    reviewed_at: Mapped[datetime | None]
    justified: Mapped[bool | None]
    finding: Mapped[Sealed | None] = mapped_column(SealedText)
