"""Archiving: what has ended for good lies under the key of the month in which it is due for disposal.

Rules kept here:
- What lives, may be reopened or is held lies under the open key; everything else under its month's key. Which one
  is right follows from the facts: `settle` puts right what is not, one consultation a transaction, so that dying
  anywhere leaves each under one key or the other, and the next turn goes on.
- What is overdue stays under its month until somebody has decided. A month's key is destroyed by a supervisor, once
  the month is over and nothing lies under it: then no backup opens what was archived in it.
- Help comes first: where the keys cannot be had now, or are only given to be read, archiving waits and says so.
"""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import Select, and_, func, literal, not_, or_, select

from audit.events import Event
from conversations import store
from conversations.errors import MonthNotOver, NoSuchMonth, StillArchived
from conversations.line import Line
from conversations.retention import require_supervisor, review_of
from conversations.states import ENDED, State
from conversations.tables import Consultation, LegalHold
from conversations.work import Work, scope_of, working
from storage.keys import DataKey, hold_keys
from storage.providers import ARCHIVED, OPEN, KeyProblem, archive_purpose, purpose_of

log = logging.getLogger(__name__)

MOST = 200  # consultations in one turn


def settle(line: Line) -> int:
    """Put up to `MOST` consultations under the key they belong under. Gives how many were moved."""
    with line.database.reading() as session:
        looked_at = list(session.scalars(_misplaced(line, line.now()).limit(MOST)))
    try:
        return sum(_settle_one(line, consultation) for consultation in looked_at)
    except (KeyProblem, OSError) as error:
        log.warning("archiving waits: %s", error)
        return 0


def destroy_month(work: Work, month: str, by: str) -> None:
    """Allow the destruction of a month's keys, and record it; `Keyring.destroy_month` does it after the commit, which
    may be repeated. Raises `RoleMissing`, `NoSuchMonth`, `MonthNotOver` or `StillArchived`."""
    require_supervisor(work, by)
    try:
        purpose = archive_purpose(month)
    except ValueError:
        raise NoSuchMonth from None
    if month >= f"{work.now:%Y-%m}":
        raise MonthNotOver  # and nothing is put under a month that is over: from here on it stays empty
    hold_keys(work.session)
    under = DataKey.kid.startswith(f"{ARCHIVED}{month}.", autoescape=True)
    if work.session.scalar(select(DataKey.scope).where(under).limit(1)):
        raise StillArchived
    kids = [kid for kid in work.line.keyring.provider.kids() if purpose_of(kid) == purpose]
    if not kids:
        raise NoSuchMonth
    work.record(Event.MONTH_DESTROYED, by, month=month, keys=len(kids))


def _misplaced(line: Line, now: datetime) -> Select[str]:
    """What may lie under the wrong key: few, however many are kept."""
    ended = Consultation.state.in_([state.value for state in ENDED])
    held = select(LegalHold.consultation_id).where(LegalHold.lifted_at.is_(None))
    settled = and_(ended, Consultation.ended_at < now - line.policy.reopen, Consultation.id.not_in(held))
    archived = DataKey.kid.startswith(ARCHIVED)
    its_month = func.substr(DataKey.kid, len(ARCHIVED) + 1, len("2032-11")) <= f"{now:%Y-%m}"
    return (
        select(Consultation.id)
        .join(DataKey, DataKey.scope == literal(scope_of("")) + Consultation.id)
        .where(or_(and_(settled, or_(not_(archived), its_month)), and_(not_(settled), archived)))
        .order_by(Consultation.ended_at, Consultation.id)
    )


def _settle_one(line: Line, consultation: str) -> bool:
    with working(line) as work:
        row = store.lock_if_free(work.session, consultation)
        key = work.session.get(DataKey, scope_of(consultation))
        if row is None or key is None:
            return False
        wanted = _purpose(work, row, purpose_of(key.kid))
        if wanted == purpose_of(key.kid):
            return False
        if wanted == OPEN:
            work.line.keyring.unarchive(work.session, key.scope)
        else:
            work.line.keyring.archive(work.session, key.scope, wanted.partition(":")[2])
        work.quietly()
        return True


def _purpose(work: Work, row: Consultation, current: str) -> str:
    """What this consultation's key belongs under: the open key, or that of a month."""
    review = review_of(work, row, held=bool(store.standing_holds(work.session, [row.id])))
    if review is None or State(row.state) not in ENDED or work.now - review.ended_at < work.line.policy.reopen:
        return OPEN
    due = archive_purpose(f"{review.due_at:%Y-%m}")
    this_month = archive_purpose(f"{work.now:%Y-%m}")
    if due >= this_month:
        return due
    return this_month if current == OPEN else current
