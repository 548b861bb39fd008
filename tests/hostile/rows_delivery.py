"""Rows 61 to 68: the shape of an update, and how it comes."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
from starlette.applications import Starlette

from bot.webhook import BODY_WAIT, MAX_BODY, webhook_route
from conversations.messages import Unreadable
from tests.hostile.kit import CHATS, Json, Scene
from tests.hostile.rows_text import exactly, pushes
from tests.hostile.table import Act, Case, Code

PATH, SECRET = "/hook-4kXqv0Zr2u", "s3cret-" + "Z" * 40
HEADERS = {"X-Telegram-Bot-Api-Secret-Token": SECRET, "Content-Type": "application/json"}


def encoded(update: Json) -> bytes:
    """An update as bytes, with an id if it has none."""
    return json.dumps(update if "update_id" in update else {"update_id": 900} | update).encode()


# --- 61, 62, 64: shapes ------------------------------------------------------------------------------


def malformed(row: int, name: str, make: Callable[[Scene], Json | bytes], **more: Any) -> Case:
    """What cannot be read: kept as it came. It comes by polling; what has no id to poll by, straight to the inbox."""

    async def act(scene: Scene) -> None:
        update = make(scene)
        raw = update if isinstance(update, bytes) else encoded(update)
        began = time.perf_counter()
        with suppress(Unreadable):
            scene.channel.read(raw)
        assert time.perf_counter() - began < 0.05
        await scene.store(raw)
        await scene.settle()
        assert [scene.raw_of(one) for one in scene.inbox()] == [raw]
        async with client(scene) as hook:  # by webhook it is 200, or Telegram would send it for ever
            assert (await hook.post(PATH, content=raw)).status_code == 200

    return Case(row, name, Code.QUARANTINED, act, storage=True, **more)


def without(field: str) -> Callable[[Scene], Json]:
    """A message without one of its fields."""

    def make(scene: Scene) -> Json:
        update = scene.update(text="canary")
        del update["message"][field]
        return update

    return make


def having(**fields: Any) -> Callable[[Scene], Json]:
    """A message with these fields."""
    return lambda scene: scene.update(**({"text": "canary"} | fields))


async def arrives_malformed_by_polling(scene: Scene) -> None:
    phone = scene.phone("officer1")
    phone.write("Before it, canary")
    scene.push(without("from")(scene), b'{"update_id":0,"message":{"text":"\xff canary"}}')
    phone.write("After it, canary")
    await scene.settle()
    states = [row.state for row in scene.inbox()]
    assert sorted(states) == ["done", "done", "quarantined", "quarantined"]
    assert scene.words(scene.row_of("officer1").ref) == [["Before it, canary"], ["After it, canary"]]


async def comes_from_a_big_id(scene: Scene) -> None:
    big = 2**53 + 1
    scene.bind("officer1", big)
    update = scene.update(big, text="Big, canary?", message_id=2**53 + 7)
    scene.push(update)
    await scene.settle()
    row = scene.row_of("officer1")
    assert scene.words(row.ref) == [["Big, canary?"]]
    assert row.ref in scene.seen_by(big)[-1].text
    assert not scene.seen_by(big - 1)  # no id was rounded


async def has_a_negative_update_id(scene: Scene) -> None:
    for _ in range(2):  # it has no key that Telegram knows; the same bytes are the same arrival
        await scene.store({"update_id": -5, **scene.update(text="Below zero, canary?", message_id=9)})
    await scene.settle()
    assert scene.words(scene.row_of("officer1").ref) == [["Below zero, canary?"]]


async def is_a_negative_person(scene: Scene) -> None:
    await scene.store({"update_id": 901, **scene.update(-77, text="canary")})


async def is_a_stranger_who_cannot_be_reached(scene: Scene) -> None:
    assert [row.state for row in scene.inbox()] == ["done"]
    assert [one.why for one in scene.noted("input.refused")] == ["stranger"]


# --- 63, 68: dates -----------------------------------------------------------------------------------


def dated(year: int) -> Act:
    """Officer1's clock is far off."""
    return pushes(text="When, canary?", date=int(datetime(year, 1, 1, tzinfo=UTC).timestamp()))


