"""Opening hours: right at bank holidays and at both clock changes, and honest about what is not known."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from knowledge.hours import BadHours, is_open, next_change, open_state, require_hours


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("hours", "moment", "said"),
    [
        ("24/7", at(2026, 12, 25, 3), "open 24 hours"),
        ("Mo-Fr 09:00-17:00", at(2026, 11, 23, 12), "open now until 17:00"),
        ("Mo-Fr 09:00-17:00", at(2026, 11, 23, 18), "closed, opens Tue 09:00"),
        ("Mo-Fr 09:00-17:00", at(2026, 11, 27, 18), "closed, opens Mon 09:00"),
        ("Mo-Su 17:00-24:00", at(2026, 11, 23, 23), "open now until Tue 00:00"),
        ("Mo-Fr 09:00-17:00; PH off", at(2026, 12, 25, 12), "closed, opens Tue 09:00"),  # Fri; Mon 28 is a holiday too
        ("Mo-Fr 09:00-17:00; PH off", at(2027, 1, 1, 12), "closed, opens Mon 09:00"),
        ("Mo-Fr 09:00-17:00; PH off", at(2026, 8, 31, 11), "closed, opens Tue 09:00"),  # England's, not Scotland's
        ("Mo-Fr 09:00-17:00", at(2026, 12, 25, 12), "open now until 17:00"),  # says nothing of holidays
        ("Mo-Su 20:00-08:00", at(2026, 10, 25, 0, 30), "open now until 08:00"),  # the night with 25 hours
        ("Mo-Su 20:00-08:00", at(2026, 3, 29, 0, 30), "open now until 08:00"),  # the night with 23 hours
        ("Mo-Fr 09:00-17:00", at(2026, 7, 6, 8, 30), "open now until 17:00"),  # 09:30 in summer time
        ("", at(2026, 11, 23, 12), "hours not known"),
    ],
)
def test_what_a_reader_is_told(hours: str, moment: datetime, said: str) -> None:
    assert open_state(hours, moment, confirmed=True) == said


def test_the_moment_of_closing_is_right_through_both_clock_changes() -> None:
    long_night, short_night = at(2026, 10, 24, 22), at(2026, 3, 28, 22)
    for night, closes in ((long_night, at(2026, 10, 25, 8)), (short_night, at(2026, 3, 29, 7))):
        change = next_change("Mo-Su 20:00-08:00", night)
        assert change is not None
        assert change.astimezone(UTC) == closes


def test_unconfirmed_hours_say_so() -> None:
    assert open_state("24/7", at(2026, 11, 23), confirmed=False) == "open 24 hours (hours not confirmed)"


def test_hours_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(BadHours, match="no opening hours"):
        require_hours("nine till five, ish")
    require_hours("")
    assert is_open("", at(2026, 11, 23)) is None
