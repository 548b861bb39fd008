"""What the pages are handed by `lanyard.wiring`; they know nothing else of the house's upper floors.

Rule kept here: pages never open a transaction themselves and never wait on the database in the event loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from access.passkey_proof import Site, site_of
from access.provider import Provider
from audit.proof import Find, no_checkpoints
from conversations.line import Line
from conversations.receive import Received
from conversations.work import Work
from knowledge.entry import Published

Result = TypeVar("Result")


class Run(Protocol):
    """Runs a use case in a worker thread, in one transaction that commits when it returns."""

    async def __call__(self, act: Callable[[Work], Result]) -> Result:
        """Raises what `act` raises (`LineError`, `NotPossible`, `NotSignedIn`...); nothing is kept then."""


class Say(Protocol):
    """Takes in what somebody typed in our chat, by the same way as every other door."""

    async def __call__(self, person_id: str, ref: str | None, text: str, client_id: str) -> Received | None:
        """Stored durably when this returns; the same `client_id` again changes nothing. The result is None when it
        has not been handled within a second: it will be. Raises when it could not be stored."""


@dataclass(frozen=True)
class Front:
    """Everything the pages need."""

    line: Line
    run: Run
    say: Say
    live: Callable[[str], AsyncIterator[None]]  # yields whenever something was committed for this person
    assets: Path  # built CSS, JavaScript, icons and manifest.json
    practice: bool  # a clearly marked practice installation
    ready: Callable[[], Awaitable[bool]]  # whether the database answers
    bot: Callable[[], str | None] = lambda: None  # the Telegram bot's public name, once it is known
    checkpoint: Find = no_checkpoints  # the newest published, its signature checked
    directory: Callable[[], tuple[Published, ...] | None] = tuple  # what is live, from memory; None: not read yet
    providers: Mapping[str, Provider] = field(default_factory=dict)  # where people may sign in, by name
    mini_app_key: bytes | None = None  # of what Telegram signs for our Mini App; None: there is none

    @property
    def site(self) -> Site | None:
        """What passkeys are bound to; None: browsers keep none for our address."""
        return site_of(self.line.doors.public_url)
