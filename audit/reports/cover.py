"""How many IDVAs were on duty in a period, by weekday and hour, and each for how long."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit.reports.figures import Cover
from audit.reports.totals import LOCAL, ReportShift

HOUR = 3_600_000  # milliseconds
Span = tuple[int, int]


def cover(session: Session, first: date, last: date, now: datetime) -> Cover:
    """Of these days, both included, as far as they have gone by."""
    begin = _milliseconds(datetime.combine(first, time(), LOCAL))
    end = min(_milliseconds(datetime.combine(last + timedelta(days=1), time(), LOCAL)), _milliseconds(now))
    query = select(ReportShift.person_id, ReportShift.starts_at, ReportShift.ends_at).where(
        ReportShift.ends_at > begin, ReportShift.starts_at < end
    )
    spans: defaultdict[str, list[Span]] = defaultdict(list)
    for person, starts, ends in session.execute(query):
        spans[person].append((max(starts, begin), min(ends, end)))
    joined = {person: _joined(found) for person, found in spans.items()}
    hours = {person: sum(till - since for since, till in found) / HOUR for person, found in joined.items()}
    on_average = _by_hour([span for found in joined.values() for span in found], begin, end)
    return Cover(on_average, hours)


def _by_hour(spans: Iterable[Span], begin: int, end: int) -> dict[tuple[int, int], float]:
    """London's clock moves by whole hours: an hour of it is an hour of UTC."""
    slots = range(begin // HOUR, -(-end // HOUR))
    places = [_place(slot) for slot in slots]
    there: defaultdict[tuple[int, int], int] = defaultdict(int)  # milliseconds of the period
    for slot, place in zip(slots, places, strict=True):
        there[place] += min((slot + 1) * HOUR, end) - max(slot * HOUR, begin)
    covered: defaultdict[tuple[int, int], int] = defaultdict(int)
    for since, till in spans:
        for slot in range(since // HOUR, -(-till // HOUR)):
            covered[places[slot - slots.start]] += min((slot + 1) * HOUR, till) - max(slot * HOUR, since)
    return {place: covered[place] / whole for place, whole in there.items() if whole}


def _place(slot: int) -> tuple[int, int]:
    local = datetime.fromtimestamp(slot * 3600, UTC).astimezone(LOCAL)
    return local.weekday(), local.hour


def _joined(spans: list[Span]) -> list[Span]:
    """Without overlaps: a prolonged shift is one."""
    found: list[Span] = []
    for since, till in sorted(spans):
        if found and since <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], till))
        elif since < till:
            found.append((since, till))
    return found


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
