"""Writing and reading the trail: append only, in the transaction of what it records.

Rules kept here:
- A leaf holds ids and facts, never words; `facts` values are numbers, booleans, ids and enum values.
- Leaves are numbered without gaps, over all and within a consultation, so that a missing one shows.
- `record` defers the writing to the end of the transaction: the head row is the one lock all writers share.
- Nothing here updates or deletes a leaf, and the database refuses both (triggers, see migrations).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import BigInteger, LargeBinary, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from audit.events import Event
from storage.database import Base, Transaction

Fact = str | int | bool | None


class LeafRow(Base):
    """One leaf: canonical JSON (RFC 8785), exactly the bytes that are hashed."""

    __tablename__ = "leaf"

    index: Mapped[int] = mapped_column("idx", BigInteger, primary_key=True, autoincrement=False)
    consultation_id: Mapped[str | None] = mapped_column(String(32), index=True)
    event: Mapped[str] = mapped_column(String(40))
    data: Mapped[bytes] = mapped_column(LargeBinary)


class Head(Base):
    """How long the trail is: one row, locked by whoever appends."""

    __tablename__ = "trail_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    last_ms: Mapped[int] = mapped_column(BigInteger, default=0)


@dataclass(frozen=True)
class Leaf:
    """One thing that happened."""

    event: Event
    at: datetime
    actor: str  # a person id, or "line"
    consultation: str | None = None
    facts: dict[str, Fact] = field(default_factory=dict)


def record(work: Transaction, leaf: Leaf) -> None:
    """Append a leaf as part of this transaction."""
    work.before_commit(lambda: _append(work.session, leaf))


def _append(session: Session, leaf: Leaf) -> None:
    head = session.get(Head, 1, with_for_update=True, populate_existing=True)
    if head is None:
        head = Head(id=1, size=0, last_ms=0)
        session.add(head)
    within = None
    if leaf.consultation is not None:
        within = session.scalar(
            select(func.count()).select_from(LeafRow).where(LeafRow.consultation_id == leaf.consultation)
        )
    at = max(int(leaf.at.timestamp() * 1000), head.last_ms)  # the trail's time never runs backwards
    content: dict[str, Any] = {
        "v": 1,
        "index": head.size,
        "t_ms": at,
        "event": leaf.event.label,
        "category": leaf.event.category.value,
        "actor": leaf.actor,
        "consultation": leaf.consultation,
        "cseq": within,
        "facts": dict(leaf.facts),
    }
    session.add(
        LeafRow(
            index=head.size,
            consultation_id=leaf.consultation,
            event=leaf.event.label,
            data=rfc8785.dumps(content),
        )
    )
    head.size += 1
    head.last_ms = at
    session.flush()


def read_leaves(session: Session, consultation: str | None = None) -> list[bytes]:
    """The leaves in order, all or those of one consultation."""
    query = select(LeafRow.data).order_by(LeafRow.index)
    if consultation is not None:
        query = query.where(LeafRow.consultation_id == consultation)
    return list(session.scalars(query))
