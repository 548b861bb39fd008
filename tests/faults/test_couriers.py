"""Couriers that meet: one whose claim ran out, and one that meets a row nobody can open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from access.enrolment import bind_telegram
from bot.courier import LONGEST_PAUSE, TRIES, Courier
from bot.telegram_channel import TelegramChannel
from bot.threads import Threads
from conversations.line import Doors
from conversations.queues import CLAIM
from conversations.tables import Outbox, OutboxState
from conversations.work import Work, scope_of
from storage.keys import DataKey
from tests.botapi import BotApi
from tests.faults.line_process import TOKEN
from tests.house import House

ADDRESS = {"officer1": 5_001, "officer2": 5_002}


@dataclass
class Street:
    """A house with couriers, and a Telegram that two officers use."""

    house: House
    api: BotApi
    couriers: tuple[Courier, Courier]

    def texts(self, name: str) -> list[str]:
        """What somebody's chat shows."""
        return [message.text for message in self.api.person(ADDRESS[name]).from_bot]


@pytest.fixture
async def street(make_house: Callable[..., House]) -> AsyncIterator[Street]:
    """Two couriers on one database."""
    house = make_house(doors=Doors(telegram=True, relay=True))
    with house.work() as work:
        for name, address in ADDRESS.items():
            bind_telegram(work.session, house.line.keyring, house.id(name), str(address), work.now)
    with BotApi(TOKEN) as api:
        for address in ADDRESS.values():
            api.person(address).start()
        channel = TelegramChannel(TOKEN, api.base_url, clock=house.clock, help_line=lambda _: None)
        threads = Threads()
        try:
            yield Street(house, api, (Courier(house.line, channel, threads), Courier(house.line, channel, threads)))
        finally:
            await channel.close()
            threads.close()


async def test_a_courier_whose_claim_ran_out_shows_no_words_a_second_time(street: Street) -> None:
    slow, quick = street.couriers
    street.house.asks("officer1")
    (late,) = slow.claim(32)
    street.house.clock.forward(seconds=CLAIM.total_seconds() + 1)
    (taken_over,) = quick.claim(32)
    await quick._carry_one(taken_over)
    await slow._carry_one(late)
    words = [text for text in street.texts("officer1") if "Received safely" in text]
    assert len(words) == 1
    assert len(street.texts("officer1")) == 2  # the late courier's placeholder stays, without words
    assert taken_over.repeat  # and the one that took over says on the lock screen that it comes again


async def test_a_claim_is_prolonged_by_whoever_is_still_at_it(street: Street) -> None:
    slow, quick = street.couriers
    street.house.asks("officer1")
    (job,) = slow.claim(32)
    almost = CLAIM - timedelta(seconds=1)
    street.house.clock.time += almost
    slow._go_on(job)
    street.house.clock.time += almost
    assert quick.claim(32) == []


async def test_a_row_that_nobody_can_open_keeps_no_other_from_going_out(street: Street) -> None:
    courier, _ = street.couriers
    lost, found = street.house.asks("officer1"), street.house.asks("officer2")
    scope = scope_of(street.house.row(lost).id)
    street.house.do(lambda work: work.session.execute(delete(DataKey).where(DataKey.scope == scope)))
    for job in courier.claim(32):
        await courier._carry_one(job)
    assert [text for text in street.texts("officer2") if found in text]
    assert street.texts("officer1") == []
    for _ in range(TRIES):
        street.house.clock.forward(seconds=LONGEST_PAUSE + 1)
        assert courier.claim(32) == []

    def ended(work: Work) -> list[str]:
        rows = select(Outbox.state).where(Outbox.scope == scope, Outbox.channel == "telegram")
        return list(work.session.scalars(rows))

    assert street.house.do(ended) == [OutboxState.FAILED.value]
