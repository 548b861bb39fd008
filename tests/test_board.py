"""The board: who is on duty until when, what is late, when nobody answers, how the channels do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from conversations import board, store
from tests.house import NINE_PM, House


def at(*hours: float) -> list[board.Span]:
    times = [NINE_PM + timedelta(hours=hour) for hour in hours]
    return list(zip(times[::2], times[1::2], strict=True))


@pytest.mark.parametrize(
    ("covered", "open_hours"),
    [
        (at(), at(0, 10)),
        (at(-2, 12), at()),
        (at(0, 4, 4, 10), at()),
        (at(0, 4, 3, 8), at(8, 10)),
        (at(5, 12), at(0, 5)),
        (at(6, 8, -1, 2), at(2, 6, 8, 10)),
        (at(0, 9, 1, 2), at(9, 10)),
    ],
)
def test_a_cover_gap_is_any_time_that_no_shift_covers(covered: list[board.Span], open_hours: list[board.Span]) -> None:
    (span,) = at(0, 10)
    assert board.gaps(covered, *span) == open_hours


def test_the_board_says_until_when_somebody_is_on_duty_and_when_nobody_is(house: House) -> None:
    house.on_duty("jane")
    with house.work() as work:
        (one,) = board.duty(work, store.IDVA_DUTY)
        morning = work.now + timedelta(hours=20)
        assert one.person.id == house.id("jane")
        assert board.cover_gaps(work, morning) == [(one.until, morning)]
        assert board.duty(work, store.LEAD_DUTY) == []


def test_what_nobody_took_and_what_is_stuck_is_counted(house: House) -> None:
    with house.work() as work:
        assert board.overdue(work) == board.Overdue(0, 0, 0)
    house.asks("officer1", "Nobody is on duty")
    with house.work() as work:
        assert board.overdue(work) == board.Overdue(0, 0, 1)


def test_an_offer_that_is_not_answered_in_time_is_counted(house: House) -> None:
    house.on_duty("jane")
    house.asks("officer1", "What now?")
    with house.work() as work:
        assert board.overdue(work).offers == 0
    house.clock.forward(minutes=30)
    with house.work() as work:
        assert board.overdue(work).offers == 1
