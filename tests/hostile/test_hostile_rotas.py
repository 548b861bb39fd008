"""Rows 83 to 91 of the table of hostile inputs (facts/security.md section 6): rotas, brought to the Rota room."""

from __future__ import annotations

import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import select

from access.people import NewPerson, set_standing
from access.tables import Role, Standing
from audit.trail import read_leaves
from conversations import rota_second, store
from conversations.case import Case
from conversations.rota import add_shift
from conversations.search import accept
from conversations.states import State
from conversations.tables import Shift
from conversations.transfer import accept_transfer, offer_transfer
from tests.hostile.rows_rota import CASES, RotaCase
from tests.house import TEAM, House, new_house
from tests.rota_house import HOUR, LEAD, ROTA, looked, slots
from tests.test_console import Pages

TRUST = "Example Hospitals NHS Trust"
PROMPT = 5.0  # seconds; a rule that never ends would take minutes
HERE = TEAM | {
    "lee": LEAD,
    "left": NewPerson("N-400", "Kim Double", TRUST, frozenset({Role.IDVA})),
    "kim": NewPerson("N-500", "Kim Double", TRUST, frozenset({Role.IDVA})),
}


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Pages]:
    made = Pages(new_house(team=HERE), tmp_path)
    with made.house.work() as work:
        set_standing(work.session, made.house.id("left"), Standing.SUSPENDED)
        begins = made.house.clock() + HOUR
        add_shift(work, made.house.id("jane"), store.IDVA_DUTY, begins, begins + 8 * HOUR)
    made.sign_in("sam", Role.SUPERVISOR)
    yield made
    made.client.close()
    made.house.line.database.close()


def leaves(house: House) -> int:
    with house.line.database.reading() as session:
        return len(read_leaves(session))


@pytest.mark.parametrize("case", [pytest.param(one, id=one.id) for one in CASES])
def test_a_hostile_rota_is_refused_or_shown_as_its_row_says(pages: Pages, case: RotaCase) -> None:
    before, noted = slots(pages.house), leaves(pages.house)
    began = time.monotonic()
    answer = pages.client.post(f"{ROTA}/import/look", files={"file": ("rota", case.content())})
    assert time.monotonic() - began < PROMPT
    assert answer.status_code == (case.status if case.refused else 200), unescape(answer.text)
    for words in case.said:
        assert words in answer.text, unescape(answer.text)
    assert (slots(pages.house), leaves(pages.house)) == (before, noted), "looking changes nothing"


def test_no_row_about_rotas_is_missing() -> None:
    stories = {90, 91}
    assert {one.row for one in CASES} | stories == set(range(83, 92))
    assert len({one.id for one in CASES}) == len(CASES)


def test_row_90_tonight_is_left_bare_only_by_two_people(pages: Pages) -> None:
    content = next(one for one in CASES if one.row == 90).content()
    before = slots(pages.house)
    assert pages.client.post(f"{ROTA}/import", data=looked(pages, content)).status_code == 303
    page = pages.client.get(ROTA).text
    assert "A second person has to decide" in page
    assert "Publish it all the same" not in page
    assert slots(pages.house) == before
    pages.sign_in("lee", Role.IDVA_LEAD)
    page = pages.client.get("/rota/idva_lead").text
    draft = page.partition("/second/")[2].partition('"')[0]
    went = pages.client.post(f"/rota/idva_lead/second/{draft}", data={"published": "true"})
    assert went.status_code == 303
    assert [one[0] for one in slots(pages.house)] == ["amira"]
    with pages.house.line.database.reading() as session:
        assert any(b'"rota.cover_lost"' in leaf and b'"alarm":true' in leaf for leaf in read_leaves(session))


def test_row_91_the_same_file_twice_changes_nothing(pages: Pages) -> None:
    content = pages.client.get(f"{ROTA}/rota.csv").content
    for _ in range(2):
        noted, before = leaves(pages.house), slots(pages.house)
        assert pages.client.post(f"{ROTA}/import", data=looked(pages, content)).status_code == 303
        assert (slots(pages.house), leaves(pages.house)) == (before, noted)


def test_row_91_a_handover_that_is_under_way_finishes_on_the_old_rota(pages: Pages) -> None:
    house = pages.house
    house.on_duty("jane", "amira", hours=10)
    ref = house.asks()
    with house.work() as work:
        case = Case.load(work, store.by_ref(work.session, ref).id)
        accept(case, house.id("jane"))
    with house.work() as work:
        case = Case.load(work, store.by_ref(work.session, ref).id)
        offer_transfer(case, house.id("jane"), house.id("amira"), "")
    content = b"staff_id,duty,starts,ends\nN-500,idva,2026-11-20T22:00,2026-11-21T08:00\n"
    assert pages.client.post(f"{ROTA}/import", data=looked(pages, content)).status_code == 303
    with house.line.database.reading() as session:
        running = session.scalars(select(Shift).where(Shift.starts_at <= house.clock())).all()
        assert {house.name(one.person_id) for one in running} == {"jane", "amira"}
    assert house.state(ref) == State.TRANSFER_OFFERED.value
    with house.work() as work:
        case = Case.load(work, store.by_ref(work.session, ref).id)
        accept_transfer(case, house.id("amira"))
    assert (house.state(ref), house.name(house.row(ref).idva_id)) == (State.TALKING.value, "amira")
    with house.work() as work:
        assert rota_second.waiting(work, house.id("lee")) == []
