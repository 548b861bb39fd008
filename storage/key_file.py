"""The key file: key-encryption keys in one file of mode 600, away from the database. The default provider.

Rules kept here:
- Refused, with one line: a file that others may read, that lies beside the database, or that is damaged.
- Written whole or not at all, by one process at a time; a crash leaves the old file or the new one.
- Read again when it has changed: a running line learns of a new key without a restart, and of a destroyed one.
- A bare file name is first looked for where systemd puts credentials ($CREDENTIALS_DIRECTORY). Those are only read.
- Not done: wiping the file's old blocks on the disk. Keep the file on an encrypted disk; flash memory keeps copies.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from storage.failpoint import failpoint
from storage.providers import HeldKeys, KeyEncryptionKey, KeyProblem, decode_key, fresh, refuse_in_use

FORMAT = 2  # format 1 held one key: {"kid": …, "key": …}


@dataclass(frozen=True)
class Content:
    """What a key file holds. Later keys were made later; destroyed kids are remembered without their keys."""

    keys: tuple[KeyEncryptionKey, ...]
    destroyed: tuple[str, ...] = ()

    def to_json(self) -> bytes:
        """The bytes of the file."""
        keys = [{"kid": kek.kid, "key": base64.b64encode(kek.key).decode()} for kek in self.keys]
        return json.dumps({"format": FORMAT, "keys": keys, "destroyed": list(self.destroyed)}, indent=1).encode()


def parse(raw: bytes, path: Path) -> Content:
    """The keys in a file of either format. Raises `KeyProblem`."""
    try:
        content = json.loads(raw)
        old = "keys" not in content
        entries = [content] if old else content["keys"]
        destroyed = () if old else tuple(str(kid) for kid in content["destroyed"])
        pairs = [(str(entry["kid"]), str(entry["key"])) for entry in entries]
    except (ValueError, KeyError, TypeError) as error:
        raise KeyProblem(f"The key file {path} is damaged. Restore it from escrow.") from error
    keys = tuple(KeyEncryptionKey(kid, decode_key(key, f"The key file {path}")) for kid, key in pairs)
    kids = [*(kek.kid for kek in keys), *destroyed]
    if not keys or len(set(kids)) < len(kids) or (not old and content.get("format") != FORMAT):
        raise KeyProblem(f"The key file {path} is damaged. Restore it from escrow.")
    return Content(keys, destroyed)


def make_key_file(path: Path, kid: str) -> None:
    """Write a fresh key-encryption key that only its owner can read. Raises FileExistsError if there is one."""
    write_new(path, Content((fresh(kid),)))


def write_new(path: Path, content: Content) -> None:
    """Write a key file where there is none. Raises FileExistsError, and never writes over."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path):
        written = _written(path, content)
        try:
            os.link(written, path)  # unlike a rename, fails when there is one
        finally:
            written.unlink()
        _sync_folder(path)


def read_key_file(path: Path, database_folder: Path | None) -> FileProvider:
    """The provider over a key file, checked. Raises `KeyProblem` with one line that says what to do."""
    return FileProvider(path, database_folder)


