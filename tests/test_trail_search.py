"""The trail's room: leaves by person, consultation, log number, kind and time; each search in the trail itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from access.people import NewPerson
from access.tables import Role
from audit.finding import LeafPerson, index_at
from conversations import restrict, search
from conversations.case import Case
from conversations.consult import set_incident
from conversations.errors import NobodyKnown, NotYours, RoleMissing
from conversations.trail_search import PAGE, Asked, Found
from conversations.trail_search import search as look
from lanyard import schema
from tests.erasing import ended, erases, leaves_of
from tests.house import TEAM, House
from tests.test_console import Pages

AUDITOR = NewPerson("A-800", "Ada Example", "Example Constabulary", frozenset({Role.AUDITOR}))


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house(team=TEAM | {"ada": AUDITOR})


@pytest.fixture
def pages(house: House, tmp_path: Path) -> Iterator[Pages]:
    made = Pages(house, tmp_path)
    yield made
    made.client.close()


def finds(house: House, by: str = "ada", **asked: object) -> list[Found]:
    return house.do(lambda work: look(work, house.id(by), Asked(**asked)))  # type: ignore[arg-type]


def held(house: House, log: str = "0123") -> str:
    house.on_duty("jane")
    ref = house.asks("officer1", "SECRET WORDS")

    def act(case: Case) -> None:
        search.accept(case, house.id("jane"))
        set_incident(case, log)

    house.do(lambda work: act(Case.load(work, house.row(ref).id)))
    return ref


def numbers(house: House, wanted: Callable[[dict[str, object]], bool]) -> list[int]:
    return [one["index"] for one in reversed(leaves_of(house)) if wanted(one)]


def test_by_person_it_finds_all_they_did_and_all_that_names_them(house: House) -> None:
    held(house)
    jane = house.id("jane")
    expected = numbers(house, lambda leaf: jane in (leaf["actor"], *dict(leaf["facts"]).values()))  # type: ignore[call-overload]
    assert [one.leaf.index for one in finds(house, staff_id=" n-100".upper())] == expected
    assert len(expected) >= 4


def test_by_consultation_and_by_log_number_it_finds_the_same(house: House) -> None:
    ref, other = held(house), house.asks("officer2", "Another.")
    of_it = numbers(house, lambda leaf: leaf["consultation"] == house.row(ref).id)
    assert [one.leaf.index for one in finds(house, ref=ref.lower())] == of_it
    again = finds(house, log="0123")
    assert [one.leaf.index for one in again if "trail.searched" not in one.leaf.what] == of_it
    assert {one.ref for one in again} == {ref}
    assert finds(house, log="9999") == []
    assert other not in {one.ref for one in again}


def test_by_kind_category_and_time(house: House) -> None:
    held(house)
    moved = finds(house, kind="consultation.moved")
    assert {one.leaf.what.partition(":")[0] for one in moved} == {"consultation.moved"}
    assert {one.category for one in finds(house, kind="collection")} == {"collection"}
    noon = house.clock()
    house.clock.forward(hours=1)
    house.asks("officer2", "Later.")
    assert all(one.leaf.at > noon for one in finds(house, since=noon + timedelta(minutes=1), kind="message.received"))
    assert all(one.leaf.at <= noon for one in finds(house, until=noon + timedelta(minutes=1)))


def test_a_time_is_found_by_halving_as_by_looking_at_each(house: House) -> None:
    for _ in range(9):
        house.asks("officer1", "x")
        house.clock.forward(seconds=7)
    times = [leaf["t_ms"] for leaf in leaves_of(house)]
    with house.line.database.reading() as session:
        for moment in {*times, times[0] - 1, times[-1] + 1}:
            at = house.clock() + (timedelta(milliseconds=moment) - timedelta(seconds=house.clock().timestamp()))
            assert index_at(session, at, len(times)) == sum(one < int(at.timestamp() * 1000) for one in times)


def test_each_search_is_in_the_trail_before_its_results_show(house: House) -> None:
    ref = held(house)
    finds(house, staff_id="N-100", ref=ref)
    leaf = leaves_of(house)[-1]
    assert (leaf["event"], leaf["actor"], leaf["category"]) == ("trail.searched", house.id("ada"), "consultation")
    assert (leaf["consultation"], leaf["facts"]["person"]) == (house.row(ref).id, house.id("jane"))


def test_no_words_and_no_log_number_are_shown_or_recorded(house: House) -> None:
    ref = held(house, "LOG-77")
    shown = "".join(one.leaf.what for one in finds(house, ref=ref))
    assert "SECRET" not in shown
    finds(house, log="LOG-77")
    assert "LOG-77" not in json.dumps(leaves_of(house))


def test_pages_follow_each_other_without_gap_or_double(house: House) -> None:
    for at in range(40):
        house.asks("officer1", f"{at}")
    seen, before = [], None
    while page := finds(house, kind="collection", before=before):
        seen += [one.leaf.index for one in page]
        before = page[-1].leaf.index
        assert len(page) <= PAGE
    assert seen == numbers(house, lambda leaf: leaf["category"] == "collection")


def test_a_restricted_consultation_is_found_by_no_one_shut_out(house: House) -> None:
    ref = held(house)
    house.do(
        lambda work: restrict.restrict(
            Case.load(work, house.row(ref).id), house.id("officer1"), restrict.Suspect.POLICE
        )
    )
    with pytest.raises(NotYours):
        finds(house, ref=ref)
    assert finds(house, log="0123") == []
    about = [one for one in finds(house, staff_id="N-100") if one.ref]
    assert {one.ref for one in about} == {"restricted"}
    assert not any(":" in one.leaf.what for one in about)


def test_what_was_erased_is_still_found_in_the_trail(house: House) -> None:
    ref = ended(house)
    house.clock.forward(days=4)
    erases(house, ref)
    assert {one.ref for one in finds(house, ref=ref)} == {f"{ref} (erased)"}


@pytest.mark.parametrize("by", ["officer1", "jane"])
def test_nobody_else_searches(house: House, by: str) -> None:
    with pytest.raises(RoleMissing):
        finds(house, by)


def test_somebody_unknown_is_said_to_be_so(house: House) -> None:
    with pytest.raises(NobodyKnown):
        finds(house, staff_id="N-999")


def index_of(house: House) -> set[tuple[str, int]]:
    with house.line.database.reading() as session:
        return {(one, at) for one, at in session.execute(select(LeafPerson.person_id, LeafPerson.index))}


def test_the_index_names_exactly_whom_leaves_name(house: House) -> None:
    held(house)
    named = {(one, leaf["index"]) for leaf in leaves_of(house) for one in (leaf["actor"], *leaf["facts"].values())}
    assert index_of(house) == {(one, at) for one, at in named if isinstance(one, str) and len(one) == 32}


def test_a_trail_from_before_the_index_is_indexed_by_the_migration(house: House) -> None:
    held(house)
    before = index_of(house)
    schema.downgrade(house.line.database, "0009")
    schema.upgrade(house.line.database)
    assert index_of(house) == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"before": "-1"},
        {"before": "\u0661\u0662"},
        {"before": "NaN"},
        {"before": "1" * 16},
        {"since": "yesterday"},
        {"until": "2026-13-01T00:00"},
        {"kind": "x' OR 1=1 --"},
    ],
)
def test_what_cannot_be_asked_is_refused(pages: Pages, wrong: dict[str, str]) -> None:
    pages.sign_in("ada", Role.AUDITOR)
    assert pages.client.post("/trail/auditor", data=wrong).status_code == 422


@pytest.mark.parametrize("typed", ["%", "_", "' OR '1'='1", "*", "\\"])
def test_wildcards_and_quotes_mean_nothing(pages: Pages, typed: str) -> None:
    held(pages.house)
    pages.sign_in("ada", Role.AUDITOR)
    for field in ("staff_id", "ref", "log"):
        answer = pages.client.post("/trail/auditor", data={field: typed})
        assert answer.status_code in (404, 409) or "Nothing fits" in answer.text


def test_on_the_page_a_search_travels_in_no_address(pages: Pages) -> None:
    ref = held(pages.house)
    pages.sign_in("ada", Role.AUDITOR)
    assert 'method="post"' in pages.client.get("/trail/auditor").text
    page = pages.client.post("/trail/auditor", data={"ref": ref}).text
    assert ref in page
    assert "message.received" in page
    assert "SECRET" not in page
