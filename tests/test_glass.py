"""Emergency access to a consultation of others: half an hour, told to the other organisation, reviewed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from access.people import NewPerson
from access.tables import Role
from conversations import glass, restrict, search
from conversations.case import Case
from conversations.errors import GlassNotReviewed, LineError, NobodyToTell, NoReason, NotYours, RoleMissing
from conversations.rota import suspend
from conversations.transfer import accept_transfer, offer_transfer
from tests.erasing import leaves_of
from tests.house import TEAM, House
from tests.test_console import Pages

LEADS = Role.IDVA_LEAD
WHY = "Her sister rang: he is on his way. Log 0123."
LEAD = NewPerson("N-900", "Ruth Example", "Example Hospitals NHS Trust", frozenset({Role.IDVA_LEAD}))
SERGEANT = NewPerson("DS 77", "DS 77 Example", "Example Constabulary", frozenset({Role.SERGEANT}))


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house(team=TEAM | {"ruth": LEAD, "dana": SERGEANT})


@pytest.fixture
def pages(house: House, tmp_path: Path) -> Iterator[Pages]:
    made = Pages(house, tmp_path)
    yield made
    made.client.close()


def held(house: House) -> str:
    """A consultation that amira has from jane, with a note for her."""
    house.on_duty("jane", "amira")
    ref = house.asks("officer1", "She says he pressed on her neck.")
    acts(house, ref, lambda case: search.accept(case, house.id("jane")))
    acts(house, ref, lambda case: offer_transfer(case, house.id("jane"), house.id("amira"), "AMONG IDVAS"))
    acts(house, ref, lambda case: accept_transfer(case, house.id("amira")))
    return ref


def acts(house: House, ref: str, act: Callable[[Case], Any]) -> None:
    house.do(lambda work: act(Case.load(work, house.row(ref).id)))


def breaks(house: House, ref: str, by: str = "sam", role: Role = Role.SUPERVISOR, why: str = WHY) -> None:
    house.do(lambda work: glass.break_glass(work, house.id(by), role, ref, why))


def sees(house: House, ref: str, by: str = "sam", role: Role = Role.SUPERVISOR) -> str:
    into = house.do(lambda work: glass.look(work, house.id(by), role, ref))
    return "\n".join(one.words for one in into.thread.messages)


def waiting(house: House, by: str, role: Role) -> list[str]:
    return [one.id for one in house.do(lambda work: glass.to_review(work, house.id(by), role))]


def test_it_opens_for_half_an_hour_and_not_a_minute_longer(house: House) -> None:
    ref = held(house)
    with pytest.raises(NotYours):
        sees(house, ref)
    breaks(house, ref)
    house.clock.forward(minutes=29)
    assert "pressed on her neck" in sees(house, ref)
    house.clock.forward(minutes=1)
    with pytest.raises(NotYours):
        sees(house, ref)


def test_it_opens_one_consultation_for_one_person(house: House) -> None:
    ref, other = held(house), house.asks("officer2", "Another.")
    breaks(house, ref)
    for by, role, what in (
        ("sam", Role.SUPERVISOR, other),
        ("dana", Role.SERGEANT, ref),
        ("ruth", Role.IDVA_LEAD, ref),
    ):
        with pytest.raises(NotYours):
            sees(house, what, by, role)


def test_the_trail_has_it_before_it_opens_and_each_reading(house: House) -> None:
    ref = held(house)
    breaks(house, ref)
    sees(house, ref)
    broken, read = leaves_of(house)[-2:]
    assert (broken["event"], broken["actor"]) == ("glass.broken", house.id("sam"))
    assert (read["event"], read["facts"]["purpose"]) == ("words.read", "emergency access")


def test_police_do_not_see_what_idvas_note_for_each_other(house: House) -> None:
    ref = held(house)
    breaks(house, ref)
    breaks(house, ref, "ruth", Role.IDVA_LEAD)
    assert "AMONG IDVAS" not in sees(house, ref)
    assert "AMONG IDVAS" in sees(house, ref, "ruth", Role.IDVA_LEAD)


@pytest.mark.parametrize(
    ("by", "role", "told", "reviewer"),
    [
        ("sam", Role.SUPERVISOR, "ruth", Role.IDVA_LEAD),
        ("dana", Role.SERGEANT, "ruth", Role.IDVA_LEAD),
        ("ruth", Role.IDVA_LEAD, "sam", Role.SUPERVISOR),
    ],
)
def test_the_other_organisation_is_told_at_once_and_reviews(
    house: House, by: str, role: Role, told: str, reviewer: Role
) -> None:
    ref = held(house)
    house.bell.people.clear()
    breaks(house, ref, by, role)
    assert any(house.id(told) in ring for ring in house.bell.people)
    [one] = waiting(house, told, reviewer)
    with pytest.raises(GlassNotReviewed):
        breaks(house, ref, by, role)
    house.do(lambda work: glass.review(work, house.id(told), reviewer, one, "He was there.", justified=True))
    assert waiting(house, told, reviewer) == []
    with pytest.raises(NotYours):
        house.do(lambda work: glass.review(work, house.id(told), reviewer, one, "", justified=False))
    house.clock.forward(minutes=31)
    breaks(house, ref, by, role)


def test_nobody_reviews_their_own_organisation(house: House) -> None:
    ref = held(house)
    breaks(house, ref)
    [one] = waiting(house, "ruth", Role.IDVA_LEAD)
    assert waiting(house, "sam", Role.SUPERVISOR) == []
    with pytest.raises(NotYours):
        house.do(lambda work: glass.review(work, house.id("sam"), Role.SUPERVISOR, one, "", justified=True))


def test_after_72_hours_a_review_is_overdue(house: House) -> None:
    ref = held(house)
    breaks(house, ref)
    overdue = []
    for minutes in (72 * 60, 1):
        house.clock.forward(minutes=minutes)
        overdue += [one.overdue for one in house.do(lambda work: glass.to_review(work, house.id("ruth"), LEADS))]
    assert overdue == [False, True]


@pytest.mark.parametrize(
    ("by", "role", "why", "error"),
    [
        ("sam", Role.SUPERVISOR, "   urgent   ", NoReason),
        ("officer2", Role.OFFICER, WHY, RoleMissing),
        ("jane", Role.IDVA, WHY, RoleMissing),
    ],
)
def test_without_a_reason_or_the_role_it_stays_closed(
    house: House, by: str, role: Role, why: str, error: type[LineError]
) -> None:
    ref = held(house)
    with pytest.raises(error):
        breaks(house, ref, by, role, why)


def test_where_nobody_could_be_told_it_stays_closed(house: House) -> None:
    ref = held(house)
    house.do(lambda work: suspend(work, house.id("ruth"), "line"))
    with pytest.raises(NobodyToTell):
        breaks(house, ref)


def test_a_restricted_consultation_has_no_glass_and_restricting_closes_it(house: House) -> None:
    ref = held(house)
    breaks(house, ref)
    acts(house, ref, lambda case: restrict.restrict(case, house.id("officer1"), restrict.Suspect.POLICE))
    with pytest.raises(NotYours):
        sees(house, ref)
    with pytest.raises(NotYours):
        breaks(house, ref, "dana", Role.SERGEANT)


def test_on_the_pages_from_the_reason_to_the_review(pages: Pages) -> None:
    ref = held(pages.house)
    pages.sign_in("sam", Role.SUPERVISOR)
    went = pages.client.post("/glass/supervisor", data={"ref": ref.lower(), "reason": WHY})
    assert went.headers["location"] == f"/glass/supervisor/{ref}"
    page = pages.client.get(f"/glass/supervisor/{ref}").text
    assert "pressed on her neck" in page
    assert "AMONG IDVAS" not in page
    assert "Emergency access until" in page
    assert WHY not in pages.client.get("/glass/supervisor").text
    pages.sign_in("ruth", Role.IDVA_LEAD)
    assert "Emergency access to review: 1" in pages.client.get("/board/idva_lead").text
    assert WHY in pages.client.get("/glass/idva_lead").text
    [one] = waiting(pages.house, "ruth", Role.IDVA_LEAD)
    answer = pages.client.post(f"/glass/idva_lead/{one}/review", data={"justified": "true", "finding": "It was."})
    assert answer.status_code == 303
    assert "Emergency access to review" not in pages.client.get("/board/idva_lead").text
    assert WHY not in pages.client.get("/glass/idva_lead").text
