"""setWebhook, deleteWebhook, getWebhookInfo, and the delivery itself.

telegram-bot-api `Client.cpp` (do_set_webhook) and `WebhookActor.cpp`: each chat's updates go one after another,
different chats at once, up to max_connections; any 2xx forgets an update; anything else is tried again after a
delay that doubles. The secret travels in X-Telegram-Bot-Api-Secret-Token.

Unlike real: plain http to loopback is taken (real: https on ports 80, 88, 443, 8443); delays are short
(`backoff`); `max_connections` is 40 unless asked, as real, and 1 makes the order strict over all chats until
something fails. Not imitated: a method in the answer to a webhook, Retry-After, certificates.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import httpx

from tests.botapi.calls import Answered, Arguments, JsonObject
from tests.botapi.rules import bad_request
from tests.botapi.updates import Queued
from tests.botapi.world import World

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


@dataclass(frozen=True)
class Settings:
    """What setWebhook was told last."""

    url: str = ""
    secret: str = ""
    max_connections: int = 0


@dataclass
class Lane:
    """One chat's deliveries: one at a time, later and later after failures."""

    busy: bool = False
    delay: float = 0.0
    not_before: float = 0.0


@dataclass
class Webhook:
    """The webhook, set or not. Lives on the server's own loop."""

    world: World
    backoff: tuple[float, float] = (0.02, 0.5)
    """First and longest delay between tries, in seconds."""
    timeout: float = 10.0
    settings: Settings = field(default_factory=Settings)
    last_error: tuple[int, str] | None = None
    lanes: dict[int, Lane] = field(default_factory=dict)
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    running: set[asyncio.Task[None]] = field(default_factory=set)

    def set(self, arguments: Arguments) -> Answered:
        """setWebhook; an empty url deletes it."""
        url = arguments.text("url")
        if not url:
            return self.delete(arguments)
        _check(url, arguments.text("secret_token"))
        connections = arguments.integer("max_connections", 40, 1, 100)
        new = Settings(url, arguments.text("secret_token"), connections)
        self.world.updates.ask_for(arguments.text("allowed_updates"))
        if new == self.settings:
            return Answered(True, "Webhook is already set")
        if arguments.flag("drop_pending_updates"):
            self.world.updates.clear()
        self.settings, self.last_error = new, None
        self.lanes = {lane: replace(at, not_before=0.0) for lane, at in self.lanes.items() if at.busy}
        self.bell.set()
        return Answered(True, "Webhook was set")

    def delete(self, arguments: Arguments) -> Answered:
        """deleteWebhook; what waits goes on waiting, unless it is to be dropped."""
        if arguments.flag("drop_pending_updates"):
            self.world.updates.clear()
        was_set, self.settings = bool(self.settings.url), Settings()
        return Answered(True, "Webhook was deleted" if was_set else "Webhook is already deleted")

    def info(self) -> JsonObject:
        """getWebhookInfo (telegram-bot-api `Client.cpp`, JsonWebhookInfo)."""
        self.world.updates.expire()
        waiting = len(self.world.updates.waiting)
        told: JsonObject = {"url": self.settings.url, "has_custom_certificate": False}
        told["pending_update_count"] = waiting
        if self.last_error is not None:
            told |= {"last_error_date": self.last_error[0], "last_error_message": self.last_error[1]}
        if self.settings.url:
            told |= {"max_connections": self.settings.max_connections, "ip_address": "127.0.0.1"}
        if self.world.updates.asked_for is not None:
            told["allowed_updates"] = sorted(self.world.updates.asked_for)
        return told

    async def run(self) -> None:
        """Deliver, for as long as the stand-in is open."""
        # No certificates are loaded: we speak to loopback only, and starting must be quick.
        async with httpx.AsyncClient(timeout=self.timeout, trust_env=False, verify=False) as client:
            try:
                while True:
                    self.bell.clear()
                    wait = self._start_due(client)
                    try:
                        async with asyncio.timeout(wait):
                            await self.bell.wait()
                    except TimeoutError:
                        continue
            finally:
                for task in self.running:
                    task.cancel()
                await asyncio.gather(*self.running, return_exceptions=True)

    def _start_due(self, client: httpx.AsyncClient) -> float | None:
        """Start every delivery whose time has come; say in how many seconds the next one's comes."""
        now = asyncio.get_running_loop().time()
        seen: set[int] = set()
        next_in: float | None = None
        with self.world.lock:
            self.world.updates.expire()
            for update in self.world.updates.waiting if self.settings.url else []:
                if update.lane in seen:
                    continue
                seen.add(update.lane)
                lane = self.lanes.setdefault(update.lane, Lane())
                if lane.busy or len(self.running) >= self.settings.max_connections:
                    continue
                if lane.not_before > now:
                    next_in = min(lane.not_before - now, next_in or lane.not_before - now)
                    continue
                self._start(client, update, lane)
        return next_in

    def _start(self, client: httpx.AsyncClient, update: Queued, lane: Lane) -> None:
        lane.busy = True
        update.deliveries += 1
        task = asyncio.create_task(self._deliver(client, update, lane, self.settings))
        self.running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        self.bell.set()

    async def _deliver(self, client: httpx.AsyncClient, update: Queued, lane: Lane, settings: Settings) -> None:
        headers = {"Content-Type": "application/json"}
        if settings.secret:
            headers[SECRET_HEADER] = settings.secret
        why = None
        try:
            response = await client.post(settings.url, content=update.body, headers=headers)
            if not response.is_success:
                why = f"Wrong response from the webhook: {response.status_code} {response.reason_phrase}"
        except httpx.HTTPError:
            why = "Connection failed"
        with self.world.lock:
            lane.busy = False
            if why is None:
                lane.delay = 0.0
                self.world.updates.confirm(update)
            else:
                self._failed(lane, why)
            self.world.lock.notify_all()

    def _failed(self, lane: Lane, why: str) -> None:
        first, longest = self.backoff
        lane.delay = min(longest, lane.delay * 2 or first)
        lane.not_before = asyncio.get_running_loop().time() + lane.delay
        self.last_error = (self.world.date, why)


def _check(url: str, secret: str) -> None:
    try:
        parts = urlsplit(url)
        in_reach = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "127.0.0.1")
    except ValueError:
        raise bad_request("invalid webhook URL specified") from None
    if not parts.hostname:
        raise bad_request("invalid webhook URL specified")
    if not in_reach:
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if len(secret) > 256:
        raise bad_request("secret token is too long")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
        raise bad_request("secret token contains unallowed characters")
