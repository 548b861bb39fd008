"""The Bot API stand-in fails as ordered, and counts what its caller cannot know."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio
from telegram import Bot
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError, TimedOut

from tests.botapi import BotApi, Fault, Person

APPLIED = (Fault.APPLIED_5XX, Fault.APPLIED_DROPPED, Fault.APPLIED_UNANSWERED)
NOT_APPLIED = (Fault.NOT_APPLIED_5XX, Fault.NOT_APPLIED_DROPPED, Fault.NOT_APPLIED_UNANSWERED)


@pytest.fixture(autouse=True)
def durations_as_timedelta(monkeypatch: pytest.MonkeyPatch) -> None:
    """PTB warns of its older way, whole seconds, whenever a RetryAfter is made."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest.fixture
def api() -> Iterator[BotApi]:
    with BotApi() as opened:
        yield opened


@pytest_asyncio.fixture
async def bot(api: BotApi) -> AsyncIterator[Bot]:
    async with Bot(api.token, base_url=api.base_url) as opened:
        yield opened


@pytest.fixture
def ann(api: BotApi) -> Person:
    ann = api.person(501, "Ann")
    ann.start()
    return ann


@pytest.mark.asyncio
@pytest.mark.parametrize("how", [*APPLIED, *NOT_APPLIED])
async def test_after_an_unknown_outcome_the_effect_is_there_or_not(
    api: BotApi, bot: Bot, ann: Person, how: Fault
) -> None:
    api.fail("sendMessage", how)
    unanswered = how.value.endswith("unanswered")
    with pytest.raises(NetworkError) as raised:
        await bot.send_message(ann.user_id, "perhaps", read_timeout=0.2 if unanswered else 10)
    assert ann.sees("perhaps") == (how in APPLIED)
    assert (api.unknown_outcomes, api.unknown_by_method) == (1, {"sendmessage": 1})
    assert isinstance(raised.value, TimedOut) == unanswered
    call = api.wait_for_calls("sendMessage")[0]
    assert (call.applied, call.fault) == (how in APPLIED, how.value)
    await bot.send_message(ann.user_id, "surely")
    assert ann.sees("surely")
    assert api.unknown_outcomes == 1


@pytest.mark.asyncio
async def test_a_dropped_call_gets_not_one_byte(api: BotApi, ann: Person) -> None:
    api.fail("sendMessage", Fault.APPLIED_DROPPED)
    async with httpx.AsyncClient() as client:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await client.post(f"{api.base_url}{api.token}/sendMessage", json={"chat_id": 501, "text": "x"})
    assert api.calls("sendMessage")[0].outcome == "dropped"


@pytest.mark.asyncio
async def test_a_certain_refusal_is_not_counted_as_unknown(api: BotApi, bot: Bot, ann: Person) -> None:
    api.fail("sendMessage", Fault.RETRY_AFTER, retry_after=7)
    with pytest.raises(RetryAfter) as raised:
        await bot.send_message(ann.user_id, "x")
    assert raised.value.retry_after == timedelta(seconds=7)
    api.fail("sendMessage", "403")
    with pytest.raises(Forbidden):
        await bot.send_message(ann.user_id, "x")
    api.fail("sendMessage", "400 can't parse entities")
    with pytest.raises(BadRequest, match="Can't parse entities"):
        await bot.send_message(ann.user_id, "x")
    assert ann.from_bot == []
    assert api.unknown_outcomes == 0


@pytest.mark.asyncio
async def test_a_fault_meets_the_calls_it_was_ordered_for(api: BotApi, bot: Bot, ann: Person) -> None:
    bob = api.person(502, "Bob")
    bob.start()
    api.fail("*", Fault.FORBIDDEN, times=2, chat_id=bob.user_id)
    await bot.send_message(ann.user_id, "x")
    for _ in range(2):
        with pytest.raises(Forbidden):
            await bot.send_message(bob.user_id, "x")
    await bot.send_message(bob.user_id, "x")
    api.fail("sendMessage", Fault.FORBIDDEN, times=None)
    api.clear_faults()
    await bot.send_message(bob.user_id, "x")
    assert api.injected_faults == {Fault.FORBIDDEN: 2}


@pytest.mark.asyncio
@pytest.mark.parametrize("how", [Fault.SLOW_BEFORE, Fault.SLOW_AFTER])
async def test_a_slow_call_is_unknown_only_to_who_does_not_wait(api: BotApi, bot: Bot, ann: Person, how: Fault) -> None:
    api.fail("sendMessage", how, seconds=0.1)
    await bot.send_message(ann.user_id, "patience")
    assert api.unknown_outcomes == 0
    api.fail("sendMessage", how, seconds=0.3)
    with pytest.raises(TimedOut):
        await bot.send_message(ann.user_id, "haste", read_timeout=0.05)
    assert ann.sees("haste") == (how is Fault.SLOW_AFTER)
    await asyncio.to_thread(api.wait_for_calls, "sendMessage", 2)
    assert ann.sees("haste")
    assert api.unknown_outcomes == 1


