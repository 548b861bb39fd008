"""What a channel is, and what each way of failing to send means.

Rules kept here:
- A send ends in one of four outcomes; `courier` decides what to do from the outcome alone, never from an
  exception of some library. The mapping to outcomes is each channel's own knowledge.
- `edit` may be repeated without a second copy appearing; `send` may not.
- `listen` hands over what arrived and waits until it is stored: only then may the channel acknowledge.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, runtime_checkable

from conversations.messages import ChannelName, Ignored, Incoming, Outgoing


class Outcome(Enum):
    """What is known after trying to send."""

    SENT = "sent"  # the other side has it
    NOT_SENT = "not_sent"  # certainly not; may be tried again, after `retry_after` seconds if given
    REFUSED = "refused"  # certainly not, and never will: blocked, deactivated, chat gone
    REJECTED = "rejected"  # certainly not: this content is not accepted as it is (400); the chat is fine
    UNKNOWN = "unknown"  # it may have arrived: time-out after writing, dropped connection, 5xx


@dataclass(frozen=True)
class Sent:
    """The result of one send or edit."""

    outcome: Outcome
    remote: str | None = None  # the channel's id of the new message or topic
    retry_after: float | None = None  # seconds
    why: str = ""  # a short class of failure for logs and trail; never words, names or tokens
    moved_to: str | None = None  # the chat's new address, when the channel says it changed


@dataclass(frozen=True)
class Arrival:
    """Something raw that a channel received, to be stored before it is acknowledged."""

    channel: ChannelName
    key: str  # unique within the channel for ever: a repeat has the same key
    lane: str  # who it came from, as the channel's address; arrivals of one lane are handled in order
    raw: bytes


Store = Callable[[Arrival], Awaitable[None]]
"""Stores one arrival durably (committed when it returns); a repeated key is not an error. Raises when the
database cannot be written: then the channel must not acknowledge, and says the emergency words itself."""


class Door(Protocol):
    """Where words come in."""

    name: ChannelName

    def read(self, raw: bytes) -> Incoming | Ignored:
        """What an arrival says. Pure. Raises `Unreadable` for a shape we do not know."""


@runtime_checkable
class Channel(Door, Protocol):
    """A door that words also go out by. Implementation: `telegram_channel`; our own chat is read by its pages."""

    async def listen(self, store: Store) -> None:
        """Receive until cancelled, storing each arrival before acknowledging it."""

    async def send(self, to: str, text: str, *, thread: str | None = None, reply_to: str | None = None) -> Sent:
        """Send a new, neutral text to an address. `remote` is the new message's id."""

    async def edit(self, to: str, remote: str, message: Outgoing) -> Sent:
        """Replace the text and buttons of a message of ours. Repeating it is harmless."""

    async def open_thread(self, to: str, title: str) -> Sent:
        """Make a topic in this chat; `remote` is its id. NOT_SENT with why='no topics' where there are none."""

    async def answer_tap(self, query: str, text: str) -> None:
        """Stop the spinner of a tapped button and show a short line. Best effort: never raises."""

    async def drop_buttons(self, to: str, remote: str) -> None:
        """Take the buttons off a message of ours, its words as they are. Best effort: never raises."""

    async def help_instead(self, raws: Sequence[bytes]) -> None:
        """Tell the writers of these arrivals whom to ring, seldom; needs no database. Never raises."""

    async def leave(self, chat: str) -> None:
        """Leave a group without a word. Best effort: never raises."""

    async def close(self) -> None:
        """Release connections."""
