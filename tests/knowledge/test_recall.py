"""Recalls: the correction reaches whoever was shown it, at every door, and who has not acknowledged it is listed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from access.enrolment import bind_telegram
from conversations import erasure, recalls, search
from conversations.advise import Advice, AdviceStatus, advise, understood
from conversations.case import Case
from conversations.errors import NoAdvice, NotYours, RoleMissing, TooFresh
from conversations.line import Doors
from conversations.recalls import Wrong
from conversations.rota import suspend
from conversations.tables import Outbox, Purpose, Tap
from conversations.taps import press
from conversations.work import Work
from knowledge import library, recall
from knowledge.shown import How, note_shown, shown_to
from knowledge.tables import RecallPerson, Shown
from tests.house import NINE_PM, House
from tests.knowledge.shelf import WITH_CURATORS, entry

HOUR = timedelta(hours=1)
WHAT = "The line closed in May."


@pytest.fixture
def shelf(make_house: Callable[..., House]) -> House:
    return stocked(make_house(team=WITH_CURATORS))


def stocked(house: House) -> House:
    house.do(lambda work: library.seed(work.session, (entry(), entry("example-clinic")), work.now))
    return house


def show(house: House, officer: str, entry_id: str = "example-helpline", after: timedelta = timedelta()) -> str:
    """An officer is shown an entry; gives the consultation's reference."""
    ref = house.asks(officer)
    row = house.row(ref)

    def act(work: Work) -> None:
        one = next(one for one in library.live(work.session) if one.entry.id == entry_id)
        note_shown(work.session, row.officer_id, row.id, one, How.SUGGESTED, NINE_PM + after)

    house.do(act)
    return ref


def recalled(
    house: House, since: datetime = NINE_PM, until: datetime = NINE_PM + HOUR, *, withdraw: bool = False
) -> str:
    wrong = Wrong("example-helpline", since, until, WHAT, withdraw)
    return house.do(lambda work: recalls.recall_entry(work, house.id("cleo"), wrong))


def missing(house: House, recall_id: str) -> set[str | None]:
    found = house.do(lambda work: recall.recalls(work.session, recall_id))
    return {house.name(one.person_id) for one in found[0].missing}


def at_telegram(house: House) -> list[str]:
    """What Telegram was given outside threads."""
    with house.work() as work:
        found = work.session.scalars(select(Outbox).where(Outbox.purpose == Purpose.NOTE.value).order_by(Outbox.seq))
        bodies = [(one, one.body) for one in found]
        return [
            json.loads(work.open_words("outbox", "body", one.id, one.scope, body))["text"]
            for one, body in bodies
            if body is not None
        ]


def with_telegram(house: House, *, relay: bool) -> House:
    house.line = replace(house.line, doors=Doors(telegram=True, relay=relay))
    house.do(lambda work: bind_telegram(work.session, house.line.keyring, house.id("officer1"), "1001", work.now))
    return house


def test_only_who_was_shown_that_entry_in_that_period_is_told(shelf: House) -> None:
    show(shelf, "officer1", after=HOUR)
    show(shelf, "officer2", after=HOUR + timedelta(seconds=1))
    show(shelf, "officer2", "example-clinic")
    assert missing(shelf, recalled(shelf)) == {"officer1"}
    assert missing(shelf, recalled(shelf, until=NINE_PM + 2 * HOUR)) == {"officer1", "officer2"}
    assert missing(shelf, recalled(shelf, since=NINE_PM + 2 * HOUR, until=NINE_PM + 3 * HOUR)) == set()


def test_somebody_shown_it_often_acknowledges_it_once(shelf: House) -> None:
    for _ in range(3):
        show(shelf, "officer1")
    recall_id = recalled(shelf)
    assert len(shelf.do(lambda work: recalls.owed(work, shelf.id("officer1")))) == 1
    for _ in range(2):
        shelf.do(lambda work: recalls.acknowledge(work, shelf.id("officer1"), recall_id))
    assert missing(shelf, recall_id) == set()
    assert shelf.do(lambda work: recalls.owed(work, shelf.id("officer1"))) == []


def test_nobody_acknowledges_for_somebody_else(shelf: House) -> None:
    show(shelf, "officer1")
    recall_id = recalled(shelf)
    with pytest.raises(NotYours):
        shelf.do(lambda work: recalls.acknowledge(work, shelf.id("officer2"), recall_id))
    with pytest.raises(NotYours):
        shelf.do(lambda work: recalls.acknowledge(work, shelf.id("officer1"), "f" * 32))
    assert missing(shelf, recall_id) == {"officer1"}


def test_at_telegram_in_relay_one_tap_acknowledges_it(shelf: House) -> None:
    with_telegram(shelf, relay=True)
    show(shelf, "officer1")
    recall_id = recalled(shelf)
    (text,) = at_telegram(shelf)
    assert WHAT in text
    assert "Example Helpline" in text
    with shelf.work() as work:
        tap = work.session.scalars(select(Tap).where(Tap.action == "acknowledge")).one()
        assert (tap.person_id, tap.argument) == (shelf.id("officer1"), recall_id)
    token = given_token(shelf)
    assert "Noted" in shelf.do(lambda work: press(work, shelf.id("officer1"), token)).answer
    assert missing(shelf, recall_id) == set()


def given_token(house: House) -> str:
    with house.work() as work:
        one = work.session.scalars(select(Outbox).where(Outbox.purpose == Purpose.NOTE.value)).one()
        assert one.body is not None
        body = json.loads(work.open_words("outbox", "body", one.id, one.scope, one.body))
    return str(body["buttons"][0][0]["token"])


