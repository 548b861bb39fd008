"""Opening hours as the schedules of Open Referral, and back. Pure.

Rules kept here:
- A schedule is written for a plain week only: which days, from when to when. Hours that are more than a week (seasons,
  a first Monday) go out as they stand, in words.
- What cannot be read without guessing is not read: months, single dates, times of another zone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from knowledge.hours import PH_OFF, BadHours, require_hours

Span = tuple[str, str]  # "09:00", "24:00": within one day
OSM_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MIDNIGHT, END_OF_DAY, LAST_MINUTE = "00:00", "24:00", "23:59"  # a schedule knows no 24:00
HOLIDAYS = "Closed on bank holidays in England."
LOCAL_TIMES = "Times are local times in the United Kingdom."

_DAY = f"(?:{'|'.join(OSM_DAYS)})"
_DAYS = f"{_DAY}(?:-{_DAY})?"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d"
_SPAN = f"{_CLOCK}-(?:{_CLOCK}|24:00)"
_RULE = re.compile(rf"(?:(?P<days>{_DAYS}(?:,{_DAYS})*) )?(?P<spans>off|{_SPAN}(?:,{_SPAN})*)")
_TIME = re.compile(rf"({_CLOCK})(?::00)?")
_ABOUT = frozenset({"id", "service_id", "wkst", "description", "notes", "attending_type", "schedule_link"})
_PLAIN = _ABOUT | {"freq", "interval", "byday", "opens_at", "closes_at"}


@dataclass(frozen=True)
class Week:
    """When it is open on each day, Monday first, and whether bank holidays close it."""

    days: tuple[tuple[Span, ...], ...]
    closed_on_holidays: bool = False


def week_of(hours: str) -> Week | None:
    """The plain week that hours describe; None for hours that are more than that, or not known."""
    rules = [rule.strip() for rule in hours.split(";") if rule.strip()]
    days: list[list[Span]] = [[] for _ in DAYS]
    for rule in rules:
        found = _RULE.fullmatch("Mo-Su 00:00-24:00" if rule == "24/7" else rule)
        if found is None and rule != PH_OFF:
            return None
        if found is None:
            continue
        for day in _days(found["days"] or "Mo-Su"):  # a later rule takes a day over
            days[day] = [] if found["spans"] == "off" else [_span(one) for one in found["spans"].split(",")]
    return Week(_within_days(days), PH_OFF in rules) if any(days) else None


def hours_of_week(week: Week) -> str:
    """The hours of a week, in one way of writing."""
    rules = []
    for spans in dict.fromkeys(spans for spans in week.days if spans):
        days = [day for day, found in enumerate(week.days) if found == spans]
        rules.append(f"{_named(days)} {','.join('-'.join(span) for span in spans)}")
    if rules == [f"Mo-Su {MIDNIGHT}-{END_OF_DAY}"]:
        rules = ["24/7"]
    return "; ".join([*rules, PH_OFF] if week.closed_on_holidays else rules)


def same_hours(one: str, other: str) -> bool:
    """Whether two ways of writing mean the same hours."""
    week = week_of(one)
    return one == other or (week is not None and week == week_of(other))


def schedules_of(hours: str) -> list[dict[str, Any]]:
    """The schedules for these hours, without their ids; none where the hours are not known."""
    week = week_of(hours)
    if week is None:
        return [{"description": hours}] if hours else []
    notes = {"notes": HOLIDAYS} if week.closed_on_holidays else {}
    every: dict[Span, list[str]] = {}
    for day, spans in zip(DAYS, week.days, strict=True):
        for span in spans:
            every.setdefault(span, []).append(day)
    return [
        {
            "freq": "WEEKLY",
            "byday": ",".join(days),
            "opens_at": opens,
            "closes_at": LAST_MINUTE if closes == END_OF_DAY else closes,
            "description": LOCAL_TIMES,
            **notes,
        }
        for (opens, closes), days in every.items()
    ]


def hours_of(schedules: Sequence[dict[str, Any]]) -> str:
    """The hours that schedules say; empty where they say none, or more than can be read without guessing."""
    if len(schedules) == 1 and schedules[0].keys() <= {"id", "service_id", "description"}:
        return _own_words(str(schedules[0].get("description", "")))
    days: list[list[Span]] = [[] for _ in DAYS]
    for one in schedules:
        opens, closes = (_TIME.fullmatch(str(one.get(name, ""))) for name in ("opens_at", "closes_at"))
        named = str(one.get("byday", "")).split(",")
        weekly = one.get("freq") == "WEEKLY" and one.get("interval", 1) == 1 and one.keys() <= _PLAIN
        if not weekly or opens is None or closes is None or not set(named) <= set(DAYS):
            return ""
        end = END_OF_DAY if closes[1] == LAST_MINUTE else closes[1]
        if opens[1] == end:  # all day, or never?
            return ""
        for day in named:
            days[DAYS.index(day)].append((opens[1], end))
    closed = bool(schedules) and all(one.get("notes") == HOLIDAYS for one in schedules)
    return hours_of_week(Week(_within_days(days), closed)) if any(days) else ""


def _own_words(description: str) -> str:
    try:
        require_hours(description)
    except BadHours:
        return ""
    return description


def _span(text: str) -> Span:
    opens, _, closes = text.partition("-")
    return opens, closes


def _within_days(days: Sequence[Sequence[Span]]) -> tuple[tuple[Span, ...], ...]:
    """Every span within its day: what runs past midnight is two, the second on the day after."""
    found: list[set[Span]] = [set() for _ in DAYS]
    for day, spans in enumerate(days):
        for opens, closes in spans:
            if opens < closes:
                found[day].add((opens, closes))
                continue
            found[day].add((opens, END_OF_DAY))
            if closes != MIDNIGHT:
                found[(day + 1) % 7].add((MIDNIGHT, closes))
    return tuple(tuple(sorted(spans)) for spans in found)


def _days(text: str) -> list[int]:
    named = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        start = OSM_DAYS.index(first)
        named += [(start + step) % 7 for step in range((OSM_DAYS.index(last or first) - start) % 7 + 1)]
    return named


def _named(days: Sequence[int]) -> str:
    """Days as OpenStreetMap writes them: "Mo-We,Fr"."""
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    ends = [(OSM_DAYS[run[0]], OSM_DAYS[run[-1]]) for run in runs]
    return ",".join(first if first == last else f"{first}-{last}" for first, last in ends)
