"""What a Telegram client hands the Mini App: who opened it, by the bot's own secret. Pure.

Rules kept here (Telegram, "Validating data received via the Mini App"):
- `hash` is the HMAC-SHA-256 of all other fields, `signature` among them, one `name=value` a line in the order of their
  names; its key is the HMAC of the bot token under "WebAppData". No field is believed before that.
- It counts for five minutes. Each field stands once; a line end inside one would let fields be cut otherwise.
- This says which Telegram account opened the Mini App. It never says that its owner holds the telephone.
"""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256
from urllib.parse import unquote_plus

LONGEST = 4096  # characters; Telegram's are below 1,000
FRESH = timedelta(minutes=5)
CLOCKS = timedelta(minutes=1)  # ours and Telegram's may differ by this much
_NAME = re.compile(r"[a-z_]{1,64}")
_HASH = re.compile(r"[0-9a-f]{64}")
_WHOLE = re.compile(r"[0-9]{1,15}")
_NEEDED = frozenset({"hash", "auth_date", "user"})


class Refusal(Enum):
    """Why somebody is not let in from Telegram. For the trail: whoever is refused reads the same words for each."""

    OFF = "off"  # this line has no Mini App
    TOO_LONG = "too_long"
    UNREADABLE = "unreadable"  # not UTF-8, not fields, no user id, or no time
    DOUBLED = "doubled"  # a field stands twice
    MISSING = "missing"  # a field that is needed is not there
    FORGED = "forged"  # not made with our bot's token
    EXPIRED = "expired"  # made more than five minutes ago
    FUTURE = "future"  # made later than now
    REPLAYED = "replayed"  # it let somebody in before
    UNBOUND = "unbound"  # nobody's Telegram account
    SUSPENDED = "suspended"  # its person may not use the line
    NO_OFFICER = "no_officer"  # its person asks no questions here
    LAPSED = "lapsed"  # its person's enrolment has run out
    OTHER_SESSION = "other_session"  # somebody else is signed in in that window
    OTHER_PERSON = "other_person"  # whoever signed in on the way on is somebody else, or nobody (any more)
    OVER = "over"  # the way on was taken before, or took longer than ten minutes


class InitDataRefused(Exception):
    """This does not say who opened the Mini App."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True)
class InitData:
    """Who opened the Mini App, by Telegram's word."""

    user_id: str
    mark: str  # the same for the same data, however it is written


def key_of(bot_token: str) -> bytes:
    """The key of what Telegram signs for this bot's Mini App."""
    return hmac.digest(b"WebAppData", bot_token.encode(), sha256)


def read_init_data(data: str, key: bytes, now: datetime) -> InitData:
    """Who opened the Mini App. Raises `InitDataRefused`."""
    fields = _fields(data)
    mark = fields.pop("hash")
    lines = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    try:
        expected = hmac.digest(key, lines.encode(), sha256).hex()
    except UnicodeEncodeError:
        raise InitDataRefused(Refusal.UNREADABLE) from None
    if not _HASH.fullmatch(mark) or not hmac.compare_digest(mark, expected):
        raise InitDataRefused(Refusal.FORGED)
    _look_at_age(fields["auth_date"], now)
    return InitData(_user_id(fields["user"]), mark)


def _fields(data: str) -> dict[str, str]:
    if len(data) > LONGEST:
        raise InitDataRefused(Refusal.TOO_LONG)
    fields: dict[str, str] = {}
    for part in data.split("&"):
        name, equals, value = part.partition("=")
        try:
            name, value = unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")
        except UnicodeDecodeError:
            raise InitDataRefused(Refusal.UNREADABLE) from None
        if not equals or not _NAME.fullmatch(name) or "\n" in value:
            raise InitDataRefused(Refusal.UNREADABLE)
        if name in fields:
            raise InitDataRefused(Refusal.DOUBLED)
        fields[name] = value
    if not fields.keys() >= _NEEDED:
        raise InitDataRefused(Refusal.MISSING)
    return fields


def _look_at_age(auth_date: str, now: datetime) -> None:
    if not _WHOLE.fullmatch(auth_date):
        raise InitDataRefused(Refusal.UNREADABLE)
    age = now.timestamp() - int(auth_date)
    if age > FRESH.total_seconds():
        raise InitDataRefused(Refusal.EXPIRED)
    if -age > CLOCKS.total_seconds():
        raise InitDataRefused(Refusal.FUTURE)


def _user_id(user: str) -> str:
    try:
        found = json.loads(user)
    except (ValueError, RecursionError):
        raise InitDataRefused(Refusal.UNREADABLE) from None
    user_id = found.get("id") if isinstance(found, dict) else None
    if type(user_id) is not int or user_id <= 0:  # not bool, which is an int to Python
        raise InitDataRefused(Refusal.UNREADABLE)
    return str(user_id)
