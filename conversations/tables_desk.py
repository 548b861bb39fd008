"""What IDVAs keep at their desk, beside a consultation or for all of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from conversations.tables import ID
from storage.database import Base
from storage.sealing import Sealed, SealedText


class PrivateNote(Base):
    """What an IDVA noted for the IDVAs alone. Added, never changed; sealed under the consultation's key."""

    __tablename__ = "private_note"
    __table_args__ = (Index(None, "consultation_id"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultation.id"))
    author_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    words: Mapped[Sealed] = mapped_column(SealedText)
    at: Mapped[datetime]


class Snippet(Base):
    """A sentence that an IDVA often writes. Sealed under their own key."""

    __tablename__ = "snippet"
    __table_args__ = (Index(None, "author_id"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    author_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    words: Mapped[Sealed] = mapped_column(SealedText)
    at: Mapped[datetime]
