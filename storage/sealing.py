"""Sealing words: AES-256-GCM bound to where they stand. The only file that touches authenticated encryption.

Rules kept here:
- A column of words (`SealedText`) takes only `Sealed`; binding a plain `str` raises TypeError.
- The additional data name table, column, row and scope, each length-prefixed, so that a value moved to
  another place does not open.
- Format: `1 | nonce (12) | ciphertext and tag`. Nonces are random: far below 2^32 values a key (NIST SP 800-38D).
- Opening is explicit; nothing opens by being loaded.
"""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

VERSION = b"\x01"
NONCE_BYTES = 12
TAG_BYTES = 16
KEY_BYTES = 32


class CannotOpen(Exception):
    """These sealed words do not open here: wrong key, wrong place, or changed since they were sealed."""


@dataclass(frozen=True)
class Sealed:
    """Words nobody can read without opening them on purpose."""

    blob: bytes

    def __repr__(self) -> str:
        return f"Sealed({len(self.blob)} bytes)"

    def digest(self) -> str:
        """What the trail holds of the stored bytes: whoever has no key can still see that they are untouched."""
        return sha256(self.blob).hexdigest()


@dataclass(frozen=True)
class Place:
    """Where sealed words stand; they open nowhere else."""

    table: str
    column: str
    row: str
    scope: str  # whose key: "consultation:…", "person:…", "ingress:2026-11-23"

    def additional_data(self) -> bytes:
        """Length-prefixed, so that no two places give the same bytes."""
        fields = ("lanyard/1", self.table, self.column, self.row, self.scope)
        return b"".join(len(raw := field.encode()).to_bytes(4, "big") + raw for field in fields)


class SealedText(TypeDecorator[Sealed]):
    """A column of sealed words."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Sealed | None, dialect: Dialect) -> bytes | None:
        if value is None:
            return None
        if not isinstance(value, Sealed):
            raise TypeError("this column takes sealed words only")
        return value.blob

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Sealed | None:
        return None if value is None else Sealed(bytes(value))


def new_key() -> bytes:
    """A fresh 256-bit key from the operating system."""
    return os.urandom(KEY_BYTES)


def seal(key: bytes, place: Place, words: bytes) -> Sealed:
    """Seal bytes for one place."""
    return Sealed(wrap_key(key, words, place.additional_data()))


def open_words(key: bytes, place: Place, sealed: Sealed) -> bytes:
    """The bytes that were sealed for this place. Raises `CannotOpen`."""
    try:
        return unwrap_key(key, sealed.blob, place.additional_data())
    except CannotOpen as error:
        raise CannotOpen(f"{place.table}.{place.column}: {error}") from None


def wrap_key(kek: bytes, key: bytes, context: bytes) -> bytes:
    """One key under another, bound to a context. Words come through `seal`."""
    nonce = os.urandom(NONCE_BYTES)
    return VERSION + nonce + AESGCM(kek).encrypt(nonce, key, context)


def unwrap_key(kek: bytes, blob: bytes, context: bytes) -> bytes:
    """What was wrapped under this key in this context. Raises `CannotOpen`."""
    if blob[:1] != VERSION or len(blob) < 1 + NONCE_BYTES + TAG_BYTES:
        raise CannotOpen("unknown format")
    nonce, body = blob[1 : 1 + NONCE_BYTES], blob[1 + NONCE_BYTES :]
    try:
        return AESGCM(kek).decrypt(nonce, body, context)
    except InvalidTag:
        raise CannotOpen("wrong key, wrong place, or changed") from None


def commitment(salt: bytes, words: str) -> str:
    """What the trail holds of the words: with the salt they can be shown to be these; without it, nothing."""
    return hmac.new(salt, to_bytes(words), sha256).hexdigest()


def to_bytes(text: str) -> bytes:
    """Any text without loss, lone surrogates and NUL included."""
    return text.encode("utf-8", "surrogatepass")


def to_text(raw: bytes) -> str:
    """The text `to_bytes` made these from."""
    return raw.decode("utf-8", "surrogatepass")
