"""What shows that somebody on duty can be reached."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base


class StartCheck(Base):
    """The test call at the start of one shift."""

    __tablename__ = "start_check"
    __table_args__ = (Index(None, "person_id", "answered_at"),)

    shift_id: Mapped[str] = mapped_column(ForeignKey("shift.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    missed_at: Mapped[datetime | None]  # when the duty leads were told that nobody had answered
