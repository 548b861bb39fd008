"""The Merkle tree of RFC 6962: roots, proofs and their checking, and its tiles. Pure.

Rules kept here:
- Hashes are those of RFC 6962 section 2.1: 0x00 before a leaf, 0x01 before two nodes. Nothing else is ever hashed.
- A proof is in RFC 6962's order (lowest level first) and of exactly the right length: one hash too many or too
  few is refused, so that there is one proof, and one only, of each fact.
- Making a proof asks for O(log n) hashes. Where they come from (leaves, tiles, a database) is the caller's affair.
- Nothing read from a tile is believed for being there: what is made from tiles is verified against a signed root.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()  # RFC 6962 section 2.1: the root of no leaves
TILE_HEIGHT = 8  # C2SP tlog-tiles: 256 hashes a tile
TILE_WIDTH = 1 << TILE_HEIGHT
LARGEST_ENTRY = 65_535  # an entry's length has 16 bits in a bundle


class NotOfThisTree(ValueError):
    """A size, index, tile or hash does not fit the tree."""


class Hashes(Protocol):
    """Hashes of complete subtrees, wherever they are kept."""

    def get(self, level: int, index: int) -> bytes:
        """The hash of the leaves from `index * 2**level` up to `(index + 1) * 2**level`."""


def leaf_hash(data: bytes) -> bytes:
    """MTH({d(0)}) = SHA-256(0x00 || d(0))."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


# --- growing ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Frontier:
    """All one needs to grow a tree: the complete subtrees it is made of, the largest (leftmost) first."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.hashes) != self.size.bit_count() or not _all_hashes(self.hashes):
            raise NotOfThisTree("a tree has one complete subtree for each bit of its size")

    def append(self, leaf: bytes) -> Frontier:
        """The tree with one more leaf, given by its hash."""
        return self.extend([leaf])

    def extend(self, leaves: Iterable[bytes]) -> Frontier:
        """The tree with these leaves more, given by their hashes."""
        size, hashes = self.size, list(self.hashes)
        for leaf in leaves:
            node, carry = leaf, size
            while carry & 1:  # as in adding one to a binary number
                node = node_hash(hashes.pop(), node)
                carry >>= 1
            hashes.append(node)
            size += 1
        return Frontier(size, tuple(hashes))

    def root(self) -> bytes:
        """The root of the tree as it is."""
        return _fold(self.hashes) if self.hashes else EMPTY_ROOT

    def to_bytes(self) -> bytes:
        """Eight bytes of size, big endian, then the hashes."""
        return self.size.to_bytes(8, "big") + b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, data: bytes) -> Frontier:
        """What `to_bytes` wrote; `NotOfThisTree` for anything else."""
        if len(data) < 8 or (len(data) - 8) % HASH_SIZE:
            raise NotOfThisTree("not a frontier")
        return cls(int.from_bytes(data[:8], "big"), tuple(_hashes_in(data[8:])))


class Levels:
    """Every complete subtree of leaves that fit in memory (64 bytes a leaf)."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        """`leaves` are hashes of leaves."""
        self._levels: list[list[bytes]] = [list(leaves)]
        while len(below := self._levels[-1]) > 1:
            pairs = zip(below[::2], below[1::2], strict=False)  # an odd one out is not part of a complete subtree
            self._levels.append([node_hash(left, right) for left, right in pairs])

    def get(self, level: int, index: int) -> bytes:
        """See `Hashes`."""
        if not (0 <= level < len(self._levels) and 0 <= index < len(self._levels[level])):
            raise NotOfThisTree(f"there is no complete subtree {index} at level {level}")
        return self._levels[level][index]


# --- making proofs ---------------------------------------------------------------------------------


def root(size: int, hashes: Hashes) -> bytes:
    """MTH(D[size])."""
    if size < 0:
        raise NotOfThisTree("a tree has no negative size")
    return _range(0, size, hashes) if size else EMPTY_ROOT


def inclusion(index: int, size: int, hashes: Hashes) -> list[bytes]:
    """PATH(index, D[size]): RFC 6962 section 2.1.1."""
    if not 0 <= index < size:
        raise NotOfThisTree("there is no such leaf in a tree of this size")
    proof, low, high = [], 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            proof.append(_range(middle, high, hashes))
            high = middle
        else:
            proof.append(_range(low, middle, hashes))
            low = middle
    return proof[::-1]


def consistency(old: int, new: int, hashes: Hashes) -> list[bytes]:
    """PROOF(old, D[new]): RFC 6962 section 2.1.2. Empty when nothing was there, or nothing has grown."""
    if not 0 <= old <= new:
        raise NotOfThisTree("a tree only grows")
    if old == 0:  # RFC 6962 leaves this out; tlog-witness has it empty
        return []
    proof, low, high = [], 0, new
    while old != high:  # SUBPROOF(m, D[n], b), where m = old - low and n = high - low
        middle = low + _split(high - low)
        if old <= middle:
            proof.append(_range(middle, high, hashes))
            high = middle
        else:
            proof.append(_range(low, middle, hashes))
            low = middle
    if low:  # b is false: the verifier does not have this subtree as its old root
        proof.append(_range(low, high, hashes))
    return proof[::-1]


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _range(low: int, high: int, hashes: Hashes) -> bytes:
    """MTH(D[low:high]), where `low` is a multiple of the largest power of two that fits between."""
    parts, start = [], low
    while start < high:
        level = (high - start).bit_length() - 1
        parts.append(hashes.get(level, start >> level))
        start += 1 << level
    return _fold(parts)


def _fold(parts: Sequence[bytes]) -> bytes:
    """The root over complete subtrees, each smaller than the one before."""
    result = parts[-1]
    for part in reversed(parts[:-1]):
        result = node_hash(part, result)
    return result


# --- checking proofs -------------------------------------------------------------------------------


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Is this the hash of leaf `index` in the tree of this size and root? (RFC 9162 section 2.1.3.2.)"""
    if not 0 <= index < size or not _all_hashes([leaf, *proof]):
        return False
    node, last, result = index, size - 1, leaf
    for part in proof:
        if last == 0:
            return False  # superfluous
        if node & 1 or node == last:
            result = node_hash(part, result)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            result = node_hash(result, part)
        node, last = node >> 1, last >> 1
    return last == 0 and result == root


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Does the tree of size and root `new` begin with the tree of size and root `old`? (RFC 9162 section 2.1.4.2.)"""
    if not 0 <= old <= new or not _all_hashes(proof):
        return False
    if old == new:
        return not proof and old_root == new_root and (new > 0 or new_root == EMPTY_ROOT)
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    # An old tree that is one complete subtree is not repeated in the proof.
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    return bool(path) and _roots(old, new, path) == (old_root, new_root)


def _roots(old: int, new: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Both roots that a consistency proof leads to; None when it is too long or too short."""
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = path[0]
    for part in path[1:]:
        if last == 0:
            return None
        if node & 1 or node == last:
            first, second = node_hash(part, first), node_hash(part, second)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, part)
        node, last = node >> 1, last >> 1
    return (first, second) if last == 0 else None


