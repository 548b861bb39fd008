"""The book of sentences, and what may stand in their slots. `acts` and `sights` fill it."""

from __future__ import annotations

import re
from datetime import timedelta

from conversations.states import State
from tests.journeys.actors import CAST, STRANGER
from tests.journeys.reading import Book

STATES = {
    "asked about, because it came late": State.STALE,
    "offered": State.OFFERED,
    "with the duty lead called": State.LEAD_CALLED,
    "kept": State.KEPT,
    "being talked about": State.TALKING,
    "offered to a colleague": State.TRANSFER_OFFERED,
    "answered, not yet confirmed": State.ADVICE_SENT,
    "answered, and raised because it is not confirmed": State.ADVICE_RAISED,
    "advised": State.ADVISED,
    "closed in silence": State.CLOSED_QUIET,
    "withdrawn": State.WITHDRAWN,
    "with the named fallback": State.FALLBACK,
}
DELIVERIES = {"received": "received", "delivered": "delivered", "not delivered": "failed"}

_NAME = "|".join([*CAST, STRANGER])
_TIME = re.compile(r"(\d+) (second|minute|hour|day)s?")

BOOK = Book(
    slots={
        "who": _NAME,
        "other": _NAME,
        "people": rf"(?:{_NAME})(?:(?:, | and )(?:{_NAME}))*",
        "it": rf"it|(?:{_NAME})'s (?:(?:first|second|third) )?question",
        "words": r".+",
        "label": r'[^"]+',
        "old": r'[^"]+',
        "time": _TIME.pattern,
        "number": r"\S+",
        "thing": r"photo|album|voice note|video|file|location|contact|sticker|poll",
        "state": "|".join(STATES),
        "delivery": "|".join(DELIVERIES),
        "reason": r"cannot now|knows the people|not for me",
    },
    places=("Telegram", "the web"),
)


def names(people: str) -> list[str]:
    """'Jane, Amira and Nadia'."""
    return re.split(r", | and ", people)


def duration(said: str) -> timedelta:
    """'90 seconds'."""
    found = _TIME.fullmatch(said)
    assert found is not None
    return timedelta(**{f"{found[2]}s": int(found[1])})