async def our_clock_rules(scene: Scene) -> None:
    row = scene.row_of("officer1")
    assert (row.state, row.asked_at) == ("offered", scene.house.clock())
    assert abs(scene.noted("line.clock_skew")[0].facts["seconds"]) > 300
    await exactly("When, canary?")(scene)


async def was_written_yesterday(scene: Scene) -> None:
    scene.push(scene.update(text="Help, canary", date=int(scene.house.clock().timestamp()) - 86_340))


async def is_asked_before_anybody_is_paged(scene: Scene) -> None:
    row = scene.row_of("officer1")
    text = scene.seen_by("officer1")[-1].text
    assert "You wrote this at 21:01 on 19 November; it has only reached us now. Do you still need help?" in text
    assert text.startswith(scene.house.line.policy.emergency)
    assert row.state == "stale"
    assert not scene.seen_by("jane")
    scene.phone("officer1").tap("Still needed")
    await scene.settle()
    await scene.accept("jane", row.ref)


# --- 65: bodies --------------------------------------------------------------------------------------


def client(scene: Scene, *, wait: float = BODY_WAIT) -> httpx.AsyncClient:
    """Telegram, calling this line's webhook."""
    transport = httpx.ASGITransport(Starlette(routes=[_route(scene, wait)]))
    return httpx.AsyncClient(transport=transport, base_url="http://line.example", headers=HEADERS)


def _route(scene: Scene, wait: float) -> Any:
    return webhook_route(scene.channel, PATH, SECRET, scene.intake.store, body_wait=wait)


async def answered(scene: Scene, receive: Callable[[], Awaitable[Json]], wait: float = BODY_WAIT) -> int:
    """The status that a body gets which no client of ours would send."""
    told: list[Any] = []
    headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
    scope = {"type": "http", "method": "POST", "path": PATH, "query_string": b"", "headers": headers}

    async def send(event: Any) -> None:
        told.append(event)

    await Starlette(routes=[_route(scene, wait)])(scope, receive, send)
    return int(told[0]["status"])


async def two_megabytes(scene: Scene) -> None:
    async with client(scene) as hook:
        assert (await hook.post(PATH, content=b"canary" * 350_000)).status_code == 413


async def a_gzip_bomb(scene: Scene) -> None:
    bomb = gzip.compress(b"canary" * 2_000_000)
    async with client(scene) as hook:
        assert (await hook.post(PATH, content=bomb, headers={"Content-Encoding": "gzip"})).status_code == 415


async def without_end(scene: Scene) -> None:
    async def receive() -> Json:
        return {"type": "http.request", "body": b"c" * 65_536, "more_body": True}

    tracemalloc.start()
    try:
        assert await answered(scene, receive) == 413
        assert tracemalloc.get_traced_memory()[1] < 8 * MAX_BODY
    finally:
        tracemalloc.stop()


async def without_end_and_slowly(scene: Scene) -> None:
    async def receive() -> Json:
        await asyncio.sleep(0.05)
        return {"type": "http.request", "body": b"c", "more_body": True}

    assert BODY_WAIT == 10
    assert await answered(scene, receive, wait=0.3) == 408


# --- 66, 67: again, and out of order -----------------------------------------------------------------


async def comes_five_times(scene: Scene) -> None:
    scene.phone("officer1").write("Once, canary?")
    number = scene.api.updates[-1].update_id
    for _ in range(4):
        scene.api.resend(number)
    await scene.settle()
    scene.api.resend(number)


async def happened_once(scene: Scene) -> None:
    assert len(scene.inbox()) == 1
    assert scene.words(scene.row_of("officer1").ref) == [["Once, canary?"]]
    assert len(scene.seen_by("officer1")) == 1


