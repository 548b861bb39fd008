"""What the board shows: who is on duty and until when, what is overdue, when nobody answers, how the channels do.

Rule kept here: everything comes from the database, so every replica shows the same; no words are opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select

from access.people import Known
from conversations import store
from conversations.messages import ChannelName
from conversations.states import State
from conversations.tables import Consultation, Inbox, Offer, Outbox, OutboxState, Shift
from conversations.work import Work

SLOW = timedelta(minutes=1)  # what waits longer than this to be sent is stuck
DAY = timedelta(days=1)
OWED = (State.KEPT.value, State.LEAD_CALLED.value)
Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class OnDutyShown:
    """Somebody on duty."""

    person: Known
    until: datetime
    silent: bool = False  # has not answered the test call at the start of the shift


@dataclass(frozen=True)
class Overdue:
    """How many things somebody should have done by now."""

    offers: int  # offered, and not answered in time
    unread: int  # advice not confirmed, and chased in vain
    owed: int  # questions nobody has taken


@dataclass(frozen=True)
class Health:
    """How one channel does."""

    name: str
    last_in: datetime | None  # when something last arrived by it
    last_out: datetime | None  # when something last reached somebody by it, in the last 24 hours
    stuck: int  # should have been sent more than a minute ago
    failed: int  # given up in the last 24 hours


def duty(work: Work, what: str) -> list[OnDutyShown]:
    """Who is on this duty, and until when; who leaves last stands last."""
    ends = select(Shift.person_id, func.max(Shift.ends_at)).where(
        Shift.duty == what, Shift.starts_at <= work.now, Shift.ends_at > work.now
    )
    rows = work.session.execute(ends.group_by(Shift.person_id)).all()
    silent = store.not_reached(work.session, [one for one, _ in rows], work.now)
    shown = [OnDutyShown(work.person(one), until, one in silent) for one, until in rows]
    return sorted(shown, key=lambda one: one.until)


def overdue(work: Work) -> Overdue:
    """What is late now."""
    late = select(func.count(Offer.id)).where(Offer.outcome.is_(None), Offer.due_at <= work.now)
    standing = select(Consultation.state, func.count()).where(
        Consultation.state.in_((*OWED, State.ADVICE_RAISED.value))
    )
    counts = {state: count for state, count in work.session.execute(standing.group_by(Consultation.state))}  # noqa: C416
    return Overdue(
        work.session.scalar(late) or 0,
        counts.get(State.ADVICE_RAISED.value, 0),
        sum(counts.get(state, 0) for state in OWED),
    )


def cover_gaps(work: Work, until: datetime) -> list[Span]:
    """When, from now on, no IDVA is on the rota."""
    query = select(Shift.starts_at, Shift.ends_at).where(
        Shift.duty == store.IDVA_DUTY, Shift.ends_at > work.now, Shift.starts_at < until
    )
    return gaps([(begins, ends) for begins, ends in work.session.execute(query)], work.now, until)


def gaps(covered: list[Span], start: datetime, end: datetime) -> list[Span]:
    """The parts of a time that none of these spans covers. Pure."""
    found = []
    for begins, ends in sorted(covered):
        if begins > start:
            found.append((start, min(begins, end)))
        start = max(start, ends)
    if start < end:
        found.append((start, end))
    return found


def health(work: Work) -> list[Health]:
    """How each channel does that anything ever came or went by."""
    latest = select(Inbox.channel, func.max(Inbox.received_at)).group_by(Inbox.channel)
    arrived = {channel: at for channel, at in work.session.execute(latest)}  # noqa: C416
    # Of the last day alone: an index bounds what is looked through.
    sent = _by_channel(
        work, func.max(Outbox.done_at), Outbox.state == OutboxState.DELIVERED.value, Outbox.due_at > work.now - DAY
    )
    stuck = _by_channel(work, func.count(), Outbox.state == OutboxState.WAITING.value, Outbox.due_at <= work.now - SLOW)
    failed = _by_channel(work, func.count(), Outbox.state == OutboxState.FAILED.value, Outbox.done_at > work.now - DAY)
    return [
        Health(
            one.value, arrived.get(one.value), sent.get(one.value), stuck.get(one.value, 0), failed.get(one.value, 0)
        )
        for one in ChannelName
        if one.value in arrived.keys() | sent.keys() | stuck.keys() | failed.keys()
    ]


def _by_channel(work: Work, what: Any, *where: ColumnElement[bool]) -> dict[str, Any]:
    query = select(Outbox.channel, what).where(*where).group_by(Outbox.channel)
    return {channel: found for channel, found in work.session.execute(query)}  # noqa: C416
