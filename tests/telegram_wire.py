"""The other end of the wire to Telegram, byte by byte: for answers that no well-behaved Bot API server gives.

Journeys use the Bot API stand-in in `tests/botapi`; this one hangs up, stays silent and answers rubbish.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.channel import Arrival
from bot.telegram_channel import TelegramChannel

TOKEN = "123456789:AAcanaryTokenCanaryTokenCanaryToken0"
ME = {
    "id": 123456789,
    "is_bot": True,
    "first_name": "Line",
    "username": "LanyardBot",
    "has_topics_enabled": True,
}


@dataclass(frozen=True)
class Reply:
    """One answer. `hang_up`: close without answering; `silent`: never answer."""

    status: int = 200
    body: bytes = b""
    hang_up: bool = False
    silent: bool = False


HANG_UP = Reply(hang_up=True)
SILENT = Reply(silent=True)


def result(value: Any) -> Reply:
    return Reply(body=json.dumps({"ok": True, "result": value}).encode())


def error(code: int, description: str, **parameters: Any) -> Reply:
    said: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    return Reply(code, json.dumps(said | ({"parameters": parameters} if parameters else {})).encode())


@dataclass(frozen=True)
class Call:
    name: str
    given: dict[str, str]


@dataclass
class Wire:
    """What was called, what is waiting to be polled, and what the next calls get instead."""

    base_url: str = ""
    calls: list[Call] = field(default_factory=list)
    waiting: list[tuple[int, bytes]] = field(default_factory=list)
    scripts: dict[str, deque[Reply]] = field(default_factory=lambda: defaultdict(deque))
    always: dict[str, Callable[[dict[str, str]], Reply]] = field(default_factory=dict)
    messages: int = 100

    def called(self, name: str) -> list[dict[str, str]]:
        return [call.given for call in self.calls if call.name == name]

    def script(self, name: str, *replies: Reply) -> None:
        self.scripts[name].extend(replies)

    def arrive(self, *updates: bytes | dict[str, Any], ids: list[int] | None = None) -> None:
        for place, update in enumerate(updates):
            raw = update if isinstance(update, bytes) else json.dumps(update).encode()
            number = ids[place] if ids else json.loads(raw)["update_id"]
            self.waiting.append((number, raw))

    async def answer(self, name: str, given: dict[str, str]) -> Reply:
        self.calls.append(Call(name, given))
        if self.scripts[name]:
            return self.scripts[name].popleft()
        if name in self.always:
            return self.always[name](given)
        if name == "getUpdates":
            return await self.updates(given)
        if name == "getMe":
            return result(ME)
        if name in {"sendMessage", "editMessageText"}:
            self.messages += 1
            chat = {"id": int(given["chat_id"]), "type": "private", "first_name": "A"}
            number = int(given.get("message_id", self.messages))
            return result({"message_id": number, "date": 1700000000, "chat": chat, "text": given["text"]})
        if name == "createForumTopic":
            return result({"message_thread_id": 77, "name": given["name"], "icon_color": 1})
        return result(True)

    async def updates(self, given: dict[str, str]) -> Reply:
        """Like Telegram: an offset confirms, for ever, everything with a lower id."""
        if "offset" in given:
            self.waiting = [(number, raw) for number, raw in self.waiting if number >= int(given["offset"])]
        if not self.waiting:
            await asyncio.sleep(0.01)
        raws = [raw for _, raw in self.waiting[: int(given["limit"])]]
        return Reply(body=b'{"ok":true,"result":[' + b",".join(raws) + b"]}")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await self.serve_one(reader, writer):
                pass
        writer.close()

    async def serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        address = urlsplit(head[0].split(" ")[1])
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        asked = parse_qs(address.query or body.decode(), keep_blank_values=True)
        reply = await self.answer(address.path.split("/")[-1], {key: value[0] for key, value in asked.items()})
        if reply.silent:
            await asyncio.sleep(3600)
        if reply.hang_up:
            return False
        size = f"content-length: {len(reply.body)}\r\ncontent-type: application/json\r\n\r\n"
        writer.write(f"HTTP/1.1 {reply.status} X\r\n{size}".encode() + reply.body)
        await writer.drain()
        return True


@asynccontextmanager
async def a_wire() -> AsyncIterator[Wire]:
    wire = Wire()
    open_ones: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_ones.add(task)
        try:
            await wire.serve(reader, writer)
        except asyncio.CancelledError:
            writer.close()
        finally:
            open_ones.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    wire.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/bot"
    try:
        yield wire
    finally:
        server.close()
        for task in list(open_ones):
            task.cancel()
        await asyncio.gather(*open_ones, return_exceptions=True)


# --- updates as Telegram sends them ----------------------------------------------------------------


def message(
    update_id: int = 1,
    sender: int = 4001,
    text: str | None = "hello",
    by: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    said: dict[str, Any] = {
        "message_id": 10 + update_id,
        "from": by or {"id": sender, "is_bot": False, "first_name": "Ann", "language_code": "en"},
        "chat": {"id": sender, "type": "private", "first_name": "Ann"},
        "date": 1_760_000_000,
    }
    return {"update_id": update_id, "message": said | ({} if text is None else {"text": text}) | more}


def edited(update_id: int = 1, **more: Any) -> dict[str, Any]:
    update = message(update_id, **more)
    return {"update_id": update_id, "edited_message": update["message"] | {"edit_date": 1_760_000_060}}


def tap(update_id: int = 1, sender: int = 4001, by: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    said = message(1, sender)["message"]
    query = {"id": "991", "from": by or said["from"], "message": said, "chat_instance": "5", "data": "a1b2"}
    return {"update_id": update_id, "callback_query": query | more}


def membership(status: str, update_id: int = 1, **more: Any) -> dict[str, Any]:
    said = message(1)["message"]
    bot = {"id": 1, "is_bot": True, "first_name": "Line"}
    change = {
        "chat": said["chat"],
        "from": said["from"],
        "date": said["date"],
        "old_chat_member": {"user": bot, "status": "member"},
        "new_chat_member": {"user": bot, "status": status},
    }
    return {"update_id": update_id, "my_chat_member": change | more}


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds, at most ten seconds."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - looks at another party's state, which rings no event of ours
            await asyncio.sleep(0.005)


GROUP = {"id": -1001234567890, "type": "supergroup", "title": "A group"}


# --- what listens --------------------------------------------------------------------------------

EMERGENCY = "Ring 999 in danger. Duty phone 020 7946 0000."


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Inbox:
    """Stores like the real one (a repeated key is not an error), until told to fail."""

    def __init__(self) -> None:
        self.kept: dict[str, Arrival] = {}
        self.tries = 0
        self.broken: Callable[[Arrival], bool] = lambda _arrival: False

    async def store(self, arrival: Arrival) -> None:
        self.tries += 1
        if self.broken(arrival):
            raise OSError(arrival.raw)
        self.kept.setdefault(arrival.key, arrival)


@asynccontextmanager
async def listening(
    wire: Wire, inbox: Inbox, clock: Clock | None = None, **more: object
) -> AsyncIterator[asyncio.Task[None]]:
    channel = TelegramChannel(
        TOKEN,
        wire.base_url,
        clock=clock or Clock(),
        help_line=lambda who: None if who == "4009" else EMERGENCY,
        poll_timeout=1,
        **more,  # type: ignore[arg-type]
    )
    task = asyncio.create_task(channel.listen(inbox.store))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await channel.close()
