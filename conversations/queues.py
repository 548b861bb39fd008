"""Claiming from inbox and outbox.

Rules kept here:
- Inbox: the row lock is the claim and lives in the transaction that records the effects; a crash frees it.
  The oldest waiting row of a lane goes first; a lane whose row is being handled waits.
- Outbox: a claim is a fresh random value with an end; a result counts only while its claim stands (fencing).
  One row of a lane at a time, in order, whatever goes on in other lanes.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from conversations.messages import ChannelName
from conversations.tables import Inbox, InboxState, Outbox, OutboxState

CLAIM = timedelta(seconds=8)  # longer than any one call may take (6 s); prolonged before the next
_OPEN = (OutboxState.WAITING.value, OutboxState.CLAIMED.value)


def is_stored(session: Session, channel: str, key: str) -> bool:
    """Whether this arrival was stored before."""
    return session.scalar(select(Inbox.seq).where(Inbox.channel == channel, Inbox.key == key)) is not None


def claim_arrival(session: Session, now: datetime) -> Inbox | None:
    """The next arrival to handle, locked until the end of this transaction."""
    earlier = aliased(Inbox)
    first_of_lane = ~exists().where(
        earlier.lane == Inbox.lane, earlier.state == InboxState.WAITING.value, earlier.seq < Inbox.seq
    )
    query = (
        select(Inbox)
        .where(Inbox.state == InboxState.WAITING.value, Inbox.due_at <= now, first_of_lane)
        .order_by(Inbox.seq)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = session.scalar(query)
    if row is not None and row.state != InboxState.WAITING.value:
        return None  # PostgreSQL locks the newest version: somebody finished it meanwhile
    return row


def claim_sends(session: Session, channel: ChannelName, now: datetime, claim: str, limit: int) -> list[Outbox]:
    """Up to `limit` due rows, one for each lane, now claimed. Commit, then send."""
    earlier = aliased(Outbox)
    first_of_lane = ~exists().where(earlier.lane == Outbox.lane, earlier.state.in_(_OPEN), earlier.seq < Outbox.seq)
    due = or_(
        and_(Outbox.state == OutboxState.WAITING.value, Outbox.due_at <= now),
        and_(Outbox.state == OutboxState.CLAIMED.value, Outbox.claimed_until <= now),
    )
    query = (
        select(Outbox)
        .where(Outbox.channel == channel.value, due, first_of_lane)
        .order_by(Outbox.seq)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = list(session.scalars(query))
    for row in rows:
        row.state = OutboxState.CLAIMED.value
        row.claim, row.claimed_until = claim, now + CLAIM
        row.attempts += 1
    return rows


def held_claim(session: Session, seq: int, claim: str) -> Outbox | None:
    """The row, locked, while this claim still stands on it."""
    query = select(Outbox).where(Outbox.seq == seq, Outbox.claim == claim, Outbox.state == OutboxState.CLAIMED.value)
    return session.scalar(query.with_for_update())


def prolong(row: Outbox, now: datetime) -> None:
    """The holder of a claim is still at it: after a step that took time, before the next one that takes time."""
    row.claimed_until = now + CLAIM


def free_every_claim(session: Session) -> int:
    """At the start of the only process on this database: nobody holds any claim any more."""
    freed = session.execute(
        update(Outbox)
        .where(Outbox.state == OutboxState.CLAIMED.value)
        .values(state=OutboxState.WAITING.value, claim=None, claimed_until=None)
    )
    return int(getattr(freed, "rowcount", 0))


def of_message(session: Session, message_ids: list[str]) -> list[Outbox]:
    """Everything owed for these messages."""
    return list(session.scalars(select(Outbox).where(Outbox.message_id.in_(message_ids)).order_by(Outbox.seq)))


def read_on_web(session: Session, person_id: str, message_ids: list[str], now: datetime) -> list[Outbox]:
    """The reader's browser shows these messages: their web rows are delivered. Gives the rows that changed."""
    query = select(Outbox).where(
        Outbox.person_id == person_id,
        Outbox.message_id.in_(message_ids),
        Outbox.state == OutboxState.READER.value,
    )
    rows = list(session.scalars(query.with_for_update()))
    for row in rows:
        row.state, row.done_at = OutboxState.DELIVERED.value, now
    return rows


def sent_as(session: Session, person_id: str, remote: str) -> Outbox | None:
    """What was sent to somebody as this message of the channel."""
    query = select(Outbox).where(Outbox.person_id == person_id, Outbox.remote == remote)
    return session.scalar(query.order_by(Outbox.seq.desc()).limit(1))


def remote_of(session: Session, outbox_id: str) -> str | None:
    """The channel's id of what this row sent, once it was sent."""
    return session.scalar(select(Outbox.remote).where(Outbox.id == outbox_id))
