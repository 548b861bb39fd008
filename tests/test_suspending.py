"""Suspending takes effect at the next queued send: races of a suspension against a courier, none of them lost.

500 races with `LANYARD_PROVE=full` (`make prove`), 40 otherwise. A courier asks in a transaction before each call to
Telegram. A call whose question was answered before the suspension was committed may still be on its way: at most one a
race. After it there is none; and the trail, which orders all transactions, has no disclosure after it either.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from access.enrolment import bind_telegram
from access.people import NewPerson, add_person
from access.tables import Role
from audit.growth import LeafRow
from bot.channel import Outcome, Sent
from bot.courier import Courier, Job
from bot.telegram_channel import TelegramChannel
from bot.threads import Threads
from conversations.line import Doors
from conversations.messages import Outgoing
from conversations.queues import CLAIM
from conversations.rota import suspend
from conversations.tables import Outbox
from conversations.work import Work
from tests.house import House

FULL = os.environ.get("LANYARD_PROVE") == "full"
RACES = 500 if FULL else 40
LONGEST = 0.05  # seconds within which the suspension begins


@dataclass(frozen=True)
class Call:
    """One call to Telegram."""

    to: str
    allowed: float  # when the courier had been told, in its transaction, that it may
    began: float


@dataclass
class Wire(TelegramChannel):
    """Telegram, as far as a courier sees it: takes everything, and takes its time."""

    dice: random.Random
    calls: list[Call] = field(default_factory=list)
    allowed: float = 0.0

    async def _take(self, to: str) -> Sent:
        self.calls.append(Call(to, self.allowed, time.monotonic()))
        await asyncio.sleep(self.dice.uniform(0, 0.004))
        return Sent(Outcome.SENT, str(len(self.calls)))

    async def send(self, to: str, text: str, *, thread: str | None = None, reply_to: str | None = None) -> Sent:
        return await self._take(to)

    async def edit(self, to: str, remote: str, message: Outgoing) -> Sent:
        return await self._take(to)


class Watched(Courier):
    """The courier, with the moment noted at which it is allowed to go on."""

    wire: Wire

    def _address(self, work: Work, row: Outbox) -> str | None:
        to = super()._address(work, row)
        self.wire.allowed = time.monotonic()
        return to

    @contextmanager
    def _held(self, job: Job) -> Iterator[tuple[Work, Outbox]]:
        with super()._held(job) as found:
            self.wire.allowed = time.monotonic()
            yield found


@dataclass
class Track:
    """A house, a courier, and a Telegram that notes each call."""

    house: House
    courier: Watched
    wire: Wire
    decided: float = 0.0  # when the last suspension held its person, not committed yet
    committed: float = 0.0

    def enrol(self, number: int) -> str:
        """One more officer, who is owed what answers a question."""
        name, address = f"race{number}", str(70_000 + number)

        def add(work: Work) -> None:
            new = NewPerson(f"PC {70_000 + number}", name, "Example Constabulary", frozenset({Role.OFFICER}))
            add_person(work.session, work.line.keyring, self.house.id(name), new, work.now)
            bind_telegram(work.session, work.line.keyring, self.house.id(name), address, work.now)

        self.house.do(add)
        self.house.asks(name)
        self.house.says(name, "More from the scene")
        return name

    def carry(self) -> None:
        """Whatever is due, to its end."""

        async def all_of_it() -> None:
            while jobs := self.courier.claim(32):
                for job in jobs:
                    await self.courier._carry_one(job)

        asyncio.run(all_of_it())

    def race(self, name: str, delay: float) -> None:
        """Suspend somebody while what is owed to them is carried."""

        def end() -> None:
            time.sleep(delay)
            with self.house.work() as work:
                suspend(work, self.house.id(name), "line")
                self.decided = time.monotonic()
            self.committed = time.monotonic()

        both = [threading.Thread(target=self.carry), threading.Thread(target=end)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        self.house.clock.forward(seconds=CLAIM.total_seconds() + 1)  # claims that were left have run out
        self.carry()

    def leaves(self, name: str) -> list[str]:
        """What the trail holds of this person's suspension and of words sent to them, in order."""
        who = self.house.id(name)
        with self.house.line.database.reading() as session:
            query = select(LeafRow.data).where(LeafRow.event.in_(("person.standing_set", "words.sent")))
            held = [json.loads(data) for data in session.scalars(query.order_by(LeafRow.index))]
        return [one["event"] for one in held if who in (one["facts"].get("person"), one["facts"].get("to"))]


@pytest.fixture
def track(make_house: Callable[..., House]) -> Iterator[Track]:
    house = make_house(doors=Doors(telegram=True, relay=True))
    threads, wire = Threads(), Wire(random.Random(5))
    courier = Watched(house.line, wire, threads)
    courier.wire = wire
    yield Track(house, courier, wire)
    threads.close()


@pytest.mark.prove
@pytest.mark.timeout(1800 if FULL else 120)
def test_nothing_is_sent_to_somebody_once_their_suspension_is_committed(track: Track) -> None:
    dice, sent, under_way, cut_short = random.Random(20_261_123), 0, 0, 0
    for number in range(RACES):
        name = track.enrol(number)
        track.race(name, dice.uniform(0, LONGEST))
        calls = [one for one in track.wire.calls if one.to == str(70_000 + number)]
        late = [one for one in calls if one.began > track.committed]
        assert not [one for one in calls if one.allowed > track.decided], f"race {number}: sent after the suspension"
        assert len(late) <= 1, f"race {number}: more than the one call that was on its way"
        leaves = track.leaves(name)
        assert leaves[-1] == "person.standing_set", f"race {number}: {leaves}"
        sent, under_way, cut_short = sent + len(calls), under_way + len(late), cut_short + (0 < len(calls) < 4)
    print(f"{RACES} races: {sent} calls, {under_way} on their way at the commit, {cut_short} cut short, 0 after")
    assert cut_short, "no suspension met a courier at work"
