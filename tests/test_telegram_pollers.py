"""Who may poll with a token, and what ends the polling."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from bot import telegram_polling
from bot.telegram_channel import SecondPoller, TelegramChannel, TokenRefused, WebhookStillSet
from tests.telegram_wire import (
    HANG_UP,
    SILENT,
    TOKEN,
    Clock,
    Inbox,
    Reply,
    Wire,
    a_wire,
    error,
    listening,
    message,
    until,
)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telegram_polling, "_PAUSES", (0.01, 0.02, 0.03))
    monkeypatch.setattr(telegram_polling, "_BREATH", 0.0)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with a_wire() as made:
        yield made


CONFLICT = error(409, "Conflict: terminated by other getUpdates request; make sure that only one bot is running")


async def test_a_poll_left_open_by_a_killed_process_is_borne_with(wire: Wire) -> None:
    inbox = Inbox()
    wire.script("getUpdates", CONFLICT, CONFLICT, CONFLICT)
    wire.arrive(message(41))
    async with listening(wire, inbox):
        await until(lambda: inbox.kept)


def asked_again(wire: Wire, task: asyncio.Task[None], calls: int) -> bool:
    return task.done() or len(wire.called("getUpdates")) > calls


async def conflict_every(seconds: float, wire: Wire, clock: Clock, times: int) -> None:
    def conflict(_given: dict[str, str]) -> Reply:
        clock.pass_by(seconds)
        return CONFLICT

    calls = len(wire.called("getUpdates"))
    wire.always["getUpdates"] = conflict
    await until(lambda: len(wire.called("getUpdates")) >= calls + times)
    del wire.always["getUpdates"]


async def test_a_second_poller_gives_up_after_ten_seconds_and_says_what_to_do(wire: Wire) -> None:
    clock = Clock()
    async with listening(wire, Inbox(), clock) as task:
        await conflict_every(2, wire, clock, times=5)
        assert not task.done()
        await conflict_every(2, wire, clock, times=1)
        with pytest.raises(SecondPoller) as refusal:
            await asyncio.wait_for(task, 5)
    assert "stop the other one" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert TOKEN not in str(refusal.value)


async def test_answers_in_between_do_not_hide_a_second_poller(wire: Wire) -> None:
    clock = Clock()
    async with listening(wire, Inbox(), clock) as task:
        for _ in range(6):
            await conflict_every(2, wire, clock, times=1)
            calls = len(wire.called("getUpdates"))
            await until(partial(asked_again, wire, task, calls))
        with pytest.raises(SecondPoller):
            await asyncio.wait_for(task, 5)


async def test_who_was_polling_first_outwaits_the_newcomer(wire: Wire) -> None:
    clock = Clock()
    async with listening(wire, Inbox(), clock) as task:
        await until(lambda: len(wire.called("getUpdates")) > 1)
        clock.pass_by(60)
        await conflict_every(2, wire, clock, times=8)
        await asyncio.sleep(0.05)
        assert not task.done()
        await conflict_every(2, wire, clock, times=8)
        with pytest.raises(SecondPoller):
            await asyncio.wait_for(task, 5)


async def test_a_rare_conflict_is_forgotten(wire: Wire) -> None:
    clock = Clock()
    async with listening(wire, Inbox(), clock) as task:
        for _ in range(4):
            await conflict_every(1, wire, clock, times=2)
            clock.pass_by(60)
        assert not task.done()


async def test_polling_beside_a_webhook_is_refused_at_once(wire: Wire) -> None:
    wire.script("getUpdates", error(409, "Conflict: can't use getUpdates method while webhook is active"))
    async with listening(wire, Inbox()) as task:
        with pytest.raises(WebhookStillSet):
            await asyncio.wait_for(task, 5)


@pytest.mark.parametrize("refusal", [error(401, "Unauthorized"), error(404, "Not Found")])
@pytest.mark.parametrize("call", ["getMe", "getUpdates"])
async def test_a_token_that_telegram_does_not_know_is_refused_in_one_line(
    wire: Wire, refusal: Reply, call: str
) -> None:
    wire.script(call, refusal)
    async with listening(wire, Inbox()) as task:
        with pytest.raises(TokenRefused) as problem:
            await asyncio.wait_for(task, 5)
    assert "check the token" in str(problem.value)
    assert TOKEN not in str(problem.value)
    assert problem.value.__cause__ is None
    assert problem.value.__suppress_context__


async def test_listening_learns_our_own_name_even_when_telegram_was_away_at_first(wire: Wire) -> None:
    wire.script("getMe", HANG_UP, error(500, "Internal Server Error"))
    inbox = Inbox()
    wire.arrive(message(41))
    channel = TelegramChannel(TOKEN, wire.base_url, clock=Clock(), help_line=lambda _who: None, poll_timeout=1)
    task = asyncio.create_task(channel.listen(inbox.store))
    await until(lambda: channel.username)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await channel.close()
    assert channel.username == "LanyardBot"
    assert channel.has_topics
    assert len(wire.called("getMe")) == 3


async def test_a_silent_poll_can_be_cancelled(wire: Wire) -> None:
    wire.script("getUpdates", SILENT)
    async with listening(wire, Inbox()) as task:
        await until(lambda: wire.called("getUpdates"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 5)
