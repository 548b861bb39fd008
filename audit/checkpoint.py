"""Signing the trail's growth, and publishing what was signed where the line cannot rewrite it.

Rules kept here:
- Only growth is signed: never a smaller tree, never two roots of one size, never a tree that does not begin with
  what was signed before (tlog-checkpoint: a log signs nothing inconsistent with what it signed).
- The signer believes its own record, never the database. It hashes the new leaves itself, onto its own tree.
- Nothing is given out that was not first written down in the same call. A store that fails may or may not have
  written (an error of fsync says nothing): both are safe, because the record is read afresh every time, and written
  afresh even when nothing has grown.
- A file appears whole or not at all: written beside, synced, renamed, and the folder synced.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

from audit.notes import Checkpoint, NoteRefused, NotSigned, PrivateKey, VerifierKey, decimal, sign_note, verify_note
from audit.tree import EMPTY_ROOT, Frontier, NotOfThisTree, leaf_hash

EVERY = timedelta(seconds=60)
EVERY_LEAVES = 100
NEWEST = "checkpoint"


class Refused(Exception):
    """The signer does not sign."""


class LogIsBehind(Refused):
    """The database's log is shorter than what was signed: it was rolled back."""


class LogForked(Refused):
    """The database's log is not a growth of what was signed: it was rewritten, or the signer's record is of another."""


class RecordLost(Refused):
    """The signer's own record is older than, or differs from, the checkpoint that is published."""


class RecordDamaged(Refused):
    """The signer's own record cannot be read."""


class RecordMoved(Exception):
    """Somebody else wrote the record in the meantime: nothing was written."""


class AlreadyPublished(Exception):
    """Another checkpoint of this size is already published."""


# --- what was signed last --------------------------------------------------------------------------


class Store(Protocol):
    """A small record for each name, replaced whole and only by who has seen the last one."""

    def load(self, name: str) -> bytes | None:
        """The record, or None when there never was one."""

    def swap(self, name: str, expected: bytes | None, new: bytes) -> None:
        """Make `new` the record and durable, if it still is `expected`; else `RecordMoved`.

        Any other exception leaves open whether it was written.
        """


class FileStore:
    """Records as files of one folder, safe between threads and between processes of one machine."""

    def __init__(self, folder: Path) -> None:
        """The folder is made if it is not there; it holds nothing else."""
        self._folder = folder
        make_folder(folder)

    def load(self, name: str) -> bytes | None:
        """See `Store`."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    def swap(self, name: str, expected: bytes | None, new: bytes) -> None:
        """See `Store`."""
        with self._alone():
            if self.load(name) != expected:
                raise RecordMoved("the record is not the one that was read")
            write_whole(self._path(name), new)

    def _path(self, name: str) -> Path:
        # A hash, as tlog-witness names origins: whatever a name holds, it is no path.
        return self._folder / sha256(name.encode()).hexdigest()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # let go of by the kernel if we die here
            yield
        finally:
            os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder, durably."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _sync_folder(folder.parent)


def write_whole(path: Path, data: bytes) -> None:
    """Put a file in place at once. One writer at a time; what a dead one left beside it is written over."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    # Dying here leaves the old file and a stray one beside it.
    beside.replace(path)
    # Dying here leaves the new file, or after a power cut perhaps the old: nobody has been told of the new one.
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- signing ---------------------------------------------------------------------------------------


class Log(Protocol):
    """The trail as the database has it. Not believed."""

    def size_and_root(self) -> tuple[int, bytes]:
        """How long it is, and its own idea of its root over all of its leaves as they are now."""

    def leaves(self, start: int, stop: int) -> Iterable[bytes]:
        """The bytes of the leaves `start` up to `stop`, in order."""


class Signed(NamedTuple):
    """A checkpoint, and the note that says so."""

    checkpoint: Checkpoint
    note: bytes


