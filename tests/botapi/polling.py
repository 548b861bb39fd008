"""getUpdates: one long poll at a time.

telegram-bot-api `Client.cpp` (process_get_updates_query, do_get_updates, abort_long_poll): while a webhook is set
getUpdates is refused; a second getUpdates ends the open one with 409 (`ends` turns that round, for a test).
Not imitated: the real server's brakes (a repeated offset within half a second gets one update and waits up to
three seconds; a second 409 within three seconds is held back).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from tests.botapi.calls import Arguments
from tests.botapi.rules import conflict
from tests.botapi.updates import Queued
from tests.botapi.world import World

LONGEST = 50  # telegram-bot-api `Client.h`, LONG_POLL_MAX_TIMEOUT
BY_OTHER = "terminated by other getUpdates request; make sure that only one bot instance is running"
BY_WEBHOOK = "terminated by setWebhook request"
WEBHOOK_SET = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


@dataclass
class _Poll:
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    ended: str = ""


class Polling:
    """The open poll, if any. Lives on the server's own loop."""

    def __init__(self, world: World, webhook_is_set: Callable[[], bool]) -> None:
        self.ends: Literal["old", "new"] = "old"
        self._world = world
        self._webhook_is_set = webhook_is_set
        self._open: _Poll | None = None

    def ring(self) -> None:
        """Something new waits. On the loop's thread."""
        if self._open is not None:
            self._open.bell.set()

    def end(self, why: str) -> None:
        """End the open poll with 409. On the loop's thread."""
        if self._open is not None:
            self._open.ended = why
            self._open.bell.set()

    async def get_updates(self, arguments: Arguments) -> bytes:
        """Answer with the array of updates, as it goes over the wire."""
        with self._world.lock:
            if self._webhook_is_set():
                raise conflict(WEBHOOK_SET)
            if self._open is not None and self.ends == "new":
                raise conflict(BY_OTHER)
            self._world.updates.ask_for(arguments.text("allowed_updates"))
        self.end(BY_OTHER)
        poll = self._open = _Poll()
        try:
            given = await self._wait(poll, arguments)
        finally:
            if self._open is poll:
                self._open = None
        return b"[" + b",".join(one.body for one in given) + b"]"

    async def _wait(self, poll: _Poll, arguments: Arguments) -> list[Queued]:
        offset, limit = arguments.integer("offset"), arguments.integer("limit", 100, 1, 100)
        loop = asyncio.get_running_loop()
        until = loop.time() + arguments.integer("timeout", 0, 0, LONGEST)
        while True:
            poll.bell.clear()
            with self._world.lock:
                given = self._world.updates.take(offset, limit)
                self._world.lock.notify_all()
            if given or until <= loop.time():
                return given
            try:
                async with asyncio.timeout_at(until):
                    await poll.bell.wait()
            except TimeoutError:
                return []
            if poll.ended:
                raise conflict(poll.ended)
