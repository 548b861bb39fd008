"""What every use case is handed: the database, the keys, the waiting times, a clock, randomness, a bell.

Rule kept here: made once, in `lanyard.wiring`; nothing in the house looks at a clock or rolls a die by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from conversations.policy import Policy, RetentionPolicy
from knowledge.guide import Guide, SilentGuide
from storage.database import Database
from storage.keys import Keyring


class Bell(Protocol):
    """Wakes whoever waits: pages of these people, the courier, the lanes. Losing a ring loses no message."""

    def ring(self, people: frozenset[str]) -> None:
        """Something new was committed for these people."""


@dataclass(frozen=True)
class Doors:
    """How people are reached, as far as the decisions need to know."""

    telegram: bool = False
    relay: bool = False  # words through Telegram; False is doorbell: references and a link only
    public_url: str = "http://127.0.0.1:8000"
    mini_app: bool = False  # our chat opens inside Telegram too, where there is a sign-in to go on with

    def link(self, path: str) -> str:
        """The address of one of our pages."""
        return self.public_url.rstrip("/") + path


@dataclass(frozen=True)
class Line:
    """The line, assembled."""

    database: Database
    keyring: Keyring
    policy: Policy
    doors: Doors
    bell: Bell
    now: Callable[[], datetime]
    token: Callable[[], str]  # 128 random bits, hexadecimal
    guide: Guide = field(default_factory=SilentGuide)
    place: str | None = None  # where officers are, unless they say otherwise: a slug of `knowledge.places`
    retention: RetentionPolicy = field(default_factory=RetentionPolicy)
