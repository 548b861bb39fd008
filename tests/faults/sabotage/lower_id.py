"""Tell duplicates by 'not higher than the last id' instead of by the unique key."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from conversations import queues
from conversations.tables import Inbox


def _is_stored(session: Session, channel: str, key: str) -> bool:
    keys = session.scalars(select(Inbox.key).where(Inbox.channel == channel))
    return int(key) <= max((int(known) for known in keys), default=0)


def sabotage() -> None:
    """Take every id below the highest for a repeat."""
    queues.is_stored = _is_stored
