"""The trail's checkpoints around this installation: who signs, where they are published, and what a start demands.

Rules kept here:
- The line never holds the signing key. It only looks whether its database reaches what was published.
- A database behind what was published is a restored backup or a rollback: nothing goes on over it unsaid. Whoever
  goes on writes down, as the first leaf of a new epoch, what was lost.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from audit.checkpoint import FileStore, Refused, Signed, Signer, due, newest_published, publish, published_in
from audit.events import Event
from audit.growth import hashes_of, leaves
from audit.notes import Kind, Malformed, NoteRefused, PrivateKey, VerifierKey, private_key
from audit.trail import Fact, Head, Leaf, record
from audit.tree import Frontier, consistency, root
from audit.witness import WitnessRefused, WitnessSilent, ask_witness
from conversations.work import BY_THE_LINE
from lanyard.settings import BadSettings, Settings
from storage.database import Database

log = logging.getLogger(__name__)
PATIENCE = 10.0  # seconds for a witness
BETWEEN = 1.0  # seconds between looks


class TrailProblem(Exception):
    """The trail of this database is not the one that was published."""


class DatabaseLog:
    """The trail as this database has it. The signer does not believe it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def head(self) -> Head:
        """How long it is, in which epoch, and up to where it is urgent."""
        with self._database.reading() as session:
            return session.get_one(Head, 1)

    def size_and_root(self) -> tuple[int, bytes]:
        """See `audit.checkpoint.Log`."""
        head = self.head()
        return head.size, Frontier.from_bytes(head.frontier).root() if head.frontier else Frontier().root()

    def leaves(self, start: int, stop: int) -> Iterator[bytes]:
        """See `audit.checkpoint.Log`."""
        with self._database.reading() as session:
            yield from leaves(session, start, stop)

    def root_at(self, size: int) -> bytes:
        """The root of its first leaves."""
        with self._database.reading() as session:
            return root(size, hashes_of(session, size))

    def proof(self, old: int, new: int) -> list[bytes]:
        """That the tree of size `new` grew from the one of size `old`."""
        with self._database.reading() as session:
            return consistency(old, new, hashes_of(session, new))


def origin_of(settings: Settings, epoch: int) -> str:
    """The log's name: the installation's, and how often a lost end was owned up to."""
    return f"{settings.installation}/{epoch}"


def read_verifiers(file: Path) -> list[VerifierKey]:
    """The public keys in a file, one a line. Raises `BadSettings`."""
    try:
        return [VerifierKey.parse(line.strip()) for line in file.read_text().splitlines() if line.strip()]
    except OSError as error:
        raise BadSettings(f"{file} cannot be read: {error.strerror}") from None
    except Malformed as error:
        raise BadSettings(f"{file}: {error}. It holds what 'lanyard audit key' printed, one key a line.") from None


def read_signing_key(file: Path) -> PrivateKey:
    """The signer's secret. Raises `BadSettings`."""
    try:
        if file.stat().st_mode & 0o077:
            raise BadSettings(f"{file} can be read by others. Run: chmod 600 {file}")
        return private_key(bytes.fromhex(file.read_text().strip()))
    except OSError as error:
        raise BadSettings(f"{file} cannot be read: {error.strerror}. Make one with: lanyard audit key {file}") from None
    except ValueError:
        raise BadSettings(f"{file} holds no signing key. Make one with: lanyard audit key FILE") from None


def published(settings: Settings, epoch: int) -> Signed | None:
    """The newest checkpoint of an epoch that is published, its signature checked. Raises `NoteRefused` or OSError."""
    if settings.checkpoints is None or settings.log_keys_file is None:
        return None
    origin = origin_of(settings, epoch)
    keys = {VerifierKey(origin, Kind.NOTE, one.public) for one in read_verifiers(settings.log_keys_file)}
    return newest_published(settings.checkpoints, origin, keys)


def newest(settings: Settings, epoch: int) -> Signed | None:
    """The newest checkpoint of an epoch that is published. Raises `TrailProblem`."""
    try:
        return published(settings, epoch)
    except (NoteRefused, OSError) as error:
        raise TrailProblem(
            f"The published checkpoints in {settings.checkpoints} cannot be trusted ({error}). "
            "Find out who was at them before anything goes on."
        ) from None


