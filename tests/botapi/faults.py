"""Faults: what goes wrong with a call, by order or by chance.

Rules kept here:
- A fault is either certain (refused: the caller knows that nothing happened) or leaves the caller not knowing.
  The second kind is counted, so that a test can bound how many physical duplicates are excused.
- Faults by order come first, oldest first; then chance. A chance is drawn from the seed, the method, the chat and
  how many such calls there were: the same run gets the same faults, however threads interleave between chats.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """How a call goes wrong."""

    NOT_APPLIED_5XX = "not applied, 5xx"
    NOT_APPLIED_DROPPED = "not applied, dropped"
    """The connection is cut before anything happened."""
    NOT_APPLIED_UNANSWERED = "not applied, unanswered"
    """Nothing happens and nothing is answered, until the caller's read time-out."""
    APPLIED_5XX = "applied, 5xx"
    APPLIED_DROPPED = "applied, dropped"
    APPLIED_UNANSWERED = "applied, unanswered"
    RETRY_AFTER = "429"
    FORBIDDEN = "403"
    CANT_PARSE = "400 can't parse entities"
    SLOW_BEFORE = "slow before applying"
    SLOW_AFTER = "slow after applying"


NOT_APPLIED = frozenset(
    {
        Fault.NOT_APPLIED_5XX,
        Fault.NOT_APPLIED_DROPPED,
        Fault.NOT_APPLIED_UNANSWERED,
        Fault.RETRY_AFTER,
        Fault.FORBIDDEN,
        Fault.CANT_PARSE,
    }
)
DROPPED = frozenset({Fault.NOT_APPLIED_DROPPED, Fault.APPLIED_DROPPED})
UNANSWERED = frozenset({Fault.NOT_APPLIED_UNANSWERED, Fault.APPLIED_UNANSWERED})
BROKEN_5XX = frozenset({Fault.NOT_APPLIED_5XX, Fault.APPLIED_5XX})
UNKNOWN = DROPPED | UNANSWERED | BROKEN_5XX
"""After these the caller cannot know whether it happened."""
EFFECTIVE_METHODS = frozenset(
    {
        "sendmessage", "editmessagetext", "editmessagereplymarkup", "deletemessage", "answercallbackquery",
        "createforumtopic", "closeforumtopic", "deleteforumtopic", "leavechat",
    }
)  # fmt: skip


@dataclass
class Order:
    """A fault that somebody asked for."""

    how: Fault
    method: str = "*"
    times: int | None = 1
    chat_id: int | None = None
    retry_after: int = 1
    seconds: float = 1.0
    status: int = 502

    def fits(self, method: str, chat_id: int | None) -> bool:
        return self.method in {"*", method} and self.chat_id in {None, chat_id} and self.times != 0


@dataclass
class Plan:
    """Faults by chance: how often each kind, on which methods."""

    seed: int
    rates: Mapping[Fault, float]
    methods: Collection[str] = EFFECTIVE_METHODS
    retry_after: int = 1
    seconds: float = 0.2
    drawn: Counter[tuple[str, int | None]] = field(default_factory=Counter)

    def draw(self, method: str, chat_id: int | None) -> Order | None:
        if method not in self.methods:
            return None
        self.drawn[method, chat_id] += 1
        where = f"{self.seed}/{method}/{chat_id}/{self.drawn[method, chat_id]}"
        left = random.Random(where).random()
        for how, rate in self.rates.items():
            left -= rate
            if left < 0:
                return Order(how, retry_after=self.retry_after, seconds=self.seconds)
        return None


@dataclass
class Faults:
    """The faults to come, and the count of those after which the caller cannot know. Its owner holds the lock."""

    orders: list[Order] = field(default_factory=list)
    plan: Plan | None = None
    unknown: Counter[str] = field(default_factory=Counter)
    injected: Counter[Fault] = field(default_factory=Counter)

    def choose(self, method: str, chat_id: int | None) -> Order | None:
        """Pick what goes wrong with this call, if anything."""
        order = next((one for one in self.orders if one.fits(method, chat_id)), None)
        if order is None:
            order = self.plan.draw(method, chat_id) if self.plan else None
        elif order.times is not None:
            order.times -= 1
        if order is not None:
            self.injected[order.how] += 1
            if order.how in UNKNOWN:
                self.count_unknown(method)
        return order

    def count_unknown(self, method: str) -> None:
        """Note that the caller of this call cannot know whether it happened."""
        if method in EFFECTIVE_METHODS:
            self.unknown[method] += 1
