"""Red flags in a consultation: at once, on the record, never silently dropped."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from audit.trail import read_leaves
from conversations import search, store, view
from conversations.case import Case
from conversations.consult import edit
from conversations.signs import flags_of
from conversations.states import State
from conversations.tables import FlagState
from conversations.taps import press
from conversations.view import MessageShown
from conversations.work import Work
from knowledge.flags import Finding, Flag, Tier
from knowledge.guide import Seen
from tests.house import House, Scripted

WHY = "rule neck: hands round her neck"


def raised(flag: Flag) -> Seen:
    return Seen((Finding(flag, Tier.RAISED, WHY),))


def asked(*flags: Flag) -> Seen:
    return Seen(tuple(Finding(flag, Tier.ASK, "near to: a hand on the neck") for flag in flags))


SCRIPT = {
    "neck": raised(Flag.STRANGULATION),
    "gun": raised(Flag.WEAPON),
    "hoarse": asked(Flag.STRANGULATION),
    "odd": asked(Flag.STRANGULATION, Flag.WEAPON, Flag.STALKING),
}


@pytest.fixture
def line(house: House) -> House:
    house.line = replace(house.line, guide=Scripted(SCRIPT))
    house.lead_on_duty()
    return house


def said(house: House, ref: str, who: str = "officer1") -> list[MessageShown]:
    return list(house.do(lambda work: view.thread(work, ref, house.id(who))).messages)


def tap(house: House, ref: str, label: str, who: str = "officer1") -> str:
    tokens = [
        button.token
        for message in said(house, ref, who)
        for row in message.buttons
        for button in row
        if button.label == label
    ]
    assert tokens, f"no button {label!r}"
    return house.do(lambda work: press(work, house.id(who), tokens[0])).answer


def standing(house: House, ref: str) -> dict[str, str]:
    with house.line.database.reading() as session:
        return {slug: row.state for slug, row in flags_of(session, house.row(ref).id).items()}


def leaves(house: House, event: str) -> list[dict[str, object]]:
    with house.line.database.reading() as session:
        return [leaf["facts"] for leaf in map(json.loads, read_leaves(session)) if leaf["event"] == event]


def accept(house: House, ref: str, who: str = "jane") -> None:
    house.do(lambda work: search.accept(Case.load(work, house.row(ref).id), house.id(who)))


def test_a_raised_flag_shows_its_block_with_the_first_answer_and_makes_it_urgent(line: House) -> None:
    line.on_duty("jane")
    ref = line.asks("officer1", "hands round her neck")
    texts = [message.words for message in said(line, ref) if message.side == "line"]
    assert "Received safely" in texts[0]
    assert "RED FLAG: Title of strangulation\nBlock of strangulation" in texts[1]
    assert line.row(ref).urgent
    with line.line.database.reading() as session:
        (offer,) = store.open_offers(session, line.row(ref).id)
    assert (offer.due_at - offer.offered_at) == line.line.policy.answer_urgent


def test_the_idva_who_is_asked_sees_the_flag_and_the_duty_lead_is_called(line: House) -> None:
    line.on_duty("jane")
    line.bell.people.clear()
    line.asks("officer1", "hands round her neck")
    assert any(line.id("sam") in rung for rung in line.bell.people)
    (offer,) = line.do(lambda work: view.offers(work, line.id("jane")))
    assert offer.flags == ("Title of strangulation",)


def test_a_flag_raised_while_talking_is_said_to_the_idva_in_the_thread(line: House) -> None:
    line.on_duty("jane")
    ref = line.asks("officer1", "a question")
    accept(line, ref)
    line.says("officer1", "and he has a gun", ref)
    assert any("RED FLAG: Title of weapon" in message.words for message in said(line, ref, "jane"))
    assert line.row(ref).urgent


def test_not_so_is_recorded_and_never_drops_the_flag(line: House) -> None:
    line.on_duty("jane")
    ref = line.asks("officer1", "hands round her neck")
    accept(line, ref)
    assert tap(line, ref, "Not so") == "Done."
    assert standing(line, ref) == {"strangulation": FlagState.NOT_SO.value}
    assert line.row(ref).urgent, "an officer in a hurry does not make it less urgent"
    assert leaves(line, "flag.answered") == [{"flag": "strangulation", "answer": "not so"}]
    assert any("not so: Title of strangulation" in message.words for message in said(line, ref, "jane"))
    beside = line.do(lambda work: view.thread(work, ref, line.id("jane"))).signs.flags
    assert [(flag.title, flag.stands, flag.standing) for flag in beside] == [
        ("Title of strangulation", False, "officer says not so")
    ]


def test_after_not_so_another_message_raises_it_again_but_a_change_of_the_same_does_not(line: House) -> None:
    ref = line.asks("officer1", "hands round her neck")
    tap(line, ref, "Not so")
    question = next(message for message in said(line, ref) if message.side == "officer")

    def change(work: Work) -> None:
        case = Case.load(work, line.row(ref).id)
        edit(case, store.messages_of(work.session, case.row.id)[question.number - 1], line.id("officer1"), "her neck")

    line.do(change)
    assert standing(line, ref) == {"strangulation": FlagState.NOT_SO.value}
    line.says("officer1", "she now says both hands on her neck", ref)
    assert standing(line, ref) == {"strangulation": FlagState.RAISED.value}


def test_a_flag_is_raised_once_however_often_it_is_said(line: House) -> None:
    ref = line.asks("officer1", "hands round her neck")
    line.says("officer1", "neck again", ref)
    blocks = [message for message in said(line, ref) if message.kind == "flag"]
    assert len(blocks) == 1
    assert len(leaves(line, "flag.raised")) == 1


def test_a_check_question_is_asked_and_never_shows_a_block_by_itself(line: House) -> None:
    ref = line.asks("officer1", "she sounds hoarse")
    flags = [message for message in said(line, ref) if message.kind == "flag"]
    assert [flag.words for flag in flags] == [f"{ref}, one check: Question of strangulation?"]
    assert [button.label for row in flags[0].buttons for button in row] == ["Yes", "No", "Not known"]
    assert not line.row(ref).urgent


def test_yes_raises_it_and_no_is_recorded(line: House) -> None:
    ref = line.asks("officer1", "she sounds hoarse")
    tap(line, ref, "Yes")
    assert standing(line, ref) == {"strangulation": FlagState.RAISED.value}
    assert line.row(ref).urgent
    assert any("Block of strangulation" in message.words for message in said(line, ref))
    other = line.asks("officer2", "she sounds hoarse")
    tap(line, other, "No", "officer2")
    assert standing(line, other) == {"strangulation": FlagState.NO.value}
    assert not line.row(other).urgent
    assert [facts["answer"] for facts in leaves(line, "flag.answered")] == ["yes", "no"]


def test_at_most_two_questions_are_asked_on_one_message_and_none_twice(line: House) -> None:
    ref = line.asks("officer1", "something odd")
    assert sorted(standing(line, ref)) == ["strangulation", "weapon"]
    line.says("officer1", "odd and hoarse", ref)
    questions = [message.words for message in said(line, ref) if message.kind == "flag"]
    assert len(questions) == len(set(questions)) == 3, "the third was asked on the second message, none again"


def test_a_rule_raises_what_was_only_asked_about(line: House) -> None:
    ref = line.asks("officer1", "she sounds hoarse")
    tap(line, ref, "No")
    line.says("officer1", "now she says he had his hands on her neck", ref)
    assert standing(line, ref) == {"strangulation": FlagState.RAISED.value}


def test_nobody_answers_the_flags_of_somebody_elses_consultation(line: House) -> None:
    ref = line.asks("officer1", "hands round her neck")
    token = next(
        button.token
        for message in said(line, ref)
        for row in message.buttons
        for button in row
        if button.label == "Not so"
    )
    line.do(lambda work: press(work, line.id("officer2"), token))
    assert standing(line, ref) == {"strangulation": FlagState.RAISED.value}


def test_the_trail_names_the_flag_and_never_the_words(line: House) -> None:
    line.asks("officer1", "hands round her neck")
    assert leaves(line, "flag.raised") == [{"flag": "strangulation", "message": 1}]
    with line.line.database.reading() as session:
        assert b"round her neck" not in b"".join(read_leaves(session))


def test_a_late_question_calls_nobody_for_its_flag_before_the_officer_says_that_it_stands(line: House) -> None:
    line.on_duty("jane")
    line.bell.people.clear()
    written = line.clock()
    line.clock.forward(hours=3)
    ref = line.says("officer1", "hands round her neck", written_at=written).ref or ""
    assert line.state(ref) == State.STALE.value
    assert any(message.kind == "flag" for message in said(line, ref)), "what must happen is shown all the same"
    assert not any(line.id("sam") in rung for rung in line.bell.people)
    tap(line, ref, "Still needed")
    assert any(line.id("sam") in rung for rung in line.bell.people)
