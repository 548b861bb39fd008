"""Reports for those who lead the line: looking at one, and taking one out of the house.

Rules kept here:
- What leaves the house leaves without small numbers and without IDVAs' names, and is in the trail before it is made.
- What leaves the house is of one quarter of a year that has ended: what one file hides could be worked out from two
  of periods that overlap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from access.people import known_all, services, slug
from access.permissions import Action
from audit.events import Event
from audit.reports.cover import cover
from audit.reports.every import REPORTS
from audit.reports.figures import Report, Sums
from audit.reports.paper import Shared
from audit.reports.table import Table
from audit.reports.totals import LOCAL, Progress, progress, sums_of, take_in
from conversations.errors import NoSuchReport, NotOver, WrongPeriod
from conversations.line import Line
from conversations.standing import require
from conversations.work import Work, working
from knowledge.topics import TOPICS

LONGEST = 12  # months in one report


@dataclass(frozen=True)
class Period:
    """Whole months, from the first of one to the end of another."""

    first: date
    last: date  # included

    @classmethod
    def of_quarter(cls, year: int, quarter: int) -> Period:
        """A quarter of a year, 1 to 4."""
        return cls.of_months(date(year, quarter * 3 - 2, 1), date(year, quarter * 3, 1))

    @classmethod
    def of_months(cls, first: date, last: date) -> Period:
        """From the month of one day to the month of another. Raises `WrongPeriod`."""
        months = (last.year - first.year) * 12 + last.month - first.month + 1
        if not 1 <= months <= LONGEST:
            raise WrongPeriod
        after = (last.replace(day=1) + timedelta(days=32)).replace(day=1)
        return cls(first.replace(day=1), after - timedelta(days=1))


@dataclass(frozen=True)
class Shown:
    """A report as it is read in the house."""

    report: Report
    tables: tuple[Table, ...]
    progress: Progress  # of the counting it was made from


@dataclass(frozen=True)
class Sharing:
    """For whom a report leaves the house, and why."""

    recipient: str  # an organisation or a reference, not a person's name
    purpose: str


def look(work: Work, by: str, name: str, period: Period) -> Shown:
    """One report. Raises `RoleMissing` or `NoSuchReport`."""
    require(work, by, Action.READ_REPORTS)
    return _made(work, name, period, named=True)


def share(work: Work, by: str, name: str, quarter: tuple[int, int], sharing: Sharing) -> Shared:
    """One report to be taken out of the house, of a year and its quarter. Raises `RoleMissing`, `NotOver` or
    `NoSuchReport`."""
    require(work, by, Action.SHARE_REPORT)
    period = Period.of_quarter(*quarter)
    if period.last >= today(work):
        raise NotOver
    made = _made(work, name, period, named=False)
    work.record(
        Event.EXPORTED,
        by,
        recipient=sharing.recipient,
        purpose=sharing.purpose,
        report=name,
        first=period.first.isoformat(),
        last=period.last.isoformat(),
        words=False,
    )
    return Shared(
        made.report.title,
        period.first,
        period.last,
        work.now,
        work.person(by).title,
        sharing.recipient,
        sharing.purpose,
        made.progress.counted,
        made.tables,
    )


def quarters_over(work: Work) -> list[tuple[int, int]]:
    """The last four quarters that have ended, as year and quarter, the latest first."""
    day = today(work)
    whole = day.year * 4 + (day.month - 1) // 3
    return [(one // 4, one % 4 + 1) for one in range(whole - 1, whole - 5, -1)]


def today(work: Work) -> date:
    """The day where people are."""
    return work.now.astimezone(LOCAL).date()


def _made(work: Work, name: str, period: Period, *, named: bool) -> Shown:
    report = REPORTS.get(name)
    if report is None:
        raise NoSuchReport
    counts = sums_of(work.session, period.first, period.last)
    there = cover(work.session, period.first, period.last, work.now)
    names = _names(work)
    if report.people:
        people = {found.split("/")[1] for found in counts if found.startswith("idva/")} | set(there.hours)
        names |= _titles(work, people) if named else _numbers(people)
    sums = Sums(period.first, period.last, counts, there, names)
    return Shown(report, tuple(report.tables(sums)), progress(work.session))


def _names(work: Work) -> dict[str, str]:
    topics = {one: topic.title for one, topic in TOPICS.items()}
    return topics | {slug(service): service for service in services(work.session)}


def _titles(work: Work, people: set[str]) -> Mapping[str, str]:
    return {one.id: one.title for one in known_all(work.session, work.line.keyring, people)}


def _numbers(people: set[str]) -> Mapping[str, str]:
    """A fresh number for each, by ids that say nothing of whose they are."""
    return {one: f"IDVA {number}" for number, one in enumerate(sorted(people), 1)}


def take_stock(line: Line) -> bool:
    """Count what is new in the trail. Gives whether more is left."""
    with working(line) as work:
        return take_in(work.session)
