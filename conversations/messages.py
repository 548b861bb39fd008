"""All that passes between a channel and the line. Pure: plain frozen data, no I/O.

Rules kept here:
- A channel turns what it received into exactly one of `Incoming`, `Ignored` or an `Unreadable` error.
- Nothing in here says who a person *is*: `sender` is only an address inside its channel; the line looks up
  the bound person itself, so a display name or a forward can never become an identity.
- `Outgoing` is complete: whoever sends it needs no database.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import Enum
from typing import Any


class ChannelName(Enum):
    """The doors words come in by."""

    TELEGRAM = "telegram"  # a bot chat: doorbell or relay, never end-to-end encrypted
    WEB = "web"  # our own chat, in a browser


class Kind(Enum):
    """What sort of thing arrived."""

    TEXT = "text"  # somebody wrote
    EDIT = "edit"  # somebody changed what they wrote
    TAP = "tap"  # a button of ours was pressed; `token` says which
    COMMAND = "command"  # text starting with one of our slash commands; `text` holds name and argument
    UNSENDABLE = "unsendable"  # a photo, a voice note, a sticker...: told what can be sent, nothing stored
    BLOCKED = "blocked"  # the person stopped the bot: the door is dead until they start it again
    UNBLOCKED = "unblocked"  # the person opened the bot again


class Unsendable(Enum):
    """What cannot be sent here, each with its own clear line in `wording`."""

    PICTURE = "picture"  # photo, album, GIF
    VOICE = "voice"  # voice note, audio, video, video note
    DOCUMENT = "document"  # any file; never downloaded
    LOCATION = "location"  # location, live location, venue; coordinates are never kept
    CONTACT = "contact"  # a contact card
    STICKER = "sticker"  # sticker, dice, game
    OTHER = "other"  # poll, quiz, invoice, story, giveaway, checklist, paid media
    UNKNOWN = "unknown"  # a kind newer than this program: kept in quarantine, for whoever maintains it
    EMPTY = "empty"  # nothing readable: empty, blanks or zero-width characters only


class Ignore(Enum):
    """Why something gets no reply and changes nothing. Each is recorded by kind only."""

    GROUP = "group"  # a group or supergroup: the bot leaves
    CHANNEL_POST = "channel_post"  # channel posts and linked-channel messages
    NOT_A_PERSON = "not_a_person"  # bots, anonymous admins, `sender_chat`, via_bot
    BUSINESS = "business"  # business or guest messages: never asked for, so alarm
    INLINE = "inline"  # inline queries and results
    SERVICE = "service"  # pins, theme changes, topics made or closed
    AUTO_DELETE = "auto_delete"  # messages will vanish from that person's own device; ours stay
    REACTION = "reaction"  # reactions, poll answers
    MIGRATED = "migrated"  # a group became a supergroup
    LIVE_EDIT = "live_edit"  # later positions of a live location
    OTHER_BOT = "other_bot"  # a command addressed to another bot


@dataclass(frozen=True)
class Incoming:
    """One thing that one person did, in the words of no particular channel."""

    channel: ChannelName
    sender: str  # address within the channel: Telegram user id as decimal; person id on the web
    kind: Kind
    text: str = ""
    written_at: datetime | None = None  # by the channel's clock (UTC); ours rules
    message: str | None = None  # the channel's id of this message, to find it again when edited or replied to
    reply_to: str | None = None  # the channel's id of the message this one answers
    thread: str | None = None  # topic the message was written in
    consultation: str | None = None  # web only: the reference of the pane it was written in
    token: str | None = None  # TAP: the button's random token
    query: str | None = None  # TAP: what the channel needs to stop the button's spinner
    unsendable: Unsendable | None = None
    album: str | None = None  # pieces of one album share this: one reply, not ten
    forwarded: bool = False


@dataclass(frozen=True)
class Ignored:
    """Nothing to do but note its kind; `leave` names a chat the bot must leave without a word."""

    why: Ignore
    leave: str | None = None


class Unreadable(Exception):
    """This update has a shape we cannot read: it is kept, sealed, in quarantine, and the next one goes on."""


@dataclass(frozen=True)
class Button:
    """One tap. `token` is random, single-use, bound to person, consultation and action; `url` opens a page, `app` one
    inside the channel's own client."""

    label: str
    token: str = ""  # at most 64 bytes (Bot API callback_data)
    url: str = ""
    app: str = ""


@dataclass(frozen=True)
class Outgoing:
    """One message, whole: what a lock screen may show first, then the words and their buttons."""

    text: str
    placeholder: str  # neutral: a reference at most; sent first, replaced by `text` through an edit
    buttons: tuple[tuple[Button, ...], ...] = ()  # rows
    reply_to: str | None = None  # the channel's id of the message this answers
    thread_title: str | None = None  # put into the topic of this title where the channel has topics

    def to_json(self) -> dict[str, Any]:
        """Plain data for the sealed outbox."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Outgoing:
        """The message that `to_json` described."""
        rows = tuple(tuple(Button(**button) for button in row) for row in data["buttons"])
        return cls(**{**data, "buttons": rows})
