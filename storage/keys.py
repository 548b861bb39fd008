"""Keys: where the key-encryption key comes from, and the wrapped key of each scope.

Rules kept here:
- The key-encryption key is never in the database, and its file is refused when others may read it or when it
  lies beside the database.
- Each scope (one consultation, one person, one day's ingress) has its own key, kept wrapped; destroying the
  row makes everything sealed under it unreadable.
- A database remembers which key-encryption key it belongs to: a start with another one is refused before
  anything is written.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import stat
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from sqlalchemy import String, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.database import Base
from storage.sealing import (
    KEY_BYTES,
    CannotOpen,
    Place,
    Sealed,
    SealedText,
    new_key,
    open_words,
    seal,
    to_bytes,
    to_text,
)

INDEX_SCOPE = "index"  # the key of the keyed hashes by which sealed values are found again
CHECK_SCOPE = "check"  # a key nobody uses: it unwraps only under the right key-encryption key


class KeyProblem(Exception):
    """The key-encryption key is missing, unsafe or not the one this database was sealed with."""


@dataclass(frozen=True)
class KeyEncryptionKey:
    """The key that wraps all others, with its id (`kid`)."""

    kid: str
    key: bytes

    def __repr__(self) -> str:
        return f"KeyEncryptionKey(kid={self.kid!r})"


class DataKey(Base):
    """One scope's key, wrapped. Deleting the row is what erasure is."""

    __tablename__ = "data_key"

    scope: Mapped[str] = mapped_column(String(80), primary_key=True)
    kid: Mapped[str] = mapped_column(String(40))
    wrapped: Mapped[Sealed] = mapped_column(SealedText)
    made_at: Mapped[datetime]


def make_key_file(path: Path, kid: str) -> None:
    """Write a fresh key-encryption key that only its owner can read. Raises FileExistsError if there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = json.dumps({"kid": kid, "key": base64.b64encode(new_key()).decode()})
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(content)


def read_key_file(path: Path, database_folder: Path | None) -> KeyEncryptionKey:
    """The key-encryption key in a file. Raises `KeyProblem` with one line that says what to do."""
    if not path.exists():
        raise KeyProblem(
            f"The key file {path} is missing. Restore it from escrow, or make a new one with "
            "'lanyard keys make' if this installation has never held a consultation."
        )
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyProblem(f"The key file {path} can be read by others. Run: chmod 600 {path}")
    if database_folder is not None and database_folder.resolve() == path.parent.resolve():
        raise KeyProblem(
            f"The key file {path} lies beside the database, so one theft would take both. "
            "Move it to another folder and set LANYARD_KEY_FILE."
        )
    try:
        content = json.loads(path.read_bytes())
        kek = KeyEncryptionKey(kid=str(content["kid"]), key=base64.b64decode(content["key"], validate=True))
    except OSError as error:
        raise KeyProblem(f"The key file {path} cannot be read ({error.strerror}).") from error
    except (ValueError, KeyError, TypeError) as error:
        raise KeyProblem(f"The key file {path} is damaged. Restore it from escrow.") from error
    if len(kek.key) != KEY_BYTES:
        raise KeyProblem(f"The key file {path} does not hold a 256-bit key. Restore it from escrow.")
    return kek


class Keyring:
    """Seals and opens by scope, under one key-encryption key."""

    def __init__(self, kek: KeyEncryptionKey) -> None:
        self._kek = kek

    def make_scope(self, session: Session, scope: str, now: datetime) -> None:
        """Give a new scope its key. A scope that has one keeps it, whoever came first."""
        wrapped = seal(self._kek.key, _key_place(scope), new_key())
        dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        values = {"scope": scope, "kid": self._kek.kid, "wrapped": wrapped, "made_at": now}
        session.execute(dialect.insert(DataKey).values(values).on_conflict_do_nothing())

    def destroy(self, session: Session, scope: str) -> int:
        """Destroy the key of a scope: what was sealed under it opens nowhere any more. Gives how many there were."""
        gone = session.execute(delete(DataKey).where(DataKey.scope == scope))
        return int(getattr(gone, "rowcount", 0))

    def seal(self, session: Session, place: Place, words: str) -> Sealed:
        """Seal text under its scope's key."""
        return seal(self._key(session, place.scope), place, to_bytes(words))

    def open(self, session: Session, place: Place, sealed: Sealed) -> str:
        """Open sealed text. Raises `CannotOpen`, also when the scope's key was destroyed."""
        return to_text(open_words(self._key(session, place.scope), place, sealed))

    def keyed_hash(self, session: Session, label: str, value: str) -> str:
        """A 128-bit look-up value for a sealed field: equal values meet, nobody else can guess them."""
        key = self._key(session, INDEX_SCOPE)
        return hmac.new(key, to_bytes(f"{len(label)}:{label}{value}"), sha256).hexdigest()[:32]

    def prove_fits(self, session: Session, now: datetime) -> None:
        """Refuse a database that was sealed under another key. Raises `KeyProblem`; call before any work."""
        for scope in (CHECK_SCOPE, INDEX_SCOPE):
            self.make_scope(session, scope, now)
            try:
                self._key(session, scope)
            except CannotOpen as error:
                raise KeyProblem(
                    "This key file does not belong to this database: nothing it holds would open. "
                    "Point LANYARD_KEY_FILE at the right key, or LANYARD_DATABASE at the right database."
                ) from error

    def _key(self, session: Session, scope: str) -> bytes:
        # Nothing unwrapped is kept between transactions: a key made in one that rolled back never existed,
        # and words sealed under it would be lost. Unwrapping costs microseconds.
        row = session.get(DataKey, scope)
        if row is None:
            raise CannotOpen(f"no key for {scope.partition(':')[0]}")
        return open_words(self._kek.key, _key_place(scope), row.wrapped)


def _key_place(scope: str) -> Place:
    return Place("data_key", "wrapped", scope, "kek")
