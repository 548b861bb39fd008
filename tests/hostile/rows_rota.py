"""Rows 83 to 91: rotas that contradict themselves, lie about time, name nobody, or would leave the night bare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.rota_files import HEAD, LONDON, calendar, csv_of, event

DAY = "2026-12-01"


@dataclass(frozen=True)
class RotaCase:
    """One file that is brought to the Rota room, and what must come of it."""

    row: int
    name: str
    content: Callable[[], bytes]
    said: tuple[str, ...]  # what the page says: why it is refused, or what it shows
    refused: bool = True
    status: int = 409  # of a refusal

    @property
    def id(self) -> str:
        return f"row-{self.row}-{self.name.replace(' ', '-')}"


def rows(*lines: str) -> Callable[[], bytes]:
    """A CSV file of these."""
    return lambda: csv_of(*lines)


def events(*given: list[str], around: str = "") -> Callable[[], bytes]:
    """An iCalendar file of these."""
    return lambda: calendar(*given, around=around)


def book(begins: bytes) -> Callable[[], bytes]:
    """A spreadsheet that begins so."""
    return lambda: begins + b"[Content_Types].xml" * 9


def shift(starts: str, ends: str, staff_id: str = "N-100", day: str = DAY) -> str:
    """A row with times of one day."""
    return f"{staff_id},idva,{day}T{starts},{day}T{ends}"


LYING = """BEGIN:VTIMEZONE
TZID:Europe/London
BEGIN:STANDARD
DTSTART:19700101T000000
RRULE:FREQ=SECONDLY
TZOFFSETFROM:+1100
TZOFFSETTO:+1100
END:STANDARD
END:VTIMEZONE"""
SERIES = ("20261201T070000", "20261201T150000")

CASES = [
    RotaCase(
        83,
        "overlap",
        rows(shift("07:00", "15:00"), shift("14:00", "22:00")),
        ("Line 3: overlaps with line 2",),
    ),
    RotaCase(83, "end before start", rows(shift("15:00", "07:00")), ("Line 2: ends before it starts",)),
    RotaCase(83, "no length", rows(shift("15:00", "15:00")), ("Line 2: ends before it starts, or when it starts",)),
    RotaCase(
        83,
        "four hundred hours",
        rows("N-100,idva,2026-12-01T07:00,2026-12-17T23:00"),
        ("Line 2: lasts 400 hours; 14 is the most",),
    ),
    RotaCase(
        83,
        "several at once are all said",
        rows(shift("15:00", "07:00"), shift("07:00", "15:00"), shift("08:00", "09:00")),
        ("Line 2: ends before it starts", "Line 4: overlaps with line 3"),
    ),
    RotaCase(
        83,
        "a gap is listed",
        rows(shift("07:00", "15:00"), shift("16:00", "22:00")),
        ("Tue 01 Dec, 15:00", "Tue 01 Dec, 16:00"),
        refused=False,
    ),
    RotaCase(
        84,
        "half past one twice",
        rows("N-100,idva,2026-10-24T20:00,2026-10-25T01:30"),
        ("2026-10-25 01:30 happens twice", "Europe/London", "give its offset"),
    ),
    RotaCase(
        84,
        "half past one never",
        rows("N-100,idva,2027-03-28T01:30,2027-03-28T09:00"),
        ("2027-03-28 01:30 happens never",),
    ),
    RotaCase(84, "naive times", rows(shift("07:00", "15:00")), ("Times are Europe/London",), refused=False),
    RotaCase(
        84,
        "half past one twice in a calendar",
        events(event("20261024T200000", "20261025T013000")),
        ("UID one", "happens twice"),
    ),
    RotaCase(85, "unknown", rows(shift("07:00", "15:00", "N-999")), ("Line 2: nobody with this staff id",)),
    RotaCase(85, "has left", rows(shift("07:00", "15:00", "N-400")), ("Line 2: nobody with this staff id",)),
    RotaCase(85, "a name is no staff id", rows(shift("07:00", "15:00", "Kim Double")), ("nobody with this staff id",)),
    RotaCase(85, "another role", rows(shift("07:00", "15:00", "PC 1234")), ("may be on duty as idva",)),
    RotaCase(
        85,
        "the one meant of two with one name",
        rows(shift("07:00", "15:00", "N-500")),
        ("Kim Double (N-500)",),
        refused=False,
    ),
    *(
        RotaCase(86, f"formula {number}", rows(shift("07:00", "15:00", cell)), ("nobody with this staff id",))
        for number, cell in enumerate(['"=HYPERLINK(""https://x.example"")"', "+1", "-1", "@SUM(1)", '"\t=1"'])
    ),
    RotaCase(
        87,
        "quotes and newlines",
        lambda: b"\xef\xbb\xbf" + HEAD.encode() + b'"N-100","idva","2026-12-01T07:00","2026-12-01T15:00"\r\n',
        ("1 added",),
        refused=False,
    ),
    RotaCase(87, "a newline in a cell", rows('"N-\n100",idva,2026-12-01T07:00,2026-12-01T15:00'), ("Line 2: nobody",)),
    RotaCase(87, "a quote that never ends", rows('"N-100,idva,2026-12-01T07:00'), ("unexpected end of data",)),
    RotaCase(87, "semicolons", lambda: HEAD.replace(",", ";").encode(), ("Separate columns by commas",)),
    RotaCase(
        87,
        "a hundred thousand rows",
        rows(*[shift("07:00", "15:00")] * 100_000),
        ("Too long",),
        status=413,
    ),
    RotaCase(
        87,
        "more than five thousand rows",
        rows(*["N-100,idva,2026-12-01T07:00Z,2026-12-01T07:00Z"] * 5_001),
        ("more than 5,000 shifts",),
    ),
    RotaCase(87, "a cell of 10 MB", lambda: HEAD.encode() + b"N" * 10_000_000, ("Too long",), status=413),
    RotaCase(87, "a cell of 2 kB", rows(shift("07:00", "15:00", "N" * 2_000)), ("a cell is longer than 1 kB",)),
    RotaCase(87, "not UTF-8", lambda: HEAD.encode() + b"\xff\xfe", ("Line 2: this is not UTF-8",)),
    *(
        RotaCase(88, name, book(begins), ("This is a spreadsheet",))
        for name, begins in (("XLSX or XLSM", b"PK\x03\x04"), ("XLS", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"))
    ),
    RotaCase(
        88,
        "flat XML with a billion laughs",
        lambda: b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aa">]><x>&a;</x>',
        ("the first line must be exactly",),
    ),
    RotaCase(89, "a series without an end", events(event(*SERIES, "RRULE:FREQ=DAILY")), ("80 added",), refused=False),
    RotaCase(
        89,
        "one each second",
        events(event(*SERIES, "RRULE:FREQ=SECONDLY")),
        ("UID one", "neither daily, weekly nor monthly"),
    ),
    RotaCase(
        89,
        "a rule that matches nothing until the year 9999",
        events(event(*SERIES, "RRULE:FREQ=MONTHLY;BYDAY=MO;BYMONTHDAY=32")),
        ("BYMONTHDAY that cannot be",),
    ),
    RotaCase(
        89,
        "one left out",
        events(event(*SERIES, "RRULE:FREQ=DAILY;COUNT=5", f"EXDATE{LONDON}20261202T070000")),
        ("4 added",),
        refused=False,
    ),
    RotaCase(89, "floating", events(event(*SERIES, kind=":")), ("floating time",)),
    RotaCase(
        89,
        "a floating exception",
        events(event(*SERIES, "RRULE:FREQ=DAILY;COUNT=5", "EXDATE:20261202T070000")),
        ("its EXDATE is a floating time",),
    ),
    RotaCase(89, "whole days", events(event("20261201", "20261202", kind=";VALUE=DATE:")), ("is a day",)),
    RotaCase(89, "a time zone that lies", events(event(*SERIES), around=LYING), ("Tue 01 Dec, 07:00",), refused=False),
    RotaCase(
        89,
        "a time zone of its own",
        events(event(*SERIES, kind=";TZID=Mars:"), around=LYING.replace("Europe/London", "Mars")),
        ("the time zone of its DTSTART is &#39;Mars&#39;",),
    ),
    RotaCase(89, "ten thousand events", events(*[event(*SERIES)] * 1_001), ("more than 1,000 events",)),
    RotaCase(
        89,
        "parts in parts",
        lambda: b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 5_000,
        ("does not belong here",),
    ),
    RotaCase(
        89,
        "a part that is hidden by folding",
        lambda: b"BEGIN:VCALENDAR\r\nBEG\r\n IN:VTODO\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
        ("BEGIN:VTODO", "does not belong here"),
    ),
    RotaCase(
        90,
        "tonight bare",
        rows("N-200,idva,2026-11-20T22:00,2026-11-20T23:00"),
        ("No IDVA any more from Fri 20 Nov, 23:00 to Sat 21 Nov, 06:00", "Ask a second person"),
        refused=False,
    ),
]
"""Row 91, and what becomes of row 90 when it is confirmed, are whole stories: tests/hostile/test_hostile_rotas.py."""
