"""Which consultations are reviewed, and which of them twice. The written rule, in words and in code. Pure.

Rules kept here:
- Nobody chooses: a draw follows from the consultation's id, which is random, and its month's seed, which nobody sees
  while the month lasts. Anybody who is given the seed afterwards draws again and comes to the same.
- The draw for the sample and the draw for a second reader are two: who is in the sample says nothing of the second.
- Every reason that holds is given, not only the first.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from hashlib import sha256

_DRAWS = 1 << 64


class Reason(Enum):
    """Why a consultation is to be reviewed. The words are those of docs/review.md and of the page."""

    def __init__(self, slug: str, words: str) -> None:
        self.slug = slug
        self.words = words

    URGENT = ("urgent", "It was urgent.")
    FLAGGED = ("flagged", "A red flag was raised in it, whatever was said of the flag afterwards.")
    REGRADED = ("regraded", "The risk was graded later, and not as the officer had stated it.")
    DRAWN = ("drawn", "It was drawn at random.")


@dataclass(frozen=True)
class Sampling:
    """How large the random shares are, in per cent."""

    drawn: int = 10  # of all that ended
    twice: int = 10  # of those to be reviewed

    def __post_init__(self) -> None:
        if not (0 <= self.drawn <= 100 and 0 <= self.twice <= 100):
            raise ValueError("a share is from 0 to 100 per cent")


@dataclass(frozen=True)
class Ended:
    """What the rule looks at in a consultation that has ended."""

    id: str
    urgent: bool
    flagged: bool  # a red flag was ever raised
    grade: str | None  # as the officer stated it
    later_grade: str | None  # as it was graded later, by whoever may


def reasons(ended: Ended, sampling: Sampling, seed: bytes) -> frozenset[Reason]:
    """Why this one is to be reviewed; empty when it is not."""
    holds = {
        Reason.URGENT: ended.urgent,
        Reason.FLAGGED: ended.flagged,
        Reason.REGRADED: ended.later_grade is not None and ended.later_grade != ended.grade,
        Reason.DRAWN: _draw(seed, "sample", ended.id, sampling.drawn),
    }
    return frozenset(reason for reason, so in holds.items() if so)


def twice(consultation: str, sampling: Sampling, seed: bytes) -> bool:
    """Whether a second person reviews it too, if anybody does."""
    return _draw(seed, "twice", consultation, sampling.twice)


def month_of(ended_at: datetime) -> str:
    """Whose seed draws: the month in which the consultation ended, in UTC."""
    return f"{ended_at:%Y-%m}"


def published(seed: bytes) -> str:
    """What the trail says of a seed before it draws: enough to know it again, not to guess it."""
    return sha256(seed).hexdigest()


def _draw(seed: bytes, draw: str, consultation: str, share: int) -> bool:
    number = int.from_bytes(hmac.digest(seed, f"{draw}:{consultation}".encode(), "sha256")[:8], "big")
    return number * 100 < share * _DRAWS
