"""Writing and reading the trail: append only, in the transaction of what it records.

Rules kept here:
- A leaf holds ids and facts, never words; `facts` values are numbers, booleans, ids and enum values.
- Leaves are numbered without gaps, over all and within a consultation, so that a missing one shows.
- `record` defers the writing to the end of the transaction: the head row is the one lock all writers share.
- The tree grows with each leaf (`growth`), in the same transaction.
- A high-risk act is also written elsewhere, where there is an elsewhere, before it is committed (`audit.second`).
- Nothing here updates or deletes a leaf, and the database refuses both (triggers, see migrations).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import BigInteger, LargeBinary, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from audit.events import URGENT, Event
from audit.finding import named_in
from audit.growth import LeafRow, frontier_of, grow
from storage.database import Base, Transaction

LONGEST_LEAF = 65_535  # bytes (tlog-tiles counts an entry in 16 bits)

_LOCKED = "trail head locked"

Fact = str | int | bool | None


class Head(Base):
    """How long the trail is: one row, locked by whoever appends."""

    __tablename__ = "trail_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    last_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    frontier: Mapped[bytes | None] = mapped_column(LargeBinary)  # of the tree; none before it was kept
    urgent_size: Mapped[int] = mapped_column(BigInteger, server_default="0")  # to be signed at once, up to here
    epoch: Mapped[int] = mapped_column(server_default="1")  # one more each time a lost end was owned up to


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
    work.before_commit(lambda: _append(work, leaf))


def record_first(work: Transaction, leaf: Leaf) -> None:
    """Append a leaf before anything else happens: what follows does not happen where it cannot be written.

    It takes the lock that all writers share: only for a transaction that waits for no other lock afterwards."""
    _append(work, leaf)


def _append(work: Transaction, leaf: Leaf) -> None:
    session = work.session
    head = _locked_head(session)
    within = _next_within(session, leaf.consultation) if leaf.consultation is not None else None
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
    data = rfc8785.dumps(content)
    if len(data) > LONGEST_LEAF:
        raise ValueError(f"a leaf of {len(data)} bytes: {leaf.event.label} carries too many facts")
    frontier = frontier_of(session, head.size, head.frontier)
    session.add(LeafRow(index=head.size, consultation_id=leaf.consultation, event=leaf.event.label, data=data))
    session.add_all(named_in(head.size, leaf.actor, leaf.facts))
    frontier = grow(session, frontier, data)
    head.size, head.last_ms, head.frontier = frontier.size, at, frontier.to_bytes()
    if leaf.event in URGENT:
        head.urgent_size = head.size
        if work.elsewhere is not None:
            index, elsewhere = frontier.size - 1, work.elsewhere
            elsewhere.before(index, data)
            work.after_commit(lambda: elsewhere.after(index, data))


def _locked_head(session: Session) -> Head:
    """The head row, locked by the first leaf of a transaction until its end: who else appends waits."""
    head = session.get(Head, 1) if session.info.get(_LOCKED) else None
    if head is None:
        head = session.get(Head, 1, with_for_update=True, populate_existing=True)
        session.info[_LOCKED] = not session.in_nested_transaction()  # an attempt that is undone lets go of its locks
    if head is None:
        head = Head(id=1, size=0, last_ms=0)
        session.add(head)
    return head


def _next_within(session: Session, consultation: str) -> int:
    query = select(func.count()).select_from(LeafRow).where(LeafRow.consultation_id == consultation)
    return session.scalar(query) or 0


def leaf_of_message(session: Session, consultation: str, number: int) -> tuple[int, bytes]:
    """Where the trail took in a message of a consultation: index and leaf. Raises LookupError if it did not."""
    query = select(LeafRow.index, LeafRow.data).where(
        LeafRow.consultation_id == consultation, LeafRow.event == Event.MESSAGE_RECEIVED.label
    )
    for index, data in session.execute(query.order_by(LeafRow.index)):
        if json.loads(data)["facts"].get("message") == number:
            return index, data
    raise LookupError(f"no leaf of message {number}")


def leaf_at(session: Session, index: int) -> bytes | None:
    """One leaf; None where the trail does not hold it."""
    return session.scalar(select(LeafRow.data).where(LeafRow.index == index))


def length(session: Session) -> int:
    """How many leaves there are."""
    return session.scalar(select(Head.size)) or 0


def lost_ends(session: Session) -> list[range]:
    """The ends of the trail that were lost and owned up to: the indexes of their leaves."""
    query = select(LeafRow.data).where(LeafRow.event == Event.TRAIL_RECOVERED.label)
    facts = [json.loads(data)["facts"] for data in session.scalars(query)]
    return [range(one["lost_from"], one["lost_to"]) for one in facts]


def read_leaves(session: Session, consultation: str | None = None) -> list[bytes]:
    """The leaves in order, all or those of one consultation."""
    query = select(LeafRow.data).order_by(LeafRow.index)
    if consultation is not None:
        query = query.where(LeafRow.consultation_id == consultation)
    return list(session.scalars(query))
