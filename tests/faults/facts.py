"""What stands in a line's database, opened and put side by side: what the invariants are checked on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit.trail import Head, read_leaves
from conversations.line import Line
from conversations.messages import ChannelName
from conversations.tables import Consultation, Due, Inbox, Message, MessageVersion, Offer, Outbox
from conversations.work import scope_of
from storage.sealing import Place


@dataclass(frozen=True)
class Words:
    """One message, opened."""

    consultation: str
    number: int
    side: str
    author: str | None
    text: str


@dataclass(frozen=True)
class Facts:
    """One consistent look at everything."""

    now: datetime
    inbox: Sequence[Inbox]
    outbox: Sequence[Outbox]  # Telegram's
    consultations: dict[str, Consultation]
    offers: Sequence[Offer]
    due: Sequence[Due]
    words: Sequence[Words]
    leaves: Sequence[dict[str, Any]]
    trail_size: int


def read_facts(line: Line) -> Facts:
    """Look once."""
    with line.database.reading() as session:
        head = session.get(Head, 1)
        outbox = select(Outbox).where(Outbox.channel == ChannelName.TELEGRAM.value).order_by(Outbox.seq)
        return Facts(
            now=line.now(),
            inbox=session.scalars(select(Inbox).order_by(Inbox.seq)).all(),
            outbox=session.scalars(outbox).all(),
            consultations={row.id: row for row in session.scalars(select(Consultation))},
            offers=session.scalars(select(Offer)).all(),
            due=session.scalars(select(Due)).all(),
            words=_words(line, session),
            leaves=[json.loads(leaf) for leaf in read_leaves(session)],
            trail_size=head.size if head else 0,
        )


def _words(line: Line, session: Session) -> list[Words]:
    rows = select(Message, MessageVersion).join(MessageVersion, MessageVersion.message_id == Message.id)
    found = []
    for message, version in session.execute(rows.order_by(Message.consultation_id, Message.number)):
        scope = scope_of(message.consultation_id)
        place = Place("message_version", "words", f"{message.id}.{version.number}", scope)
        text = line.keyring.open(session, place, version.words)
        found.append(Words(message.consultation_id, message.number, message.side, message.author_id, text))
    return found
