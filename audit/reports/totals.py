"""The sums that reports are made from, by the month a question was asked: brought up to date leaf by leaf.

Rules kept here:
- They are worked out from the leaves alone, hold no words, and can be thrown away: what they hold is always what
  counting every leaf from the first would give, wherever the counting was interrupted.
- A consultation with new leaves is counted again, whole: what it added before is taken off first.
- Other definitions (`VERSION`) begin from nothing.
- Who was on duty is known from the shifts that stood in the trail before the question did.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Index, LargeBinary, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from audit.events import Event
from audit.growth import LeafRow
from audit.reports.every import count
from audit.reports.figures import Question
from audit.reports.history import TOLD_BY, Leaf, fold
from audit.trail import length
from storage.database import Base

VERSION = 1  # one more whenever a definition changes
STEP = 1000  # leaves taken in at a time
LOCAL = ZoneInfo("Europe/London")
IDVA = "idva"  # the duty that counts as cover
CHUNK = 400  # ids in one query


class ReportHead(Base):
    """How far the trail has been counted: one row, locked by whoever counts."""

    __tablename__ = "report_head"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]
    size: Mapped[int] = mapped_column(BigInteger)


class ReportMonth(Base):
    """What was asked in one month, summed."""

    __tablename__ = "report_month"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)  # where people are, as 2026-11
    sums: Mapped[bytes] = mapped_column(LargeBinary)  # JSON: name and count


class ReportShift(Base):
    """A time an IDVA was on duty, as one leaf has it. Times are Unix milliseconds."""

    __tablename__ = "report_shift"
    __table_args__ = (Index(None, "ends_at"), Index(None, "person_id"))

    leaf: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    person_id: Mapped[str] = mapped_column(String(32))
    starts_at: Mapped[int] = mapped_column(BigInteger)
    ends_at: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True)
class Progress:
    """How far the counting is."""

    counted: int  # leaves
    of: int

    @property
    def done(self) -> bool:
        """Whether nothing is left to count."""
        return self.counted >= self.of


def progress(session: Session) -> Progress:
    """How far the counting is."""
    head = session.get(ReportHead, 1)
    return Progress(head.size if head is not None and head.version == VERSION else 0, length(session))


def take_in(session: Session, step: int = STEP) -> bool:
    """Count the next leaves. Gives whether more are left."""
    head = _locked(session)
    size = length(session)
    start, stop = head.size, min(head.size + step, size)
    if start < stop:
        query = select(LeafRow.index, LeafRow.consultation_id, LeafRow.event, LeafRow.data)
        rows = session.execute(query.where(LeafRow.index >= start, LeafRow.index < stop).order_by(LeafRow.index)).all()
        _take_shifts(session, [json.loads(row.data) for row in rows if row.event in _SHIFTS])
        _count_again(session, {row.consultation_id for row in rows if row.event in TOLD_BY}, start, stop)
        head.size = stop
        session.flush()
    return stop < size


def _locked(session: Session) -> ReportHead:
    head = session.get(ReportHead, 1, with_for_update=True, populate_existing=True)
    if head is None:
        head = ReportHead(id=1, version=VERSION, size=0)
        session.add(head)
    elif head.version != VERSION:
        for table in (ReportMonth, ReportShift):
            session.execute(delete(table))
        head.version, head.size = VERSION, 0
    return head


def _take_shifts(session: Session, leaves: Iterable[Leaf]) -> None:
    for leaf in leaves:
        facts, at = leaf["facts"], leaf["t_ms"]
        if facts.get("duty") != IDVA:
            continue
        if leaf["event"] == Event.ROTA_CHANGED.label:
            starts, ends = facts["starts"] * 1000, facts["ends"] * 1000
            session.add(ReportShift(leaf=leaf["index"], person_id=facts["person"], starts_at=starts, ends_at=ends))
            session.flush()
        else:
            running = (ReportShift.person_id == leaf["actor"], ReportShift.starts_at <= at, ReportShift.ends_at > at)
            for shift in session.scalars(select(ReportShift).where(*running)):
                shift.ends_at = at


def _count_again(session: Session, consultations: set[str], start: int, stop: int) -> None:
    """Put what these consultations add up to before `stop` in the place of what they did before `start`."""
    changes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    ids = sorted(consultations)
    for at in range(0, len(ids), CHUNK):
        for leaves in _leaves_of(session, ids[at : at + CHUNK], stop):
            before = [leaf for leaf in leaves if leaf["index"] < start]
            for upto, sign in ((before, -1), (leaves, 1)):
                _add(session, changes, upto, sign)
    for month, change in changes.items():
        row = session.get(ReportMonth, month) or ReportMonth(month=month, sums=b"{}")
        sums = Counter(json.loads(row.sums))
        sums.update(change)
        row.sums = json.dumps({name: count for name, count in sorted(sums.items()) if count}).encode()
        session.add(row)


def _leaves_of(session: Session, consultations: Sequence[str], stop: int) -> Iterable[list[Leaf]]:
    query = select(LeafRow.consultation_id, LeafRow.data).where(
        LeafRow.consultation_id.in_(consultations), LeafRow.event.in_(TOLD_BY), LeafRow.index < stop
    )
    rows = session.execute(query.order_by(LeafRow.consultation_id, LeafRow.index))
    for _, found in groupby(rows, key=lambda row: row.consultation_id):
        yield [json.loads(row.data) for row in found]


def _add(session: Session, changes: defaultdict[str, Counter[str]], leaves: Iterable[Leaf], sign: int) -> None:
    history = fold(leaves)
    if history is None:
        return
    asked = datetime.fromtimestamp(history.asked_at / 1000, UTC).astimezone(LOCAL)
    question = Question(history, asked, _covered(session, history.asked_at, history.leaf))
    for name, number in count(question):
        changes[f"{asked:%Y-%m}"][name] += sign * number


def _covered(session: Session, at: int, leaf: int) -> bool:
    # The end counts as on duty: whoever goes off in the same millisecond must not change what was counted before.
    query = select(ReportShift.leaf).where(
        ReportShift.leaf < leaf, ReportShift.starts_at <= at, ReportShift.ends_at >= at
    )
    return session.scalar(query.limit(1)) is not None


def sums_of(session: Session, first: date, last: date) -> Counter[str]:
    """The sums from the month of one day to that of the other, both included."""
    query = select(ReportMonth.sums).where(ReportMonth.month >= f"{first:%Y-%m}", ReportMonth.month <= f"{last:%Y-%m}")
    found: Counter[str] = Counter()
    for sums in session.scalars(query):
        found.update(json.loads(sums))
    return found


_SHIFTS = frozenset({Event.ROTA_CHANGED.label, Event.DUTY_ENDED.label})
