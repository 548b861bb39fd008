"""The works of the line, turned by hand: intake, courier and watch, each when there is something for it to do.

Rules kept here:
- They are the real ones, on a real database and over real HTTP; only nobody sleeps in between.
- "At rest" means: nothing has arrived, nothing is due, nobody waits for somebody who came free.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from bot.courier import Courier
from bot.intake import Handled, Intake
from bot.telegram_channel import TelegramChannel
from bot.threads import Threads
from bot.watch import Watch
from bot.web_channel import WebDoor
from conversations.messages import ChannelName
from conversations.states import State
from conversations.tables import Consultation, Due, Held, Inbox, InboxState, Outbox, OutboxState, Shift
from tests.botapi import BotApi
from tests.house import House

PATIENCE = 10.0  # seconds of real time; only a failure ever takes that long
ROUNDS = 500  # of work after one act; a line that goes on for ever is broken

# Of each lane only the first can be handled or sent.
_WAITING, _CLAIMED = OutboxState.WAITING.value, OutboxState.CLAIMED.value
_HEADS = select(func.min(Outbox.seq)).where(Outbox.state.in_((_WAITING, _CLAIMED))).group_by(Outbox.lane)
_ARRIVALS = select(func.min(Inbox.seq)).where(Inbox.state == InboxState.WAITING.value).group_by(Inbox.lane)
_UNTAKEN = (State.LEAD_CALLED.value, State.KEPT.value)
_MOMENTS = select(
    select(func.min(Inbox.due_at)).where(Inbox.seq.in_(_ARRIVALS)).scalar_subquery(),
    select(func.min(Outbox.due_at)).where(Outbox.seq.in_(_HEADS), Outbox.state == _WAITING).scalar_subquery(),
    select(func.min(Outbox.claimed_until)).where(Outbox.seq.in_(_HEADS), Outbox.state == _CLAIMED).scalar_subquery(),
    select(func.min(Due.at)).scalar_subquery(),
    select(func.min(Held.due_at)).scalar_subquery(),
    select(func.min(Shift.starts_at)).where(Shift.announced.is_(False)).scalar_subquery(),
    select(func.count()).select_from(Consultation).where(Consultation.state.in_(_UNTAKEN)).scalar_subquery(),
)


@dataclass(frozen=True)
class Moments:
    """When there is something to do, for whom of the works."""

    intake: datetime | None
    courier: datetime | None
    watch: datetime | None
    somebody_waits: bool  # for an IDVA who might have come free

    @property
    def next(self) -> datetime | None:
        return _first(self.intake, self.courier, self.watch)


class Works:
    """What `lanyard.wiring` runs as loops."""

    def __init__(self, house: House, api: BotApi | None) -> None:
        self.house = house
        self.api = api
        self.threads = Threads(4)
        self.channel = self._channel(api) if api else None
        doors = {ChannelName.WEB: WebDoor()} | ({ChannelName.TELEGRAM: self.channel} if self.channel else {})
        self.intake = Intake(house.line, doors, self.threads)
        self.courier = Courier(house.line, self.channel, self.threads) if self.channel else None
        self.watch = Watch(house.line, self.threads)
        self.running = False
        self.handled: list[Handled] = []  # since they were last asked for
        self._listening: asyncio.Task[None] | None = None
        self._commits_seen = 0

    def _channel(self, api: BotApi) -> TelegramChannel:
        return TelegramChannel(
            api.token, api.base_url, clock=self.house.clock, help_line=lambda _who: None, poll_timeout=25
        )

    async def start(self) -> None:
        """Own up to a long outage, listen, go on."""
        self.watch.own_up_to_outage()
        if self.channel is not None:
            self._listening = asyncio.create_task(self.channel.listen(self.intake.store))
        self.running = True

    async def stop(self) -> None:
        """Nothing is heard, sent or looked at any more."""
        self.watch.beat()
        self.running = False
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
            self._listening = None

    async def close(self) -> None:
        """Give everything back."""
        await self.stop()
        if self.channel is not None:
            await self.channel.close()
        self.threads.close()

    def moments(self) -> Moments:
        """When there is something to do next."""
        with self.house.line.database.reading() as session:
            arrival, send, claim, due, held, shift, waiting = session.execute(_MOMENTS).one()
        return Moments(arrival, _first(send, claim), _first(due, held, shift), bool(waiting))

    async def come_to_rest(self) -> None:
        """Work until nothing is left to do now."""
        for _ in range(ROUNDS):
            if not self.running or not await self._work():
                return
        raise AssertionError("the line does not come to rest")

    async def _work(self) -> bool:
        await self.hear()
        now, moments = self.house.clock(), self.moments()
        if moments.intake is not None and moments.intake <= now:
            while (handled := self.intake.handle_next()) is not None:
                await self.follow_up(handled)
        elif self.courier is not None and moments.courier is not None and moments.courier <= now:
            await asyncio.gather(*(self.courier._carry_one(job) for job in self.courier.claim(32)))
        elif moments.watch is not None and moments.watch <= now:
            self.watch.look()
        elif moments.somebody_waits and self._commits_seen != len(self.house.bell.people):
            self._commits_seen = len(self.house.bell.people)  # the bell rings at every commit
            self.watch.look()
        else:
            return False
        return True

    async def follow_up(self, handled: Handled) -> None:
        """What follows an arrival outside its transaction: a tap's answer."""
        self.handled.append(handled)
        self.intake._follow_up(handled)
        await asyncio.gather(*self.intake._courtesies)

    async def hear(self) -> None:
        """Wait until every update that Telegram holds for us was fetched, stored and acknowledged."""
        if self.api is None or self._listening is None:
            return
        until = time.perf_counter() + PATIENCE
        while self.api.pending_updates:
            if self._listening.done():
                self._listening.result()
            assert time.perf_counter() < until, "updates are not fetched"
            await asyncio.sleep(0.001)


def _first(*moments: datetime | None) -> datetime | None:
    return min((at for at in moments if at is not None), default=None)
