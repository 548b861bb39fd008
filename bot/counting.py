"""Counting what is new in the trail, so that reports are there when somebody asks for them.

Rule kept here: officers come first. A step is short, and what failed is tried again; nothing waits for it.
"""

from __future__ import annotations

import asyncio
import logging

from bot.threads import Threads
from conversations.line import Line
from conversations.reports import take_stock

log = logging.getLogger(__name__)

TURNS = 15.0  # seconds between two looks
BREATH = 0.5  # seconds between two steps, while more is left


async def keep_counting(line: Line, threads: Threads) -> None:
    """Count until cancelled."""
    while True:
        more = False
        try:
            more = await threads.run(take_stock, line)
        except Exception as error:  # noqa: BLE001 - a loop of the line goes on after anything; what failed is tried again
            log.error("counting for reports failed: %s", type(error).__name__)
        await asyncio.sleep(BREATH if more else TURNS)
