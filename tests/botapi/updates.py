"""The queue of updates: what waits, what was handed over, what is forgotten. Pure: no thread, no network.

Rules kept here, each the real server's (telegram-bot-api `Client.cpp` do_get_updates, tddb `TQueue.cpp`):
- getUpdates with an offset forgets, for ever, every update with a lower id; all others are given again.
- An offset more than 10 beyond the next id cannot be meant: all that waits is given, nothing is forgotten. So a
  poller that kept a high offset still hears us after the ids jumped backwards.
- A negative offset forgets all but that many of the newest.
- An update older than 24 hours is dropped.
- Kinds that were not asked for (allowed_updates) never enter the queue. An empty list asks for all but the three
  that need asking by name; no list, or nonsense, changes nothing.

Our own: an update sent again, or pushed under an id that is not next (lower, negative, beyond 2^31), is handed
over whatever the offset, and forgotten by the next offset that is beyond it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.botapi.calls import JsonObject

LIFETIME = 24 * 3600.0
FUTURE_SLACK = 10
MAX_ID = 2**31 - 1
ONLY_WHEN_NAMED = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
_NUMBER = re.compile(rb'"update_id"\s*:\s*(-?\d+)')


@dataclass
class Queued:
    """One update, waiting or gone."""

    update_id: int
    kind: str
    body: bytes
    since: float
    lane: int = 0
    """The chat it comes from: a webhook gets each chat's updates one after another."""
    again: bool = False
    deliveries: int = 0
    confirmed: bool = False
    expired: bool = False


@dataclass
class UpdateQueue:
    """All updates ever made. Its owner holds the lock."""

    now: Callable[[], float]
    ring: Callable[[], None]
    """Called whenever something new waits."""
    next_id: int = 100_000_001
    asked_for: frozenset[str] | None = None
    """None: all kinds but those of ONLY_WHEN_NAMED."""
    waiting: list[Queued] = field(default_factory=list)
    all: list[Queued] = field(default_factory=list)

    def ask_for(self, allowed_updates: str) -> None:
        """Take the argument allowed_updates."""
        try:
            kinds: Any = json.loads(allowed_updates)
        except ValueError:
            return
        if isinstance(kinds, list) and all(isinstance(kind, str) for kind in kinds):
            self.asked_for = frozenset(kind.lower() for kind in kinds) or None

    def wants(self, kind: str) -> bool:
        return kind not in ONLY_WHEN_NAMED if self.asked_for is None else kind in self.asked_for

    def add(self, kind: str, payload: JsonObject, lane: int) -> int | None:
        """Queue an update; None when the bot did not ask for its kind."""
        if not self.wants(kind):
            return None
        number = self.next_id
        self.next_id += 1
        self._put(Queued(number, kind, _encode({"update_id": number, kind: payload}), self.now(), lane))
        return number

    def push(self, raw: JsonObject | bytes, lane: int = 0) -> int:
        """Queue anything at all, as it is; a dict without update_id gets the next one."""
        if isinstance(raw, dict):
            raw = raw if "update_id" in raw else {"update_id": self.next_id} | raw
            body, kind = _encode(raw), next((name for name in raw if name != "update_id"), "")
        else:
            body, kind = raw, "raw"
        named = _NUMBER.search(body)
        number = int(named.group(1)) if named else self.next_id
        odd = not self.next_id <= number <= MAX_ID
        self.next_id = self.next_id if odd else number + 1
        self._put(Queued(number, kind, body, self.now(), lane, again=odd))
        return number

    def resend(self, update_id: int) -> None:
        """Queue an old update once more, under its old id."""
        old = next(one for one in reversed(self.all) if one.update_id == update_id)
        self._put(Queued(update_id, old.kind, old.body, self.now(), old.lane, again=True))

    def _put(self, update: Queued) -> None:
        self.all.append(update)
        self.waiting.append(update)
        self.ring()

    def take(self, offset: int, limit: int) -> list[Queued]:
        """Answer getUpdates: forget what the offset confirms, give the oldest that are left."""
        self.expire()
        if offset < 0:
            self._forget(self.waiting[:offset])
        else:
            self._forget(one for one in self.waiting if self._confirms(offset, one))
        given = self.waiting[:limit]
        for one in given:
            one.deliveries += 1
        return given

    def _confirms(self, offset: int, one: Queued) -> bool:
        if one.again:
            return one.deliveries > 0 and not offset <= one.update_id <= MAX_ID
        return one.update_id < offset <= self.next_id + FUTURE_SLACK

    def confirm(self, update: Queued) -> None:
        """A webhook took it."""
        self._forget([update])

    def clear(self) -> None:
        """Drop all that waits (drop_pending_updates)."""
        self.waiting.clear()

    def expire(self) -> None:
        for one in self.waiting:
            one.expired = self.now() - one.since > LIFETIME
        self.waiting = [one for one in self.waiting if not one.expired]

    def _forget(self, updates: Iterable[Queued]) -> None:
        for one in list(updates):
            one.confirmed = True
        self.waiting = [one for one in self.waiting if not one.confirmed]


def _encode(update: JsonObject) -> bytes:
    """Encode as the real server does: plain UTF-8 where it can be (lone surrogates stay escaped)."""
    try:
        return json.dumps(update, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(update).encode()
