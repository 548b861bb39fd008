"""Private notes: for the IDVAs who have or had a consultation and for their lead; for no police role, anywhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from access.people import NewPerson
from access.tables import Role
from audit.events import Event
from conversations import search, view
from conversations.case import Case
from conversations.disclose import Intent, intend, told, words_of
from conversations.errors import EmptyNote, NotYours
from conversations.private_notes import add_note, notes
from conversations.transfer import accept_transfer, offer_transfer
from tests.erasing import leaves_of
from tests.house import TEAM, House

NOTED = "PRIVATE: she asked me not to tell him where her sister lives"
TRUST, FORCE = "Example Hospitals NHS Trust", "Example Constabulary"


def person(number: str, *roles: Role) -> NewPerson:
    return NewPerson(number, f"{number} Sample", FORCE if Role.SERGEANT in roles else TRUST, frozenset(roles))


MORE = {
    "lead": person("L-1", Role.IDVA_LEAD),
    "sergeant": person("L-2", Role.SERGEANT),
    "both": person("L-3", Role.IDVA_LEAD, Role.SUPERVISOR),
    "nadia": person("L-4", Role.IDVA),
}


@pytest.fixture
def noted(make_house: Callable[..., House]) -> tuple[House, str]:
    """A consultation that Jane had and noted on, and that Amira has now."""
    house = make_house(team=TEAM | MORE)
    house.on_duty("jane")
    ref = house.asks("officer1", "What now?")
    case = house.row(ref).id
    house.do(lambda work: search.accept(Case.load(work, case), house.id("jane")))
    house.do(lambda work: add_note(work, ref, house.id("jane"), NOTED))
    house.on_duty("amira")
    house.do(lambda work: offer_transfer(Case.load(work, case), house.id("jane"), house.id("amira"), ""))
    house.do(lambda work: accept_transfer(Case.load(work, case), house.id("amira")))
    return house, ref


@pytest.mark.parametrize("name", ["jane", "amira", "lead"])
def test_idvas_who_have_or_had_it_and_their_lead_read_notes_and_each_reading_is_recorded(
    noted: tuple[House, str], name: str
) -> None:
    house, ref = noted
    found = house.do(lambda work: notes(work, ref, house.id(name)))
    assert [one.words for one in found] == [NOTED]
    last = leaves_of(house)[-1]
    assert (last["event"], last["actor"]) == (Event.WORDS_READ.label, house.id(name))
    assert last["facts"] == {"notes": 1, "purpose": "private notes"}


@pytest.mark.parametrize("name", ["officer1", "officer2", "sam", "sergeant", "both", "nadia"])
def test_no_police_role_and_no_uninvolved_idva_reads_or_writes_notes(noted: tuple[House, str], name: str) -> None:
    house, ref = noted
    with pytest.raises(NotYours):
        house.do(lambda work: notes(work, ref, house.id(name)))
    with pytest.raises(NotYours):
        house.do(lambda work: add_note(work, ref, house.id(name), "Let me in"))


def test_no_thread_offer_list_or_disclosure_holds_a_private_note(noted: tuple[House, str]) -> None:
    house, ref = noted
    case = house.row(ref).id
    intent = Intent((case,), house.id("sam"), "CPS-1", "prosecution")
    house.do(lambda work: intend(work, intent))
    given = house.do(lambda work: words_of(work, intent))
    history = house.do(lambda work: told(work, case, given, 1_000))
    shown = [
        given,
        history.said,
        house.do(lambda work: view.thread(work, ref, house.id("officer1"))),
        house.do(lambda work: view.thread(work, ref, house.id("amira"))),
        house.do(lambda work: view.everything_live(work, house.id("sam"))),
        history,
    ]
    assert not [one for one in shown if "PRIVATE" in repr(one)]
    # That there is one is not hidden: whoever needs it asks the trust.
    assert [one for one in history.happened if Event.NOTE_WRITTEN.label in one.what]


def test_an_empty_note_is_not_kept(noted: tuple[House, str]) -> None:
    house, ref = noted
    with pytest.raises(EmptyNote):
        house.do(lambda work: add_note(work, ref, house.id("amira"), "  \n"))
