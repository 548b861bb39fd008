"""The start of a shift: a test call, answered by a tap; till then others are asked first; a missed one is told once."""

from __future__ import annotations

import json
import re
from datetime import timedelta

from sqlalchemy import select

from access.enrolment import bind_telegram
from audit.trail import read_leaves
from bot.threads import Threads
from bot.watch import Watch
from conversations import board, search, start_check, store
from conversations.case import Case
from conversations.line import Doors
from conversations.messages import ChannelName, Incoming, Kind, Outgoing
from conversations.receive import receive
from conversations.rota import add_shift, go_on_duty
from conversations.tables import Outbox
from tests.house import House, new_house


def rostered(house: House, name: str, *, after: float = 60, duty: str = store.IDVA_DUTY) -> None:
    begins = house.clock() + timedelta(seconds=after)
    house.do(lambda work: add_shift(work, house.id(name), duty, begins, begins + timedelta(hours=8)))


def looked(house: House, **later: float) -> None:
    house.clock.forward(**later)
    Watch(house.line, Threads(1)).look()


def silent(house: House) -> set[str | None]:
    with house.line.database.reading() as session:
        people = store.on_duty(session, store.IDVA_DUTY, house.clock())
        return {house.name(one) for one in store.not_reached(session, people, house.clock())}


def told(house: House, event: str) -> int:
    with house.line.database.reading() as session:
        return sum(json.loads(leaf)["event"] == event for leaf in read_leaves(session))


def test_a_shift_of_the_rota_begins_with_a_test_call_and_one_of_a_tap_does_not() -> None:
    house = new_house()
    rostered(house, "jane")
    house.do(lambda work: go_on_duty(work, house.id("amira"), store.IDVA_DUTY, work.now + timedelta(hours=8)))
    looked(house, seconds=61)
    assert silent(house) == {"jane"}
    assert house.do(lambda work: start_check.answer(work, house.id("jane")))
    assert not house.do(lambda work: start_check.answer(work, house.id("jane")))
    assert silent(house) == set()
    assert (told(house, "duty.start_asked"), told(house, "duty.start_answered")) == (1, 1)


def test_whoever_has_not_answered_is_asked_after_the_others_and_never_left_out() -> None:
    house = new_house()
    for name in ("amira", "jane"):
        rostered(house, name)
    looked(house, seconds=61)
    house.do(lambda work: start_check.answer(work, house.id("jane")))
    rows = [house.row(house.asks(name)) for name in ("officer1", "officer2")]
    with house.line.database.reading() as session:
        offers = [[house.name(one.idva_id) for one in store.open_offers(session, row.id)] for row in rows]
    assert offers == [["jane"], ["jane"]], "amira was on the rota and had not answered"
    looked(house, seconds=91)
    with house.line.database.reading() as session:
        asked = {house.name(one.idva_id) for row in rows for one in store.offers_of(session, row)}
    assert asked == {"jane", "amira"}


def test_taking_a_question_answers_it() -> None:
    house = new_house()
    rostered(house, "jane")
    looked(house, seconds=61)
    ref = house.asks()
    house.do(lambda work: search.accept(Case.load(work, house.row(ref).id), house.id("jane")))
    assert silent(house) == set()


def test_a_missed_start_is_told_to_the_duty_lead_once_and_stays_on_the_board() -> None:
    house = new_house()
    house.lead_on_duty("sam")
    rostered(house, "jane")
    looked(house, seconds=61)
    looked(house, minutes=4)
    assert told(house, "duty.start_missed") == 0
    for _ in range(3):
        looked(house, minutes=1)
    assert told(house, "duty.start_missed") == 1
    shown = house.do(lambda work: board.duty(work, store.IDVA_DUTY))
    assert [(one.person.name, one.silent) for one in shown] == [("Jane Example", True)]


def test_a_shift_that_is_over_is_missed_no_more() -> None:
    house = new_house()
    rostered(house, "jane")
    looked(house, seconds=61)
    looked(house, hours=9)
    assert told(house, "duty.start_missed") == 0


def test_the_call_at_telegram_is_answered_by_its_button_and_names_nobody() -> None:
    house = new_house(doors=Doors(telegram=True))
    house.do(lambda work: bind_telegram(work.session, work.line.keyring, house.id("jane"), "701", work.now))
    rostered(house, "jane")
    looked(house, seconds=61)
    with house.work() as work:
        row = work.session.scalars(select(Outbox).where(Outbox.person_id == house.id("jane"))).one()
        assert row.body is not None
        body = work.open_words("outbox", "body", row.id, row.scope, row.body)
    outgoing = Outgoing.from_json(json.loads(body))
    assert outgoing.text == "Your shift has begun. Tap to show that you can be reached."
    assert not re.search("Jane|Example", outgoing.text + outgoing.placeholder)
    assert [button.label for line in outgoing.buttons for button in line] == ["I can be reached"]
    tap = Incoming(ChannelName.TELEGRAM, "701", Kind.TAP, token=outgoing.buttons[0][0].token)
    assert house.do(lambda work: receive(work, tap)).answer == "Done."
    assert silent(house) == set()
