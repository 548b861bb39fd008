"""Rows 69 to 72: outages, chats that are gone, floods and crowds."""

from __future__ import annotations

import time
from collections.abc import Callable

from access.people import NewPerson, set_telegram_alive
from conversations.advise import understood
from conversations.case import Case as Consultation
from tests.hostile.kit import CHATS, FORCE, FULL, OFFICER, Scene
from tests.hostile.rows_talk import advise_by_page
from tests.hostile.rows_text import jane_talks
from tests.hostile.table import Act, Case, Code

LEAD_PHONE = "01632 960 001"


# --- 69: a long outage -----------------------------------------------------------------------------


async def open_and_closed(scene: Scene) -> None:
    """Officer1 and officer2 have something open; next had something that has ended."""
    await scene.talk()
    await scene.ask("officer2", "And this, canary?")
    await scene.talk(officer="next")
    advise_by_page(scene, "jane", "next")
    scene.do(lambda work: understood(Consultation.load(work, scene.row_of("next").id)))
    await scene.settle()
    scene.watch.beat()


async def is_down_for_a_day(scene: Scene) -> None:
    await scene.stop()
    scene.house.clock.forward(hours=25)
    scene._open()
    scene.watch.own_up_to_outage()
    await scene.listen()
    await scene.settle()


async def officers_were_told(scene: Scene) -> None:
    for name in ("officer1", "officer2"):
        ref = scene.row_of(name).ref
        told = [one.text for one in scene.seen_by(name) if f"{ref}: the line was out of order" in one.text]
        assert len(told) == 1
        assert "from 21:00 on 20 November to now" in told[0]
        assert LEAD_PHONE in told[0]
        assert scene.house.line.policy.emergency in told[0]
    assert not [one for one in scene.seen_by("next") if "out of order" in one.text]
    assert [one.facts for one in scene.noted("line.outage_noticed")] == [{"hours": 25, "alarm": True}]
    scene.watch.own_up_to_outage()  # started again before the first heartbeat: said once
    await scene.settle()
    assert len(scene.noted("line.outage_noticed")) == 1


async def is_down_for_an_hour(scene: Scene) -> None:
    scene.house.clock.forward(hours=1)
    scene.watch.own_up_to_outage()
    await scene.settle()
    assert not scene.noted("line.outage_noticed")


# --- 70: a chat that is gone -----------------------------------------------------------------------


def blocks(scene: Scene, who: str) -> None:
    """Telegram says so."""
    scene.phone(who).block()


def is_deactivated(scene: Scene, who: str) -> None:
    """Telegram says nothing until somebody writes."""
    scene.phone(who).deactivate()


def is_not_found(scene: Scene, who: str) -> None:
    """The chat is unknown all at once."""
    scene.api._world.people.pop(CHATS[who])
    scene.api._world.chats.pop(CHATS[who])


def gone(who: str, how: Callable[[Scene, str], None]) -> Act:
    """Somebody's chat is gone, and the other side writes."""
    other, text = ("jane", "Are you there, canary?") if who == "officer1" else ("officer1", "Are you there, canary?")

    async def act(scene: Scene) -> None:
        how(scene, who)
        await scene.settle()
        scene.phone(other).write(text)
        await scene.settle()
        await scene.later(seconds=5)

    return act


def door_is_dead(who: str) -> Act:
    """The channel is dead; the other side knows; the lead is called, who can telephone."""
    other = "jane" if who == "officer1" else "officer1"

    async def after(scene: Scene) -> None:
        ref = scene.row_of("officer1").ref
        assert [one.actor for one in scene.noted("access.telegram_lost")] == [scene.house.id(who)]
        title = scene.house.team[who].name
        told = [one.text for one in scene.seen_by(other) if f"{ref}: " in one.text and title in one.text]
        assert [text for text in told if "could not be delivered" in text or "cannot be reached" in text]
        assert any(LEAD_PHONE in text for text in told)
        calls = [one.text for one in scene.seen_by("sam") if ref in one.text]
        assert len(calls) == 1  # once, however much could not be delivered
        assert "cannot be reached by message" in calls[0]
        assert ["Are you there, canary?"] in scene.words(ref)  # kept, and on the page
        sends = len(scene.api.calls(chat_id=CHATS[who]))
        scene.phone(other).write("Still nothing, canary?")
        await scene.settle()
        assert len(scene.api.calls(chat_id=CHATS[who])) == sends  # a dead door is not knocked at

    return after


async def comes_back(scene: Scene) -> None:
    await gone("officer1", blocks)(scene)
    scene.phone("officer1").unblock()
    scene.phone("officer1").write("Here again, canary")
    await scene.settle()


async def is_answered_again(scene: Scene) -> None:
    ref = scene.row_of("officer1").ref
    assert any(one.text.endswith(ref) for one in scene.seen_by("officer1")[-2:])
    assert scene.seen_by("jane")[-1].text.endswith("Here again, canary")


# --- 71: a flood -----------------------------------------------------------------------------------

FLOOD = 1_000 if FULL else 200
BREATHS = 20  # in which they are written, one every 2.9 seconds


