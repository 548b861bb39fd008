"""Finding leaves again: by who they name, what they are about, what happened and when. Newest first, a page at a time.

Rules kept here:
- The index of who is named is made with each leaf and holds ids only; it proves nothing.
- Time never runs backwards in the trail, so a time is a place in it, found by halving.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from audit.growth import LeafRow
from storage.database import Base

ID_LENGTH = 32  # of ids of people, consultations, holds


class LeafPerson(Base):
    """Somebody whom a leaf names: who did it, or an id among its facts."""

    __tablename__ = "leaf_person"

    person_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    index: Mapped[int] = mapped_column("idx", BigInteger, primary_key=True, autoincrement=False)


@dataclass(frozen=True)
class Wanted:
    """What is looked for. None: whatever it is."""

    person: str | None = None
    consultations: tuple[str, ...] | None = None
    events: tuple[str, ...] | None = None  # labels
    since: datetime | None = None  # from then on
    until: datetime | None = None  # before then
    before: int | None = None  # leaves before this one: the next page


def named_in(index: int, actor: str, facts: Mapping[str, object]) -> list[LeafPerson]:
    """The index entries of a leaf: every id it holds that may be somebody's."""
    ids = {one for one in (actor, *facts.values()) if isinstance(one, str) and len(one) == ID_LENGTH}
    return [LeafPerson(person_id=one, index=index) for one in sorted(ids)]


def find(session: Session, wanted: Wanted, size: int, limit: int) -> list[bytes]:
    """The newest `limit` leaves of a trail of this `size` that are wanted, newest first."""
    query = select(LeafRow.data).order_by(LeafRow.index.desc()).limit(limit)
    if wanted.person is not None:
        query = query.join(LeafPerson, LeafPerson.index == LeafRow.index)
        query = query.where(LeafPerson.person_id == wanted.person)
    if wanted.consultations is not None:
        query = query.where(LeafRow.consultation_id.in_(wanted.consultations))
    if wanted.events is not None:
        query = query.where(LeafRow.event.in_(wanted.events))
    if wanted.since is not None:
        query = query.where(LeafRow.index >= index_at(session, wanted.since, size))
    ends = [size if wanted.before is None else wanted.before]
    if wanted.until is not None:
        ends.append(index_at(session, wanted.until, size))
    return list(session.scalars(query.where(LeafRow.index < min(ends))))


def index_at(session: Session, moment: datetime, size: int) -> int:
    """The first leaf that is not before this moment; `size` where all are."""
    low, high, wanted = 0, size, int(moment.timestamp() * 1000)
    while low < high:
        middle = (low + high) // 2
        leaf = session.scalars(select(LeafRow.data).where(LeafRow.index == middle)).one()
        low, high = (middle + 1, high) if json.loads(leaf)["t_ms"] < wanted else (low, middle)
    return low