class FileProvider(HeldKeys):
    """Keys in one file."""

    def __init__(self, path: Path, database_folder: Path | None) -> None:
        super().__init__()
        self.path, self._from_systemd = _found(path)
        self._database_folder = database_folder
        self._seen: tuple[int, ...] = ()
        self._load()

    def kids(self) -> tuple[str, ...]:
        """The kids of every key there is."""
        self._refresh()
        return super().kids()

    def destroyed(self) -> tuple[str, ...]:
        """The kids known to have been destroyed."""
        self._refresh()
        return super().destroyed()

    def make(self, kid: str) -> None:
        """Make a key-encryption key."""
        with self._changing() as content:
            if kid in content.destroyed:
                raise KeyProblem(f"The key {kid} was destroyed, and its name is not used again.")
            if kid in (kek.kid for kek in content.keys):
                raise KeyProblem(f"The key {kid} is there already.")
            self._replace(Content((*content.keys, fresh(kid)), content.destroyed))

    def destroy(self, kid: str) -> None:
        """Destroy a key-encryption key for ever, and with it all that it wrapped."""
        with self._changing() as content:
            kept = tuple(kek for kek in content.keys if kek.kid != kid)
            if len(kept) == len(content.keys):
                return
            refuse_in_use(kid, [kek.kid for kek in content.keys])
            self._replace(Content(kept, (*content.destroyed, kid)))

    def content(self) -> Content:
        """All of it, for escrow."""
        return self._load()

    def health(self) -> str:
        """One line on where the keys are. Raises `KeyProblem`."""
        many = len(self._load().keys)
        given = ", given by systemd" if self._from_systemd else ""
        return f"{many} in the file {self.path}{given}"

    def _key(self, kid: str) -> bytes:
        self._refresh()
        return super()._key(kid)

    def _refresh(self) -> None:
        # A file that went missing or unsafe while we run is doctor's to tell: the line goes on with what it holds.
        try:
            if _mark(self.path) != self._seen:
                self._load()
        except (OSError, KeyProblem):
            return

    def _load(self) -> Content:
        content, mark = _read(self.path, self._database_folder, self._from_systemd)
        self._keys = {kek.kid: kek.key for kek in content.keys}
        self._destroyed, self._seen = content.destroyed, mark
        return content

    @contextmanager
    def _changing(self) -> Iterator[Content]:
        if self._from_systemd:
            raise KeyProblem(
                f"The key file {self.path} is given by systemd and only read here. Change its source with "
                "LANYARD_KEY_FILE set to that file's whole path, then restart the line."
            )
        try:
            with _alone(self.path):
                yield self._load()  # anew: another process may have added a key that is in use already
        except OSError as error:
            raise KeyProblem(f"The key file {self.path} cannot be changed ({error.strerror}).") from error

    def _replace(self, content: Content) -> None:
        written = _written(self.path, content)
        failpoint("key_file.written")  # dying here: the old file stands, the new one is overwritten next time
        written.replace(self.path)
        failpoint("key_file.replaced")  # dying here: the new file stands; nothing is wrapped under it yet
        _sync_folder(self.path)
        self._load()


def _found(path: Path) -> tuple[Path, bool]:
    """Where a setting's file is, and whether systemd put it there (systemd.exec(5), LoadCredential=)."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if folder and len(path.parts) == 1 and (Path(folder) / path).exists():
        return Path(folder) / path, True
    return path, False


def _read(path: Path, database_folder: Path | None, from_systemd: bool) -> tuple[Content, tuple[int, ...]]:
    if not path.exists():
        raise KeyProblem(
            f"The key file {path} is missing. Restore it from escrow, or make a new one with "
            "'lanyard keys make' if this installation has never held a consultation."
        )
    if _readable_by_others(path.stat(), from_systemd):
        raise KeyProblem(f"The key file {path} can be read by others. Run: chmod 600 {path}")
    if database_folder is not None and database_folder.resolve() == path.parent.resolve():
        raise KeyProblem(
            f"The key file {path} lies beside the database, so one theft would take both. "
            "Move it to another folder and set LANYARD_KEY_FILE."
        )
    try:
        mark = _mark(path)  # before reading: a change in between is read again next time
        return parse(path.read_bytes(), path), mark
    except OSError as error:
        raise KeyProblem(f"The key file {path} cannot be read ({error.strerror}).") from error


def _readable_by_others(is_: os.stat_result, from_systemd: bool) -> bool:
    wrong = stat.S_IRWXG | stat.S_IRWXO
    if from_systemd and is_.st_uid == 0 and is_.st_gid == 0:
        # systemd lets the service's user in by an access-control list, whose mask is shown as the group's right.
        wrong &= ~stat.S_IRGRP
    return bool(is_.st_mode & wrong)


def _mark(path: Path) -> tuple[int, ...]:
    is_ = path.stat()
    return is_.st_dev, is_.st_ino, is_.st_mtime_ns, is_.st_size


def _written(path: Path, content: Content) -> Path:
    """The content in a temporary file beside it, on the disk."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)  # left by a crash
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content.to_json())
        file.flush()
        os.fsync(file.fileno())
    return temporary


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Two writers at once would each drop the other's key, and with it all that was wrapped under it."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _sync_folder(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
