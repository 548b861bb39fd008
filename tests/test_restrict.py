"""Restricted consultations: there for their two sides and for whom these name, and for nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from access.tables import Role
from conversations import restrict, search, view
from conversations.case import Case
from conversations.errors import NobodyKnown, NotRestricted, NotYours
from conversations.restrict import Suspect
from conversations.rota import suspend
from tests.erasing import ended, erases, leaves_of
from tests.house import House
from tests.test_console import Pages


@pytest.fixture
def pages(house: House, tmp_path: Path) -> Iterator[Pages]:
    made = Pages(house, tmp_path)
    yield made
    made.client.close()


def held(house: House) -> str:
    """A consultation that jane has."""
    house.on_duty("jane")
    ref = house.asks("officer1", "He is one of ours.")
    acts(house, ref, lambda case: search.accept(case, house.id("jane")))
    return ref


def acts(house: House, ref: str, act: Callable[[Case], None]) -> None:
    house.do(lambda work: act(Case.load(work, house.row(ref).id)))


def restricts(house: House, ref: str, by: str = "officer1") -> None:
    acts(house, ref, lambda case: restrict.restrict(case, house.id(by), Suspect.POLICE))


def on_board(house: House, name: str = "sam") -> list[str]:
    return [one.ref for one in house.do(lambda work: view.everything_live(work, house.id(name)))]


@pytest.mark.parametrize("by", ["officer1", "jane"])
def test_either_side_restricts_and_it_leaves_every_board(house: House, by: str) -> None:
    ref = held(house)
    assert on_board(house) == [ref]
    restricts(house, ref, by)
    assert on_board(house) == []
    assert on_board(house, "officer1") == on_board(house, "jane") == [ref]
    assert [one["event"] for one in leaves_of(house)][-1] == "consultation.restricted"


@pytest.mark.parametrize("by", ["officer2", "amira", "sam"])
def test_nobody_else_restricts_names_or_lifts(house: House, by: str) -> None:
    ref = held(house)
    restricts(house, ref)
    for act in (
        lambda case: restrict.restrict(case, house.id(by), Suspect.NHS),
        lambda case: restrict.name(case, house.id(by), "S-300"),
        lambda case: restrict.lift(case, house.id(by)),
    ):
        with pytest.raises(NotYours):
            acts(house, ref, act)
    with pytest.raises(NotYours):
        house.do(lambda work: restrict.shown(work, ref, house.id(by)))
    assert on_board(house) == []


def test_whoever_is_named_sees_it_and_lifting_shows_it_to_all(house: House) -> None:
    ref = held(house)
    restricts(house, ref)
    acts(house, ref, lambda case: restrict.name(case, house.id("jane"), " s-300 ".strip().upper()))
    acts(house, ref, lambda case: restrict.name(case, house.id("jane"), "S-300"))
    assert on_board(house) == [ref]
    shown = house.do(lambda work: restrict.shown(work, ref, house.id("officer1")))
    assert [one.name for one in shown.named] == ["Sam Example"]
    assert [one["event"] for one in leaves_of(house)].count("consultation.reader_named") == 1
    acts(house, ref, lambda case: restrict.lift(case, house.id("officer1")))
    assert house.do(lambda work: restrict.shown(work, ref, house.id("jane"))).suspect is None


def test_a_name_nobody_has_and_a_name_for_an_open_one_are_refused(house: House) -> None:
    ref = held(house)
    with pytest.raises(NotRestricted):
        acts(house, ref, lambda case: restrict.name(case, house.id("jane"), "S-300"))
    restricts(house, ref)
    with pytest.raises(NobodyKnown):
        acts(house, ref, lambda case: restrict.name(case, house.id("jane"), "S-999"))


def test_a_restriction_never_delays_help(house: House) -> None:
    house.on_duty("jane")
    ref = house.asks("officer1", "He is one of ours.")
    restricts(house, ref)
    assert on_board(house) == [ref]
    assert [one.ref for one in house.do(view.waiting)] == [ref]
    acts(house, ref, lambda case: search.accept(case, house.id("jane")))
    assert on_board(house) == []
    house.do(lambda work: suspend(work, house.id("jane"), "line"))
    house.run_due()
    assert on_board(house) == [ref], "its IDVA is gone, so whoever can help sees it again"


def test_whoever_had_it_before_is_shut_out_too(house: House) -> None:
    ref = held(house)
    restricts(house, ref)
    house.on_duty("amira")
    with house.work() as work:
        row = Case.load(work, house.row(ref).id).row
        row.last_idva_id, row.idva_id = row.idva_id, house.id("amira")
    assert on_board(house, "jane") == []


def test_on_the_pages_it_does_not_exist_for_others(pages: Pages) -> None:
    ref = held(pages.house)
    pages.sign_in("officer1", Role.OFFICER)
    pages.sign_in("sam", Role.SUPERVISOR)
    assert ref in pages.client.get("/board/supervisor").text
    assert pages.client.post(f"/restricted/officer/{ref}", data={"suspect": "friend"}).status_code == 422
    assert pages.client.post(f"/restricted/officer/{ref}", data={"suspect": "nhs"}).status_code == 303
    assert ref not in pages.client.get("/board/supervisor").text
    assert pages.client.post(f"/board/supervisor/{ref}/take").status_code == 404
    page = pages.client.get(f"/restricted/officer/{ref}").text
    assert "the suspect works for the NHS" in page
    assert pages.client.post(f"/restricted/officer/{ref}/named", data={"staff_id": "S-300"}).status_code == 303
    assert "Sam Example" in pages.client.get(f"/restricted/officer/{ref}").text
    assert ref in pages.client.get("/board/supervisor").text
    assert pages.client.post(f"/restricted/officer/{ref}/lift").status_code == 303
    assert "Restrict it if" in pages.client.get(f"/restricted/officer/{ref}").text


def test_in_a_browser_of_both_sides_each_acts_in_their_own_name(pages: Pages) -> None:
    ref = held(pages.house)
    pages.sign_in("jane", Role.IDVA)
    pages.sign_in("officer1", Role.OFFICER)
    pages.client.post(f"/restricted/officer/{ref}", data={"suspect": "nhs"})
    assert leaves_of(pages.house)[-1]["actor"] == pages.house.id("officer1")


def test_erasure_takes_a_restriction_with_it(house: House) -> None:
    ref = ended(house)
    acts(house, ref, lambda case: restrict.restrict(case, case.row.officer_id, Suspect.NHS))
    acts(house, ref, lambda case: restrict.name(case, case.row.officer_id, "S-300"))
    house.clock.forward(days=4)
    erases(house, ref)
    with pytest.raises(NotYours):
        house.row(ref)
