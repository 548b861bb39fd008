"""The live catalogue's tables: versions, releases, the one row that says which is live, who was shown what, recalls.

Rules kept here:
- A version is never changed but for its state; a release is never changed at all.
- What officers are offered is the release that `Catalogue.live` names, and nothing else.
- No words of a consultation stand here: a correction of advice is a sealed message of its thread.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from storage.database import Base, Serial

ENTRY_ID = String(80)
PERSON = "person.id"


class State(Enum):
    """Where a version stands. Whether it is live now is not a state: the live release says so."""

    PROPOSED = "proposed"  # waits for a second curator
    APPROVED = "approved"  # by a second curator; goes live with the next publishing
    PUBLISHED = "published"  # is or was in a release
    REFUSED = "refused"  # by a curator, with a reason
    WITHDRAWN = "withdrawn"  # taken back by who proposed it, or taken out of the catalogue


class How(Enum):
    """How somebody came to see an entry."""

    SUGGESTED = "suggested"  # put forward by the line
    SENT = "sent"  # sent by an IDVA


class EntryVersion(Base):
    """One version of one entry, whole, as the text of its file."""

    __tablename__ = "entry_version"
    __table_args__ = (Index(None, "state"),)

    entry_id: Mapped[str] = mapped_column(ENTRY_ID, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    base: Mapped[int | None]  # the version it changes; None: an entry that was not there
    state: Mapped[str] = mapped_column(String(12))
    proposed_by: Mapped[str | None] = mapped_column(ForeignKey(PERSON))  # None: it came with the program
    proposed_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(ForeignKey(PERSON))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(400))  # why it was refused or withdrawn


class Release(Base):
    """A set of versions that was live together."""

    __tablename__ = "release"

    number: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    made_by: Mapped[str | None] = mapped_column(ForeignKey(PERSON))
    made_at: Mapped[datetime]


class ReleaseEntry(Base):
    """One version in one release."""

    __tablename__ = "release_entry"
    __table_args__ = (
        ForeignKeyConstraint(["entry_id", "version"], ["entry_version.entry_id", "entry_version.number"]),
    )

    release: Mapped[int] = mapped_column(Serial, ForeignKey("release.number"), primary_key=True)
    entry_id: Mapped[str] = mapped_column(ENTRY_ID, primary_key=True)
    version: Mapped[int]


class Catalogue(Base):
    """The one switch: which release is live. Whoever changes anything in the catalogue locks this row."""

    __tablename__ = "catalogue"

    id: Mapped[int] = mapped_column(primary_key=True)
    live: Mapped[int | None] = mapped_column(Serial, ForeignKey("release.number"))
    switched_by: Mapped[str | None] = mapped_column(ForeignKey(PERSON))
    switched_at: Mapped[datetime | None]


class Shown(Base):
    """Somebody was shown a version, so that a correction can reach them."""

    __tablename__ = "shown"
    __table_args__ = (Index(None, "entry_id", "at"), Index(None, "consultation_id"))

    seq: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    person_id: Mapped[str] = mapped_column(ForeignKey(PERSON))
    consultation_id: Mapped[str] = mapped_column(ForeignKey("consultation.id"))
    entry_id: Mapped[str] = mapped_column(ENTRY_ID)
    version: Mapped[int]
    how: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime]


class Recall(Base):
    """An entry, or an advice, was wrong: the correction, and whom it is for."""

    __tablename__ = "recall"
    __table_args__ = (Index(None, "consultation_id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    entry_id: Mapped[str | None] = mapped_column(ENTRY_ID)  # None: it recalls an advice
    since: Mapped[datetime | None]  # shown in this period
    until: Mapped[datetime | None]
    correction: Mapped[str | None] = mapped_column(Text)  # of an entry; that of an advice stands in its thread
    consultation_id: Mapped[str | None] = mapped_column(ForeignKey("consultation.id"))  # of the advice
    made_by: Mapped[str] = mapped_column(ForeignKey(PERSON))
    made_at: Mapped[datetime]


class RecallPerson(Base):
    """Somebody whom a correction is for."""

    __tablename__ = "recall_person"
    __table_args__ = (Index(None, "person_id", "acknowledged_at"),)

    recall_id: Mapped[str] = mapped_column(ForeignKey("recall.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey(PERSON), primary_key=True)
    acknowledged_at: Mapped[datetime | None]
