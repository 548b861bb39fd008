"""Providers: who holds the key-encryption keys, and wraps and unwraps with them. A file, the environment, or Transit.

Rules kept here:
- A key-encryption key is never in the database. Its file is refused when others may read it or when it lies
  beside the database; the environment is refused outside practice mode.
- A key is named by its `kid`: `open.N` for what is in use, `archive-YYYY-MM.N` for what is due for disposal in
  that month. Any other name (older installations have `kek-2026-11-23`) counts as an open key.
- The newest key of a purpose wraps; every key that is still there unwraps. A destroyed kid is never used again.
- What is wrapped is bound to a context and opens in no other.
- Several keys in one file are written whole or not at all: temporary file, fsync, rename, fsync of the folder.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from storage.sealing import KEY_BYTES, CannotOpen, new_key, unwrap_key, wrap_key

OPEN = "open"  # the purpose of what is in use
ARCHIVED = "archive-"  # what the kid of a month's key begins with; the month comes next
ENVIRONMENT_KID = "environment"

_MONTH = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])")
_ARCHIVE = re.compile(rf"{ARCHIVED}({_MONTH.pattern})\.\d+")


class KeyProblem(Exception):
    """The key-encryption key is missing, unsafe or not the one this database was sealed with."""


class KeysUnavailable(KeyProblem, OSError):
    """Whoever holds the keys does not answer now. An OSError, so that it counts as an outage, not as our fault."""


class UnknownKey(CannotOpen):
    """There is no such key-encryption key here: it was destroyed, or is kept elsewhere."""


class NoKeyYet(UnknownKey):
    """No key was made for this purpose yet."""


class KeyProvider(Protocol):
    """Whoever holds key-encryption keys. One conformance suite (tests/test_keys.py) says what all must do."""

    def current(self, purpose: str) -> str:
        """The kid that wraps for this purpose. Raises `NoKeyYet`."""

    def wrap(self, kid: str, key: bytes, context: bytes) -> bytes:
        """Wrap a key, bound to a context. Raises `UnknownKey`."""

    def unwrap(self, kid: str, blob: bytes, context: bytes) -> bytes:
        """The key that was wrapped. Raises `CannotOpen`; `UnknownKey` when the key-encryption key is gone."""

    def make(self, kid: str) -> None:
        """Make a key-encryption key. Raises `KeyProblem` when the kid is, or was, in use."""

    def destroy(self, kid: str) -> None:
        """Destroy a key-encryption key for ever, and with it all that it wrapped. Repeating it changes nothing.
        Raises `KeyProblem` for the open key in use."""

    def kids(self) -> tuple[str, ...]:
        """The kids of every key there is."""

    def destroyed(self) -> tuple[str, ...]:
        """The kids known to have been destroyed; empty where the holder keeps no memory of them."""

    def health(self) -> str:
        """One line on where the keys are. Raises `KeyProblem` when they cannot be used."""


@dataclass(frozen=True)
class KeyEncryptionKey:
    """A key that wraps others, with its id (`kid`)."""

    kid: str
    key: bytes = field(repr=False)


def archive_purpose(month: str) -> str:
    """The purpose of what is due for disposal in a month, written YYYY-MM. Raises ValueError for anything else."""
    if not _MONTH.fullmatch(month):
        raise ValueError(f"{month} is no month: write it as 2032-11")
    return f"archive:{month}"


def purpose_of(kid: str) -> str:
    """What a kid is for."""
    archive = _ARCHIVE.fullmatch(kid)
    return f"archive:{archive[1]}" if archive else OPEN


def newest(purpose: str, kids: Sequence[str]) -> str:
    """The kid that wraps for a purpose: the highest number, the last of equals. Raises `NoKeyYet`."""
    ours = [kid for kid in kids if purpose_of(kid) == purpose]
    if not ours:
        raise NoKeyYet(f"no key for {purpose}")
    return max(enumerate(ours), key=lambda one: (_number(one[1]), one[0]))[1]


def refuse_in_use(kid: str, kids: Sequence[str]) -> None:
    """The open key in use is never destroyed. Raises `KeyProblem`."""
    if purpose_of(kid) == OPEN and kid == newest(OPEN, kids):
        raise KeyProblem(f"The key {kid} is the one in use. Make another first: lanyard keys rotate")


def next_kid(purpose: str, kids: Sequence[str]) -> str:
    """A kid for a purpose that none of these (give the destroyed ones too) has."""
    highest = max((_number(kid) for kid in kids if purpose_of(kid) == purpose), default=0)
    return f"{purpose.replace(':', '-')}.{highest + 1}"


def _number(kid: str) -> int:
    number = re.fullmatch(rf"(?:{OPEN}|{ARCHIVED}[\d-]+)\.(\d+)", kid)
    return int(number[1]) if number else 0


class HeldKeys:
    """Keys held in this process's memory: the base of the file and of the environment. Makes and destroys none."""

    def __init__(self, *keys: KeyEncryptionKey) -> None:
        self._keys = {kek.kid: kek.key for kek in keys}
        self._destroyed: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(kids={list(self._keys)})"

    def current(self, purpose: str) -> str:
        """The kid that wraps for this purpose."""
        return newest(purpose, self.kids())

    def wrap(self, kid: str, key: bytes, context: bytes) -> bytes:
        """Wrap a key, bound to a context."""
        return wrap_key(self._key(kid), key, context)

    def unwrap(self, kid: str, blob: bytes, context: bytes) -> bytes:
        """The key that was wrapped."""
        return unwrap_key(self._key(kid), blob, context)

    def make(self, kid: str) -> None:
        """Refused: there is nowhere to keep it."""
        raise KeyProblem(f"The key {kid} cannot be made: these keys are given to this process and only read.")

    def destroy(self, kid: str) -> None:
        """Refused: what is only read here is not ours to destroy."""
        raise KeyProblem(f"The key {kid} cannot be destroyed: these keys are given to this process and only read.")

    def kids(self) -> tuple[str, ...]:
        """The kids of every key there is."""
        return tuple(self._keys)

    def destroyed(self) -> tuple[str, ...]:
        """The kids known to have been destroyed."""
        return self._destroyed

    def health(self) -> str:
        """One line on where the keys are."""
        return f"{len(self.kids())} in the memory of this process"

    def _key(self, kid: str) -> bytes:
        try:
            return self._keys[kid]
        except KeyError:
            raise UnknownKey(f"no key {kid}") from None


class EnvironmentProvider(HeldKeys):
    """One key from LANYARD_KEY, for practice: what is in the environment shows in process lists and crash reports."""

    def __init__(self, encoded: str, *, practice: bool) -> None:
        if not practice:
            raise KeyProblem(
                "LANYARD_KEY is for practice mode only: other programs can read the environment. "
                "Put the key into a file of mode 600 and set LANYARD_KEY_FILE."
            )
        super().__init__(KeyEncryptionKey(ENVIRONMENT_KID, decode_key(encoded, "LANYARD_KEY")))

    def health(self) -> str:
        """One line on where the keys are."""
        return "1 in the environment (practice)"


def decode_key(encoded: str, where: str) -> bytes:
    """A 256-bit key from base64. Raises `KeyProblem`, which does not show it."""
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyProblem(f"{where} does not hold a 256-bit key. Restore it from escrow.")
    return key


def fresh(kid: str) -> KeyEncryptionKey:
    """A new key from the operating system."""
    return KeyEncryptionKey(kid, new_key())
