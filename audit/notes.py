"""C2SP signed notes, checkpoints and cosignatures: their exact bytes, made and read. Pure but for Ed25519.

Rules kept here:
- What is read is read strictly (C2SP signed-note, tlog-checkpoint, tlog-cosignature): UTF-8, no control characters
  but newline, canonical base64, decimal without leading zeroes. There is one way of writing each value.
- A signature by an unknown key is ignored; one bad signature of a known key refuses the whole note.
- The text of a note reaches nobody before a known key's signature on it has been verified (`verify_note`).
- Checkpoints have no extension lines (docs/trail.md). tlog-checkpoint allows them; nobody could audit them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import NamedTuple, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PrivateKey: TypeAlias = Ed25519PrivateKey  # the signer and the witness know keys by this name, not the library's
LARGEST_NOTE = 100_000  # bytes; a checkpoint with sixteen cosignatures has about two thousand
MOST_SIGNATURES = 100  # signed-note: at least 16 must be accepted
LARGEST_SIZE = 2**63 - 1  # the sizes Go's int64 can hold, so that others' tools can read ours
_MARK = "— "
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,18})\Z", re.ASCII)
_HEX_ID = re.compile(r"[0-9a-f]{8}\Z", re.ASCII)


class NoteRefused(Exception):
    """The note cannot be relied on."""


class Malformed(NoteRefused):
    """This is not written as a signed note, a checkpoint or a key has to be."""


class BadSignature(NoteRefused):
    """A signature of a known key does not verify."""


class NotSigned(NoteRefused):
    """No known key has signed this note."""


class Kind(IntEnum):
    """Signature types of C2SP signed-note; no others are understood."""

    NOTE = 0x01  # Ed25519 over the text
    COSIGNATURE = 0x04  # Ed25519 over a time and the text: tlog-cosignature v1


# --- keys ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class VerifierKey:
    """A name, what kind of signature it makes, and the 32 bytes that verify it."""

    name: str
    kind: Kind
    public: bytes

    def __post_init__(self) -> None:
        _check_name(self.name)
        if len(self.public) != 32:
            raise Malformed("an Ed25519 key has 32 bytes")

    @property
    def id(self) -> bytes:
        """SHA-256(name || 0x0A || kind || public key)[:4]."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def format(self) -> str:
        """As a line of configuration: `<name>+<hex id>+<base64: kind | public key>`."""
        return f"{self.name}+{self.id.hex()}+{base64_text(bytes([self.kind]) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """What `format` wrote; `Malformed` for anything else, also when the id is not the key's."""
        parts = text.split("+", 2)  # base64 may hold a plus, a name may not
        if len(parts) != 3 or not _HEX_ID.match(parts[1]):
            raise Malformed("a verifier key is written name+id+key")
        material = from_base64(parts[2])
        if not material or material[0] not in list(Kind):
            raise Malformed("a verifier key of a kind not known here")
        key = cls(parts[0], Kind(material[0]), material[1:])
        if key.id.hex() != parts[1]:
            raise Malformed("the verifier key's id is not that of its name and key")
        return key

    def signs(self, text: str, signature: bytes) -> bool:
        """Is this its signature (without the id) on the text?"""
        message = text.encode()
        if self.kind is Kind.COSIGNATURE:
            if len(signature) != 8 + 64 or signature[0] >= 0x80:
                return False
            message = _cosigned(text, int.from_bytes(signature[:8], "big"))
            signature = signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


def private_key(seed: bytes) -> PrivateKey:
    """The signing key of these 32 secret bytes."""
    return PrivateKey.from_private_bytes(seed)


def log_key(name: str, key: PrivateKey) -> VerifierKey:
    """What verifies `sign_note(…, name, key)`."""
    return VerifierKey(name, Kind.NOTE, key.public_key().public_bytes_raw())


def cosigner_key(name: str, key: PrivateKey) -> VerifierKey:
    """What verifies `cosign(…, name, key, …)`."""
    return VerifierKey(name, Kind.COSIGNATURE, key.public_key().public_bytes_raw())


# --- notes -----------------------------------------------------------------------------------------


class Verified(NamedTuple):
    """A note's text, and the names of the known keys that signed it: all of these verified, at least one."""

    text: str
    names: frozenset[str]


class _Line(NamedTuple):
    """A signature line: who says they signed, with which key, and what they wrote."""

    name: str
    id: bytes
    signature: bytes


def sign_note(text: str, name: str, key: PrivateKey) -> bytes:
    """The text as a note signed by this key."""
    if not text.endswith("\n"):
        raise Malformed("a note's text ends with a newline")
    verifier = log_key(name, key)
    note = f"{text}\n{_line(verifier, key.sign(text.encode()))}".encode()
    _split(note)  # nothing is signed that no one could read
    return note


