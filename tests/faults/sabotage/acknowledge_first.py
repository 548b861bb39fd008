"""Acknowledge before the commit, as python-telegram-bot's own updater does: fetch, queue, fetch the next."""

from __future__ import annotations

import asyncio

from bot.telegram_batch import arrival_of, update_id
from bot.telegram_polling import Polling

LATER = 0.3  # seconds until the queue is worked on: time enough for the next getUpdates

_queued: set[asyncio.Task[None]] = set()


async def _take(self: Polling, batch: list[bytes]) -> float:
    if batch:
        self._offset = max(number for raw in batch if (number := update_id(raw)) is not None) + 1
        task = asyncio.create_task(_store_later(self, batch))
        _queued.add(task)
        task.add_done_callback(_queued.discard)
    return 0.05


async def _store_later(self: Polling, batch: list[bytes]) -> None:
    await asyncio.sleep(LATER)
    for raw in batch:
        await self._store(arrival_of(raw))


def sabotage() -> None:
    """Move the offset before anything is stored."""
    Polling._take = _take  # type: ignore[method-assign]