@pytest.mark.asyncio
async def test_a_lost_answer_to_get_updates_loses_no_update(api: BotApi, bot: Bot, ann: Person) -> None:
    api.fail("getUpdates", Fault.APPLIED_DROPPED)
    with pytest.raises(NetworkError):
        await bot.get_updates()
    assert len(await bot.get_updates()) == 1
    assert api.unknown_outcomes == 0, "asking again does no harm"


@pytest.mark.asyncio
async def test_in_a_partition_connecting_is_refused(api: BotApi, bot: Bot, ann: Person) -> None:
    polling = asyncio.create_task(bot.get_updates(offset=api.updates[-1].update_id + 1, timeout=20))
    await asyncio.sleep(0.05)
    await asyncio.to_thread(api.partition)
    with pytest.raises(NetworkError):
        await asyncio.wait_for(polling, 2)
    with pytest.raises(NetworkError, match="ConnectError"):
        await bot.send_message(ann.user_id, "nobody hears")
    await asyncio.to_thread(api.heal)
    await bot.send_message(ann.user_id, "heard again")
    assert ann.lock_screen == ["heard again"]
    assert api.unknown_outcomes == 0


@pytest.mark.asyncio
async def test_the_same_seed_fails_the_same_calls(bot: Bot) -> None:
    outcomes = []
    for seed in (1, 1, 2):
        with BotApi() as api:
            api.person(501).start()
            api.fault_plan(seed, {Fault.APPLIED_5XX: 0.2, Fault.NOT_APPLIED_DROPPED: 0.2, Fault.RETRY_AFTER: 0.1})
            async with Bot(api.token, base_url=api.base_url) as other:
                for number in range(40):
                    try:
                        await other.send_message(501, str(number))
                    except TelegramError:
                        continue
            faults = [call.fault for call in api.calls("sendMessage")]
            outcomes.append(faults)
            lost = [fault for fault in faults if fault not in {None, Fault.RETRY_AFTER.value}]
            assert api.unknown_outcomes == len(lost) > 5
    assert outcomes[0] == outcomes[1] != outcomes[2]


@pytest.mark.asyncio
async def test_rate_limits_are_enforced_when_asked_for(api: BotApi, bot: Bot, ann: Person) -> None:
    await bot.send_message(ann.user_id, "free")
    await bot.send_message(ann.user_id, "of limits")
    api.rate_limits = True
    api.stop_clock()
    await bot.send_message(ann.user_id, "one a second")
    with pytest.raises(RetryAfter):
        await bot.send_message(ann.user_id, "in a chat")
    api.advance(1.1)
    await bot.send_message(ann.user_id, "is taken")


def test_thirty_messages_a_second_are_the_limit_over_all(api: BotApi) -> None:
    api.rate_limits = True
    api.stop_clock()
    codes = []
    with httpx.Client() as client:
        for user_id in range(600, 631):
            api.person(user_id).start()
            said = {"chat_id": user_id, "text": "x"}
            codes.append(client.post(f"{api.base_url}{api.token}/sendMessage", data=said))
    assert [code.status_code for code in codes] == [200] * 30 + [429]
    assert codes[-1].headers["Retry-After"] == "1"


def test_it_stops_with_calls_open_and_leaves_nothing_behind() -> None:
    api = BotApi().open()
    api.fail("getMe", Fault.SLOW_AFTER, seconds=30)
    failures: list[Exception] = []

    def call(method: str) -> None:
        try:
            httpx.get(f"{api.base_url}{api.token}/{method}", params={"timeout": 30}, timeout=30)
        except httpx.HTTPError as why:
            failures.append(why)

    callers = [threading.Thread(target=call, args=(method,)) for method in ("getMe", "getUpdates")]
    for caller in callers:
        caller.start()
    assert api.wait_until(lambda: len(api.calls()) == 2)
    began = time.monotonic()
    api.close()
    for caller in callers:
        caller.join(5)
    assert time.monotonic() - began < 3
    assert len(failures) == 2
    assert not [one for one in threading.enumerate() if one.name == "Bot API stand-in"]
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{api.base_url}{api.token}/getMe")


def test_calls_from_many_threads_are_each_taken_once(api: BotApi, ann: Person) -> None:
    def send(sender: int) -> None:
        with httpx.Client() as client:
            for number in range(25):
                said = {"chat_id": ann.user_id, "text": f"{sender}/{number}"}
                assert client.post(f"{api.base_url}{api.token}/sendMessage", data=said).is_success

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(4)))
    assert len(set(ann.lock_screen)) == len(ann.lock_screen) == 100
    for sender in "0123":
        own = [text for text in ann.lock_screen if text.startswith(f"{sender}/")]
        assert own == [f"{sender}/{number}" for number in range(25)]
