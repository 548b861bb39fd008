"""The main job: from the question to the read-back, on both databases."""

from __future__ import annotations

import json

import pytest

from audit.trail import leaf_of_message
from conversations import search, view
from conversations.advise import Advice, AdviceStatus, advise, read_advice, understood
from conversations.case import Case
from conversations.errors import NoAdviceStatus
from conversations.states import State
from tests.house import House


def test_a_question_reaches_the_idva_on_duty_and_the_advice_comes_back(house: House) -> None:
    house.on_duty("jane")
    ref = house.asks("officer1", "Hands round her neck, no marks. What now?")
    offers = house.do(lambda work: view.offers(work, house.id("jane")))
    assert [offer.first_words for offer in offers] == ["Hands round her neck, no marks. What now?"]

    house.do(lambda work: search.accept(Case.load(work, house.row(ref).id), house.id("jane")))
    house.says("jane", "Any change to her voice?", ref)
    house.says("officer1", "Yes, croaky", ref)
    house.do(
        lambda work: advise(
            Case.load(work, house.row(ref).id), house.id("jane"), Advice(AdviceStatus.ADVICE, "Ambulance now", "DS now")
        )
    )
    assert house.state(ref) == State.ADVICE_SENT.value

    thread = house.do(lambda work: view.thread(work, ref, house.id("officer1")))
    words = [message.words for message in thread.messages if message.side != "line"]
    assert words[:3] == [
        "Hands round her neck, no marks. What now?",
        "Any change to her voice?",
        "Yes, croaky",
    ]
    assert "Ambulance now" in words[3]

    house.do(lambda work: understood(Case.load(work, house.row(ref).id)))
    assert house.state(ref) == State.ADVISED.value


@pytest.mark.parametrize("status", AdviceStatus)
def test_each_advice_says_what_it_is_to_the_officer_and_in_its_leaf(house: House, status: AdviceStatus) -> None:
    house.on_duty("jane")
    ref = house.asks("officer1", "May we force the door?")
    case = house.row(ref).id
    house.do(lambda work: search.accept(Case.load(work, case), house.id("jane")))
    given = house.do(lambda work: advise(Case.load(work, case), house.id("jane"), Advice(status, "Ask", "DS")).number)
    thread = house.do(lambda work: view.thread(work, ref, house.id("officer1")))
    words = next(message.words for message in thread.messages if message.number == given)
    assert words.startswith(f"Status: {status.label}. {status.meaning}\n")
    with house.work() as work:
        _, leaf = leaf_of_message(work.session, case, given)
    assert json.loads(leaf)["facts"]["status"] == status.slug


def test_advice_that_does_not_say_what_it_is_is_not_given(house: House) -> None:
    house.on_duty("jane")
    ref = house.asks("officer1", "What now?")
    case = house.row(ref).id
    house.do(lambda work: search.accept(Case.load(work, case), house.id("jane")))
    for written in ("", "maybe", "advise"):
        advice = Advice(AdviceStatus.named(written), "Ambulance", "DS")
        with house.work() as work, pytest.raises(NoAdviceStatus):
            advise(Case.load(work, case), house.id("jane"), advice)
    assert house.state(ref) == State.TALKING.value


@pytest.mark.parametrize("status", AdviceStatus)
def test_a_status_can_be_typed_as_it_is_called(status: AdviceStatus) -> None:
    typed = f"/advise\nStatus: {status.label.capitalize()}\nDo now: Ask\nTell: DS"
    assert read_advice(typed) == Advice(status, "Ask", "DS")