async def ten_come_again_after_a_restart(scene: Scene) -> None:
    phone = scene.phone("officer1")
    for number in range(10):
        phone.write(f"Line {number}, canary")
    await scene.settle()
    old = [one.update_id for one in scene.api.updates]
    seen, state = len(scene.seen_by("officer1")), scene.snapshot()
    await scene.restart()
    for number in old:
        scene.api.resend(number)
    await scene.settle()
    assert (len(scene.seen_by("officer1")), scene.snapshot(), len(scene.inbox())) == (seen, state, 10)


async def ids_jump_back(scene: Scene) -> None:
    scene.phone("officer1").write("High, canary")
    await scene.settle()
    scene.api.set_next_update_id(17)
    scene.phone("officer1").write("Low, canary")


async def both_were_taken_in(scene: Scene) -> None:
    assert scene.words(scene.row_of("officer1").ref) == [["High, canary"], ["Low, canary"]]
    assert int(scene.inbox()[1].key) < int(scene.inbox()[0].key)


ME = {"id": CHATS["officer1"], "is_bot": False, "first_name": "Ann"}
DEEP = b'{"update_id":902,"message":' + b'{"canary":' * 5_000 + b"1" + b"}" * 5_001

CASES = [
    malformed(61, "no sender", without("from")),
    malformed(61, "no chat", without("chat")),
    malformed(61, "text that is a number", having(text=5)),
    malformed(61, "a message that is a list", lambda _: {"message": ["canary"]}),
    malformed(61, "a date in words", having(date="canary")),
    Case(61, "fields nobody knows", Code.OK, pushes(text="What is new, canary?", tomorrow={"a": [None]}, entities=5),
         after=exactly("What is new, canary?"), storage=True),
    Case(61, "between two good ones by polling", Code.SEVERAL, arrives_malformed_by_polling),
    Case(62, "ids beyond 2 to the 53", Code.OK, comes_from_a_big_id, storage=True),
    Case(62, "a negative update id", Code.OK, has_a_negative_update_id, storage=True),
    Case(62, "a negative person", Code.SEVERAL, is_a_negative_person, after=is_a_stranger_who_cannot_be_reached),
    malformed(62, "an id in quotes", having(**{"from": ME | {"id": str(CHATS["officer1"])}})),
    malformed(62, "an id of 65 bits", having(**{"from": ME | {"id": 2**64}})),
    malformed(62, "an update id in quotes", lambda scene: {"update_id": "903", **scene.update(text="canary")}),
    Case(63, "from 1970", Code.OK, dated(1970), after=our_clock_rules, storage=True),
    Case(63, "from 2100", Code.OK, dated(2100), after=our_clock_rules, storage=True),
    malformed(64, "5000 deep", lambda _: DEEP),
    malformed(64, "a repeated name", lambda _: b'{"update_id":904,"message":{"text":"canary","text":"other"}}'),
    malformed(64, "NaN", lambda _: b'{"update_id":905,"message":{"text":"canary","date":NaN}}'),
    malformed(64, "invalid UTF-8", lambda _: b'{"update_id":906,"message":{"text":"canary \xff\xfe"}}'),
    malformed(64, "no JSON at all", lambda _: b"<html>canary</html>"),
    Case(65, "two megabytes", Code.SILENT, two_megabytes, storage=True),
    Case(65, "a gzip bomb", Code.SILENT, a_gzip_bomb, storage=True, why="415: no body is ever unpacked."),
    Case(65, "chunks without end", Code.SILENT, without_end, storage=True),
    Case(65, "chunks without end and slowly", Code.SILENT, without_end_and_slowly, storage=True),
    Case(66, "the same update five times", Code.OK, comes_five_times, after=happened_once, storage=True),
    Case(66, "ten old ones after a restart", Code.OK, ten_come_again_after_a_restart, storage=True),
    Case(67, "a lower id", Code.OK, ids_jump_back, after=both_were_taken_in),
    Case(68, "a day old", Code.OK, was_written_yesterday, after=is_asked_before_anybody_is_paged),
]  # fmt: skip
