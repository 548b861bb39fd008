"""Cover beside demand: gaps, what is unlike other days, and where one more shift would have met most questions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import event, update

from conversations import cover, rota_shown
from conversations.planned import LOCAL
from conversations.rota import add_shift
from conversations.rota_plan import Change, Plan, Slot
from conversations.tables import Consultation
from tests.house import NINE_PM, House

HOUR = timedelta(hours=1)
FRIDAY_NINE = 4 * 24 + 21


def ask_at(house: House, *times: datetime) -> None:
    """Questions that came then."""
    for at in times:
        ref = house.asks(text=f"And this, {at}?")
        with house.work() as work:
            work.session.execute(update(Consultation).where(Consultation.ref == ref).values(asked_at=at))
        house.clock.forward(minutes=1)


def test_questions_are_counted_by_the_hour_that_the_clock_on_the_wall_showed(house: House) -> None:
    summer, winter = datetime(2026, 10, 23, 20, 30, tzinfo=UTC), datetime(2026, 10, 30, 21, 30, tzinfo=UTC)
    old = NINE_PM - timedelta(days=92)
    ask_at(house, summer, winter, old)
    found = house.do(cover.look)
    assert {hour: count for hour, count in found.asked.items() if count} == {FRIDAY_NINE: 2}
    assert found.questions == 2


def test_the_suggestion_is_the_shift_that_meets_most_questions_at_uncovered_hours(house: House) -> None:
    thursdays = [datetime(2026, 10, 22, 19, 30, tzinfo=UTC) + timedelta(days=7 * week) for week in range(3)]
    mondays = [datetime(2026, 10, 26, 10, 30, tzinfo=UTC) + timedelta(days=7 * week) for week in range(3)]
    ask_at(house, *thursdays * 3, thursdays[0] + HOUR, *mondays * 4)
    with house.work() as work:  # Mondays are covered, so their questions are no reason
        for week in range(4):
            begins = datetime(2026, 11, 23, 7, tzinfo=UTC) + timedelta(days=7 * week)
            add_shift(work, house.id("jane"), "idva", begins, begins + 8 * HOUR)
    found = house.do(cover.look).suggested
    assert found is not None
    assert (found.weekday, found.met, found.missed) == (3, 10, 10)
    assert 13 <= found.starts <= 20  # eight hours from then have both 20 and 21 o'clock, in summer time


def test_with_every_hour_covered_or_no_question_nothing_is_suggested(house: House) -> None:
    assert house.do(cover.look).suggested is None
    ask_at(house, *[NINE_PM - timedelta(days=1)] * cover.LEAST)
    begins = house.clock()
    slots = [Slot(begins + n * 8 * HOUR, begins + (n + 1) * 8 * HOUR, "idva", house.id("jane")) for n in range(84)]
    found = house.do(lambda work: cover.look(work, Plan(tuple(Change(None, one, None) for one in slots))))
    assert (found.gaps, found.suggested) == ([], None)


def test_a_few_questions_are_no_reason_for_a_shift(house: House) -> None:
    ask_at(house, *[NINE_PM - timedelta(days=1)] * (cover.LEAST - 1))
    found = house.do(cover.look)
    assert (found.too_few, found.suggested) == (True, None)
    ask_at(house, NINE_PM - timedelta(days=1))
    assert house.do(cover.look).suggested is not None


@given(
    asked=some.lists(some.integers(0, 30), min_size=168, max_size=168),
    bare=some.lists(some.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=168, max_size=168),
)
def test_no_other_shift_of_eight_hours_would_have_met_more(asked: list[int], bare: list[float]) -> None:
    found = cover.suggest(dict(enumerate(map(float, asked))), dict(enumerate(bare)))
    missed = [count * share for count, share in zip(asked, bare, strict=True)]
    best = max(sum((missed * 2)[start : start + 8]) for start in range(168))
    if found is None:
        assert best == 0
    else:
        start = found.weekday * 24 + found.starts
        assert sum((missed * 2)[start : start + 8]) == pytest.approx(best) == pytest.approx(found.met)
        assert found.missed == pytest.approx(sum(missed))


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 12, 25), ("bank holiday: Christmas Day",)),
        (date(2026, 12, 24), ()),
        (date(2027, 3, 28), ("the clocks go forward",)),
        (date(2026, 10, 25), ("the clocks go back",)),
        (date(2027, 3, 29), ("bank holiday: Easter Monday",)),
    ],
)
def test_bank_holidays_and_changes_of_the_clocks_are_marked(day: date, said: tuple[str, ...]) -> None:
    assert cover.marks_of(day) == said
    begins = datetime(day.year, day.month, day.day, 6, tzinfo=LOCAL)
    assert cover.marks(begins, begins + HOUR) == said


@pytest.mark.parametrize(("night", "hours"), [(date(2026, 10, 24), 9), (date(2027, 3, 27), 7)])
def test_a_gap_through_the_night_of_a_change_has_its_real_length(house: House, night: date, hours: int) -> None:
    ten = datetime(night.year, night.month, night.day, 22, tzinfo=LOCAL).astimezone(UTC)
    house.clock.time = ten - 8 * HOUR
    with house.work() as work:
        add_shift(work, house.id("jane"), "idva", ten - 8 * HOUR, ten)
        six = ten + hours * HOUR
        assert six.astimezone(LOCAL).hour == 6
        add_shift(work, house.id("amira"), "idva", six, six + 8 * HOUR)
    first = house.do(cover.look).gaps[0]
    assert (first.begins, first.ends, (first.ends - first.begins) / HOUR) == (ten, six, hours)
    assert first.marks == (f"the clocks go {'back' if hours == 9 else 'forward'}",)


def test_what_is_to_be_expected_in_a_gap_goes_by_the_past(house: House) -> None:
    half_past = NINE_PM.astimezone(LOCAL) + HOUR / 2
    ask_at(house, *[(half_past - timedelta(days=7 * week)).astimezone(UTC) for week in range(1, 14)])
    house.clock.time = NINE_PM
    with house.work() as work:
        add_shift(work, house.id("jane"), "idva", NINE_PM + HOUR, NINE_PM + 2 * HOUR)
    first = house.do(cover.look).gaps[0]
    assert (first.begins, first.ends, round(first.expected, 6)) == (NINE_PM, NINE_PM + HOUR, 1.0)


def test_the_page_asks_the_database_as_often_for_many_shifts_as_for_few(make_house: Callable[..., House]) -> None:
    def queries(house: House) -> int:
        seen: list[str] = []
        engine = house.line.database.engine

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            seen.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        with house.work() as work:
            rota_shown.week(work, house.id("sam"), date(2026, 11, 23))
            cover.look(work)
        event.remove(engine, "before_cursor_execute", note)
        return len(seen)

    house = make_house()
    counts = []
    for number in range(2):
        begins = NINE_PM + timedelta(days=3 + number)
        with house.work() as work:
            for hour in range(1 + 10 * number):
                for name in ("jane", "amira"):
                    add_shift(work, house.id(name), "idva", begins + hour * HOUR, begins + (hour + 1) * HOUR)
        counts.append(queries(house))
    assert counts[0] == counts[1] <= 20
