"""Waking whoever waits, inside one process. Losing a ring loses nothing: everybody also looks by themselves."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable

LOOK_AGAIN = 5.0  # seconds: how late a page learns of something another process did


class Bells:
    """The line's `Bell`: wakes the courier, the watch and the pages of the people concerned."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pages: dict[str, set[asyncio.Event]] = defaultdict(set)
        self._wakers: list[Callable[[], None]] = []

    def attach(self, loop: asyncio.AbstractEventLoop, *wakers: Callable[[], None]) -> None:
        """Once the line runs: what to wake at every commit."""
        self._loop = loop
        self._wakers.extend(wakers)

    def ring(self, people: frozenset[str]) -> None:
        """Something was committed. Called from worker threads."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, people)

    def _wake(self, people: frozenset[str]) -> None:
        for waker in self._wakers:
            waker()
        for person in people:
            for page in self._pages.get(person, ()):
                page.set()

    async def live(self, person_id: str) -> AsyncIterator[None]:
        """Yields whenever something was committed for this person, and now and then anyway."""
        page = asyncio.Event()
        self._pages[person_id].add(page)
        try:
            while True:
                try:
                    async with asyncio.timeout(LOOK_AGAIN):
                        await page.wait()
                except TimeoutError:
                    pass
                page.clear()
                yield
        finally:
            self._pages[person_id].discard(page)
