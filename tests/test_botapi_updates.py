"""The Bot API stand-in hands over updates as Telegram does: by long polling, or to a webhook."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
import pytest_asyncio
from telegram import Bot
from telegram.error import Conflict

from tests.botapi import BotApi, Person

DAY = 24 * 3600


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as opened:
        yield opened


@pytest_asyncio.fixture
async def bot(api: BotApi) -> AsyncIterator[Bot]:
    async with Bot(api.token, base_url=api.base_url) as opened:
        yield opened


@pytest_asyncio.fixture
async def other_bot(api: BotApi) -> AsyncIterator[Bot]:
    """The same bot in another process: PTB polls over one connection, so one Bot cannot poll twice."""
    async with Bot(api.token, base_url=api.base_url) as opened:
        yield opened


@pytest.fixture
def ann(api: BotApi) -> Person:
    return api.person(501, "Ann")


async def texts(bot: Bot, offset: int | None = None, **more: Any) -> list[str | None]:
    updates = await bot.get_updates(offset, **more)
    return [update.message.text for update in updates if update.message]


# --- polling ---------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_an_offset_forgets_what_is_below_it_and_nothing_else(api: BotApi, bot: Bot, ann: Person) -> None:
    for text in "abc":
        ann.write(text)
    first = api.updates[0].update_id
    assert await texts(bot) == await texts(bot) == ["a", "b", "c"], "what is not confirmed comes again"
    assert await texts(bot, first + 1) == ["b", "c"]
    assert await texts(bot) == ["b", "c"]
    assert [one.confirmed for one in api.updates] == [True, False, False]
    assert await texts(bot, first + 1, limit=1) == ["b"]
    assert await texts(bot, -1) == ["c"], "a negative offset keeps the newest"
    assert api.pending_updates == [first + 2]
    assert await texts(bot, first + 3) == []
    api.wait_until_drained()


@pytest.mark.asyncio
async def test_a_long_poll_ends_as_soon_as_something_comes(bot: Bot, ann: Person) -> None:
    polling = asyncio.create_task(texts(bot, timeout=20))
    await asyncio.sleep(0.05)
    await asyncio.to_thread(ann.write, "at last")
    assert await asyncio.wait_for(polling, 2) == ["at last"]


@pytest.mark.asyncio
async def test_a_long_poll_ends_when_its_time_is_over(bot: Bot) -> None:
    assert await texts(bot, timeout=1) == []


@pytest.mark.asyncio
async def test_a_second_poller_ends_the_first(bot: Bot, other_bot: Bot, ann: Person) -> None:
    first = asyncio.create_task(texts(bot, timeout=20))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(texts(other_bot, timeout=20))
    with pytest.raises(Conflict, match="terminated by other getUpdates request"):
        await asyncio.wait_for(first, 2)
    ann.write("to the second")
    assert await asyncio.wait_for(second, 2) == ["to the second"]


@pytest.mark.asyncio
async def test_a_test_may_have_the_second_poller_refused(api: BotApi, bot: Bot, other_bot: Bot, ann: Person) -> None:
    api.conflict_ends = "new"
    first = asyncio.create_task(texts(bot, timeout=20))
    await asyncio.sleep(0.05)
    with pytest.raises(Conflict):
        await texts(other_bot)
    ann.write("to the first")
    assert await asyncio.wait_for(first, 2) == ["to the first"]


@pytest.mark.asyncio
async def test_a_poller_that_went_away_loses_nothing_and_disturbs_nobody(api: BotApi, bot: Bot, ann: Person) -> None:
    gone = asyncio.create_task(texts(bot, timeout=20))
    await asyncio.sleep(0.05)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    assert api.wait_until(lambda: api.calls("getUpdates")[-1].outcome == "caller gone")
    ann.write("still here")
    assert await texts(bot, timeout=5) == ["still here"]


@pytest.mark.asyncio
async def test_updates_are_dropped_after_a_day(api: BotApi, bot: Bot, ann: Person) -> None:
    ann.write("old")
    api.advance(DAY - 60)
    ann.write("new")
    api.advance(120)
    assert await texts(bot) == ["new"]
    assert [one.expired for one in api.updates] == [True, False]


@pytest.mark.asyncio
async def test_only_kinds_that_are_asked_for_are_queued(api: BotApi, bot: Bot, ann: Person) -> None:
    await bot.get_updates(allowed_updates=["callback_query"])
    ann.write("not asked for")
    tap = ann.tap_raw("x")
    assert api.pending_updates == [tap.update_id]
    await bot.get_updates(offset=-1, allowed_updates=[])
    ann.write("asked for again")
    ann.react(ann.chat[0])
    assert [one.kind for one in api.updates] == ["callback_query", "message"]


@pytest.mark.asyncio
async def test_a_duplicate_comes_under_its_old_id_whatever_the_offset(api: BotApi, bot: Bot, ann: Person) -> None:
    ann.write("once")
    number = api.updates[0].update_id
    assert await texts(bot, number + 1) == []
    api.resend(number)
    assert await texts(bot, number + 1) == ["once"]
    assert await texts(bot, number + 1) == []


@pytest.mark.asyncio
async def test_a_jump_to_lower_ids_is_heard_with_the_old_offset(api: BotApi, bot: Bot, ann: Person) -> None:
    ann.write("before")
    offset = api.updates[0].update_id + 1
    assert await texts(bot, offset) == []
    api.set_next_update_id(7)
    ann.write("after")
    assert await texts(bot, offset) == ["after"]
    assert api.pending_updates == [7], "an offset in the future confirms nothing"
    assert await texts(bot, 8) == []
    assert api.pending_updates == []


def raw_poll(api: BotApi, offset: int = 0) -> bytes:
    return httpx.get(f"{api.base_url}{api.token}/getUpdates", params={"offset": offset}).content


def test_anything_can_be_pushed_as_an_update(api: BotApi) -> None:
    deep = b'{"update_id": 900000000, "message": ' + b'{"a":' * 3000 + b"1" + b"}" * 3000 + b"}"
    assert api.push({"message": {"text": 5}}) == 100_000_001
    assert api.push({"update_id": 2**60, "message": None}) == 2**60
    assert api.push(b'{"update_id": 3, "x": NaN, "y": "\xff\xfe"}') == 3
    api.push(deep)
    answer = raw_poll(api)
    assert b'{"update_id": 100000001, "message": {"text": 5}}' in answer
    assert b'"x": NaN, "y": "\xff\xfe"' in answer
    assert deep in answer
    raw_poll(api, 900_000_001)
    assert api.pending_updates == []


# --- webhook ---------------------------------------------------------------------------------------


class Hook:
    """Somebody's webhook: keeps what it got, answers what it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[str | None, dict[str, Any]]] = []
        self.answers: list[int] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.got.append((self.headers["X-Telegram-Bot-Api-Secret-Token"], json.loads(body)))
                self.send_response(hook.answers.pop(0) if hook.answers else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name in the base class
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def texts(self) -> list[str]:
        return [update["message"]["text"] for _, update in self.got]

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    opened = Hook()
    yield opened
    opened.close()


@pytest.mark.asyncio
async def test_a_webhook_gets_updates_in_order_with_the_secret(api: BotApi, bot: Bot, ann: Person, hook: Hook) -> None:
    ann.write("waiting already")
    await bot.set_webhook(hook.url, secret_token="s3cret_-")
    for number in range(5):
        ann.write(str(number))
    await asyncio.to_thread(api.wait_until_drained)
    assert hook.texts == ["waiting already", "0", "1", "2", "3", "4"]
    assert {secret for secret, _ in hook.got} == {"s3cret_-"}
    info = await bot.get_webhook_info()
    assert (info.url, info.pending_update_count, info.max_connections) == (hook.url, 0, 40)


@pytest.mark.asyncio
async def test_a_webhook_that_fails_is_tried_again_and_others_are_not_held_up(
    api: BotApi, bot: Bot, ann: Person, hook: Hook
) -> None:
    hook.answers = [500, 404]
    api.webhook_backoff = (0.1, 0.1)
    await bot.set_webhook(hook.url, max_connections=1)
    ann.write("failing")
    ann.write("behind it")
    api.person(502).write("of another chat")
    await asyncio.to_thread(api.wait_until_drained)
    assert hook.texts.count("failing") >= 2
    assert hook.texts.index("of another chat") < hook.texts.index("behind it")
    info = await bot.get_webhook_info()
    assert info.last_error_message is not None
    assert "Wrong response from the webhook" in info.last_error_message


@pytest.mark.asyncio
async def test_a_webhook_out_of_reach_keeps_updates_waiting(api: BotApi, bot: Bot, ann: Person, hook: Hook) -> None:
    hook.close()
    await bot.set_webhook(hook.url)
    ann.write("kept")
    assert await asyncio.to_thread(api.wait_until, lambda: api.updates[0].deliveries > 1)
    again = Hook()
    await bot.set_webhook(again.url)
    await asyncio.to_thread(api.wait_until_drained)
    assert again.texts == ["kept"]
    again.close()


@pytest.mark.asyncio
async def test_polling_and_a_webhook_exclude_each_other(api: BotApi, bot: Bot, ann: Person, hook: Hook) -> None:
    polling = asyncio.create_task(texts(bot, timeout=20))
    await asyncio.sleep(0.05)
    await bot.set_webhook(hook.url)
    with pytest.raises(Conflict, match="terminated by setWebhook request"):
        await asyncio.wait_for(polling, 2)
    with pytest.raises(Conflict, match="webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    ann.write("polled again")
    assert await texts(bot) == ["polled again"]
    await bot.delete_webhook(drop_pending_updates=True)
    assert api.pending_updates == []


@pytest.mark.asyncio
async def test_a_duplicate_goes_to_the_webhook_too(api: BotApi, bot: Bot, ann: Person, hook: Hook) -> None:
    await bot.set_webhook(hook.url)
    ann.write("twice")
    await asyncio.to_thread(api.wait_until_drained)
    api.resend(api.updates[0].update_id)
    await asyncio.to_thread(api.wait_until_drained)
    assert hook.texts == ["twice", "twice"]
    assert hook.got[0] == hook.got[1]
