"""Own long polling: stored before acknowledged, whatever Telegram, the database or another poller does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from bot import telegram_polling
from bot.channel import Arrival
from bot.telegram_channel import TelegramChannel
from tests.telegram_wire import (
    EMERGENCY,
    GROUP,
    HANG_UP,
    TOKEN,
    Clock,
    Inbox,
    Reply,
    Wire,
    a_wire,
    edited,
    error,
    listening,
    membership,
    message,
    result,
    tap,
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


def offsets(wire: Wire) -> list[str | None]:
    return [given.get("offset") for given in wire.called("getUpdates")]


# --- storing and acknowledging ---------------------------------------------------------------------


async def test_an_update_is_stored_as_it_came_before_it_is_acknowledged(wire: Wire) -> None:
    raw = json.dumps(message(41), indent=1).encode()
    wire.arrive(raw)
    stored_when_acknowledged: list[bool] = []
    inbox = Inbox()
    wire.always["getMe"] = lambda _given: error(500, "not now")
    async with listening(wire, inbox):
        await until(lambda: "42" in offsets(wire))
        stored_when_acknowledged.append("41" in inbox.kept)
    assert stored_when_acknowledged == [True]
    assert inbox.kept["41"].raw == raw
    assert offsets(wire)[0] is None


async def test_only_the_kinds_of_update_we_read_are_asked_for_and_nothing_is_dropped(wire: Wire) -> None:
    async with listening(wire, Inbox()):
        await until(lambda: wire.called("getUpdates"))
    given = wire.called("getUpdates")[0]
    assert json.loads(given["allowed_updates"]) == [
        "message",
        "edited_message",
        "callback_query",
        "my_chat_member",
    ]
    assert not wire.called("deleteWebhook")
    assert "drop_pending_updates" not in given


async def test_ids_that_jump_backwards_are_processed(wire: Wire) -> None:
    inbox = Inbox()
    wire.arrive(message(500_000_001), message(500_000_002))
    async with listening(wire, inbox):
        await until(lambda: offsets(wire)[-2:] == [None, None])  # asked, confirmed, and quiet since
        wire.arrive(message(7), message(8))
        await until(lambda: "8" in inbox.kept)
    assert list(inbox.kept) == ["500000001", "500000002", "7", "8"]


async def test_the_offset_follows_what_was_handed_out_last_up_or_down(wire: Wire) -> None:
    inbox = Inbox()
    wire.script("getUpdates", result([message(500_000_001)]), result([message(7)]))
    async with listening(wire, inbox):
        await until(lambda: len(offsets(wire)) > 2)
    assert offsets(wire)[:3] == [None, "500000002", "8"]


async def test_ids_in_any_order_within_a_batch_are_all_stored_and_confirmed(wire: Wire) -> None:
    inbox = Inbox()
    wire.arrive(message(9), message(3), message(6))
    async with listening(wire, inbox):
        await until(lambda: not wire.waiting)
    assert list(inbox.kept) == ["9", "3", "6"]


async def test_what_the_network_lost_is_asked_for_again_with_the_same_offset(wire: Wire) -> None:
    inbox = Inbox()
    wire.arrive(message(41))
    async with listening(wire, inbox):
        await until(lambda: "42" in offsets(wire))
        wire.script("getUpdates", HANG_UP)
        wire.arrive(message(42))
        await until(lambda: "42" in inbox.kept)
    assert inbox.tries == 2


@pytest.mark.parametrize(
    "reply",
    [
        HANG_UP,
        Reply(502, b"<html>Bad gateway</html>"),
        Reply(404, b"<html>a proxy's own page</html>"),
        Reply(200, b"<html>hotel wireless, please sign in</html>"),
        Reply(200, b""),
        Reply(500, b"[1]"),
        Reply(500, b"[" * 5000),
        error(500, "Internal Server Error"),
        error(429, "Too Many Requests: retry after 1", retry_after=0.01),
    ],
)
async def test_trouble_on_the_way_never_ends_the_polling(wire: Wire, reply: Reply) -> None:
    inbox = Inbox()
    wire.script("getUpdates", reply, reply, reply)
    wire.arrive(message(41))
    async with listening(wire, inbox):
        await until(lambda: inbox.kept)


async def test_nobody_there_is_asked_again_for_ever() -> None:
    inbox = Inbox()
    async with a_wire() as gone:
        pass
    async with listening(gone, inbox) as task:
        await asyncio.sleep(0.3)
        assert not task.done()


async def test_a_server_told_to_slow_us_down_is_obeyed(wire: Wire) -> None:
    wire.script("getUpdates", error(429, "Too Many Requests: retry after 1", retry_after=1))
    async with listening(wire, Inbox()):
        await until(lambda: len(wire.called("getUpdates")) == 1)
        await asyncio.sleep(0.5)
        assert len(wire.called("getUpdates")) == 1
        await until(lambda: len(wire.called("getUpdates")) > 1)


# --- unreadable updates ----------------------------------------------------------------------------

POISON = [
    b'{"update_id":41,"message":{"text":"\xff"}}',
    b'{"update_id":41,"message":NaN}',
    b'{"update_id":41,"message":1,"message":2}',
    b'{"update_id":41,"message":' + b"[" * 5000 + b"]" * 5000 + b"}",
    b'{"update_id":"41"}',
    b'{"update_id":41,"message":{"broken":[}}',
    b'{"update_id":41,"message":{"never ends',
]


@pytest.mark.parametrize("poison", POISON)
async def test_one_unreadable_update_is_stored_and_hides_no_other(wire: Wire, poison: bytes) -> None:
    inbox = Inbox()
    wire.arrive(message(40), poison, message(42), message(43), ids=[40, 41, 42, 43])
    async with listening(wire, inbox):
        await until(lambda: offsets(wire)[-3:] == [None, None, None])
    assert list(inbox.kept) == ["40", "41", "42", "43"]
    assert inbox.kept["41"].lane == "unread"
    assert poison in inbox.kept["41"].raw
    assert wire.called("getUpdates")[-1]["limit"] == "100"  # and after it as many at once as before
    assert [inbox.kept[key].lane for key in ("40", "42", "43")] == ["4001"] * 3


async def test_an_update_without_an_id_is_stored_once_and_does_not_make_us_run_hot(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telegram_polling, "_PAUSES", (0.1, 0.1, 0.1))
    inbox = Inbox()
    wire.arrive(b'{"message":{}}', ids=[41])
    async with listening(wire, inbox):
        await asyncio.sleep(0.5)
    assert len(inbox.kept) == 1
    assert len(wire.called("getUpdates")) < 8


# --- the database is down --------------------------------------------------------------------------


async def test_what_is_not_stored_is_not_acknowledged_and_what_was_before_it_is(wire: Wire) -> None:
    inbox = Inbox()
    inbox.broken = lambda arrival: arrival.key == "42"
    wire.arrive(message(41), message(42), message(43))
    async with listening(wire, inbox):
        await until(lambda: len(wire.called("getUpdates")) > 4)
        assert [number for number, _ in wire.waiting] == [42, 43]
        assert list(inbox.kept) == ["41"]
        inbox.broken = lambda _arrival: False
        await until(lambda: "43" in inbox.kept)
    assert list(inbox.kept) == ["41", "42", "43"]


async def test_whoever_writes_while_nothing_can_be_stored_gets_the_emergency_words_once_a_minute(
    wire: Wire,
) -> None:
    inbox, clock = Inbox(), Clock()
    inbox.broken = lambda _arrival: True
    kicked = membership("kicked", 47)
    kicked["my_chat_member"] |= {key: message(1, 4008)["message"][key] for key in ("chat", "from")}
    wire.arrive(
        message(41, 4001, text="he has a knife"),
        message(42, 4001),
        message(43, 4002, text=None, photo=[]),
        edited(44, sender=4003),
        tap(45, 4004),
        message(46, 4005, chat=GROUP),  # the wrong place
        kicked,  # cannot be written to
        message(48, 4009),  # nobody of ours: wiring has no line for them
        b'{"update_id":49,"message":"\xff"}',
        ids=list(range(41, 50)),
    )
    async with listening(wire, inbox, clock):
        await until(lambda: len(wire.called("getUpdates")) > 4)
        sent = wire.called("sendMessage")
        assert sorted(given["chat_id"] for given in sent) == ["4001", "4002", "4003", "4004"]
        assert {given["text"] for given in sent} == {EMERGENCY}
        clock.pass_by(59)
        polls = len(wire.called("getUpdates"))
        await until(lambda: len(wire.called("getUpdates")) > polls + 3)
        assert len(wire.called("sendMessage")) == 4
        clock.pass_by(2)
        await until(lambda: len(wire.called("sendMessage")) == 8)
    assert not inbox.kept


async def test_emergency_words_that_certainly_did_not_arrive_are_tried_again_at_once(wire: Wire) -> None:
    inbox = Inbox()
    inbox.broken = lambda _arrival: True
    wire.script("sendMessage", error(429, "Too Many Requests", retry_after=1))
    wire.arrive(message(41))
    async with listening(wire, inbox):
        await until(lambda: len(wire.called("sendMessage")) == 2)


async def test_a_database_that_hangs_is_a_database_that_is_down(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telegram_polling, "STORE_WAIT", 0.05)
    wire.arrive(message(41))
    channel = TelegramChannel(TOKEN, wire.base_url, clock=Clock(), help_line=lambda _who: EMERGENCY, poll_timeout=1)

    async def hang(_arrival: Arrival) -> None:
        await asyncio.sleep(3600)

    task = asyncio.create_task(channel.listen(hang))
    await until(lambda: wire.called("sendMessage"))
    assert "42" not in offsets(wire)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await channel.close()


async def test_trouble_with_one_address_keeps_the_emergency_words_from_nobody_else(wire: Wire) -> None:
    def help_line(who: str) -> str:
        if who == "4001":
            raise KeyError(who)
        return EMERGENCY

    wire.script("sendMessage", error(403, "Forbidden: bot was blocked by the user"))
    channel = TelegramChannel(TOKEN, wire.base_url, clock=Clock(), help_line=help_line)
    await channel.help_instead([json.dumps(message(n, 4000 + n)).encode() for n in (1, 2, 3)])
    await channel.close()
    assert sorted(given["chat_id"] for given in wire.called("sendMessage")) == ["4002", "4003"]
