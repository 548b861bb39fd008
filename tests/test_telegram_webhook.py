"""Telegram calling us: who is let in, how much, and what 200 means."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from bot.channel import Arrival
from bot.telegram_channel import TelegramChannel
from bot.webhook import MAX_BODY, webhook_route
from tests.telegram_wire import TOKEN, Wire, a_wire, message

PATH = "/telegram/6f1e0a52c0de"
SECRET = "S3cret_token-of-forty-signs-0123456789abc"
NAME = "X-Telegram-Bot-Api-Secret-Token"
GOOD = [(NAME, SECRET), ("Content-Type", "application/json")]
UPDATE = json.dumps(message(41)).encode()
EMPTY = {"type": "http.request", "body": b"", "more_body": False}


class Hook:
    """The route in an application, with an inbox that can break."""

    def __init__(self, channel: TelegramChannel) -> None:
        self.kept: list[Arrival] = []
        self.broken = False
        self.app = FastAPI()
        self.app.router.routes.append(webhook_route(channel, PATH, SECRET, self.store, body_wait=0.2))

    async def store(self, arrival: Arrival) -> None:
        if self.broken:
            raise OSError(arrival.raw)
        self.kept.append(arrival)

    async def post(
        self, content: bytes = UPDATE, headers: list[tuple[str, str]] | None = None, method: str = "POST"
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://line.example") as client:
            return await client.request(method, PATH, content=content, headers=GOOD if headers is None else headers)

    async def call(self, receive: Callable[[], Awaitable[dict[str, Any]]], *headers: tuple[bytes, bytes]) -> int:
        """Past httpx: bodies that no client of ours would send."""
        told: list[Any] = []
        scope = {
            "type": "http",
            "method": "POST",
            "path": PATH,
            "query_string": b"",
            "headers": [(key.lower().encode(), value.encode()) for key, value in GOOD] + list(headers),
        }

        async def send(event: Any) -> None:
            told.append(event)

        await self.app(scope, receive, send)
        return int(told[0]["status"])


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    async with a_wire() as made:
        yield made


@pytest.fixture
async def hook(wire: Wire) -> AsyncIterator[Hook]:
    channel = TelegramChannel(
        TOKEN,
        wire.base_url,
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        help_line=lambda _who: "Ring 999.",
    )
    yield Hook(channel)
    await channel.close()


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=UTF-8",
        'application/json; charset="utf-8"',
    ],
)
async def test_an_update_is_stored_as_it_came_and_answered_200(hook: Hook, kind: str) -> None:
    answer = await hook.post(headers=[(NAME, SECRET), ("Content-Type", kind)])
    assert (answer.status_code, answer.content) == (200, b"")
    assert [(one.key, one.lane, one.raw) for one in hook.kept] == [("41", "4001", UPDATE)]


JSON = ("Content-Type", "application/json")


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (401, [JSON]),
        (401, [JSON, (NAME, "")]),
        (401, [JSON, (NAME, SECRET[:-1])]),
        (401, [JSON, (NAME, SECRET + "x")]),
        (401, [JSON, (NAME, SECRET.upper())]),
        (401, [JSON, (NAME, SECRET), (NAME, SECRET)]),
        (401, [JSON, (NAME, SECRET), (NAME, "x")]),
        (401, [JSON, (NAME, f"{SECRET}, {SECRET}")]),
        (401, [JSON, (NAME, "\u00e9")]),
        (401, []),
        (415, [(NAME, SECRET)]),
        (415, [(NAME, SECRET), ("Content-Type", "text/plain")]),
        (415, [(NAME, SECRET), ("Content-Type", "application/json; charset=utf-16")]),
        (415, [(NAME, SECRET), ("Content-Type", "application/jsonp")]),
        (415, [(NAME, SECRET), ("Content-Type", "application/json, text/html")]),
        (415, [(NAME, SECRET), JSON, JSON]),
        (415, [*GOOD, ("Content-Encoding", "gzip")]),
        (415, [*GOOD, ("Content-Encoding", "identity")]),
    ],
)
async def test_a_caller_who_asks_wrongly_is_turned_away_without_a_word(
    hook: Hook, status: int, headers: list[tuple[str, str]]
) -> None:
    encoded = [(key.encode(), value.encode("latin-1")) for key, value in headers]
    answer = await hook.post(headers=encoded)  # type: ignore[arg-type]
    assert (answer.status_code, answer.content) == (status, b"")
    assert not hook.kept


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_any_other_method_is_405_without_a_word(hook: Hook, method: str) -> None:
    answer = await hook.post(method=method)
    assert (answer.status_code, answer.content) == (405, b"")


async def test_a_compressed_body_is_never_unpacked(hook: Hook) -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    assert (await hook.post(bomb, [*GOOD, ("Content-Encoding", "gzip")])).status_code == 415
    assert (await hook.post(bomb)).status_code == 200  # as bytes that cannot be read
    assert [one.raw for one in hook.kept] == [bomb]


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY, 200), (MAX_BODY + 1, 413), (2 * MAX_BODY, 413)])
async def test_a_body_of_more_than_a_mebibyte_is_refused(hook: Hook, size: int, status: int) -> None:
    assert (await hook.post(b"x" * size)).status_code == status


async def test_an_endless_body_is_cut_off_however_small_it_says_it_is(hook: Hook) -> None:
    read = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        read += 65536
        return {"type": "http.request", "body": b"x" * 65536, "more_body": True}

    assert await hook.call(receive, (b"content-length", b"10")) == 413
    assert read <= MAX_BODY + 2 * 65536


async def test_a_body_that_does_not_end_in_time_is_given_up(hook: Hook) -> None:
    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.05)
        return {"type": "http.request", "body": b"x", "more_body": True}

    assert await hook.call(receive) == 408


async def test_a_caller_who_hangs_up_half_way_leaves_nothing(hook: Hook) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    assert await hook.call(receive) == 400
    assert not hook.kept


@pytest.mark.parametrize("raw", [b"", b"rubbish", b'{"update_id":9,"message":"\xff"}', b"[" * 5000, b"[1]"])
async def test_what_cannot_be_read_is_stored_for_quarantine_and_not_sent_again(hook: Hook, raw: bytes) -> None:
    assert (await hook.post(raw)).status_code == 200
    assert [(one.lane, one.raw) for one in hook.kept] == [("unread", raw)]


async def test_what_cannot_be_stored_is_500_and_its_writer_is_told_whom_to_ring(wire: Wire, hook: Hook) -> None:
    hook.broken = True
    answer = await hook.post()
    assert (answer.status_code, answer.content) == (500, b"")
    assert [(given["chat_id"], given["text"]) for given in wire.called("sendMessage")] == [("4001", "Ring 999.")]
    assert (await hook.post()).status_code == 500  # Telegram tries again; the person is not told twice
    assert len(wire.called("sendMessage")) == 1


async def test_the_secret_is_never_logged(hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await hook.post(headers=[JSON, (NAME, "wrongsecretwrongsecret")])
    await hook.post()
    assert "status=401" in caplog.text
    assert "wrongsecret" not in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("secret", ["", "short", "x" * 257, "with blanks " * 4])
def test_a_weak_secret_is_refused_at_the_start(hook: Hook, secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        webhook_route(hook, PATH, secret, hook.store)  # type: ignore[arg-type]
