"""Who is on leave when: looked at before anybody is put on the rota."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from conversations.tables_rota import Leave


def leave_of(session: Session, people: Iterable[str], since: datetime) -> Sequence[Leave]:
    """The leave of these people that has not ended by then, earliest first."""
    query = select(Leave).where(Leave.person_id.in_(list(people)), Leave.ends_at > since)
    return session.scalars(query.order_by(Leave.starts_at, Leave.id)).all()


def is_away(session: Session, person_id: str, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether this person is on leave at any time of a shift."""
    return any(one.starts_at < ends_at for one in leave_of(session, [person_id], starts_at))
