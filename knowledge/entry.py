"""An Entry of the catalogue: what may be signposted, where it comes from, how far it can be trusted.

Rules kept here:
- An entry is a Markdown file: front matter (YAML) with its facts, then at most 120 words that a person wrote.
- A fact keeps the grade its source gave it (`Confirmation`); nothing shows a number without that grade.
- What is wrong is refused whole, with file, line and reason (`BadEntry`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum


class Kind(Enum):
    """What an entry is."""

    SERVICE = "service"  # somebody to ring, write to or refer to
    GUIDANCE = "guidance"  # what to do, record and say, for one topic
    POWER = "power"  # a police power, order or scheme


class Confirmation(Enum):
    """How far the facts of an entry were confirmed. Nothing here was checked by ringing unless `RUNG`."""

    RUNG = "rung"  # a curator rang it, or read it at its owner's, on the `checked` date
    TWO = "x2"  # seen at two independent publishers
    TWO_REPOSITORIES = "x2r"  # seen in two unrelated public repositories only
    OWN = "own"  # seen on its owner's own page only
    ONE = "x1"  # seen in one source
    NONE = "none"  # not seen: from memory, or no number known


@dataclass(frozen=True)
class Phone:
    """A number as it is dialled in the United Kingdom, and when or for whom it is."""

    number: str  # "0808 2000 247"
    label: str = ""  # "outside office hours"


@dataclass(frozen=True)
class Source:
    """Where a fact was read, and the date that stands on it ("2025-02-05", "2021", or "undated")."""

    name: str
    date: str


@dataclass(frozen=True)
class Entry:
    """One thing that may be signposted."""

    id: str  # lower case, digits and hyphens; never used again for something else
    title: str
    kind: Kind
    topics: tuple[str, ...]  # slugs of `topics.tsv`, the main one first; guidance has exactly one
    body: str  # at most 120 words of plain English
    areas: tuple[str, ...]  # slugs of `places`: where it is for; ("uk",) is everywhere
    sources: tuple[Source, ...]
    confirmation: Confirmation
    owner: str  # the role that answers for it
    checked: date  # when somebody last compared it with its sources
    review_by: date  # after this day it is never offered to officers
    flags: tuple[str, ...] = ()  # slugs of `flags.tsv`: red flags that bring it up
    audience: tuple[str, ...] = ()  # who it is for: "women", "professionals", "under 25s"
    phones: tuple[Phone, ...] = ()
    text: str = ""  # how to text: "SHOUT to 85258"
    web: str = ""  # https address
    hours: str = ""  # OpenStreetMap opening_hours, Europe/London; empty: not known
    hours_confirmed: bool = False
    cost: str = ""  # "free"; empty: not known
    languages: tuple[str, ...] = ()
    says: tuple[str, ...] = ()  # what officers say when this is the answer; search learns from them
    conflicts: tuple[str, ...] = ()  # where sources disagree, in words for the reader
    supersedes: tuple[str, ...] = ()  # ids of entries it took the place of
    public: bool = True  # part of the public directory; guidance and powers never are
    extra: Mapping[str, object] = field(default_factory=dict)  # Open Referral properties we do not know, kept


@dataclass(frozen=True)
class Published:
    """An entry as it is live: with the number of its version, which every suggestion names."""

    entry: Entry
    version: int


class BadEntry(Exception):
    """Refused: a file is wrong. Nothing of the whole import was taken."""

    def __init__(self, file: str, line: int, reason: str) -> None:
        super().__init__(f"{file}, line {line}: {reason}")
        self.file, self.line, self.reason = file, line, reason