@dataclass(frozen=True)
class Signer:
    """The one that holds the log's key. It keeps nothing in memory: its record in the store is all it goes by."""

    key: PrivateKey
    origin: str
    store: Store
    log: Log
    published: Checkpoint | None = None  # the newest one: a record put back from a backup is noticed by it

    def sign(self) -> Signed:
        """Sign the log as it is now, or say why not."""
        # 1. what was signed last
        before = self.store.load(self.origin)
        signed = self._read(before)
        self._require_own_record(signed)
        # 2. the log, as it says it is
        size, root = self.log.size_and_root()
        if size < signed.size:
            raise LogIsBehind(f"the log has {size} leaves, {signed.size} were signed")
        # 3. the log, as its leaves make it from what was signed
        grown = self._grow(signed, size)
        if grown.size != size or grown.root() != root:
            raise LogForked(f"the log's {size} leaves do not continue the {signed.size} that were signed")
        # 4. written down first, also when nothing is new: an earlier writing may have failed half-way
        self.store.swap(self.origin, before, self._write(grown))
        # Dying here: recorded, not given out. The same tree is signed next time, in the same bytes.
        # 5. and only then given out
        checkpoint = Checkpoint(self.origin, grown.size, grown.root())
        return Signed(checkpoint, sign_note(checkpoint.text(), self.origin, self.key))

    def _grow(self, signed: Frontier, size: int) -> Frontier:
        missing = size - signed.size
        leaves = self.log.leaves(signed.size, size) if missing else ()
        return signed.extend(leaf_hash(leaf) for leaf in islice(leaves, missing + 1))

    def _require_own_record(self, signed: Frontier) -> None:
        """What is published was first written down here; a record that does not reach it is not the last one."""
        if self.published is None:
            return
        if self.published.origin != self.origin or signed.size < self.published.size:
            raise RecordLost(f"{self.published.size} leaves are published, the record knows {signed.size}")
        if signed.size == self.published.size and signed.root() != self.published.root:
            raise RecordLost(f"another root is published for {signed.size} leaves")

    def _read(self, record: bytes | None) -> Frontier:
        if record is None:
            return Frontier()
        origin, _, frontier = record.partition(b"\n")
        try:
            if origin != self.origin.encode():
                raise RecordDamaged("the signer's record is of another log")
            return Frontier.from_bytes(frontier)
        except NotOfThisTree:
            raise RecordDamaged("the signer's record cannot be read") from None

    def _write(self, signed: Frontier) -> bytes:
        return self.origin.encode() + b"\n" + signed.to_bytes()


def due(last_size: int, last_at: datetime | None, size: int, urgent: bool, now: datetime) -> bool:
    """Is it time to sign? After 60 s or 100 leaves, at once when urgent; never when there is nothing new."""
    if size <= last_size:
        # A log that has shrunk is due: the signer's refusal is how somebody gets to know.
        return size < last_size
    return urgent or last_at is None or size - last_size >= EVERY_LEAVES or now - last_at >= EVERY


# --- publishing ------------------------------------------------------------------------------------


def published_in(folder: Path, origin: str) -> Path:
    """Where the checkpoints of an origin lie: its name, with `_` for each `/`."""
    Checkpoint(origin, 0, EMPTY_ROOT)  # an origin has no spaces and no control characters
    name = origin.replace("/", "_")
    if name.startswith(".") or "\\" in name:
        raise NoteRefused("this origin's name cannot be a folder's")
    return folder / name


def publish(folder: Path, origin: str, note: bytes, size: int) -> None:
    """Put a signed checkpoint into the directory: `checkpoint.<size>`, then `checkpoint`, which never goes back."""
    place = published_in(folder, origin)
    make_folder(place)
    each, newest = place / f"{NEWEST}.{size}", place / NEWEST
    text = note.rpartition(b"\n\n")[0]
    if _size_line(note) != size or not note.startswith(origin.encode() + b"\n"):
        raise NoteRefused("the note is not a checkpoint of this origin and size")
    there = each.read_bytes() if each.exists() else None
    if there is not None and there.rpartition(b"\n\n")[0] != text:
        raise AlreadyPublished(f"another checkpoint of size {size} is already published")
    if there != note:
        write_whole(each, note)
    # Dying here: `checkpoint` is one behind. `newest_published` looks at both, and the next publishing mends it.
    if not newest.exists() or _size_line(newest.read_bytes()) <= size:
        write_whole(newest, note)


def newest_published(folder: Path, origin: str, keys: Iterable[VerifierKey]) -> Signed | None:
    """The largest checkpoint in the directory; None when there is none.

    One that does not verify is refused with `NoteRefused`, not passed over: somebody has been at the directory.
    """
    place, known = published_in(folder, origin), list(keys)
    if not place.is_dir():
        return None
    sizes = [decimal(path.name.removeprefix(f"{NEWEST}.")) for path in place.glob(f"{NEWEST}.*")]
    paths = [place / f"{NEWEST}.{max(sizes)}"] if sizes else []
    paths += [place / NEWEST] if (place / NEWEST).exists() else []
    found = [_read_published(path, origin, known) for path in paths]
    if len({(signed.checkpoint.size, signed.checkpoint.root) for signed in found}) > len(
        {signed.checkpoint.size for signed in found}
    ):
        raise NoteRefused("two different checkpoints of one size are published")
    return max(found, key=lambda signed: signed.checkpoint.size, default=None)


def _read_published(path: Path, origin: str, keys: list[VerifierKey]) -> Signed:
    note = path.read_bytes()
    verified = verify_note(note, keys)
    if origin not in verified.names:  # a witness's signature alone does not do
        raise NotSigned(f"{path.name} is not signed by the log")
    checkpoint = Checkpoint.parse(verified.text)
    if checkpoint.origin != origin or path.name not in {NEWEST, f"{NEWEST}.{checkpoint.size}"}:
        raise NoteRefused(f"{path.name} is another checkpoint than its name says")
    return Signed(checkpoint, note)


def _size_line(note: bytes) -> int:
    lines = note.split(b"\n", 2)
    return decimal(lines[1].decode("ascii", "replace")) if len(lines) == 3 else -1
