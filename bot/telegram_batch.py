"""Bytes from Telegram cut into updates, each kept exactly as it came. Pure: no JSON is parsed to do it.

Rules kept here:
- One update that cannot be read never hides the others of its batch: the cut is made by counting brackets
  outside strings, which neither invalid UTF-8 nor deep nesting nor a wrong value can stop.
- An update has a key for ever, even when nothing in it can be read.
- Only a positive `update_id` is believed: a negative offset would make Telegram forget what came before it.
"""

from __future__ import annotations

import re
from hashlib import sha256

from bot.channel import Arrival
from bot.telegram_reading import address_in
from conversations.messages import ChannelName

NOBODY = "unread"  # the lane of what cannot be read; it holds up nobody

# A string (or what is left of one that never ends), or one structural sign. Possessive: linear on any input.
_SIGN = re.compile(rb'"(?:[^"\\]|\\(?:.|\Z))*+(?:"|\Z)|[\[\]{}:,]', re.DOTALL)
# A quoted number is believed for the key and the offset only; `read` refuses it.
_UPDATE_ID = re.compile(rb'"update_id"\s{0,8}:\s{0,8}"?([1-9][0-9]{0,17})(?![0-9.eE])')


def updates_in(body: bytes) -> list[bytes] | None:
    """The updates in an answer to getUpdates, byte for byte. None: the answer's brackets do not close."""
    found: list[bytes] = []
    depth, start, seen = 0, -1, False
    last, last_but_one = b"", b""
    for match in _SIGN.finditer(body):
        sign = match.group()
        if sign in b"[{":
            depth += 1
            if not seen and depth == 2 and (last_but_one, last, sign) == (b'"result"', b":", b"["):
                seen, start = True, match.end()
        elif start >= 0 and depth == 2 and sign in b",]":
            if update := body[start : match.start()].strip():
                found.append(update)
            start = match.end() if sign == b"," else -1
        if sign in b"]}":
            depth -= 1
        last_but_one, last = last, sign
    return found if seen and depth == 0 and start < 0 else None


def update_id(raw: bytes) -> int | None:
    """The id Telegram knows this update by, found without parsing. A quotation mark inside a string is always
    escaped, so nothing a person wrote can look like this key."""
    match = _UPDATE_ID.search(raw)
    return int(match.group(1)) if match else None


def arrival_of(raw: bytes) -> Arrival:
    """What is stored for one update."""
    number = update_id(raw)
    key = str(number) if number is not None else "sha256:" + sha256(raw).hexdigest()
    return Arrival(channel=ChannelName.TELEGRAM, key=key, lane=address_in(raw) or NOBODY, raw=raw)
