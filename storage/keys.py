"""Keys: the wrapped key of each scope, under the key-encryption keys of a provider.

Rules kept here:
- Each scope (one consultation, one person, one day's ingress) has its own key, kept wrapped; destroying the
  row makes everything sealed under it unreadable.
- What is in use is wrapped under an open key, what is due for disposal in a month under that month's key:
  destroying that one makes the rows in old backups unreadable too. Backups from before a row was put under its
  month hold it under the open key of that time: they open until that key is retired, or until they are gone.
- AES-GCM does not commit to its key, so each row holds a commitment to it, compared before the key is used. Rows
  from before commitments have none until they are wrapped anew.
- A database remembers which key-encryption key it belongs to: a start with another one is refused before
  anything is written.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from hashlib import sha256

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import LargeBinary, String, delete, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.database import Base
from storage.key_file import make_key_file, read_key_file
from storage.providers import (
    OPEN,
    KeyEncryptionKey,
    KeyProblem,
    KeyProvider,
    NoKeyYet,
    archive_purpose,
    next_kid,
    purpose_of,
)
from storage.sealing import CannotOpen, Place, Sealed, SealedText, new_key, open_words, seal, to_bytes, to_text

INDEX_SCOPE = "index"  # the key of the keyed hashes by which sealed values are found again
CHECK_SCOPE = "check"  # a key nobody uses: it unwraps only under the right key-encryption key
COMMITMENT_BYTES = 16


class DataKey(Base):
    """One scope's key, wrapped. Deleting the row is what erasure is."""

    __tablename__ = "data_key"

    scope: Mapped[str] = mapped_column(String(80), primary_key=True)
    kid: Mapped[str] = mapped_column(String(40))
    wrapped: Mapped[Sealed] = mapped_column(SealedText)
    commitment: Mapped[bytes | None] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]


class Keyring:
    """Seals and opens by scope, under a provider's key-encryption keys."""

    def __init__(self, provider: KeyProvider) -> None:
        self.provider = provider

    def make_scope(self, session: Session, scope: str, now: datetime) -> None:
        """Give a new scope its key. A scope that has one keeps it, whoever came first."""
        hold_keys(session)
        key, kid = new_key(), self.provider.current(OPEN)
        wrapped = Sealed(self.provider.wrap(kid, key, _context(scope)))
        dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
        values = {"scope": scope, "kid": kid, "wrapped": wrapped, "commitment": commitment(key), "made_at": now}
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
            try:
                if session.get(DataKey, scope) is None:
                    self.make_scope(session, scope, now)
                self._key(session, scope)
            except NoKeyYet as error:
                raise KeyProblem("There is no key yet. Make one: lanyard keys make") from error
            except CannotOpen as error:
                raise KeyProblem(
                    "This key file does not belong to this database: nothing it holds would open. "
                    "Point LANYARD_KEY_FILE at the right key, or LANYARD_DATABASE at the right database."
                ) from error

    def archive(self, session: Session, scope: str, month: str) -> None:
        """Wrap a scope's key under that of its disposal month (YYYY-MM), made when needed. Raises `CannotOpen`."""
        purpose = archive_purpose(month)
        hold_keys(session)
        if any(purpose_of(kid) == purpose for kid in self.provider.destroyed()):
            raise KeyProblem(f"The keys of {month} were destroyed: nothing more is put under that month.")
        try:
            kid = self.provider.current(purpose)
        except NoKeyYet:
            kid = next_kid(purpose, self.provider.kids())
            self.provider.make(kid)  # dying here: a key that has wrapped nothing, used by the next archiving
        self.rewrap(_row(session, scope), kid)

    def unarchive(self, session: Session, scope: str) -> None:
        """Wrap a scope's key under the open key again. Raises `CannotOpen` when its month's key was destroyed."""
        hold_keys(session)
        self.rewrap(_row(session, scope), self.provider.current(OPEN))

    def destroy_month(self, month: str) -> None:
        """Destroy a month's keys for ever: nothing archived under them opens again, in no backup of the database.
        A copy of the key file itself (escrow) must be destroyed by whoever keeps it."""
        purpose = archive_purpose(month)
        for kid in self.provider.kids():
            if purpose_of(kid) == purpose:
                self.provider.destroy(kid)

    def rewrap(self, row: DataKey, kid: str) -> None:
        """Wrap one row's key under another key-encryption key. Raises `CannotOpen`. What it sealed stays as it is."""
        key = self.unwrap(row)
        row.wrapped = Sealed(self.provider.wrap(kid, key, _context(row.scope)))
        row.kid, row.commitment = kid, commitment(key)

    def unwrap(self, row: DataKey) -> bytes:
        """The key in a row, compared with its commitment. Raises `CannotOpen`."""
        key = self.provider.unwrap(row.kid, row.wrapped.blob, _context(row.scope))
        if row.commitment is not None and not hmac.compare_digest(commitment(key), row.commitment):
            raise CannotOpen("data_key.commitment")
        return key

    def _key(self, session: Session, scope: str) -> bytes:
        # Nothing unwrapped is kept by scope between transactions: a key made in one that rolled back never
        # existed, and words sealed under it would be lost.
        return self.unwrap(_row(session, scope))


def commitment(key: bytes) -> bytes:
    """What binds a row to one key and tells nothing about it."""
    return HKDF(algorithm=SHA256(), length=COMMITMENT_BYTES, salt=None, info=b"commit").derive(key)


def hold_keys(session: Session) -> None:
    """Before asking which key is current: from here to the commit, no key is retired (`rotation.retire`)."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE data_key IN ROW EXCLUSIVE MODE"))  # what the write itself takes anyway
    else:
        session.connection()  # SQLite: BEGIN IMMEDIATE, see `storage.database`


def _row(session: Session, scope: str) -> DataKey:
    row = session.get(DataKey, scope)
    if row is None:
        raise CannotOpen(f"no key for {scope.partition(':')[0]}")
    return row


def _context(scope: str) -> bytes:
    return Place("data_key", "wrapped", scope, "kek").additional_data()


__all__ = [
    "CHECK_SCOPE",
    "INDEX_SCOPE",
    "DataKey",
    "KeyEncryptionKey",
    "KeyProblem",
    "Keyring",
    "make_key_file",
    "read_key_file",
]
