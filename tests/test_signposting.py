"""Entries in a consultation: at once to whoever waits, with one tap from the IDVA, each version in the trail."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from audit.trail import read_leaves
from conversations import search, view
from conversations.case import Case
from conversations.errors import EntryGone, NotYours
from conversations.send_entry import send_entry
from conversations.taps import press
from conversations.view import MessageShown
from knowledge.entry import Published
from knowledge.guide import Chosen, Seen, Unclear
from knowledge.reading import read_folder
from knowledge.shown import shown_to
from tests.house import House, Scripted

ENTRIES = {entry.id: Published(entry, 1) for entry in read_folder()}
PETS, NECK = ENTRIES["guidance-pets"], ENTRIES["guidance-strangulation"]
DOGS = ENTRIES["dogs-trust-freedom-north-west"]


def chosen(*entries: Published) -> Seen:
    return Seen(chosen=tuple(Chosen(one, 1.0, (f"because of {one.entry.id}",)) for one in entries))


SCRIPT = {
    "dog": chosen(PETS, DOGS),
    "neck": chosen(NECK),
    "RTB": Seen(unclear=(Unclear("RTB", ("return to base", "released to bail")),)),
    "VAAR": Seen(unclear=(Unclear("VAAR", ()),)),
}


@pytest.fixture
def line(house: House) -> House:
    house.line = replace(house.line, guide=Scripted(SCRIPT, list(ENTRIES.values())))
    return house


def said(house: House, ref: str, who: str = "officer1") -> list[MessageShown]:
    return list(house.do(lambda work: view.thread(work, ref, house.id(who))).messages)


def tap(house: House, ref: str, label: str, who: str = "officer1") -> str:
    tokens = [
        button.token for one in said(house, ref, who) for row in one.buttons for button in row if label in button.label
    ]
    return house.do(lambda work: press(work, house.id(who), tokens[0])).answer


def accept(house: House, ref: str) -> None:
    house.do(lambda work: search.accept(Case.load(work, house.row(ref).id), house.id("jane")))


def leaves(house: House) -> list[dict[str, object]]:
    with house.line.database.reading() as session:
        found = map(json.loads, read_leaves(session))
        return [leaf["facts"] for leaf in found if leaf["event"] == "entry.shown"]


def test_the_first_entry_is_shown_in_full_while_an_idva_is_found_and_the_others_with_a_tap(line: House) -> None:
    line.on_duty("jane")
    ref = line.asks("officer1", "wont leave the dog")
    (shown,) = [one for one in said(line, ref) if one.kind == "entry"]
    assert PETS.entry.body.split("\n")[0] in shown.words
    assert "Checked 23 Nov 2026" in shown.words
    assert DOGS.entry.body not in shown.words
    assert tap(line, ref, DOGS.entry.title) == "Done."
    card = [one for one in said(line, ref) if one.kind == "entry"][-1].words
    assert "Ring 0300 303 4139" in card
    assert "NOT CONFIRMED" in card
    assert "hours not known" in card


def test_the_trail_and_the_list_for_corrections_name_the_version_and_never_the_words(line: House) -> None:
    ref = line.asks("officer1", "wont leave the dog")
    assert leaves(line) == [{"entry": "guidance-pets", "version": 1, "how": "suggested", "topic": "pets"}]
    with line.line.database.reading() as session:
        since, until = (line.clock.time.replace(year=year) for year in (2020, 2030))
        people = shown_to(session, "guidance-pets", since, until)
        assert people == [line.id("officer1")]
    assert line.row(ref).ref == ref


def test_once_an_idva_has_it_the_entries_lie_beside_the_thread_only(line: House) -> None:
    line.on_duty("jane")
    ref = line.asks("officer1", "a question")
    accept(line, ref)
    line.says("officer1", "she wont leave the dog", ref)
    assert [one for one in said(line, ref) if one.kind == "entry"] == []
    beside = line.do(lambda work: view.thread(work, ref, line.id("jane"))).signs.suggestions
    assert [one.title for one in beside] == [PETS.entry.title, DOGS.entry.title]
    assert beside[0].why == "because of guidance-pets"


def test_the_idva_sends_an_entry_as_it_was_approved(line: House) -> None:
    line.on_duty("jane")
    ref = line.asks("officer1", "wont leave the dog")
    accept(line, ref)
    line.do(lambda work: send_entry(Case.load(work, line.row(ref).id), line.id("jane"), "guidance-pets.1"))
    sent = [one for one in said(line, ref) if one.side == "idva"]
    assert [one.kind for one in sent] == ["entry"]
    assert PETS.entry.body.split("\n")[0] in sent[0].words
    assert leaves(line)[-1]["how"] == "sent"
    beside = line.do(lambda work: view.thread(work, ref, line.id("jane"))).signs.suggestions
    assert [one.sent for one in beside] == [True, False]


def test_nobody_sends_into_what_is_not_theirs_nor_what_is_not_live(line: House) -> None:
    line.on_duty("jane", "amira")
    ref = line.asks("officer1", "wont leave the dog")
    accept(line, ref)
    case = line.row(ref).id
    with pytest.raises(NotYours):
        line.do(lambda work: send_entry(Case.load(work, case), line.id("amira"), "guidance-pets.1"))
    for gone in ("guidance-pets.2", "nothing.1", "guidance-pets", "guidance-pets.x", ""):
        with pytest.raises(EntryGone), line.work() as work:
            send_entry(Case.load(work, case), line.id("jane"), gone)


def test_nothing_is_put_forward_twice(line: House) -> None:
    ref = line.asks("officer1", "wont leave the dog")
    line.says("officer1", "the dog again", ref)
    assert len([one for one in said(line, ref) if one.kind == "entry"]) == 1


def test_a_short_form_with_two_meanings_is_asked_about_and_the_answer_is_a_line_of_the_officers(line: House) -> None:
    line.on_duty("jane")
    ref = line.asks("officer1", "RTB at six")
    assert any("RTB can mean several things" in one.words for one in said(line, ref))
    tap(line, ref, "released to bail")
    mine = [one.words for one in said(line, ref) if one.side == "officer"]
    assert mine == ["RTB at six", "By RTB I mean: released to bail"]
    other = line.asks("officer2", "do i need a VAAR")
    assert any("VAAR is not in our list" in one.words for one in said(line, other, "officer2"))


def test_an_idva_sees_no_entries_of_a_consultation_that_is_not_theirs(line: House) -> None:
    line.on_duty("jane", "amira")
    ref = line.asks("officer1", "wont leave the dog")
    accept(line, ref)
    with pytest.raises(NotYours):
        line.do(lambda work: view.thread(work, ref, line.id("amira")))
    assert line.do(lambda work: view.thread(work, ref, line.id("officer1"))).signs.suggestions == ()
