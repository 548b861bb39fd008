"""Rota files: what iCalendar, CSV and patterns ask for, right through both changes of the clocks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as some
from icalendar import Event

from conversations.ical import read_ical
from conversations.planned import HORIZON, Asked, BadRota, Duty, RotaFile, at_hours, from_local, moment
from conversations.recurrence import read_rule, recurring
from conversations.rota_csv import read_csv, write_csv
from tests.rota_files import LONDON, NOW, calendar, event

LOCAL = ZoneInfo("Europe/London")
NIGHTS = [date(2026, 3, 28), date(2026, 10, 24), date(2027, 3, 27)]
NIGHTS += [date(2027, 10, 30), date(2028, 3, 25), date(2028, 10, 28)]
"""The Saturdays before the clocks change."""


def local(at: datetime) -> str:
    return f"{at.astimezone(LOCAL):%a %d %b %H:%M}"


def shown(content: bytes, now: datetime = NOW) -> list[tuple[str, str]]:
    return [(local(one.starts_at), local(one.ends_at)) for one in read_ical(content, now).shifts]


@pytest.mark.parametrize("saturday", NIGHTS)
@pytest.mark.parametrize(("starts", "ends"), [(22, 6), (14, 22), (7, 15), (20, 8), (23, 7)])
def test_a_pattern_keeps_to_the_clock_on_the_wall_through_both_changes(saturday: date, starts: int, ends: int) -> None:
    for day in (saturday, saturday + timedelta(days=1), saturday + timedelta(days=2)):
        begins, over = at_hours(day, timedelta(hours=starts), timedelta(hours=ends))
        assert (begins.astimezone(LOCAL).hour, over.astimezone(LOCAL).hour) == (starts, ends)
        assert begins.astimezone(LOCAL).date() == day
    night, _ = at_hours(saturday, timedelta(hours=22), timedelta(hours=6))
    after = at_hours(saturday, timedelta(hours=22), timedelta(hours=6))[1]
    assert (after - night) / timedelta(hours=1) == (7 if saturday.month == 3 else 9)


@settings(deadline=None)
@given(
    some.tuples(some.sampled_from(NIGHTS), some.integers(24 * 60, 27 * 60))
    | some.tuples(some.dates(date(2026, 1, 1), date(2028, 12, 31)), some.integers(0, 24 * 60))
)
def test_a_local_time_is_either_shown_by_exactly_one_moment_or_refused(drawn: tuple[date, int]) -> None:
    wall = datetime.combine(drawn[0], time()) + timedelta(minutes=drawn[1])
    candidates = {
        at
        for offset in (0, 1)
        if (at := wall.replace(tzinfo=UTC) - timedelta(hours=offset)).astimezone(LOCAL).replace(tzinfo=None) == wall
    }
    if len(candidates) == 1:
        assert {from_local(wall)} == candidates
    else:
        with pytest.raises(BadRota, match="twice" if candidates else "never"):
            from_local(wall)


@pytest.mark.parametrize("saturday", NIGHTS)
def test_a_series_of_nights_ends_at_six_whatever_the_clocks_do(saturday: date) -> None:
    now = datetime(saturday.year, saturday.month, saturday.day, 12, tzinfo=UTC) - timedelta(days=9)
    begins = saturday - timedelta(days=8)  # a Friday
    content = calendar(
        event(f"{begins:%Y%m%d}T220000", f"{begins + timedelta(days=1):%Y%m%d}T060000", "RRULE:FREQ=DAILY;COUNT=14")
    )
    found = read_ical(content, now).shifts
    assert len(found) == 14
    assert {f"{at.astimezone(LOCAL):%H:%M}" for one in found for at in (one.starts_at, one.ends_at)} == {
        "22:00",
        "06:00",
    }
    hours = [(one.ends_at - one.starts_at) / timedelta(hours=1) for one in found]
    assert sorted(set(hours)) == sorted({8, 7 if saturday.month == 3 else 9})


@pytest.mark.parametrize(("friday", "season"), [(date(2026, 11, 20), "winter"), (date(2027, 6, 18), "summer")])
def test_a_friday_night_covers_saturday_half_past_midnight_and_not_fridays(friday: date, season: str) -> None:
    now = datetime(friday.year, friday.month, friday.day, tzinfo=UTC) - timedelta(days=3)
    content = calendar(
        event(f"{friday:%Y%m%d}T220000", f"{friday + timedelta(days=1):%Y%m%d}T060000", "RRULE:FREQ=WEEKLY;BYDAY=FR")
    )
    found = read_ical(content, now).shifts
    for half_past, covered in ((friday + timedelta(days=1), True), (friday, False)):
        at = from_local(datetime.combine(half_past, time(0, 30)))
        assert any(one.starts_at <= at < one.ends_at for one in found) is covered, season


def test_left_out_moved_added_and_called_off() -> None:
    content = calendar(
        event(
            "20261019T070000",
            "20261019T150000",
            "RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20261112T000000Z",
            f"EXDATE{LONDON}20261028T070000",
            f"RDATE{LONDON}20261031T070000",
            "CATEGORIES:LEAD",
        ),
        event("20261103T140000", "20261103T220000", f"RECURRENCE-ID{LONDON}20261102T070000"),
        event("20261104T070000", "20261104T150000", f"RECURRENCE-ID{LONDON}20261104T070000", "STATUS:CANCELLED"),
        ["UID:two", "SUMMARY:N-100", "DTSTART:20261110T070000Z", "DURATION:PT8H"],
    )
    assert sorted(shown(content)) == sorted(
        [
            ("Wed 21 Oct 07:00", "Wed 21 Oct 15:00"),
            ("Mon 26 Oct 07:00", "Mon 26 Oct 15:00"),
            ("Sat 31 Oct 07:00", "Sat 31 Oct 15:00"),
            ("Tue 03 Nov 14:00", "Tue 03 Nov 22:00"),
            ("Mon 09 Nov 07:00", "Mon 09 Nov 15:00"),
            ("Wed 11 Nov 07:00", "Wed 11 Nov 15:00"),
            ("Tue 10 Nov 07:00", "Tue 10 Nov 15:00"),
        ]
    )
    duties = {local(one.starts_at): one.duty for one in read_ical(content, NOW).shifts}
    assert duties["Mon 26 Oct 07:00"] is Duty.LEAD
    assert duties["Tue 03 Nov 14:00"] is Duty.IDVA


_RULES = some.one_of(
    some.builds("FREQ=DAILY;INTERVAL={}".format, some.integers(1, 9)),
    some.builds(
        "FREQ=WEEKLY;INTERVAL={};BYDAY={};WKST={}".format,
        some.integers(1, 5),
        some.sets(some.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1).map(",".join),
        some.sampled_from(["MO", "SU"]),
    ),
    some.builds(
        "FREQ=MONTHLY;INTERVAL={};BYMONTHDAY={}".format, some.integers(1, 3), some.sampled_from([1, 15, 31, -1, -3])
    ),
    some.builds(
        "FREQ=MONTHLY;INTERVAL={};BYDAY={}{}".format,
        some.integers(1, 3),
        some.sampled_from(["", 1, 2, 5, -1, -2]),
        some.sampled_from(["MO", "WE", "SU"]),
    ),
)
_ENDS = some.sampled_from(["", ";COUNT=7", ";COUNT=1", ";UNTIL=20270301T120000"])


@settings(deadline=None, max_examples=300)
@given(rule=some.builds("{}{}".format, _RULES, _ENDS), day=some.dates(date(2026, 1, 1), date(2026, 12, 31)))
def test_a_series_recurs_on_the_days_that_another_reader_of_the_standard_finds(rule: str, day: date) -> None:
    first = datetime.combine(day, time(14))
    until = first + timedelta(days=400)
    theirs = list(rrulestr(rule, dtstart=first).between(first, until, inc=True))
    assume(theirs and theirs[0] == first)
    found: Any = Event.from_ical(f"BEGIN:VEVENT\r\nRRULE:{rule}\r\nEND:VEVENT\r\n")
    assert list(recurring(first, read_rule(found["RRULE"]), until, in_utc=False)) == theirs


_SHIFTS = some.lists(
    some.tuples(
        some.sampled_from(["N-100", "N-200", "=cmd", "@x", "Ö 1"]),
        some.sampled_from(list(Duty)),
        some.integers(1, 89 * 24),
        some.integers(1, 12),
    ),
    max_size=20,
)


@settings(deadline=None)
@given(_SHIFTS)
def test_what_is_written_as_csv_is_read_back_as_it_was(drawn: list[tuple[str, Duty, int, int]]) -> None:
    shifts = [
        (who, duty.value, NOW + timedelta(hours=start), NOW + timedelta(hours=start + hours))
        for who, duty, start, hours in drawn
    ]
    theirs: dict[tuple[str, str], list[tuple[datetime, datetime]]] = {}
    for who, what, begins, ends in shifts:
        theirs.setdefault((who, what), []).append((begins, ends))
    assume(shifts and all(a[1] <= b[0] for each in theirs.values() for a, b in pairwise(sorted(each))))
    written = write_csv(shifts)
    assert not any(line.startswith(("=", "+", "-", "@", "\t")) for line in written.splitlines())
    read = read_csv(written.encode(), NOW).shifts
    assert [(one.staff_id.removeprefix("'"), one.duty.value, one.starts_at, one.ends_at) for one in read] == shifts


def test_what_has_begun_and_what_is_beyond_ninety_days_is_left_out_and_counted() -> None:
    far = NOW + HORIZON
    eight = timedelta(hours=8)
    content = write_csv(("N-100", "idva", at, at + eight) for at in (NOW, far, far + timedelta(days=1)))
    found = read_csv(content.encode(), NOW)
    assert ([one.starts_at for one in found.shifts], found.begun, found.later) == ([far], 1, 1)


@settings(deadline=None, max_examples=300)
@given(some.binary(max_size=300) | some.text(max_size=300).map(str.encode))
def test_whatever_a_file_holds_it_is_read_or_refused(noise: bytes) -> None:
    inside = calendar([noise.decode("utf-8", "replace")])
    spoilt = calendar(event("20261026T070000", "20261026T150000", "RRULE:" + noise.decode("utf-8", "replace")))
    for read, content in ((read_csv, noise), (read_ical, noise), (read_ical, inside), (read_ical, spoilt)):
        with suppress(BadRota):
            assert all(isinstance(one, Asked) for one in read(content, NOW).shifts)


@pytest.mark.parametrize("text", ["2026-10-25T01:30", "2026-03-29T01:30", "2026-13-01T10:00", "now", "2026-10-25"])
def test_a_time_that_is_none_or_two_is_refused(text: str) -> None:
    with pytest.raises(BadRota):
        moment(text)


def test_an_hour_that_happens_twice_is_taken_with_its_offset() -> None:
    assert moment("2026-10-25T01:30+01:00") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert moment("2026-10-25T01:30+00:00") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("begins", "read", "count"), [("BEGIN:VCALENDAR", read_ical, 12), ("staff_id,duty", read_csv, 1)]
)
def test_the_examples_of_the_handbook_can_be_read(begins: str, read: Callable[..., RotaFile], count: int) -> None:
    text = (Path(__file__).parent.parent / "docs" / "rota.md").read_text()
    block = text[text.index(f"    {begins}") :].partition("\n\n")[0]
    found = read("".join(f"{line[4:]}\n" for line in block.splitlines()).encode(), datetime(2026, 11, 20, tzinfo=UTC))
    assert len(found.shifts) == count
    assert {one.staff_id for one in found.shifts} <= {"N-100", "N-200", "L-500"}


def test_a_rule_that_matches_nothing_costs_no_more_than_another() -> None:
    first = datetime.combine(date(2026, 1, 5), time(7))  # a Monday
    never = read_rule({"FREQ": ["DAILY"], "INTERVAL": [7], "BYDAY": ["MO"], "COUNT": [10_000]})
    began = monotonic()
    assert len(list(recurring(first, never, first + timedelta(days=800), in_utc=False))) == 115
    with pytest.raises(BadRota, match="long ago"):
        list(recurring(first, never, first + timedelta(days=900), in_utc=False))
    assert monotonic() - began < 1


def test_a_series_into_an_hour_that_happens_twice_is_refused_until_that_night_is_said_in_utc() -> None:
    late = event("20261021T180000", "20261022T013000", "RRULE:FREQ=DAILY;COUNT=6")
    with pytest.raises(BadRota, match=r"UID one.*2026-10-25 01:30 happens twice"):
        read_ical(calendar(late), NOW)
    night = ["UID:night", "SUMMARY:N-100", "DTSTART:20261024T170000Z", "DTEND:20261025T013000Z"]
    found = shown(calendar([*late, f"EXDATE{LONDON}20261024T180000"], night))
    assert len(found) == 6
    assert ("Sat 24 Oct 18:00", "Sun 25 Oct 01:30") in found


def test_a_calendar_that_calls_off_is_no_rota() -> None:
    content = calendar(event("20261026T070000", "20261026T150000"), around="METHOD:CANCEL")
    with pytest.raises(BadRota, match="calls shifts off"):
        read_ical(content, NOW)
