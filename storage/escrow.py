"""Escrow: the key file under a passphrase, to be kept where neither the database nor the key file is.

Rules kept here:
- scrypt (RFC 7914) turns the passphrase into a key, AES-256-GCM seals under it; the cost stands in the file and is
  bound to what is sealed. A cost that this machine could not bear is refused before it is tried.
- A wrong passphrase and a damaged file cannot be told apart, and neither writes anything.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from storage.key_file import Content, parse
from storage.providers import KeyProblem
from storage.sealing import KEY_BYTES, CannotOpen, unwrap_key, wrap_key

FORMAT = "lanyard-escrow-1"
COST = 2**17  # about 128 MiB and half a second: scrypt's N, with r = 8 and p = 1
MOST = 2**20
SALT_BYTES = 16
SHORTEST = 16  # letters in a passphrase: six random words, or 16 random letters


@dataclass(frozen=True)
class _Cost:
    n: int
    salt: bytes

    def key(self, passphrase: str) -> bytes:
        return Scrypt(salt=self.salt, length=KEY_BYTES, n=self.n, r=8, p=1).derive(passphrase.encode())

    def context(self) -> bytes:
        return b"|".join((FORMAT.encode(), str(self.n).encode(), self.salt))


def seal_escrow(content: Content, passphrase: str, cost: int = COST) -> bytes:
    """The bytes of an escrow file. Raises `KeyProblem` when the passphrase is too short to protect anything."""
    if len(passphrase) < SHORTEST:
        raise KeyProblem(f"The passphrase is shorter than {SHORTEST} letters. Use six random words or more.")
    scrypt = _Cost(cost, os.urandom(SALT_BYTES))
    sealed = wrap_key(scrypt.key(passphrase), content.to_json(), scrypt.context())
    fields = {"n": cost, "salt": _text(scrypt.salt), "sealed": _text(sealed)}
    return json.dumps({"format": FORMAT} | fields, indent=1).encode()


def open_escrow(raw: bytes, passphrase: str, path: Path) -> Content:
    """The keys in an escrow file. Raises `KeyProblem` with one line."""
    try:
        fields = json.loads(raw)
        scrypt = _Cost(int(fields["n"]), base64.b64decode(fields["salt"], validate=True))
        sealed = base64.b64decode(fields["sealed"], validate=True)
        sound = fields["format"] == FORMAT and 2 <= scrypt.n <= MOST and scrypt.n & (scrypt.n - 1) == 0
    except (ValueError, KeyError, TypeError) as error:
        raise KeyProblem(f"{path} is no escrow file, or is damaged. Take another copy.") from error
    if not sound:
        raise KeyProblem(f"{path} is no escrow file of this program.")
    try:
        return parse(unwrap_key(scrypt.key(passphrase), sealed, scrypt.context()), path)
    except CannotOpen:
        raise KeyProblem(f"{path} does not open: another passphrase, or a damaged copy.") from None


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
