"""Leave, and swaps that both agreed to."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from audit.events import Event
from conversations import leave, rota_plan, store, swaps
from conversations.errors import (
    NoSuchShift,
    NoSuchSwap,
    OnLeave,
    RotaMoved,
    RotaRefused,
)
from conversations.planned import RotaFile
from conversations.rota import add_shift
from conversations.rota_plan import Plan
from conversations.tables import Shift
from conversations.tables_rota import Leave, Swap
from tests.house import NINE_PM, TEAM, House
from tests.rota_house import (
    DAY,
    HOUR,
    LEAD,
    TODAY,
    asked,
    count,
    go_away,
    key,
    put,
    recorded,
    shift_id,
    slots,
)


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house(team=TEAM | {"lee": LEAD})


# --- leave -----------------------------------------------------------------------------------------


def test_leave_takes_off_the_shifts_shown_and_refuses_new_ones_until_it_ends(house: House) -> None:
    put(house, asked("N-100", 34), asked("N-100", 58), asked("N-200", 34), asked("N-100", 130))
    days = (TODAY + 2 * DAY, TODAY + 3 * DAY)
    with house.work() as work:
        seen = leave.look(work, house.id("sam"), "N-100", *days)
        assert [key(one.before)[2] for one in seen.plan.changes if one.before] == [34, 58]
        assert count(house, Leave) == 0
        with pytest.raises(RotaMoved):
            leave.grant(work, house.id("sam"), "N-100", *days, Plan(()).fingerprint)
        go_away(work, "N-100", *days)
    assert [one[:3] for one in slots(house)] == [("amira", "idva", 34), ("jane", "idva", 130)]
    with house.work() as work:
        with pytest.raises(RotaRefused, match="on leave"):
            rota_plan.from_file(work, house.id("sam"), RotaFile((asked("N-100", 34),)))
        at = NINE_PM + 34 * HOUR
        with pytest.raises(OnLeave):
            add_shift(work, house.id("jane"), store.IDVA_DUTY, at, at + HOUR)
        away = work.session.scalars(select(Leave)).one()
        leave.end(work, house.id("sam"), away.id)
    with house.work() as work:
        rota_plan.from_file(work, house.id("sam"), RotaFile((asked("N-100", 34),)))
        with pytest.raises(NoSuchShift):
            leave.end(work, house.id("sam"), away.id)
    assert [one["away"] for one in recorded(house, Event.LEAVE_SET)] == [True, False]


def test_leave_leaves_a_running_shift_alone(house: House) -> None:
    house.on_duty("jane", hours=6)
    with house.work() as work:
        go_away(work, "N-100", TODAY, TODAY)
    assert slots(house) == [("jane", "idva", 0, 6)]


# --- swaps -----------------------------------------------------------------------------------------


def ask(house: House, gives: float = 34, takes: float | None = 58) -> str:
    with house.work() as work:
        theirs = None if takes is None else shift_id(house, "amira", takes)
        swaps.ask(work, house.id("jane"), shift_id(house, "jane", gives), house.id("amira"), theirs)
    with house.line.database.reading() as session:
        return session.scalars(select(Swap.id).where(Swap.answer.is_(None))).one()


def test_a_swap_takes_both(house: House) -> None:
    put(house, asked("N-100", 34), asked("N-200", 58))
    before = slots(house)
    swap = ask(house)
    assert slots(house) == before
    for name, said in (("jane", swaps.Answer.AGREED), ("amira", swaps.Answer.TAKEN_BACK)):
        with house.work() as work, pytest.raises(NoSuchSwap):
            swaps.answer(work, house.id(name), swap, said)
    assert slots(house) == before
    with house.work() as work:
        swaps.answer(work, house.id("amira"), swap, swaps.Answer.AGREED)
    assert slots(house) == [("amira", "idva", 34, 8), ("jane", "idva", 58, 8)]
    assert [one["act"] for one in recorded(house, Event.ROTA_CHANGED)][-2:] == ["swapped", "swapped"]
    assert (len(recorded(house, Event.SWAP_ASKED)), recorded(house, Event.SWAP_ANSWERED)[0]["answer"]) == (1, "agreed")
    with house.work() as work, pytest.raises(NoSuchSwap):
        swaps.answer(work, house.id("amira"), swap, swaps.Answer.AGREED)


@pytest.mark.parametrize("given", [swaps.Answer.REFUSED, swaps.Answer.TAKEN_BACK])
def test_a_swap_that_is_refused_or_taken_back_changes_nothing(house: House, given: swaps.Answer) -> None:
    put(house, asked("N-100", 34), asked("N-200", 58))
    before = slots(house)
    swap = ask(house)
    with house.work() as work:
        swaps.answer(work, house.id("amira" if given is swaps.Answer.REFUSED else "jane"), swap, given)
    with house.work() as work, pytest.raises(NoSuchSwap):
        swaps.answer(work, house.id("amira"), swap, swaps.Answer.AGREED)
    assert slots(house) == before


@pytest.mark.parametrize("how", ["moved", "gone", "begun", "other", "away"])
def test_a_swap_is_not_done_on_a_rota_that_changed_since(house: House, how: str) -> None:
    put(house, asked("N-100", 34), asked("N-200", 58))
    swap = ask(house)
    with house.work() as work:
        mine = work.session.get_one(Shift, shift_id(house, "jane", 34))
        if how == "moved":
            mine.ends_at += HOUR
        elif how == "gone":
            work.session.delete(mine)
        elif how == "begun":
            house.clock.forward(hours=34)
        elif how == "other":
            add_shift(work, house.id("amira"), store.IDVA_DUTY, mine.starts_at + HOUR, mine.ends_at)
        else:
            go_away(work, "N-200", TODAY + 2 * DAY, TODAY + 2 * DAY)
    before = slots(house)
    with house.work() as work, pytest.raises((NoSuchShift, RotaRefused)):
        swaps.answer(work, house.id("amira"), swap, swaps.Answer.AGREED)
    assert slots(house) == before


def test_a_shift_is_given_away_for_none(house: House) -> None:
    put(house, asked("N-100", 34))
    swap = ask(house, takes=None)
    with house.work() as work:
        swaps.answer(work, house.id("amira"), swap, swaps.Answer.AGREED)
    assert slots(house) == [("amira", "idva", 34, 8)]


def test_nobody_gives_away_what_is_not_theirs(house: House) -> None:
    put(house, asked("N-100", 34), asked("N-200", 58))
    theirs = shift_id(house, "amira", 58)
    with house.work() as work, pytest.raises(NoSuchShift):
        swaps.ask(work, house.id("jane"), theirs, house.id("amira"), None)
    with house.work() as work, pytest.raises(RotaRefused):
        swaps.ask(work, house.id("jane"), shift_id(house, "jane", 34), house.id("sam"), None)
