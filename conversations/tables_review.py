"""Reviews of consultations that have ended. Their words are sealed under the consultation's key and go with it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from sqlalchemy import ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from conversations.tables import ID
from storage.database import Base
from storage.sealing import Sealed, SealedText


class Standard(Enum):
    """What a consultation is marked against."""

    SAFE = "safe"  # nobody was put at risk, and urgent things came first
    RIGHT = "right"  # the advice was right by what was known then
    RECORDED = "recorded"  # what was asked and advised can be understood by somebody who was not there
    KIND = "kind"  # the officer, and whoever was spoken about, were treated with respect
    TIMELY = "timely"  # it came in time to be of use


class Mark(Enum):
    """How a consultation meets one standard."""

    YES = "yes"
    NO = "no"
    NOT_APPLICABLE = "na"


class ReviewState(Enum):
    """Where a review stands."""

    OPEN = "open"
    ASKED = "asked"  # the IDVA was asked something and has not answered
    SIGNED_OFF = "signed_off"  # it changes no more


class Review(Base):
    """One person's review of one consultation."""

    __tablename__ = "review"
    __table_args__ = (UniqueConstraint("consultation_id", "reviewer_id"), UniqueConstraint("consultation_id", "place"))

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultation.id"))
    reviewer_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    place: Mapped[int]  # 1 for the first reviewer, 2 for the second
    state: Mapped[str] = mapped_column(String(12))
    version: Mapped[int] = mapped_column(Integer, default=1)  # one more with each change
    safe: Mapped[str | None] = mapped_column(String(4))
    right: Mapped[str | None] = mapped_column(String(4))
    recorded: Mapped[str | None] = mapped_column(String(4))
    kind: Mapped[str | None] = mapped_column(String(4))
    timely: Mapped[str | None] = mapped_column(String(4))
    comment: Mapped[Sealed | None] = mapped_column(SealedText)
    learning: Mapped[Sealed | None] = mapped_column(SealedText)
    began_at: Mapped[datetime]
    signed_at: Mapped[datetime | None]


class ReviewQuestion(Base):
    """What a reviewer asked the IDVA, and the answer."""

    __tablename__ = "review_question"
    __table_args__ = (Index(None, "idva_id", "answered_at"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    review_id: Mapped[str] = mapped_column(ForeignKey("review.id"), index=True)
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultation.id"), index=True)
    idva_id: Mapped[str] = mapped_column(ForeignKey("person.id"))
    question: Mapped[Sealed] = mapped_column(SealedText)
    answer: Mapped[Sealed | None] = mapped_column(SealedText)
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