def require_whole(settings: Settings, database: Database) -> None:
    """The database reaches, and agrees with, what was published. Raises `TrailProblem` with what to do."""
    if settings.checkpoints is None:
        return
    trail = DatabaseLog(database)
    head = trail.head()
    later = published_in(settings.checkpoints, origin_of(settings, head.epoch + 1))
    found = newest(settings, head.epoch)
    if later.is_dir() or (found is not None and found.checkpoint.size > head.size):
        known = "a later epoch was" if later.is_dir() or found is None else f"{found.checkpoint.size} were"
        raise TrailProblem(
            f"This database's trail has {head.size} leaves, but {known} published: it is an older copy. Put the newest "
            "database in its place. If that is lost, own up to it: lanyard audit recover --reference YOUR-INCIDENT"
        )
    if found is not None and trail.root_at(found.checkpoint.size) != found.checkpoint.root:
        raise TrailProblem(
            f"This database's trail is not the one that was published at {found.checkpoint.size} leaves: it was "
            "changed, or is another's. Keep it as evidence, and restore a copy from before."
        )


def recover(settings: Settings, database: Database, reference: str) -> tuple[int, int, int]:
    """Go on over an older copy, openly: a new epoch whose first leaf names what was lost. Gives the epoch, and which
    leaves were lost. Raises `TrailProblem` where nothing is."""
    trail = DatabaseLog(database)
    head = trail.head()
    found = newest(settings, head.epoch)
    if found is None or found.checkpoint.size <= head.size:
        raise TrailProblem("Nothing is lost: this database reaches the newest published checkpoint.")
    lost = (head.size, found.checkpoint.size)
    with database.transaction() as tx:
        row = tx.session.get_one(Head, 1, with_for_update=True)
        row.epoch += 1
        epoch = row.epoch
        facts: dict[str, Fact] = {"epoch": epoch, "lost_from": lost[0], "lost_to": lost[1], "reference": reference}
        record(tx, Leaf(Event.TRAIL_RECOVERED, datetime.now(UTC), BY_THE_LINE, facts=facts))
    return epoch, *lost


class Notary:
    """Signs this database's trail when it is time, publishes, and asks the witnesses. A process of its own."""

    def __init__(self, settings: Settings, database: Database, say: Callable[[str], None]) -> None:
        if settings.checkpoints is None or settings.signer_key_file is None or settings.log_keys_file is None:
            raise BadSettings(
                "The signer needs LANYARD_CHECKPOINTS, LANYARD_SIGNER_KEY_FILE and LANYARD_LOG_KEYS_FILE."
            )
        self._settings, self._folder, self._say = settings, settings.checkpoints, say
        self._key = read_signing_key(settings.signer_key_file)
        self._witnesses = {url: VerifierKey.parse(key) for url, key in settings.witnesses.items()}
        self._trail = DatabaseLog(database)
        self._store = FileStore(settings.signer_record)
        signed = newest(settings, self._trail.head().epoch)
        self._last: tuple[int, datetime | None] = (signed.checkpoint.size if signed else 0, None)

    def look(self, now: datetime) -> Signed | None:
        """Sign and publish if it is time. Raises `audit.checkpoint.Refused` or `TrailProblem`."""
        head = self._trail.head()
        size, at = self._last
        if not due(size, at, head.size, head.urgent_size > size, now):
            return None
        before = newest(self._settings, head.epoch)
        origin = origin_of(self._settings, head.epoch)
        signer = Signer(self._key, origin, self._store, self._trail, before.checkpoint if before else None)
        signed = signer.sign()
        publish(self._folder, origin, signed.note, signed.checkpoint.size)
        self._last = signed.checkpoint.size, now
        self._cosign(signed, before.checkpoint.size if before else 0)
        return signed

    def keep(self) -> None:
        """Until stopped; a database or a witness that is away for a while is waited for."""
        while True:
            try:
                signed = self.look(datetime.now(UTC))
                if signed is not None:
                    self._say(f"signed {signed.checkpoint.origin} at {signed.checkpoint.size} leaves")
            except (SQLAlchemyError, OSError) as problem:
                log.warning("signer cannot look: %s", problem)
            time.sleep(BETWEEN)

    def _cosign(self, signed: Signed, old: int) -> None:
        size, note = signed.checkpoint.size, signed.note
        for url, key in self._witnesses.items():
            try:
                note = ask_witness(url, note, min(old, size), lambda at: self._trail.proof(at, size), PATIENCE, key)
            except (WitnessSilent, WitnessRefused) as problem:
                log.error("witness=%s did not cosign: %s", key.name, problem)
        if note != signed.note:
            publish(self._folder, signed.checkpoint.origin, note, size)


__all__ = ["DatabaseLog", "Notary", "Refused", "TrailProblem", "recover", "require_whole"]
