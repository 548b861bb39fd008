"""Asking Telegram what arrived, by long polling: store first, acknowledge after. Knows no HTTP.

Rules kept here:
- An update is acknowledged (the offset moves past it) only when it and all before it in its batch are
  stored.
- An id is never compared with an earlier one: after a quiet week Telegram's ids may start anywhere.
- What cannot be stored is asked for again, and meanwhile its writer is told whom to ring.
- What cannot be cut into updates is asked for one at a time; the one at fault is stored whole, for
  quarantine.
- Nothing but a refused token or another poller ends the polling.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from bot.channel import Store
from bot.telegram_batch import arrival_of, update_id, updates_in

log = logging.getLogger(__name__)

BATCH = 100  # the most Telegram hands out at once
STORE_WAIT = 4.0  # seconds; with the longest send this leaves an officer with the words within 10
_PAUSES = (1.0, 2.0, 5.0)  # seconds after the first, second and every later failure in a row
_BREATH = 0.05  # seconds after an empty answer: a server that does not wait must not make us run hot
_QUIET_AGAIN = timedelta(seconds=30)  # so long without a conflict ends what was between two pollers
_SETTLED_PATIENCE = 3  # who has been polling undisturbed outwaits a newcomer: only one of the two gives up


class CannotListen(Exception):
    """The line cannot listen at Telegram."""

    def __str__(self) -> str:
        return " ".join((self.__doc__ or "").split())


class SecondPoller(CannotListen):
    """Another process is polling Telegram with this bot's token, and each takes messages from the other: stop
    the other one, or let several replicas share a webhook."""


class WebhookStillSet(CannotListen):
    """A webhook is set for this bot's token, and Telegram allows no polling beside it: serve by webhook, or
    delete the webhook first."""


class TokenRefused(CannotListen):
    """Telegram does not know this bot token: check the token (BotFather shows it) and the Bot API address."""


class NotAnswered(Exception):
    """Telegram gave no usable answer; asking again may help."""

    def __init__(self, retry_after: float | None = None) -> None:
        super().__init__()
        self.retry_after = retry_after


class Disturbed(NotAnswered):
    """Telegram ended this poll because another one came, or refuses it because another one is open (409)."""


Fetch = Callable[[int | None, int], Awaitable[bytes]]  # offset (None: what is unconfirmed), limit
HelpInstead = Callable[[Sequence[bytes]], Awaitable[None]]


class Polling:
    """One poller and what it acknowledged. In memory only: Telegram sends again what was not confirmed."""

    def __init__(
        self,
        fetch: Fetch,
        store: Store,
        help_instead: HelpInstead,
        clock: Callable[[], datetime],
        conflict_grace: float,
    ) -> None:
        self._fetch = fetch
        self._store = store
        self._help_instead = help_instead
        self._clock = clock
        self._grace = timedelta(seconds=conflict_grace)
        self._offset: int | None = None
        self._limit = BATCH
        self._failures = 0
        self._began: datetime | None = None  # since when nothing but another poller ended a poll
        self._conflicts: tuple[datetime, datetime, timedelta] | None = None  # first, latest, patience

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            wait = await self._once()
            await asyncio.sleep(wait)

    async def _once(self) -> float:
        """One question and what follows from its answer; the seconds to wait before the next."""
        self._began = self._began or self._clock()
        try:
            body = await self._fetch(self._offset, self._limit)
        except Disturbed:
            self._disturbed(self._clock())
            return _PAUSES[0]
        except NotAnswered as problem:
            self._began = None
            return max(problem.retry_after or 0.0, self._failed())
        batch = updates_in(body)
        if batch is None:
            if self._limit > 1:
                self._limit = 1
                return 0.0
            batch = [body] if update_id(body) is not None else None
        else:
            self._limit = min(self._limit * 10, BATCH)
        return self._failed() if batch is None else await self._take(batch)

    async def _take(self, batch: list[bytes]) -> float:
        if not batch:
            # All is confirmed. Asking on with the old offset might miss ids that start again below it.
            self._offset, self._failures = None, 0
            return _BREATH
        moved = False
        for place, raw in enumerate(batch):
            if not await self._stored(raw):
                await self._help_instead(batch[place:])
                return self._failed()
            # If we die here: stored but not acknowledged. Telegram sends it again under the same key.
            number = update_id(raw)
            if number is not None:
                self._offset, moved = number + 1, True
        if not moved:  # nothing has an id to acknowledge: stored, but it will come again
            return self._failed()
        self._failures = 0
        return 0.0

    async def _stored(self, raw: bytes) -> bool:
        arrival = arrival_of(raw)
        try:
            async with asyncio.timeout(STORE_WAIT):
                await self._store(arrival)
        except Exception as problem:  # noqa: BLE001 - whatever went wrong, the writer gets the emergency words
            log.error("update=%s not stored: %s", arrival.key, type(problem).__name__)
            return False
        return True

    def _failed(self) -> float:
        """Count a failure; how long to wait."""
        self._failures += 1
        return _PAUSES[min(self._failures, len(_PAUSES)) - 1]

    def _disturbed(self, now: datetime) -> None:
        """Bear with a poll left open by a process that was just killed, not with a living second poller."""
        if self._conflicts is None or now - self._conflicts[1] > _QUIET_AGAIN:
            settled = self._began is not None and now - self._began > self._grace
            self._conflicts = (now, now, self._grace * (_SETTLED_PATIENCE if settled else 1))
        first, _, patience = self._conflicts
        self._conflicts = (first, now, patience)
        log.warning("another poller uses this token since=%s", first.isoformat())
        if now - first >= patience:
            raise SecondPoller
