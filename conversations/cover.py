"""Cover of the coming weeks beside the demand of the past ones, and where one more shift would help most. No words.

Rules kept here:
- Demand is how many questions were asked at each hour of the week, by the clock on the wall, answered or not.
- What is suggested is computed from those numbers and from the rota alone; the page says how.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from conversations.board import Span, gaps
from conversations.planned import LOCAL
from conversations.rota_plan import Plan, covered
from conversations.tables import Consultation
from conversations.work import Work
from knowledge.hours import BANK_HOLIDAYS

PAST = timedelta(days=91)  # whole weeks, so that each hour of the week counts alike
SOON = timedelta(days=28)  # likewise
HOUR = timedelta(hours=1)
LEAST = 20  # questions; from fewer nothing is suggested: it would be chance
ONE_SHIFT = 8  # hours of the shift that is suggested
WEEK = 7 * 24
Hours = Mapping[int, float]  # by hour of the week: 0 is Monday, 00:00 to 01:00


@dataclass(frozen=True)
class Gap:
    """A time without an IDVA."""

    begins: datetime
    ends: datetime
    expected: float  # questions in it, going by the past
    marks: tuple[str, ...]  # bank holidays, changes of the clocks


@dataclass(frozen=True)
class Suggested:
    """One more shift a week, and what it would have met."""

    weekday: int
    starts: int  # the hour
    ends: int
    met: float  # questions of the past weeks, asked at hours which the coming weeks leave uncovered
    missed: float  # all such questions


@dataclass(frozen=True)
class Cover:
    """The coming weeks beside the past ones."""

    asked: Hours  # questions in the past weeks
    bare: Hours  # the share of it that no IDVA covers in the coming weeks
    gaps: list[Gap]
    questions: int
    suggested: Suggested | None

    @property
    def too_few(self) -> bool:
        """Whether there are too few questions to suggest anything by."""
        return self.questions < LEAST


def hour_of(at: datetime) -> int:
    """The hour of the week, by the clock on the wall."""
    there = at.astimezone(LOCAL)
    return there.weekday() * 24 + there.hour


def look(work: Work, plan: Plan | None = None) -> Cover:
    """The cover of the coming four weeks, were this plan carried out, beside the last thirteen."""
    until = work.now + SOON
    open_times = gaps(covered(work, plan or Plan(()), until), work.now, until)
    since = work.now - PAST
    times = work.session.scalars(select(Consultation.asked_at).where(Consultation.asked_at >= since)).all()
    asked = dict.fromkeys(range(WEEK), 0.0)
    for at in times:
        asked[hour_of(at)] += 1
    length = _lengths([(since, work.now)])
    rate = {hour: asked[hour] / length[hour] for hour in asked}
    bare = _shares(open_times, (work.now, until))
    shown = [Gap(begins, ends, _expected((begins, ends), rate), marks(begins, ends)) for begins, ends in open_times]
    suggested = suggest(asked, bare) if len(times) >= LEAST else None
    return Cover(asked, bare, shown, len(times), suggested)


def suggest(asked: Hours, bare: Hours) -> Suggested | None:
    """The shift of eight hours that meets most of the questions at uncovered hours; the earliest of equals. Pure."""
    missed = [asked[hour] * bare[hour] for hour in range(WEEK)]
    best = max(range(WEEK), key=lambda hour: (round(_met(missed, hour), 6), -hour))
    met = _met(missed, best)
    if met <= 0:
        return None
    return Suggested(best // 24, best % 24, (best + ONE_SHIFT) % 24, met, sum(missed))


def _met(missed: Sequence[float], start: int) -> float:
    return sum(missed[(start + hour) % WEEK] for hour in range(ONE_SHIFT))


def _lengths(spans: Sequence[Span]) -> dict[int, float]:
    """How many hours of these spans fall into each hour of the week: around a change of the clocks not all alike."""
    found = dict.fromkeys(range(WEEK), 0.0)
    for span in spans:
        for hour, length in _hours(span):
            found[hour] += length
    return found


def _shares(open_times: Sequence[Span], whole: Span) -> Hours:
    bare, every = _lengths(open_times), _lengths([whole])
    return {hour: bare[hour] / every[hour] if every[hour] else 0.0 for hour in bare}


def _hours(span: Span) -> Iterator[tuple[int, float]]:
    """Each hour of the week that a span touches, with how much of it."""
    at, end = span
    while at < end:
        following = min(at.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + HOUR, end)
        yield hour_of(at), (following - at) / HOUR
        at = following


def _expected(span: Span, rate: Hours) -> float:
    return sum(rate[hour] * length for hour, length in _hours(span))


def marks(begins: datetime, ends: datetime) -> tuple[str, ...]:
    """What is unlike other days in this time: bank holidays, changes of the clocks."""
    first, last = begins.astimezone(LOCAL).date(), (ends - timedelta(microseconds=1)).astimezone(LOCAL).date()
    days = (first + timedelta(days=one) for one in range((last - first).days + 1))
    return tuple(mark for day in days for mark in marks_of(day))


def marks_of(day: date) -> tuple[str, ...]:
    """What is unlike other days on this one."""
    found = [f"bank holiday: {BANK_HOLIDAYS[day]}"] if day in BANK_HOLIDAYS else []
    before, after = (datetime(one.year, one.month, one.day, tzinfo=LOCAL) for one in (day, day + timedelta(days=1)))
    turned = (after.utcoffset() or timedelta(0)) - (before.utcoffset() or timedelta(0))
    if turned:
        found.append(f"the clocks go {'forward' if turned > timedelta(0) else 'back'}")
    return tuple(found)
