"""A rota as iCalendar (RFC 5545): series, what is left out of them, moved and cancelled shifts. Pure.

Rules kept here:
- SUMMARY is the staff id and nothing else. CATEGORIES is IDVA or LEAD; without one it is an IDVA's shift.
- Times are in UTC or in Europe/London (`GMT Standard Time` as Outlook calls it). Floating times and whole days are
  refused. What a file says of time zones (VTIMEZONE) is never read: it might lie, or never end.
- A series keeps to the clock on the wall, at both its ends: a night from 22:00 to 06:00 ends at 06:00 whatever the
  clocks do in it.
- `icalendar` is given one event at a time, so that what is wrong is said with its line and UID.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from icalendar import Event

from conversations.planned import HORIZON, LOCAL, MOST_SHIFTS, Asked, BadRota, Duty, RotaFile, from_local, within
from conversations.recurrence import OLDEST, read_rule, recurring
from conversations.rota_csv import LONGEST_CELL, LONGEST_ID, text_of

MOST_EVENTS = 1_000
ZONES = frozenset({"Europe/London", "GMT Standard Time"})
_INSIDE = {
    "VCALENDAR": "",
    "VEVENT": "VCALENDAR",
    "VTIMEZONE": "VCALENDAR",
    "STANDARD": "VTIMEZONE",
    "DAYLIGHT": "VTIMEZONE",
    "VALARM": "VEVENT",
}
"""What may stand in an iCalendar file of a rota, and in what."""
_EDGE = re.compile(r"\s*(begin|end)\b", re.IGNORECASE)
_UID = re.compile(r"UID:(.*)", re.IGNORECASE)


@dataclass(frozen=True)
class _Time:
    """A time as it stands in the file: by the clock on the wall, in UTC or in London."""

    wall: datetime
    in_utc: bool

    def utc(self) -> datetime:
        return self.wall.replace(tzinfo=UTC) if self.in_utc else from_local(self.wall)


@dataclass(frozen=True)
class _Series:
    """One event, read."""

    uid: str
    where: str
    staff_id: str
    duty: Duty
    starts: _Time
    length: timedelta  # by the clock on the wall
    event: Any  # an `icalendar.Event`
    moved_from: datetime | None  # the start, in UTC, of the shift of a series that this one stands for


def read_ical(content: bytes, now: datetime) -> RotaFile:
    """The shifts of an iCalendar file. Raises `BadRota`."""
    series: list[_Series] = []
    wrong: list[str] = []
    for where, block in _events(text_of(content)):
        try:
            series += _series(block, where)
        except BadRota as refused:
            wrong.append(f"{where}: {refused}")
    if not wrong:
        wrong = _twice(series)
    if wrong:
        raise BadRota(*wrong)
    return within(list(_expanded(series, now)), now)


def _events(text: str) -> Iterator[tuple[str, str]]:
    """Each VEVENT without what stands in it: where it is, and its lines."""
    inside: list[str] = []
    block: list[str] = []
    begins, found = 0, 0
    for number, line in _unfolded(text):
        edge = _edge(number, line, inside)
        if edge == "BEGIN:VEVENT":
            block, begins, found = [], number, found + 1
        elif edge == "END:VEVENT":
            yield _place(begins, block), "\r\n".join(["BEGIN:VEVENT", *block, "END:VEVENT", ""])
        elif not edge and inside[-1:] == ["VEVENT"]:
            block.append(line)
        if found > MOST_EVENTS:
            raise BadRota(f"Line {number}: more than {MOST_EVENTS:,} events. Split the file.")
    if inside or not found:
        raise BadRota("The file ends in the middle." if inside else "Line 1: there is no shift in this file.")


def _edge(number: int, line: str, inside: list[str]) -> str:
    """`BEGIN:` or `END:` of a part that may stand there, noted in `inside`; empty for any other line."""
    if not _EDGE.match(line):
        if not inside and line.strip():
            raise BadRota(f"Line {number}: this is no iCalendar file.")
        if inside == ["VCALENDAR"] and line.strip().upper() == "METHOD:CANCEL":
            raise BadRota(f"Line {number}: this calls shifts off; it is no rota.")
        return ""
    edge, _, name = line.strip().upper().partition(":")
    if edge == "BEGIN" and _INSIDE.get(name) == "".join(inside[-1:]):
        inside.append(name)
    elif edge != "END" or not inside or inside.pop() != name:
        raise BadRota(f"Line {number}: {line.strip()[:40]!r} does not belong here.")
    return f"{edge}:{name}"


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Each line with its number; a line that goes on in the next ones, as one."""
    whole, began = "", 1
    for number, ended in enumerate(text.split("\n"), 1):
        line = ended.removesuffix("\r")
        if number > 1 and line[:1] in (" ", "\t"):
            whole += line[1:]
            continue
        if whole:
            yield began, whole
        whole, began = line, number
    yield began, whole


def _place(line: int, block: Iterable[str]) -> str:
    for one in block:
        if found := _UID.fullmatch(one):
            return f"Line {line} (UID {found[1].strip()[:60]})"
    return f"Line {line}"


