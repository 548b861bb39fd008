"""The live catalogue: two people for each version, one switch, nothing lost, nothing offered past its review."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from conversations.work import Work
from knowledge import library
from knowledge.entry import BadEntry, Entry, Phone, Published
from knowledge.library import (
    Faulty,
    HoldsWithdrawn,
    NoReason,
    NoSuchVersion,
    NothingToPublish,
    NotLive,
    NotWaiting,
    Overtaken,
    OwnProposal,
)
from knowledge.recall import recall_entry
from knowledge.shown import How, note_shown
from knowledge.tables import State
from lanyard import schema
from tests.house import NINE_PM, House
from tests.knowledge.shelf import TODAY, WITH_CURATORS, entry


@pytest.fixture
def shelf(make_house: Callable[..., House]) -> House:
    return make_house(team=WITH_CURATORS)


def propose(house: House, made: Entry, by: str = "jane") -> int:
    return house.do(lambda work: library.propose(work.session, made, house.id(by), work.now)).number


def approve(house: House, number: int, by: str = "cleo", entry_id: str = "example-helpline") -> None:
    house.do(lambda work: library.approve(work.session, entry_id, number, house.id(by), work.now))


def publish(house: House, by: str = "carl") -> int:
    return house.do(lambda work: library.publish(work.session, house.id(by), work.now)).number


def live(house: House) -> dict[str, tuple[int, str]]:
    found = house.do(lambda work: library.live(work.session))
    return {one.entry.id: (one.version, one.entry.body) for one in found}


def published(house: House, made: Entry) -> int:
    approve(house, number := propose(house, made), entry_id=made.id)
    publish(house)
    return number


def state(house: House, number: int, entry_id: str = "example-helpline") -> str:
    return house.do(lambda work: library.version(work.session, entry_id, number)).state


def test_what_is_proposed_or_approved_is_not_live_until_it_is_published(shelf: House) -> None:
    number = propose(shelf, entry())
    assert live(shelf) == {}
    approve(shelf, number)
    assert live(shelf) == {}
    publish(shelf)
    assert live(shelf) == {"example-helpline": (1, entry().body)}


def test_nobody_approves_what_they_proposed_themselves(shelf: House) -> None:
    number = propose(shelf, entry(), by="cleo")
    with pytest.raises(OwnProposal):
        approve(shelf, number, by="cleo")
    approve(shelf, number, by="carl")


def test_what_breaks_the_rules_is_not_approved(shelf: House) -> None:
    number = propose(shelf, entry(phones=(Phone("0900 111 1111"),)))
    with pytest.raises(Faulty):
        approve(shelf, number)
    assert state(shelf, number) == State.PROPOSED.value


def test_what_no_file_may_hold_is_not_even_proposed(shelf: House) -> None:
    with pytest.raises(BadEntry, match="source is missing"):
        propose(shelf, entry(sources=()))


def test_a_version_that_cannot_be_read_any_more_takes_no_other_with_it(
    shelf: House, caplog: pytest.LogCaptureFixture
) -> None:
    published(shelf, entry("example-clinic"))
    published(shelf, entry())

    def spoil(work: Work) -> None:
        library.version(work.session, "example-clinic", 1).text = "from another time"

    shelf.do(spoil)
    assert set(live(shelf)) == {"example-helpline"}
    assert "example-clinic" in caplog.text


def test_every_version_stays_and_the_live_one_is_the_newest_published(shelf: House) -> None:
    published(shelf, entry(body="First words."))
    published(shelf, entry(body="Second words."))
    assert live(shelf) == {"example-helpline": (2, "Second words.")}
    rows = shelf.do(lambda work: library.versions(work.session, "example-helpline"))
    assert [library.entry_of(row).body for row in rows] == ["Second words.", "First words."]


def test_two_changes_made_side_by_side_never_undo_each_other_unseen(shelf: House) -> None:
    published(shelf, entry())
    one = propose(shelf, entry(body="One change."))
    other = propose(shelf, entry(body="Another change."), by="amira")
    approve(shelf, one)
    with pytest.raises(Overtaken):
        approve(shelf, other)
    publish(shelf)
    with pytest.raises(Overtaken):
        approve(shelf, other)


def test_publishing_is_one_switch_for_everything_that_waits(shelf: House) -> None:
    published(shelf, entry())
    for name in ("example-refuge-line", "example-clinic"):
        approve(shelf, propose(shelf, entry(name)), entry_id=name)
    before = shelf.do(lambda work: library.live_number(work.session))
    waiting = shelf.do(lambda work: library.waiting(work.session))
    assert {change.row.entry_id: change.live for change in waiting} == {
        "example-refuge-line": None,
        "example-clinic": None,
    }
    assert publish(shelf) == shelf.do(lambda work: library.live_number(work.session)) != before
    assert set(live(shelf)) == {"example-helpline", "example-refuge-line", "example-clinic"}
    with pytest.raises(NothingToPublish):
        publish(shelf)


def test_an_earlier_release_is_live_again_with_one_switch_and_what_it_lacked_stays_away(shelf: House) -> None:
    published(shelf, entry(body="Right."))
    first = shelf.do(lambda work: library.live_number(work.session))
    published(shelf, entry(body="Wrong."))
    assert first is not None
    shelf.do(lambda work: library.switch(work.session, first, shelf.id("cleo"), work.now))
    assert live(shelf) == {"example-helpline": (1, "Right.")}
    published(shelf, entry("example-clinic"))
    assert live(shelf)["example-helpline"] == (1, "Right.")
    with pytest.raises(NoSuchVersion):
        shelf.do(lambda work: library.switch(work.session, 99, shelf.id("cleo"), work.now))


def test_one_curator_takes_an_entry_out_at_once_and_no_switch_brings_it_back(shelf: House) -> None:
    published(shelf, entry())
    first = shelf.do(lambda work: library.live_number(work.session))
    approve(shelf, on_top := propose(shelf, entry(body="The same wrong number.")))
    shelf.do(
        lambda work: library.withdraw(work.session, "example-helpline", shelf.id("cleo"), "wrong number", work.now)
    )
    assert live(shelf) == {}
    assert state(shelf, on_top) == State.REFUSED.value
    assert first is not None
    with pytest.raises(HoldsWithdrawn):
        shelf.do(lambda work: library.switch(work.session, first, shelf.id("cleo"), work.now))
    with pytest.raises(NotLive):
        shelf.do(lambda work: library.withdraw(work.session, "example-helpline", shelf.id("cleo"), "again", work.now))
    assert published(shelf, entry(body="The right number.")) == 3
    assert live(shelf) == {"example-helpline": (3, "The right number.")}


def test_a_refusal_needs_a_reason_and_ends_the_proposal(shelf: House) -> None:
    number = propose(shelf, entry())

    def refuse(reason: str) -> None:
        shelf.do(
            lambda work: library.refuse(work.session, "example-helpline", number, shelf.id("cleo"), reason, work.now)
        )

    for empty in ("", "  \n ", "x" * 401):
        with pytest.raises(NoReason):
            refuse(empty)
    refuse("  the number\nis another one ")
    row = shelf.do(lambda work: library.version(work.session, "example-helpline", number))
    assert (row.state, row.reason) == (State.REFUSED.value, "the number is another one")
    with pytest.raises(NotWaiting):
        approve(shelf, number)
    with pytest.raises(NotWaiting):
        refuse("again")


def test_only_who_proposed_it_takes_it_back(shelf: House) -> None:
    number = propose(shelf, entry())
    with pytest.raises(NoSuchVersion):
        shelf.do(lambda work: library.take_back(work.session, "example-helpline", number, shelf.id("amira"), work.now))
    shelf.do(lambda work: library.take_back(work.session, "example-helpline", number, shelf.id("jane"), work.now))
    assert state(shelf, number) == State.WITHDRAWN.value
    with pytest.raises(NotWaiting):
        approve(shelf, number)


def test_past_its_review_an_entry_is_offered_to_no_officer_and_warned_of_30_days_before(shelf: House) -> None:
    published(shelf, entry("last-day", review_by=TODAY))
    published(shelf, entry("over", review_by=TODAY - timedelta(days=1)))
    published(shelf, entry("soon", review_by=TODAY + timedelta(days=30)))
    published(shelf, entry("later", review_by=TODAY + timedelta(days=31)))

    def offered(today: date) -> set[str]:
        found = shelf.do(lambda work: library.live(work.session))
        return {one.entry.id for one in found if library.offerable(one, today)}

    assert offered(TODAY) == {"last-day", "soon", "later"}
    assert offered(TODAY + timedelta(days=1)) == {"soon", "later"}
    due = shelf.do(lambda work: library.due_for_review(work.session, TODAY))
    assert [one.entry.id for one in due] == ["over", "last-day", "soon"]


def test_the_shipped_catalogue_goes_live_once_and_never_over_an_installations_own(shelf: House) -> None:
    shipped = (entry(), entry("example-clinic"))
    assert shelf.do(lambda work: library.seed(work.session, (), work.now)) is None
    assert shelf.do(lambda work: library.seed(work.session, shipped, work.now)) is not None
    published(shelf, entry(body="Changed here."))
    assert shelf.do(lambda work: library.seed(work.session, shipped, work.now)) is None
    assert live(shelf) == {"example-helpline": (2, "Changed here."), "example-clinic": (1, entry().body)}


def test_a_publishing_that_fails_changes_nothing(shelf: House) -> None:
    published(shelf, entry(body="Right."))
    approve(shelf, propose(shelf, entry(body="Next.")))

    def dies(work: Work) -> None:
        library.publish(work.session, shelf.id("cleo"), work.now)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        shelf.do(dies)
    assert live(shelf) == {"example-helpline": (1, "Right.")}
    assert len(shelf.do(lambda work: library.waiting(work.session))) == 1


def test_the_schema_goes_down_and_up_again_with_a_catalogue_in_it(shelf: House) -> None:
    published(shelf, entry())
    row = shelf.row(shelf.asks())
    shelf.do(lambda work: note_shown(work.session, row.officer_id, row.id, one(work), How.SENT, work.now))
    period = (NINE_PM, NINE_PM + timedelta(hours=1))
    shelf.do(
        lambda work: recall_entry(
            work.session, work.new_id(), "example-helpline", period, "Wrong.", shelf.id("cleo"), work.now
        )
    )
    schema.downgrade(shelf.line.database, "0004")
    schema.upgrade(shelf.line.database)
    assert live(shelf) == {}


def one(work: Work) -> Published:
    return library.live(work.session)[0]
