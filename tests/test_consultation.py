"""The main job: from the question to the read-back, on both databases."""

from __future__ import annotations

from conversations import search, view
from conversations.advise import Advice, advise, understood
from conversations.case import Case
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
        lambda work: advise(Case.load(work, house.row(ref).id), house.id("jane"), Advice("Ambulance now", "DS now"))
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
