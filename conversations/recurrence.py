"""On which days a shift of an iCalendar file recurs: the part of RFC 5545's RRULE that rotas use. Pure.

Rules kept here:
- Every rule is looked at day by day between its first day and the horizon, some two years at most: a rule that never
  ends, or never matches, costs no more than one that does. (`dateutil`, the measure in the tests, looks until the year
  9999 for a rule that matches nothing.)
- What is not read here is refused by name; nothing is guessed.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from conversations.planned import HORIZON, LOCAL, BadRota

OLDEST = timedelta(days=731)  # a series begins no longer ago than this
_DAYS = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
_PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "WKST", "SKIP"}


@dataclass(frozen=True)
class Rule:
    """One RRULE."""

    freq: str  # DAILY, WEEKLY or MONTHLY
    interval: int
    count: int | None
    until: date | None  # a date, a local time, or one in UTC
    days: frozenset[tuple[int, int]]  # (which one of the month, or 0 for each; weekday)
    month_days: frozenset[int]
    week_start: int

    def matches(self, day: date, first: date) -> bool:
        """Whether it recurs on that day, having begun on `first`."""
        if self.freq == "DAILY":
            return (day - first).days % self.interval == 0 and (not self.days or (0, day.weekday()) in self.days)
        if self.freq == "WEEKLY":
            weeks = (self._monday(day) - self._monday(first)).days // 7
            wanted = {weekday for _, weekday in self.days} or {first.weekday()}
            return weeks % self.interval == 0 and day.weekday() in wanted
        months = (day.year - first.year) * 12 + day.month - first.month
        return months % self.interval == 0 and self._in_month(day, first)

    def _monday(self, day: date) -> date:
        return day - timedelta(days=(day.weekday() - self.week_start) % 7)

    def _in_month(self, day: date, first: date) -> bool:
        last = monthrange(day.year, day.month)[1]
        counted = {
            (0, day.weekday()),
            ((day.day + 6) // 7, day.weekday()),
            (-((last - day.day) // 7 + 1), day.weekday()),
        }
        if not self.month_days and not self.days:
            return day.day == first.day
        by_number = not self.month_days or bool(self.month_days & {day.day, day.day - last - 1})
        return by_number and (not self.days or bool(self.days & counted))

    def over(self, wall: datetime, *, in_utc: bool) -> bool:
        """Whether it has ended before this time of a series that is kept in local time, or in UTC."""
        if self.until is None:
            return False
        if not isinstance(self.until, datetime):
            return wall.date() > self.until
        if self.until.tzinfo is None:
            return wall > self.until
        return wall.replace(tzinfo=UTC if in_utc else LOCAL) > self.until


def read_rule(parts: Mapping[str, list[Any]]) -> Rule:
    """A rule as `icalendar` gives it. Raises `BadRota`."""
    unread = {name.upper() for name in parts} - _PARTS
    if unread:
        raise BadRota(f"its RRULE has {', '.join(sorted(unread))}, which is not read.")
    freq = str(_only(parts, "FREQ", "")).upper()
    if freq not in ("DAILY", "WEEKLY", "MONTHLY"):
        raise BadRota("it recurs neither daily, weekly nor monthly.")
    count, until = _only(parts, "COUNT", None), _only(parts, "UNTIL", None)
    interval, week_start = _only(parts, "INTERVAL", 1), _only(parts, "WKST", "MO")
    if interval < 1 or (count is not None and count < 1) or (count is not None and until is not None):
        raise BadRota("its RRULE contradicts itself.")
    days = frozenset(_day(str(one).upper(), freq) for one in parts.get("BYDAY", ()))
    month_days = frozenset(int(one) for one in parts.get("BYMONTHDAY", ()))
    if (month_days and freq != "MONTHLY") or not month_days <= set(range(-31, 32)) - {0}:
        raise BadRota("its RRULE has a BYMONTHDAY that cannot be.")
    return Rule(freq, interval, count, until, days, month_days, _day(str(week_start).upper(), "WEEKLY")[1])


def _only(parts: Mapping[str, list[Any]], name: str, default: Any) -> Any:
    values = parts.get(name, [default])
    if len(values) != 1:
        raise BadRota(f"its RRULE has several of {name}.")
    return values[0]


def _day(text: str, freq: str) -> tuple[int, int]:
    number, name = text[:-2], text[-2:]
    if name not in _DAYS or (number and freq != "MONTHLY"):
        raise BadRota("its RRULE has a BYDAY that cannot be.")
    which = int(number) if number else 0
    if number and not 1 <= abs(which) <= 5:
        raise BadRota("its RRULE has a BYDAY that cannot be.")
    return which, _DAYS[name]


def recurring(first: datetime, rule: Rule, until: datetime, *, in_utc: bool) -> Iterator[datetime]:
    """The starts of a series, by the clock on the wall, until then. Raises `BadRota`."""
    if until - first > OLDEST + HORIZON:
        raise BadRota("it began long ago: let it begin in the last two years.")
    if not rule.matches(first.date(), first.date()):
        raise BadRota("its first day is none of those on which it recurs.")
    found, day = 0, 0
    while (wall := first + timedelta(days=day)) <= until and not rule.over(wall, in_utc=in_utc):
        day += 1
        if rule.matches(wall.date(), first.date()):
            found += 1
            yield wall
        if found == rule.count:
            return
