"""What the trail costs, side by side in one run (`make bench-audit`): hashing, appending, verifying, proving.

Machines differ: read the ratios. Sizes are small by `--quick`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import rfc8785

from audit.checkpoint import FileStore, Signer
from audit.events import Event
from audit.growth import TileRow
from audit.notes import PrivateKey, log_key
from audit.trail import Leaf, record
from audit.tree import (
    HASH_SIZE,
    TILE_HEIGHT,
    TILE_WIDTH,
    Frontier,
    Levels,
    Tiles,
    bundle,
    consistency,
    entries_path,
    inclusion,
    leaf_hash,
    node_hash,
    root,
    tiles_of,
    verify_consistency,
    verify_inclusion,
)
from lanyard import schema
from storage.database import Base, Database

CHECKED = """
import re, sys
from audit.check import main
assert main(sys.argv[1:]) == 0
print(re.search("VmHWM:.*", open("/proc/self/status").read())[0])
"""
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def told(what: str, value: str, ratio: str = "") -> None:
    print(f"{what:<58}{value:>18}  {ratio}", flush=True)


def seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def some_leaves(count: int) -> Iterator[bytes]:
    """Leaves as the line writes them: four kinds, 800 consultations open at a time."""
    turns: dict[str, int] = {}
    for index in range(count):
        consultation = f"{index % 800:032x}"
        turn = turns.get(consultation, 0)
        turns[consultation] = turn + 1
        yield rfc8785.dumps(
            {
                "v": 1,
                "index": index,
                "t_ms": 1_790_000_000_000 + index,
                "event": "words.read",
                "category": "consultation",
                "actor": f"{index % 40:032x}",
                "consultation": consultation,
                "cseq": turn,
                "facts": {"upto": turn, "purpose": "own consultation"},
            }
        )


def hashing(count: int) -> None:
    leaves = list(some_leaves(count))
    bare = seconds(lambda: [sha256(leaf).digest() for leaf in leaves])
    tree = seconds(lambda: Frontier().extend(map(leaf_hash, leaves)))
    told(f"SHA-256 of {count:,} leaves", f"{count / bare:,.0f}/s")
    told("the same, into the tree", f"{count / tree:,.0f}/s", f"{tree / bare:.1f} x bare hashing")


def appending(folder: Path, count: int) -> None:
    database = Database(f"sqlite:///{folder / 'bench.db'}")
    schema.upgrade(database)
    table = Base.metadata.tables["installation"]

    def write(number: int, *, with_leaf: bool) -> None:
        with database.transaction() as tx:
            name = f"{with_leaf}{number}"
            tx.session.execute(table.insert().values(name=name, value="x" * 150))
            if with_leaf:
                record(tx, Leaf(Event.WORDS_READ, NOON, "a" * 32, "c" * 31 + str(number % 9), {"purpose": "bench"}))

    without, with_it = 0.0, 0.0
    for number in range(count):  # turn and turn about: the machine's moods hit both
        without += seconds(lambda at=number: write(at, with_leaf=False))  # type: ignore[misc]
        with_it += seconds(lambda at=number: write(at, with_leaf=True))  # type: ignore[misc]
    told("a transaction without a leaf (SQLite, FULL)", f"{without / count * 1000:.2f} ms")
    told("the same with its leaf and the tree", f"{with_it / count * 1000:.2f} ms", f"{with_it / without:.2f} x")
    with database.reading() as session:
        told("full tiles kept", f"{session.query(TileRow).count()}")
    database.close()


class _Log:
    """A log in memory, for the signer."""

    def __init__(self, leaves: list[bytes]) -> None:
        self._leaves = leaves

    def size_and_root(self) -> tuple[int, bytes]:
        return len(self._leaves), Frontier().extend(map(leaf_hash, self._leaves)).root()

    def leaves(self, start: int, stop: int) -> list[bytes]:
        return self._leaves[start:stop]


def write_bundle(folder: Path, leaves: list[bytes]) -> tuple[Path, Path]:
    """A signed bundle of these leaves, and the file with its public key."""
    key = PrivateKey.generate()
    note = Signer(key, "bench/1", FileStore(folder / "signer"), _Log(leaves)).sign().note
    levels = Levels(map(leaf_hash, leaves))
    out, public = folder / "bundle.zip", folder / "log.pub"
    public.write_text(log_key("bench/1", key).format() + "\n")
    with ZipFile(out, "w", ZIP_STORED) as file:
        file.writestr("checkpoint", note)
        for tile in tiles_of(len(leaves)):
            start = tile.number * TILE_WIDTH
            hashes = (levels.get(tile.level * TILE_HEIGHT, start + at) for at in range(tile.width))
            file.writestr(tile.path, b"".join(hashes))
            if tile.level == 0:
                file.writestr(entries_path(tile.number, tile.width), bundle(leaves[start : start + tile.width]))
    return out, public


def verifying(folder: Path, count: int) -> None:
    bare, out, public = _a_bundle(folder, count)
    told(f"bare SHA-256 of {count:,} leaves", f"{bare:.2f} s")
    for what, more in (("their tree", ["--tree-only"]), ("tree and each leaf", [])):
        command = [sys.executable, "-c", CHECKED, str(out), "--key", str(public), *more]
        found: list[str] = []
        took = seconds(lambda command=command, found=found: found.append(subprocess.check_output(command, text=True)))  # type: ignore[misc]
        peak = int(found[0].split()[-2]) // 1024  # kB; of the program itself, not of what forked it
        told(f"the check of {what}, as a process", f"{took:.2f} s", f"{took / bare:.1f} x, {peak} MB at most")


def _a_bundle(folder: Path, count: int) -> tuple[float, Path, Path]:
    leaves = list(some_leaves(count))
    bare = seconds(lambda: [sha256(leaf).digest() for leaf in leaves])
    return bare, *write_bundle(folder, leaves)


class FileTiles:
    """The tiles of a huge tree in files, a level a file."""

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        level, above = 0, self._write(0, (sha256(at.to_bytes(8, "big")).digest() for at in range(size)))
        while above:
            level += 1
            above = self._write(level, iter(above))
        self.tiles = Tiles(size, self.read)

    def _write(self, level: int, hashes: Iterator[bytes]) -> list[bytes]:
        above, block = [], []
        with (self._folder / f"level-{level}").open("wb") as file:
            for one in hashes:
                block.append(one)
                if len(block) == TILE_WIDTH:
                    file.write(b"".join(block))
                    above.append(_root_of(block))
                    block.clear()
            file.write(b"".join(block))
        return above

    def read(self, level: int, number: int, width: int) -> bytes:
        with (self._folder / f"level-{level}").open("rb") as file:
            file.seek(number * TILE_WIDTH * HASH_SIZE)
            return file.read(width * HASH_SIZE)


def _root_of(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def proving(folder: Path, size: int, times: int = 200) -> None:
    made = FileTiles(folder, size)
    fresh = [Tiles(size, made.read) for _ in range(2 * times)]
    last = iter(fresh)
    indices = [at * 7919 % size for at in range(times)]
    proofs: list[list[bytes]] = []
    including = seconds(lambda: proofs.extend(inclusion(index, size, next(last)) for index in indices))
    grown = seconds(lambda: [consistency(index + 1, size, next(last)) for index in indices])
    from_root = Tiles(size, made.read)
    top = root(size, from_root)
    for index, proof in zip(indices, proofs, strict=True):
        assert verify_inclusion(from_root.get(0, index), index, size, proof, top)
    old = size // 3
    assert verify_consistency(old, size, consistency(old, size, from_root), root(old, from_root), top)
    told(f"inclusion proof in {size:,} leaves, tiles read anew", f"{including / times * 1000:.2f} ms")
    told(f"consistency proof in {size:,} leaves, tiles read anew", f"{grown / times * 1000:.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a hundredth of the sizes")
    less = 100 if parser.parse_args().quick else 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hashing(200_000 // less)
        appending(folder, 2_000 // less)
        for size in (10_000, 10_000_000 // less):
            place = folder / f"tiles-{size}"
            place.mkdir()
            proving(place, size)
        verifying(folder, 1_000_000 // less)


if __name__ == "__main__":
    main()
