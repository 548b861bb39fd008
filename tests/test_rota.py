"""The rota: what would change is shown first and is what is done; a second person for a bare night."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import select

from access.people import set_standing
from access.roster import set_roles
from access.tables import Role, Standing
from audit.events import Event
from conversations import leave, rota_import, rota_plan, rota_second, rota_shown, staff, store
from conversations.case import Case
from conversations.errors import (
    RoleMissing,
    RotaMoved,
    RotaNeedsAnother,
    RotaRefused,
)
from conversations.line import Doors
from conversations.planned import Asked, Duty, RotaFile, from_local
from conversations.rota import add_shift
from conversations.rota_plan import Plan
from conversations.states import State
from conversations.tables import Outbox, Shift
from tests.house import NINE_PM, TEAM, House, new_house
from tests.rota_files import calendar, csv_of, event
from tests.rota_house import (
    DAY,
    HOUR,
    LEAD,
    ROTA,
    TODAY,
    asked,
    go_away,
    key,
    looked,
    plan_of,
    put,
    recorded,
    shift_id,
    slots,
)
from tests.test_console import Pages


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house(team=TEAM | {"lee": LEAD})


@pytest.fixture
def pages(house: House, tmp_path: Path) -> Iterator[Pages]:
    made = Pages(house, tmp_path)
    yield made
    made.client.close()


# --- what would change -----------------------------------------------------------------------------


def test_a_file_is_compared_by_person_and_day_and_says_what_is_added_moved_and_taken_off(house: House) -> None:
    put(house, asked("N-100", 34), asked("N-200", 41), asked("N-100", 58))
    plan = house.do(plan_of(asked("N-100", 35), asked("N-200", 65), asked("N-100", 58)))
    kinds = [(rota_plan.kind_of(one), house.name(one.slot.person_id)) for one in plan.changes]
    assert sorted(kinds) == [("added", "amira"), ("moved", "jane"), ("removed", "amira")]
    assert plan.same == 1


def test_what_was_shown_is_exactly_what_is_done_and_the_trail_has_each_change(house: House) -> None:
    put(house, asked("N-100", 34), asked("N-200", 41), asked("N-100", 58))
    before = slots(house)
    leaves = len(recorded(house, Event.ROTA_CHANGED))
    plan = put(house, asked("N-100", 35), asked("N-200", 65), asked("N-100", 58))
    gone = [key(one.before) for one in plan.changes if one.before]
    come = [key(one.after) for one in plan.changes if one.after]
    assert sorted(slots(house)) == sorted([one for one in before if one not in gone] + come)
    changes = recorded(house, Event.ROTA_CHANGED)[leaves:]
    assert [one["act"] for one in changes] == ["moved", "removed", "added"]
    assert recorded(house, Event.ROTA_PUBLISHED)[-1] == {"added": 1, "moved": 1, "removed": 1}


_DRAWN = some.lists(
    some.tuples(
        some.sampled_from(["N-100", "N-200"]),
        some.integers(1, 20),
        some.sampled_from([7, 14, 22]),
        some.integers(4, 12),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda one: one[:2],
)


def drawn(shifts: list[tuple[str, int, int, int]]) -> list[Asked]:
    """Shifts that do not overlap, whichever were drawn: what begins before the last ended is left out."""
    kept: dict[str, datetime] = {}
    found = []
    for staff_id, day, hour, hours in sorted(shifts, key=lambda one: one[1:]):
        one = asked(staff_id, day * 24 - 21 + hour, hours)
        if one.starts_at >= kept.get(staff_id, NINE_PM):
            kept[staff_id] = one.ends_at
            found.append(one)
    return found


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(first=_DRAWN, then=_DRAWN)
def test_whatever_stood_there_a_file_makes_its_days_so_and_again_changes_nothing(
    first: list[tuple[str, int, int, int]], then: list[tuple[str, int, int, int]]
) -> None:
    house = new_house(team=TEAM | {"lee": LEAD})
    house.on_duty("jane", hours=3)
    put(house, *drawn(first))
    wanted = drawn(then)
    days = [one.starts_at.date() for one in wanted]
    outside = [one for one in slots(house) if not min(days) <= (NINE_PM + one[2] * HOUR).date() <= max(days)]
    try:
        plan = put(house, *wanted)
    except RotaRefused as refused:
        assert "overlaps" in str(refused)  # noqa: PT017 - a shift from the day before may reach into the first one
        return
    names = {"N-100": "jane", "N-200": "amira"}
    made: list[tuple[str | None, str, float, float]] = [
        (names[one.staff_id], "idva", (one.starts_at - NINE_PM) / HOUR, (one.ends_at - one.starts_at) / HOUR)
        for one in wanted
    ]
    assert sorted(slots(house)) == sorted(outside + made)
    leaves = len(recorded(house, Event.ROTA_CHANGED))
    again = put(house, *wanted)
    assert (again.changes, again.same) == ((), len(wanted))
    assert len(recorded(house, Event.ROTA_CHANGED)) == leaves
    assert plan.same + plan.count("added") + plan.count("moved") == len(wanted)
    house.line.database.close()


def test_nothing_is_done_when_the_rota_changed_since_it_was_looked_at(pages: Pages) -> None:
    pages.sign_in("sam", Role.SUPERVISOR)
    fields = looked(pages, csv_of("N-100,idva,2026-12-01T07:00,2026-12-01T15:00"))
    with pages.house.work() as work:
        at = datetime.fromisoformat("2026-12-01T08:00+00:00")
        add_shift(work, pages.house.id("jane"), store.IDVA_DUTY, at, at + 8 * HOUR)
    answer = pages.client.post(f"{ROTA}/import", data=fields)
    assert (answer.status_code, str(RotaMoved()) in answer.text) == (409, True)
    assert slots(pages.house)[0][2] == 251


def test_a_running_shift_and_what_is_held_in_it_stay_on_the_old_rota(house: House) -> None:
    house.on_duty("jane", hours=8)
    ref = house.asks()
    with house.work() as work:
        case = Case.load(work, store.by_ref(work.session, ref).id)
        offer = store.open_offers(work.session, case.row.id)[0]
        assert offer.idva_id == house.id("jane")
    plan = put(house, asked("N-200", 1, 10), asked("N-200", 34))
    assert plan.count("removed") == 0
    assert ("jane", "idva", 0.0, 8.0) in slots(house)
    assert house.state(ref) == State.OFFERED.value


def test_only_those_who_lead_change_the_rota(house: House) -> None:
    with house.work() as work:
        for name in ("officer1", "jane"):
            for act in (
                lambda: rota_plan.from_file(work, house.id(name), RotaFile(())),  # noqa: B023
                lambda: rota_plan.adding(work, house.id(name), RotaFile(())),  # noqa: B023
                lambda: rota_plan.removing(work, house.id(name), []),  # noqa: B023
                lambda: rota_second.publish(work, house.id(name), lambda _: Plan(()), ""),  # noqa: B023
                lambda: rota_second.decide(work, house.id(name), "x", published=True),  # noqa: B023
                lambda: leave.end(work, house.id(name), "x"),  # noqa: B023
                lambda: rota_shown.week(work, house.id(name), date(2026, 11, 16)),  # noqa: B023
            ):
                with pytest.raises(RoleMissing):
                    act()


# --- the next 24 hours -----------------------------------------------------------------------------


def test_leaving_tonight_uncovered_takes_two_people_and_raises_an_alarm(house: House) -> None:
    put(house, asked("N-100", 1, 9), asked("N-200", 34))
    before = slots(house)
    bare = house.do(plan_of(asked("N-200", 1, 1), asked("N-200", 34)))
    with house.work() as work:
        assert rota_plan.uncovers(work, bare) == [(NINE_PM + 2 * HOUR, NINE_PM + 10 * HOUR)]
        assert rota_second.publish(work, house.id("sam"), lambda _: bare, bare.fingerprint) is False
    assert slots(house) == before
    with house.work() as work:
        (draft,) = rota_second.waiting(work, house.id("sam"))
        assert (draft.plan.changes, draft.stale) == (bare.changes, False)
        with pytest.raises(RotaNeedsAnother):
            rota_second.decide(work, house.id("sam"), draft.id, published=True)
    with house.work() as work:
        rota_second.decide(work, house.id("lee"), draft.id, published=True)
    assert ("jane", "idva", 1.0, 9.0) not in slots(house)
    (lost,) = recorded(house, Event.COVER_LOST)
    assert lost["alarm"] is True
    assert recorded(house, Event.ROTA_PUBLISHED)[-1]["asked_by"] == house.id("sam")
    with house.work() as work, pytest.raises(RotaMoved):
        rota_second.decide(work, house.id("lee"), draft.id, published=True)


@pytest.mark.parametrize("how", ["changed", "begun", "left", "away"])
def test_what_waits_for_a_second_person_is_void_once_the_rota_is_another(house: House, how: str) -> None:
    put(house, asked("N-100", 1, 9))
    with house.work() as work:
        bare = rota_plan.from_file(work, house.id("sam"), RotaFile((asked("N-200", 1, 1),)))
        assert not rota_second.publish(work, house.id("sam"), lambda _: bare, bare.fingerprint)
    with house.work() as work:
        if how == "changed":
            work.session.get_one(Shift, shift_id(house, "jane", 1)).ends_at += HOUR
        elif how == "begun":
            house.clock.forward(hours=1)
        elif how == "left":
            set_standing(work.session, house.id("amira"), Standing.SUSPENDED)
        else:
            go_away(work, "N-200", TODAY, TODAY)
    before = slots(house)
    with house.work() as work:
        (draft,) = rota_second.waiting(work, house.id("lee"))
        assert draft.stale
        with pytest.raises(RotaMoved):
            rota_second.decide(work, house.id("lee"), draft.id, published=True)
        rota_second.decide(work, house.id("sam"), draft.id, published=False)
    with house.work() as work:
        assert rota_second.waiting(work, house.id("lee")) == []
    assert slots(house) == before


def test_the_leads_are_told_of_a_bare_night_and_not_whoever_caused_it(house: House) -> None:
    put(house, asked("N-100", 1, 9))
    with house.work() as work:
        plan = rota_plan.removing(work, house.id("sam"), [shift_id(house, "jane", 1)])
        rota_second.take_off(work, house.id("sam"), lambda _: plan, plan.fingerprint)
    assert len(recorded(house, Event.COVER_LOST)) == 1
    assert frozenset({house.id("lee")}) <= house.bell.people[-1]


# --- those who leave -------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["suspended", "role"])
def test_whoever_may_no_longer_be_on_duty_is_taken_off_the_rota_for_good(house: House, how: str) -> None:
    put(house, asked("N-100", 1, 9), asked("N-100", 58), asked("N-200", 34), asked("L-500", 34, duty=Duty.LEAD))
    with house.work() as work:
        if how == "suspended":
            staff.suspend(work, house.id("sam"), house.id("jane"))
        else:
            staff.give_roles(work, house.id("sam"), house.id("jane"), frozenset({Role.OFFICER}))
    assert [one[:2] for one in slots(house)] == [("amira", "idva"), ("lee", "lead")]
    assert len(recorded(house, Event.COVER_LOST)) == 1
    house.clock.forward(hours=2)
    ref = house.asks()
    with house.line.database.reading() as session:
        assert store.open_offers(session, store.by_ref(session, ref).id) == []


@pytest.mark.parametrize("keeps", [Role.SUPERVISOR, Role.OFFICER])
def test_who_loses_one_of_two_roles_that_lead_leads_on(house: House, keeps: Role) -> None:
    with house.work() as work:
        set_roles(work.session, house.id("lee"), frozenset({Role.IDVA_LEAD, Role.SUPERVISOR}))
        set_roles(work.session, house.id("sam"), frozenset({Role.ADMIN, Role.SUPERVISOR}))
    put(house, asked("L-500", 34, duty=Duty.LEAD))
    with house.work() as work:
        staff.give_roles(work, house.id("sam"), house.id("lee"), frozenset({keeps}))
    assert [one[0] for one in slots(house)] == (["lee"] if keeps is Role.SUPERVISOR else [])


# --- who is told -----------------------------------------------------------------------------------


def told(house: House) -> list[tuple[str | None, str]]:
    """What went to whom, at Telegram."""
    with house.work() as work:
        rows = work.session.scalars(select(Outbox).order_by(Outbox.made_at, Outbox.person_id)).all()
        texts = [work.open_words("outbox", "body", one.id, one.scope, one.body) for one in rows if one.body]
    return [(house.name(one.person_id), json.loads(text)["text"]) for one, text in zip(rows, texts, strict=True)]


def test_those_whose_shifts_changed_are_told_once_and_the_leads_of_a_bare_night(
    make_house: Callable[..., House],
) -> None:
    house = make_house(team=TEAM | {"lee": LEAD}, doors=Doors(telegram=True))
    put(house, asked("N-100", 1, 9), asked("N-100", 34), asked("N-200", 58))
    assert [(who, "shifts were changed" in text) for who, text in told(house)] == [("amira", True), ("jane", True)]
    house.clock.forward(minutes=1)
    plan = house.do(lambda work: rota_plan.removing(work, house.id("sam"), [shift_id(house, "jane", 1)]))
    with house.work() as work:
        rota_second.take_off(work, house.id("sam"), lambda _: plan, plan.fingerprint)
    assert [who for who, _ in told(house)[2:]] == ["jane", "lee"]
    assert "from Fri 22:00 to Sat 07:00" in told(house)[3][1]


# --- who is on duty --------------------------------------------------------------------------------


@pytest.mark.parametrize("friday", [date(2026, 11, 27), date(2027, 6, 18), date(2026, 10, 23), date(2027, 3, 26)])
def test_a_friday_night_is_on_duty_on_saturday_half_past_midnight_and_not_on_fridays(
    house: House, friday: date
) -> None:
    house.clock.time = from_local(datetime.combine(friday - 2 * DAY, time(12)))
    content = calendar(
        event(f"{friday:%Y%m%d}T220000", f"{friday + DAY:%Y%m%d}T060000", "RRULE:FREQ=WEEKLY;BYDAY=FR;COUNT=3")
    )
    with house.work() as work:
        plan = rota_import.look(work, house.id("sam"), content)
        assert rota_second.publish(work, house.id("sam"), lambda _: plan, plan.fingerprint)
    with house.line.database.reading() as session:
        for day in range(21):
            half_past = from_local(datetime.combine(friday + day * DAY, time(0, 30)))
            on_duty = [house.id("jane")] if day in (1, 8, 15) else []
            assert store.on_duty(session, store.IDVA_DUTY, half_past) == on_duty, day


# --- the pages -------------------------------------------------------------------------------------


def test_an_import_is_shown_first_then_done_and_the_same_file_again_changes_nothing(pages: Pages) -> None:
    pages.sign_in("sam", Role.SUPERVISOR)
    content = calendar(event("20261123T070000", "20261123T150000", "RRULE:FREQ=DAILY;COUNT=5"))
    fields = looked(pages, content, "rota.ics")
    assert slots(pages.house) == []
    assert pages.client.post(f"{ROTA}/import", data=fields).status_code == 303
    assert len(slots(pages.house)) == 5
    page = pages.client.post(f"{ROTA}/import/look", files={"file": ("rota.ics", content)}).text
    assert "Nothing would change" in page
    assert "5 shifts stay as they are" in page


def test_what_is_downloaded_can_be_read_in_again_and_changes_nothing(pages: Pages) -> None:
    put(pages.house, asked("N-100", 34), asked("N-200", 58), asked("S-300", 58, duty=Duty.LEAD))
    pages.sign_in("sam", Role.SUPERVISOR)
    content = pages.client.get(f"{ROTA}/rota.csv").content
    assert content.decode().splitlines()[1] == "N-100,idva,2026-11-22T07:00:00+00:00,2026-11-22T15:00:00+00:00"
    assert "Nothing would change" in pages.client.post(f"{ROTA}/import/look", files={"file": ("r", content)}).text


def test_a_pattern_leave_and_one_shift_taken_off_by_the_page(pages: Pages) -> None:
    pages.sign_in("sam", Role.SUPERVISOR)
    asked: dict[str, Any] = {
        "staff_id": "N-100",
        "duty": "idva",
        "first": "2026-12-21",
        "last": "2027-01-03",
        "hours": "14-22",
    }
    asked |= {"days": ["0", "4"], "holidays": "off"}
    page = pages.client.post(f"{ROTA}/add/look", data=asked).text
    shown = re.findall(r'name="shown" value="(\w+)"', page)[0]
    assert pages.client.post(f"{ROTA}/add", data=asked | {"shown": shown}).status_code == 303
    days = [(NINE_PM + one[2] * HOUR).date() for one in slots(pages.house)]
    assert days == [date(2026, 12, 21)]  # Christmas Day, the day kept for Boxing Day and New Year's Day are left out
    away = {"staff_id": "N-100", "first": "2026-12-21", "last": "2026-12-21"}
    page = pages.client.post(f"{ROTA}/leave/look", data=away).text
    assert "1 taken off" in re.sub(r"\s+", " ", page)
    shown = re.findall(r'name="shown" value="(\w+)"', page)[0]
    assert pages.client.post(f"{ROTA}/leave", data=away | {"shown": shown}).status_code == 303
    assert slots(pages.house) == []


def test_idvas_swap_by_their_own_page(pages: Pages) -> None:
    put(pages.house, asked("N-100", 34), asked("N-200", 58))
    pages.sign_in("jane", Role.IDVA)
    ids = {"gives": shift_id(pages.house, "jane", 34), "takes": shift_id(pages.house, "amira", 58)}
    assert pages.client.post("/shifts", data=ids).status_code == 303
    assert "You ask Amira Sample" in pages.client.get("/shifts").text
    pages.sign_in("amira", Role.IDVA)
    page = pages.client.get("/shifts").text
    swap = re.findall(r'action="/shifts/(\w+)"', page)[0]
    assert pages.client.post(f"/shifts/{swap}", data={"answer": "agreed"}).status_code == 303
    assert slots(pages.house) == [("amira", "idva", 34, 8), ("jane", "idva", 58, 8)]


def test_of_two_who_publish_the_same_at_once_one_finds_that_the_rota_has_changed(
    make_house: Callable[..., House],
) -> None:
    house = make_house(team=TEAM | {"lee": LEAD})
    make = plan_of(asked("N-100", 34), asked("N-200", 58))
    shown = house.do(make).fingerprint
    ready = Barrier(2)

    def publish(name: str) -> bool:
        ready.wait()
        with house.work() as work:
            return rota_second.publish(work, house.id(name), make, shown)

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(publish, name) for name in ("sam", "lee")]
        results = [one.exception() or one.result() for one in done]
    assert sorted(map(str, results)) == sorted(["True", str(RotaMoved())])
    assert [one[:3] for one in slots(house)] == [("jane", "idva", 34), ("amira", "idva", 58)]
