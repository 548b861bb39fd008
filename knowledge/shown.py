"""Who was shown which version of an entry, and when: so that a correction can reach them.

Rule kept here: it is noted in the transaction that shows it, or nothing is shown.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.entry import Published
from knowledge.tables import How, Shown

__all__ = ["How", "note_shown", "shown_to"]


def note_shown(
    session: Session, person_id: str, consultation_id: str, published: Published, how: How, now: datetime
) -> None:
    """Note that this person is shown this version, in this consultation."""
    session.add(
        Shown(
            person_id=person_id,
            consultation_id=consultation_id,
            entry_id=published.entry.id,
            version=published.version,
            how=how.value,
            at=now,
        )
    )
    session.flush()


def shown_to(session: Session, entry_id: str, since: datetime, until: datetime) -> list[str]:
    """Ids of everybody who was shown any version of an entry from `since` up to and with `until`, first shown first."""
    query = select(Shown.person_id).where(Shown.entry_id == entry_id, Shown.at >= since, Shown.at <= until)
    return list(dict.fromkeys(session.scalars(query.order_by(Shown.seq))))