def verify_note(note: bytes, keys: Iterable[VerifierKey]) -> Verified:
    """The text, once every signature of a known key (and one at least) has been verified."""
    text, lines = _split(note)
    known = _by_name_and_id(keys)
    names = set()
    for line in lines:
        key = known.get((line.name, line.id))
        if key is None:
            continue
        if not key.signs(text, line.signature):
            raise BadSignature(f"a signature of {key.name} does not verify")
        names.add(key.name)
    if not names:
        raise NotSigned("no known key has signed this note")
    return Verified(text, frozenset(names))


def only_known(note: bytes, keys: Iterable[VerifierKey]) -> bytes:
    """The note without the lines of unknown keys, once it has been verified."""
    known = _by_name_and_id(keys)
    text = verify_note(note, known.values()).text
    lines = [(known.get((line.name, line.id)), line.signature) for line in _split(note)[1]]
    return f"{text}\n{''.join(_line(key, signature) for key, signature in lines if key)}".encode()


def unverified_text(note: bytes) -> str:
    """The text of a well-formed note that NOBODY HAS VERIFIED: to see whose keys to verify it with, and no more."""
    return _split(note)[0]


def _split(note: bytes) -> tuple[str, list[_Line]]:
    if len(note) > LARGEST_NOTE:
        raise Malformed("the note is too long")
    try:
        whole = note.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("the note is not UTF-8") from None
    if any(character < " " and character != "\n" for character in whole):
        raise Malformed("the note holds a control character")
    text, blank, block = whole.rpartition("\n\n")  # signed-note: the last empty line
    if not blank or not block.endswith("\n"):
        raise Malformed("a note is a text, an empty line and signature lines")
    written = block[:-1].split("\n")
    if len(written) > MOST_SIGNATURES:
        raise Malformed("the note has too many signatures")
    return text + "\n", [_read_line(line) for line in written]


def _read_line(line: str) -> _Line:
    name, space, signature = line.removeprefix(_MARK).partition(" ")
    if not line.startswith(_MARK) or not space:
        raise Malformed("not a signature line")
    _check_name(name)
    data = from_base64(signature)
    if len(data) < 5:
        raise Malformed("a signature is four bytes of key id and at least one more")
    return _Line(name, data[:4], data[4:])


def _line(key: VerifierKey, signature: bytes) -> str:
    return f"{_MARK}{key.name} {base64_text(key.id + signature)}\n"


def _by_name_and_id(keys: Iterable[VerifierKey]) -> dict[tuple[str, bytes], VerifierKey]:
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for key in keys:
        if known.setdefault((key.name, key.id), key) != key:
            raise Malformed(f"two different keys are known as {key.name}+{key.id.hex()}")
    return known


def _check_name(name: str) -> None:
    if not name or "+" in name or any(character.isspace() or character < " " for character in name):
        raise Malformed("a key's name is not empty and holds no space, plus or control character")


# --- checkpoints and cosignatures ------------------------------------------------------------------


@dataclass(frozen=True)
class Checkpoint:
    """What a log commits to: how long it is, and the root over all of it."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        _check_name(self.origin)  # stricter than tlog-checkpoint: an origin of ours is always a key's name
        if not 0 <= self.size <= LARGEST_SIZE or len(self.root) != 32:
            raise Malformed("a checkpoint has a size from 0 and a root of 32 bytes")

    def text(self) -> str:
        """The text of the note."""
        return f"{self.origin}\n{self.size}\n{base64_text(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """What `text` wrote; `Malformed` for anything else."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3]:
            raise Malformed("a checkpoint is an origin, a size and a root, a line each")
        return cls(lines[0], decimal(lines[1]), from_base64(lines[2]))


def cosign(text: str, name: str, key: PrivateKey, seconds: int) -> str:
    """A witness's signature line: as of this Unix time it saw this checkpoint, consistent with all before."""
    Checkpoint.parse(text)  # a witness puts its name to nothing else
    if not 0 < seconds <= LARGEST_SIZE:
        raise Malformed("a cosignature has a time")
    signature = seconds.to_bytes(8, "big") + key.sign(_cosigned(text, seconds))
    return _line(cosigner_key(name, key), signature)


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


# --- values ----------------------------------------------------------------------------------------


def decimal(text: str) -> int:
    """A number written in one way only: ASCII digits, no sign, no leading zeroes."""
    if not _DECIMAL.match(text) or int(text) > LARGEST_SIZE:
        raise Malformed("not a decimal number")
    return int(text)


def base64_text(data: bytes) -> str:
    """RFC 4648 section 4."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """The bytes, if they are written as `base64_text` writes them."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise Malformed("not base64") from None
    if base64_text(data) != text:  # b64decode overlooks stray bits in the last character
        raise Malformed("not canonical base64")
    return data
