"""Telegram calling us: one route, which stores what it is handed and only then answers 200.

Rules kept here:
- Nothing is read from a caller who does not know the secret, and no refusal says more than its status.
- A body is counted as it arrives: at most 1 MiB, within 10 seconds, never decompressed.
- 200 means stored. What cannot be read is stored too, for quarantine: Telegram would send it again for ever.
- What cannot be stored gets 500, so that Telegram comes back, and its writer is told whom to ring.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.channel import Store
from bot.telegram_batch import arrival_of
from bot.telegram_channel import TelegramChannel
from bot.telegram_polling import STORE_WAIT

log = logging.getLogger(__name__)

SECRET_HEADER = b"x-telegram-bot-api-secret-token"
MAX_BODY = 1024 * 1024
BODY_WAIT = 10.0  # seconds
_SECRET = re.compile(r"[A-Za-z0-9_-]{32,256}")  # Bot API setWebhook's alphabet; 32 signs can hold 190 bits
_JSON = re.compile(rb'application/json(?:\s*;\s*charset="?utf-8"?)?\s*', re.IGNORECASE)


class _Refused(Exception):
    """This request is not read on."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True)
class _Webhook:
    """An ASGI application, not a function, so that Starlette leaves every method (and its 405) to us."""

    channel: TelegramChannel
    secret: bytes
    store: Store
    body_wait: float

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = await self._answer(Request(scope, receive))
        # After a refusal the rest of the body is of no interest: the connection goes with it.
        headers = {} if status == 200 else {"Connection": "close"}
        await Response(status_code=status, headers=headers)(scope, receive, send)

    async def _answer(self, request: Request) -> int:
        try:
            _check(request, self.secret)
            raw = await self._body(request)
        except _Refused as refusal:
            log.warning("webhook refused status=%s", refusal.status)
            return refusal.status
        return 200 if await self._stored(raw) else 500

    async def _body(self, request: Request) -> bytes:
        found = bytearray()
        try:
            async with asyncio.timeout(self.body_wait):
                async for chunk in request.stream():
                    if len(found) + len(chunk) > MAX_BODY:
                        raise _Refused(413)
                    found += chunk
        except TimeoutError:
            raise _Refused(408) from None
        except ClientDisconnect:
            raise _Refused(400) from None
        return bytes(found)

    async def _stored(self, raw: bytes) -> bool:
        arrival = arrival_of(raw)
        try:
            async with asyncio.timeout(STORE_WAIT):
                await self.store(arrival)
        except Exception as problem:  # noqa: BLE001 - whatever went wrong, the writer gets the emergency words
            log.error("update=%s not stored: %s", arrival.key, type(problem).__name__)
            await self.channel.help_instead([raw])
            return False
        return True


def _check(request: Request, secret: bytes) -> None:
    """Refuse by what the headers say: first how it is asked, then by whom, then what is sent."""
    if request.method != "POST":
        raise _Refused(405)
    given = _values(request, SECRET_HEADER)
    if len(given) != 1 or not hmac.compare_digest(given[0], secret):
        raise _Refused(401)
    if _values(request, b"content-encoding"):
        raise _Refused(415)
    kinds = _values(request, b"content-type")
    if len(kinds) != 1 or not _JSON.fullmatch(kinds[0]):
        raise _Refused(415)


def _values(request: Request, name: bytes) -> list[bytes]:
    """Every value of a header, as bytes: two headers of one name stay two."""
    return [value for key, value in request.scope["headers"] if key.lower() == name]


def webhook_route(
    channel: TelegramChannel, path: str, secret: str, store: Store, *, body_wait: float = BODY_WAIT
) -> Route:
    """The route Telegram calls. `path` and `secret` both come from the settings and are both unguessable."""
    if not _SECRET.fullmatch(secret):
        raise ValueError("the webhook secret must be 32 to 256 of A-Z a-z 0-9 _ -")
    webhook = _Webhook(channel, secret.encode(), store, body_wait)
    return Route(path, webhook, name="telegram_webhook", include_in_schema=False)
