"""Shifts by a pattern: these hours, on these days of the week, from one day to another. Pure."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from conversations.planned import HORIZON, Asked, BadRota, Duty, RotaFile, at_hours, within

PATTERNS = {"7-15": (7, 15), "14-22": (14, 22), "22-6": (22, 6)}
"""The usual hours, by name."""


@dataclass(frozen=True)
class Pattern:
    """One person's hours for a time."""

    staff_id: str
    duty: Duty
    first: date
    last: date
    days: frozenset[int]  # Monday is 0
    starts: timedelta  # after midnight
    ends: timedelta


def shifts_of(pattern: Pattern, left_out: Container[date], now: datetime) -> RotaFile:
    """Its shifts, but for the days left out. Raises `BadRota`."""
    if not pattern.first <= pattern.last <= pattern.first + HORIZON:
        raise BadRota("The last day is before the first, or more than 90 days after it.")
    every = (pattern.first + timedelta(days=one) for one in range((pattern.last - pattern.first).days + 1))
    asked = []
    for day in every:
        if day.weekday() in pattern.days and day not in left_out:
            starts_at, ends_at = at_hours(day, pattern.starts, pattern.ends)
            asked.append(Asked(" ".join(pattern.staff_id.split()), pattern.duty, starts_at, ends_at, f"{day:%a %d %b}"))
    if not asked:
        raise BadRota("No day from the first to the last is one of those chosen.")
    return within(asked, now)
