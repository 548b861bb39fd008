"""What the catalogue and the red flags say to one message: the one thing the line asks of this room.

Rules kept here:
- Nothing is generated: a guide only chooses among what people wrote and approved.
- Looking never fails and never waits for long: what cannot be looked up is left out; the log and `health` say so.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from knowledge.entry import Published
from knowledge.flags import Block, Finding, Flag, Flags

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chosen:
    """An entry that answers a message."""

    published: Published
    score: float
    why: tuple[str, ...]  # for a reader


@dataclass(frozen=True)
class Unclear:
    """A short form with more than one meaning, or one that nobody here knows: asked about, never guessed."""

    short: str  # as the officer wrote it
    meanings: tuple[str, ...]  # empty: not known at all


@dataclass(frozen=True)
class Seen:
    """What one message brings up."""

    findings: tuple[Finding, ...] = ()
    chosen: tuple[Chosen, ...] = ()  # the best first
    unclear: tuple[Unclear, ...] = ()


class Guide(Protocol):
    """Whoever chooses. One for the whole line; safe to use from several threads."""

    @property
    def health(self) -> str:
        """ "whole", or what is missing."""

    def renew(self, session: Session) -> bool:
        """Take up the live release of the catalogue, if it is another one. Gives whether."""

    def look(self, words: str, place: str | None, now: datetime) -> Seen:
        """What a message brings up, for an officer at this place. Never raises."""

    def block(self, flag: Flag) -> Block:
        """The fixed words of a red flag."""

    def entry(self, entry_id: str, version: int) -> Published | None:
        """This version of an entry, if it is live."""


class SilentGuide:
    """A guide that knows nothing: for a line without a catalogue."""

    health = "no catalogue"

    def renew(self, session: Session) -> bool:
        """Nothing to take up."""
        return False

    def look(self, words: str, place: str | None, now: datetime) -> Seen:
        """Nothing."""
        return Seen()

    def block(self, flag: Flag) -> Block:
        """Its name alone."""
        return Block(flag.value.replace("-", " ").capitalize(), "", "")

    def entry(self, entry_id: str, version: int) -> Published | None:
        """None."""
        return None


class RulesGuide(SilentGuide):
    """Red flags by rule alone: what works before, or without, everything else."""

    health = "the catalogue is being loaded"

    def __init__(self) -> None:
        self._flags = Flags.load()

    def look(self, words: str, place: str | None, now: datetime) -> Seen:
        """What the rules raise. Never raises."""
        try:
            return Seen(self._flags.find(words))
        except Exception as error:  # noqa: BLE001 - a fault in looking things up must never stop a question
            log.error("the rules failed: %s", type(error).__name__)
            return Seen()

    def block(self, flag: Flag) -> Block:
        """See `Guide`."""
        return self._flags.block(flag)
