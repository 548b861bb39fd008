"""Giving up on whoever does not finish sending a request: a slow sender would hold a connection for ever.

Rule kept here: only a request on its way in has a limit. An answer may take its time, and events flow for hours.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_WAIT = 20.0  # seconds from the first byte, or from connecting, to the whole request
_ON_ITS_WAY = (h11.IDLE, h11.SEND_BODY)


class Impatient(H11Protocol):
    """uvicorn's own, with a limit."""

    request_wait = REQUEST_WAIT
    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Somebody connects: the request has to come now."""
        super().connection_made(transport)
        self._limit = self.loop.call_later(self.request_wait, transport.close)

    def data_received(self, data: bytes) -> None:
        """Part of a request, or all of it."""
        if self._limit is None:
            self._limit = self.loop.call_later(self.request_wait, self.transport.close)
        super().data_received(data)
        if self.conn.their_state not in _ON_ITS_WAY:
            self._forget()

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        self._forget()
        super().connection_lost(exc)

    def _forget(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
