"""Telegram's limits on sending: a message a second in a chat, 30 a second over all, 20 a minute in a group.

PTB `FloodLimit`; core.telegram.org/bots/faq#my-bot-is-hitting-limits. Stricter than real: Telegram tolerates short
bursts, this does not. Pure: its owner holds the lock and knows the time.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field

PER_CHAT = (1, 1.0)
OVER_ALL = (30, 1.0)
PER_GROUP = (20, 60.0)


@dataclass
class Limits:
    """When messages were sent, as far as it still counts."""

    sent: defaultdict[int | None, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def seconds_to_wait(self, chat_id: int, now: float) -> int:
        """Count a message about to be sent; or, when it is too much, say how long to wait (and count nothing)."""
        rules = [(chat_id, *PER_CHAT), (None, *OVER_ALL)]
        if chat_id < 0:
            rules[0] = (chat_id, *PER_GROUP)
        wait = max(self._wait(whose, most, seconds, now) for whose, most, seconds in rules)
        if wait <= 0:
            for whose, _, _ in rules:
                self.sent[whose].append(now)
            return 0
        return max(1, math.ceil(wait))

    def _wait(self, whose: int | None, most: int, seconds: float, now: float) -> float:
        times = self.sent[whose]
        while times and times[0] <= now - seconds:
            times.popleft()
        return times[0] + seconds - now if len(times) >= most else 0.0
