"""Recalls: the correction of an entry or an advice that was wrong, for whom it is, and who has acknowledged it.

Rules kept here:
- A correction is for everybody who was shown the entry in the period, whether or not they can still be reached.
- It is acknowledged by its own person only, once; the first time counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.shown import shown_to
from knowledge.tables import Recall, RecallPerson


@dataclass(frozen=True)
class Reached:
    """How far a recall has come."""

    recall: Recall
    people: tuple[RecallPerson, ...]

    @property
    def missing(self) -> tuple[RecallPerson, ...]:
        """Who has not acknowledged it."""
        return tuple(one for one in self.people if one.acknowledged_at is None)


def recall_entry(
    session: Session,
    recall_id: str,
    entry_id: str,
    period: tuple[datetime, datetime],
    correction: str,
    by: str,
    now: datetime,
) -> list[str]:
    """Recall an entry: gives the ids of everybody who was shown it in the period, both ends included."""
    people = shown_to(session, entry_id, *period)
    row = Recall(id=recall_id, entry_id=entry_id, correction=correction, made_by=by, made_at=now)
    row.since, row.until = period
    _add(session, row, people)
    return people


def recall_advice(session: Session, recall_id: str, consultation_id: str, officer: str, by: str, now: datetime) -> None:
    """Recall the advice of a consultation. Its correction stands, sealed, in the thread."""
    row = Recall(id=recall_id, consultation_id=consultation_id, made_by=by, made_at=now)
    _add(session, row, [officer])


def acknowledge(session: Session, recall_id: str, person_id: str, now: datetime) -> bool:
    """Note that this person has read a correction. False: it is not for them, or they said so before."""
    row = session.get(RecallPerson, (recall_id, person_id), with_for_update=True, populate_existing=True)
    if row is None or row.acknowledged_at is not None:
        return False
    row.acknowledged_at = now
    return True


def owed_to(session: Session, person_id: str) -> list[Recall]:
    """Corrections that this person has not acknowledged, oldest first."""
    query = (
        select(Recall)
        .join(RecallPerson, RecallPerson.recall_id == Recall.id)
        .where(RecallPerson.person_id == person_id, RecallPerson.acknowledged_at.is_(None))
    )
    return list(session.scalars(query.order_by(Recall.made_at, Recall.id)))


def recalls(session: Session, recall_id: str | None = None) -> list[Reached]:
    """Every recall, or one, the newest first, with everybody whom it is for."""
    query = select(Recall).order_by(Recall.made_at.desc(), Recall.id)
    found = list(session.scalars(query if recall_id is None else query.where(Recall.id == recall_id)))
    people: dict[str, list[RecallPerson]] = {row.id: [] for row in found}
    for one in session.scalars(select(RecallPerson).where(RecallPerson.recall_id.in_(people))):
        people[one.recall_id].append(one)
    return [Reached(row, tuple(people[row.id])) for row in found]


def _add(session: Session, row: Recall, people: Iterable[str]) -> None:
    session.add(row)
    session.flush()
    session.add_all(RecallPerson(recall_id=row.id, person_id=person, acknowledged_at=None) for person in people)
    session.flush()