def test_a_doorbell_says_only_that_something_waits(shelf: House) -> None:
    with_telegram(shelf, relay=False)
    show(shelf, "officer1")
    recalled(shelf)
    (text,) = at_telegram(shelf)
    assert "/chat" in text
    for kept in (WHAT, "Example Helpline"):
        assert kept not in text


def test_without_telegram_the_page_alone_shows_it_and_nothing_is_sent(shelf: House) -> None:
    with_telegram(shelf, relay=True)
    show(shelf, "officer2")
    recalled(shelf)
    assert at_telegram(shelf) == []
    assert [one.correction for one in shelf.do(lambda work: recalls.owed(work, shelf.id("officer2")))] == [WHAT]


def test_telling_again_tells_only_who_has_not_acknowledged_it(shelf: House) -> None:
    with_telegram(shelf, relay=True)
    show(shelf, "officer1")
    show(shelf, "officer2")
    recall_id = recalled(shelf)
    assert shelf.do(lambda work: recalls.send_again(work, shelf.id("cleo"), recall_id)) == 2
    shelf.do(lambda work: recalls.acknowledge(work, shelf.id("officer1"), recall_id))
    assert shelf.do(lambda work: recalls.send_again(work, shelf.id("cleo"), recall_id)) == 1
    assert len(at_telegram(shelf)) == 2


def test_whoever_left_stays_on_the_list(shelf: House) -> None:
    show(shelf, "officer1")
    shelf.do(lambda work: suspend(work, shelf.id("officer1"), "line"))
    assert missing(shelf, recalled(shelf)) == {"officer1"}


def test_a_recall_takes_the_entry_out_in_the_same_transaction(shelf: House) -> None:
    recalled(shelf, withdraw=True)
    assert [one.entry.id for one in shelf.do(lambda work: library.live(work.session))] == ["example-clinic"]
    with pytest.raises(library.NotLive):
        recalled(shelf, withdraw=True)
    assert len(shelf.do(lambda work: recall.recalls(work.session))) == 1


@pytest.mark.parametrize("who", ["officer1", "jane", "sam"])
def test_only_a_curator_recalls_an_entry(shelf: House, who: str) -> None:
    wrong = Wrong("example-helpline", NINE_PM, NINE_PM + HOUR, WHAT, withdraw=False)
    with pytest.raises(RoleMissing):
        shelf.do(lambda work: recalls.recall_entry(work, shelf.id(who), wrong))


def advised(house: House, *, read_back: bool = True) -> str:
    house.on_duty("jane")
    ref = house.asks()
    house.do(lambda work: search.accept(Case.load(work, house.row(ref).id), house.id("jane")))
    house.do(
        lambda work: advise(
            Case.load(work, house.row(ref).id), house.id("jane"), Advice(AdviceStatus.ADVICE, "Wrong.", "The DS.")
        )
    )
    if read_back:
        house.do(lambda work: understood(Case.load(work, house.row(ref).id)))
    return ref


def correct(house: House, ref: str, who: str) -> str:
    return house.do(
        lambda work: recalls.recall_advice(Case.load(work, house.row(ref).id), house.id(who), "Right instead.")
    )


def test_a_correction_of_advice_reaches_its_officer_after_the_consultation_has_ended(shelf: House) -> None:
    ref = advised(shelf)
    state = shelf.state(ref)
    recall_id = correct(shelf, ref, "jane")
    assert shelf.state(ref) == state
    assert missing(shelf, recall_id) == {"officer1"}
    (owed,) = shelf.do(lambda work: recalls.owed(work, shelf.id("officer1")))
    assert (owed.ref, owed.correction) == (ref, "")


def test_only_the_idva_who_gave_advice_corrects_it_and_a_colleague_once_that_one_has_left(shelf: House) -> None:
    ref = advised(shelf)
    for who in ("amira", "officer1", "sam", "cleo"):
        with pytest.raises(NotYours):
            correct(shelf, ref, who)
    shelf.do(lambda work: suspend(work, shelf.id("jane"), "line"))
    correct(shelf, ref, "amira")


def test_there_is_nothing_to_correct_where_no_advice_was_given(shelf: House) -> None:
    shelf.on_duty("jane")
    ref = shelf.asks()
    with pytest.raises(NoAdvice):
        correct(shelf, ref, "jane")


def test_erasing_a_consultation_takes_what_was_shown_in_it_and_the_recall_of_its_advice(shelf: House) -> None:
    ref = advised(shelf)
    row = shelf.row(ref)
    show_in = shelf.do(lambda work: library.live(work.session))[0]
    shelf.do(lambda work: note_shown(work.session, row.officer_id, row.id, show_in, How.SENT, work.now))
    correct(shelf, ref, "jane")
    shelf.clock.forward(days=3)
    rule = erasure.Rule.REQUEST
    shelf.do(lambda work: erasure.erase(work, row.id, shelf.id("sam"), rule))
    with shelf.work() as work:
        assert work.session.scalars(select(Shown)).all() == []
        assert work.session.scalars(select(RecallPerson)).all() == []
        assert recall.recalls(work.session) == []
        assert shown_to(work.session, show_in.entry.id, NINE_PM, work.now) == []


def test_a_consultation_is_not_erased_while_a_correction_is_on_its_way(shelf: House) -> None:
    ref = advised(shelf)
    shelf.clock.forward(days=3)
    correct(shelf, ref, "jane")
    with pytest.raises(TooFresh):
        shelf.do(lambda work: erasure.erase(work, shelf.row(ref).id, shelf.id("sam"), erasure.Rule.REQUEST))
