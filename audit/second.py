"""The second trail: high-risk acts, written on another volume before they take effect, and compared afterwards.

Rules kept here:
- One file, append only. A line is on the disk before the act is committed; where it cannot be, the act is refused.
- A line `will` holds the leaf as it was about to be written; a line `did` says that it was committed. So an act that
  was undone can be told from one that somebody took out of the trail later.
- Ids and facts only, as in the trail itself; no words.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

log = logging.getLogger(__name__)


class SecondTrailUnwritable(Exception):
    """The second trail cannot be written, so nothing that must be in it is done."""


class SecondTrailDamaged(Exception):
    """A line of the second trail cannot be read."""


class SecondTrail:
    """The file, for writing. Safe for several threads and processes: each line is one write at the end of the file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def before(self, index: int, leaf: bytes) -> None:
        """Write down a leaf that is about to be committed. Raises `SecondTrailUnwritable`."""
        try:
            self._append({"will": index, "hash": _hash(leaf), "leaf": leaf.decode()})
        except OSError as error:
            raise SecondTrailUnwritable(
                f"The second trail {self.file} cannot be written ({error.strerror}). Nothing was done."
            ) from None

    def after(self, index: int, leaf: bytes) -> None:
        """Note that it was committed. Never fails: without this line the leaf itself shows it."""
        try:
            self._append({"did": index, "hash": _hash(leaf)})
        except OSError as error:
            log.error("the second trail could not be written after a commit: %s", error.strerror)

    def _append(self, line: dict[str, int | str]) -> None:
        data = json.dumps(line, sort_keys=True).encode() + b"\n"
        opened = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if os.write(opened, data) != len(data):
                raise OSError(None, "the volume is full")
            os.fsync(opened)
        finally:
            os.close(opened)


@dataclass
class Compared:
    """How the trail stands against the second one. Each list holds indexes of leaves."""

    kept: list[int] = field(default_factory=list)  # both hold it
    undone: list[int] = field(default_factory=list)  # was never committed: refused, or the line died
    owned_up: list[int] = field(default_factory=list)  # lost with the end of the trail, which says so itself
    missing: list[int] = field(default_factory=list)  # was committed, and the trail holds it no more


def compare(lines: Iterable[bytes], leaf_at: Callable[[int], bytes | None], lost: Iterable[range] = ()) -> Compared:
    """The second trail against the first. `lost`: what a recovery owned up to. Raises `SecondTrailDamaged`."""
    acts: dict[tuple[int, str], bool] = {}
    for index, digest, done in _read(lines):
        acts[index, digest] = acts.get((index, digest), False) or done
    found, gone = Compared(), tuple(lost)
    for (index, digest), done in acts.items():
        leaf = leaf_at(index)
        if leaf is not None and _hash(leaf) == digest:
            found.kept.append(index)
        elif any(index in one for one in gone):
            found.owned_up.append(index)
        else:
            (found.missing if done else found.undone).append(index)
    return found


def _read(lines: Iterable[bytes]) -> Iterator[tuple[int, str, bool]]:
    for number, line in enumerate(lines, 1):
        try:
            found = json.loads(line)
            index, digest = found.get("did", found.get("will")), found["hash"]
            if "leaf" in found and _hash(found["leaf"].encode()) != digest:
                raise ValueError
            yield int(index), str(digest), "did" in found
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SecondTrailDamaged(f"Line {number} of the second trail cannot be read, or was changed.") from None


def _hash(leaf: bytes) -> str:
    return sha256(leaf).hexdigest()