async def writes_a_thousand(scene: Scene) -> None:
    """A thousand in a minute, as fast as they are read: they are handled first, and then all answers carried."""
    for number in range(FLOOD):
        scene.push(scene.update(text=f"Line {number} canary"))
        if number % (FLOOD // BREATHS) == FLOOD // BREATHS - 1:
            await scene.handle()
            scene.house.clock.forward(seconds=2.9)
    await scene.handle()
    assert scene.house.clock().minute == 0  # all within one minute


async def nothing_was_lost(scene: Scene) -> None:
    row = scene.row_of("officer1")
    assert scene.words(row.ref) == [[f"Line {number} canary"] for number in range(FLOOD)]
    texts = [one.text for one in scene.seen_by("officer1")]
    assert [text.startswith("Received. ") for text in texts].count(True) == FLOOD - 1
    slow_downs = [at for at, text in enumerate(texts) if "Please slow down" in text]
    assert slow_downs == [21]  # the acknowledgement and twenty receipts came first; then one a minute
    scene.house.clock.forward(minutes=1)
    for number in range(30):
        scene.push(scene.update(text=f"More {number} canary"))
    await scene.settle()
    texts = [one.text for one in scene.seen_by("officer1")]
    assert len([text for text in texts if "Please slow down" in text]) == 2


# --- 72: a crowd -----------------------------------------------------------------------------------

CROWD = 300 if FULL else 100
FEW = CROWD // 5  # of them, who ask first, and who ask last
DEARER = 1.5  # times the work for one of the first, that one of the last may be: with all before them it is the same


async def three_hundred_are_enrolled(scene: Scene) -> None:
    scene.do(lambda work: set_telegram_alive(work.session, scene.house.id("sam"), work.now))  # he sits at the board
    for number in range(CROWD):
        scene.do(
            lambda work, number=number: scene.enrol(  # type: ignore[misc]
                work, f"crowd{number}", NewPerson(f"PC {number}", f"PC {number} Crowd", FORCE, OFFICER), 50_000 + number
            )
        )


async def three_hundred_ask(scene: Scene) -> None:
    """Each takes the same work, however many wait already: the machine, however slow, is its own measure."""
    one_of_the_first = await _they_ask(scene, range(FEW))
    await _they_ask(scene, range(FEW, CROWD - FEW))
    one_of_the_last = await _they_ask(scene, range(CROWD - FEW, CROWD))
    assert one_of_the_last < DEARER * one_of_the_first, (one_of_the_last, one_of_the_first)


async def _they_ask(scene: Scene, numbers: range) -> float:
    """All ask, then all is sent. Seconds of the processor for each: of this process and the stand-in in it."""
    began = time.process_time()
    for number in numbers:
        scene.push(scene.update(50_000 + number, text=f"Question {number} canary"))
        await scene.handle()
        scene.house.clock.forward(milliseconds=1)
    await scene.settle()
    return (time.process_time() - began) / len(numbers)


async def each_knows_where_they_stand(scene: Scene) -> None:
    emergency = scene.house.line.policy.emergency
    texts = [scene.seen_by(50_000 + number)[-1].text for number in range(CROWD)]
    assert all(text.startswith(f"{emergency}\nReceived safely. Reference ") for text in texts)
    asked = [text for text in texts if "An IDVA on duty is being asked now." in text]
    assert len(asked) == 3  # as many as she has room for
    queued = [text for text in texts if text not in asked]
    places = sorted(int(text.partition("You are number ")[2].partition(" ")[0]) for text in queued)
    assert places == list(range(4, CROWD + 1))
    assert all(LEAD_PHONE in text for text in queued)
    words = {scene.words(row.ref)[0][0] for row in scene.rows()}
    assert words >= {f"Question {number} canary" for number in range(CROWD)}


CASES = [
    Case(69, "out of order for a day", Code.OK, is_down_for_a_day, before=open_and_closed, after=officers_were_told),
    Case(69, "out of order for an hour", Code.SILENT, is_down_for_an_hour, before=open_and_closed),
    Case(70, "an officer blocks", Code.OK, gone("officer1", blocks), before=jane_talks, after=door_is_dead("officer1")),
    Case(70, "an officer is deactivated", Code.OK, gone("officer1", is_deactivated), before=jane_talks,
         after=door_is_dead("officer1")),
    Case(70, "an officers chat is not found", Code.OK, gone("officer1", is_not_found), before=jane_talks,
         after=door_is_dead("officer1")),
    Case(70, "an IDVA blocks", Code.OK, gone("jane", blocks), before=jane_talks, after=door_is_dead("jane")),
    Case(70, "an IDVA is deactivated", Code.OK, gone("jane", is_deactivated), before=jane_talks,
         after=door_is_dead("jane")),
    Case(70, "an officer blocks and comes back", Code.OK, comes_back, before=jane_talks, after=is_answered_again),
    Case(71, "a thousand messages a minute", Code.OK, writes_a_thousand, after=nothing_was_lost, campaign=True),
    Case(72, "three hundred officers at once", Code.OK, three_hundred_ask, before=three_hundred_are_enrolled,
         after=each_knows_where_they_stand, campaign=True,
         why="Signposting is offered once the knowledge room is built; its place is kept."),
]  # fmt: skip
