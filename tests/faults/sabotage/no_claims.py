"""A courier without claims: what is due is sent, by whoever looks, as often as somebody looks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from conversations import queues
from conversations.messages import ChannelName
from conversations.tables import Outbox, OutboxState


def _claim_sends(session: Session, channel: ChannelName, now: datetime, claim: str, limit: int) -> list[Outbox]:
    due = (Outbox.channel == channel.value) & (Outbox.state == OutboxState.WAITING.value) & (Outbox.due_at <= now)
    rows = list(session.scalars(select(Outbox).where(due).order_by(Outbox.seq).limit(limit)))
    for row in rows:
        row.attempts += 1
        row.sending, row.claim = False, claim
    return rows


def _held_claim(session: Session, seq: int, claim: str) -> Outbox | None:
    return session.get(Outbox, seq, with_for_update=True) if claim else None


def sabotage() -> None:
    """Mark nothing as taken, fence nothing off."""
    queues.claim_sends = _claim_sends
    queues.held_claim = _held_claim
