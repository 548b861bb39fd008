"""Private notes of IDVAs: what they note about a consultation for themselves and for each other.

Rules kept here:
- Whoever has or had the consultation as its IDVA may read and add; an IDVA lead may read. Nobody who holds a police
  role may do either, whatever else they are (docs/decisions/0007).
- Notes are added, never changed: what was noted stays as it was.
- They are no part of the thread, and no disclosure opens them; that one was written stands in the trail.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from access.tables import Role
from audit.events import Event
from conversations import store
from conversations.errors import EmptyNote, NotYours
from conversations.tables import Consultation, Offer, OfferOutcome
from conversations.tables_desk import PrivateNote
from conversations.work import Work, scope_of

POLICE = frozenset({Role.OFFICER, Role.SUPERVISOR, Role.SERGEANT})


@dataclass(frozen=True)
class NoteShown:
    """One note as its readers see it."""

    author: str
    words: str
    at: datetime


def add_note(work: Work, ref: str, author_id: str, words: str) -> None:
    """Note something down. Raises `NotYours` or `EmptyNote`."""
    row = store.by_ref(work.session, ref)
    if not _had_it(work, row, author_id):
        raise NotYours
    if not words.strip():
        raise EmptyNote
    note_id = work.new_id()
    sealed = work.seal("private_note", "words", note_id, scope_of(row.id), words.strip())
    work.session.add(PrivateNote(id=note_id, consultation_id=row.id, author_id=author_id, words=sealed, at=work.now))
    work.session.flush()
    work.record(Event.NOTE_WRITTEN, author_id, row.id, note=note_id, sealed=sealed.digest())
    work.wake(row.idva_id)


def notes(work: Work, ref: str, reader_id: str) -> list[NoteShown]:
    """All notes about a consultation, oldest first, the reading recorded first. Raises `NotYours`."""
    row = store.by_ref(work.session, ref)
    if not _had_it(work, row, reader_id) and not _leads(work, reader_id):
        raise NotYours
    found = work.session.scalars(
        select(PrivateNote).where(PrivateNote.consultation_id == row.id).order_by(PrivateNote.at, PrivateNote.id)
    ).all()
    if found:
        work.reading(reader_id, row.id, notes=len(found), purpose="private notes")
    return [
        NoteShown(
            work.person(one.author_id).name,
            work.open_words("private_note", "words", one.id, scope_of(row.id), one.words),
            one.at,
        )
        for one in found
    ]


def _had_it(work: Work, row: Consultation, person_id: str) -> bool:
    """Whether they have or had it, as an IDVA with no tie to the police."""
    if not work.has_role(person_id, Role.IDVA) or _police(work, person_id):
        return False
    took = select(Offer.id).where(
        Offer.consultation_id == row.id, Offer.idva_id == person_id, Offer.outcome == OfferOutcome.ACCEPTED.value
    )
    return person_id in (row.idva_id, row.last_idva_id) or work.session.scalar(took.limit(1)) is not None


def _leads(work: Work, person_id: str) -> bool:
    return work.has_role(person_id, Role.IDVA_LEAD) and not _police(work, person_id)


def _police(work: Work, person_id: str) -> bool:
    return bool(POLICE & work.person(person_id).roles)
