"""Our own chat as a door: what a page posts becomes an arrival like any other.

Rules kept here:
- Who writes is known from the session before anything gets here; `sender` is that person's id.
- Nothing is sent by this door: the page reads what is owed to it (outbox rows in state `reader`) and its browser
  says what is on the screen.
"""

from __future__ import annotations

import json

from bot.channel import Arrival
from conversations.messages import ChannelName, Ignored, Incoming, Kind, Unreadable, Unsendable

_ZERO_WIDTH = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))


def arrival(person_id: str, ref: str | None, text: str, client_id: str) -> Arrival:
    """What somebody typed on a page. The same `client_id` is the same message, however often it is sent."""
    content = {"sender": person_id, "ref": ref, "text": text, "id": client_id}
    return Arrival(ChannelName.WEB, f"{person_id}:{client_id}"[:80], person_id, json.dumps(content).encode())


class WebDoor:
    """Reads what `arrival` made."""

    name = ChannelName.WEB

    def read(self, raw: bytes) -> Incoming | Ignored:
        """What was typed. Raises `Unreadable`."""
        try:
            content = json.loads(raw)
            text, sender, ref, made_id = content["text"], content["sender"], content["ref"], content["id"]
        except (ValueError, KeyError, TypeError) as error:
            raise Unreadable from error
        empty = not text.translate(_ZERO_WIDTH).strip()
        return Incoming(
            ChannelName.WEB,
            sender,
            Kind.UNSENDABLE if empty else Kind.TEXT,
            text,
            message=made_id,
            consultation=ref,
            unsendable=Unsendable.EMPTY if empty else None,
        )