def _series(block: str, where: str) -> list[_Series]:
    """One event, or none if it was called off without being part of a series."""
    if max(map(len, block.split("\r\n"))) > LONGEST_CELL * 4:
        raise BadRota("a line is longer than 4 kB.")
    try:
        event: Any = Event.from_ical(block)
    except Exception as error:  # noqa: BLE001 - whatever a library of others stumbles over, the file is refused
        raise BadRota(f"it cannot be read ({type(error).__name__}).") from None
    if event.errors:
        raise BadRota(f"its {event.errors[0][0]} cannot be read.")
    many = [
        name
        for name in ("SUMMARY", "DTSTART", "DTEND", "DURATION", "RRULE", "UID", "RECURRENCE-ID", "STATUS")
        if isinstance(event.get(name), list)
    ]
    if many or "EXRULE" in event:
        raise BadRota(f"it has several {many[0]}." if many else "it has an EXRULE, which is not read.")
    starts = _time(event, "DTSTART")
    moved = _time(event, "RECURRENCE-ID").utc() if "RECURRENCE-ID" in event else None
    if moved and "RANGE" in event["RECURRENCE-ID"].params:
        raise BadRota("it changes all that follow: end that series and begin another instead.")
    return [
        _Series(
            str(event.get("UID", "")) or where,
            where,
            _staff_id(event),
            _duty(event),
            starts,
            _length(event, starts),
            event,
            moved,
        )
    ]


def _time(event: Any, name: str) -> _Time:
    if name not in event:
        raise BadRota(f"it has no {name}.")
    return _read_time(event[name].dt, event[name].params, name)


def _read_time(value: Any, params: Any, name: str) -> _Time:
    if not isinstance(value, datetime):
        raise BadRota(f"its {name} is a day and has no time.")
    zone = str(params.get("TZID", ""))
    if not zone and value.tzinfo is None:
        raise BadRota(f"its {name} is a floating time: say TZID=Europe/London.")
    if zone and zone not in ZONES:
        raise BadRota(f"the time zone of its {name} is {zone[:40]!r}, and not Europe/London.")
    return _Time(value.replace(tzinfo=None), in_utc=not zone)


def _length(event: Any, starts: _Time) -> timedelta:
    if ("DTEND" in event) == ("DURATION" in event):
        raise BadRota("it has neither DTEND nor DURATION, or both.")
    if "DURATION" in event:
        length = event["DURATION"].dt
        if not isinstance(length, timedelta):
            raise BadRota("its DURATION is none.")
        return length
    ends = _time(event, "DTEND")
    if ends.in_utc == starts.in_utc:
        return ends.wall - starts.wall
    there = UTC if starts.in_utc else LOCAL
    return ends.utc().astimezone(there).replace(tzinfo=None) - starts.wall


def _staff_id(event: Any) -> str:
    staff_id = " ".join(str(event.get("SUMMARY", "")).split())
    if not 0 < len(staff_id) <= LONGEST_ID:
        raise BadRota("its SUMMARY has to be the staff id, and nothing else.")
    return staff_id


def _duty(event: Any) -> Duty:
    given = event.get("CATEGORIES", [])
    lists = given if isinstance(given, list) else [given]
    names = {str(one).strip().lower() for each in lists for one in each.cats}
    if not names:
        return Duty.IDVA
    if len(names) > 1 or not names <= {duty.value for duty in Duty}:
        raise BadRota("its CATEGORIES has to be IDVA or LEAD.")
    return Duty(names.pop())


def _twice(series: Iterable[_Series]) -> list[str]:
    seen: dict[tuple[str, datetime | None], str] = {}
    wrong = []
    for one in series:
        first = seen.setdefault((one.uid, one.moved_from), one.where)
        if first != one.where:
            wrong.append(f"{one.where}: the same event as {first[0].lower()}{first[1:]}.")
    return wrong


def _expanded(series: list[_Series], now: datetime) -> Iterator[Asked]:
    moved = {(one.uid, one.moved_from) for one in series if one.moved_from}
    wrong: list[str] = []
    found = 0
    for one in series:
        if str(one.event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        try:
            for starts, ends in _times_of(one, now):
                if one.moved_from is None and (one.uid, starts) in moved:
                    continue
                found += 1
                if found > MOST_SHIFTS:
                    raise BadRota(f"{one.where}: more than {MOST_SHIFTS:,} shifts. Split the file.")
                yield Asked(one.staff_id, one.duty, starts, ends, one.where)
        except BadRota as refused:
            wrong.append(f"{one.where}: {refused}")
    if wrong:
        raise BadRota(*wrong)


def _times_of(one: _Series, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Starts and ends, in UTC, of a series from today to the horizon; of a single shift, whenever it is."""
    walls = {one.starts.wall}
    rdates = _dates(one.event, "RDATE")
    if "RRULE" in one.event:
        there = (now + HORIZON).astimezone(UTC if one.starts.in_utc else LOCAL).replace(tzinfo=None)
        rule = read_rule(one.event["RRULE"])
        walls = set(recurring(one.starts.wall, rule, there, in_utc=one.starts.in_utc))
    elif now - OLDEST > one.starts.wall.replace(tzinfo=UTC):
        raise BadRota("it is years ago.")
    out = {at.utc() for at in _dates(one.event, "EXDATE")}
    times = {_Time(wall, one.starts.in_utc) for wall in walls} | set(rdates)
    recent = [at for at in times if len(times) == 1 or at.wall.replace(tzinfo=UTC) > now - timedelta(days=2)]
    for at in sorted(recent, key=lambda one: one.wall):
        starts = at.utc()
        if starts not in out:
            yield starts, _Time(at.wall + one.length, at.in_utc).utc()


def _dates(event: Any, name: str) -> list[_Time]:
    given = event.get(name, [])
    lists = given if isinstance(given, list) else [given]
    return [_read_time(one.dt, each.params, name) for each in lists for one in each.dts]