def _all_hashes(values: Iterable[bytes]) -> bool:
    return all(len(value) == HASH_SIZE for value in values)


def _hashes_in(data: bytes) -> Iterator[bytes]:
    return (data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE))


# --- tiles (C2SP tlog-tiles) -----------------------------------------------------------------------


@dataclass(frozen=True)
class Tile:
    """Hashes `number * 256` and on, `width` of them, of the tree's level `8 * level`."""

    level: int
    number: int
    width: int

    @property
    def path(self) -> str:
        """Where it lies in an export."""
        return tile_path(self.level, self.number, self.width)


def tile_path(level: int, number: int, width: int) -> str:
    """`tile/<L>/<N>[.p/<W>]`."""
    if not 0 <= level <= 63:
        raise NotOfThisTree("tiles have levels 0 to 63")
    return f"tile/{level}/{_numbered(number, width)}"


def entries_path(number: int, width: int) -> str:
    """`tile/entries/<N>[.p/<W>]`."""
    return f"tile/entries/{_numbered(number, width)}"


def _numbered(number: int, width: int) -> str:
    if number < 0 or not 1 <= width <= TILE_WIDTH:
        raise NotOfThisTree("a tile has a number from 0 and a width from 1 to 256")
    path = f"{number % 1000:03d}"
    while number := number // 1000:
        path = f"x{number % 1000:03d}/{path}"
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile of a tree of this size, level by level; the last of a level may be partial, none is empty."""
    level, count = 0, size
    while count > 0:
        full, rest = divmod(count, TILE_WIDTH)
        yield from (Tile(level, number, TILE_WIDTH) for number in range(full))
        if rest:
            yield Tile(level, full, rest)
        level, count = level + 1, full


class Tiles:
    """`Hashes` of a tree of `size` leaves, read from its tiles, each at most once."""

    def __init__(self, size: int, read_tile: Callable[[int, int, int], bytes]) -> None:
        """`read_tile(level, number, width)` gives the bytes of a tile."""
        self._size = size
        self._read = read_tile
        self._kept: dict[tuple[int, int], bytes] = {}

    def get(self, level: int, index: int) -> bytes:
        """See `Hashes`."""
        if level < 0 or index < 0 or (index + 1) << level > self._size:
            raise NotOfThisTree(f"there is no complete subtree {index} at level {level}")
        above, within = divmod(level, TILE_HEIGHT)
        number, start = divmod(index << within, TILE_WIDTH)
        hashes = list(_hashes_in(self._tile(above, number)))[start : start + (1 << within)]
        while len(hashes) > 1:
            hashes = [node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
        return hashes[0]

    def _tile(self, level: int, number: int) -> bytes:
        if (level, number) not in self._kept:
            width = min(TILE_WIDTH, (self._size >> TILE_HEIGHT * level) - number * TILE_WIDTH)
            data = self._read(level, number, width)
            if len(data) != width * HASH_SIZE:
                raise NotOfThisTree(f"{tile_path(level, number, width)} has the wrong length")
            self._kept[level, number] = data
        return self._kept[level, number]


def bundle(entries: Iterable[bytes]) -> bytes:
    """An entry bundle: each entry after its length in 16 bits, big endian."""
    parts = []
    for entry in entries:
        if len(entry) > LARGEST_ENTRY:
            raise NotOfThisTree("an entry has at most 65,535 bytes")
        parts.append(len(entry).to_bytes(2, "big") + entry)
    return b"".join(parts)
