"""The Merkle tree: as RFC 6962 defines it, proofs that hold, and nothing but proofs that hold."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import tree
from audit.tree import EMPTY_ROOT, TILE_HEIGHT, TILE_WIDTH, Frontier, Levels, NotOfThisTree, Tile, Tiles

MOST = 600

# --- RFC 6962 section 2.1, word for word and slow ----------------------------------------------------


def datum(index: int) -> bytes:
    return f"leaf {index}".encode()


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(low: int, high: int) -> bytes:
    """MTH(D[low:high]). Large ranges are remembered, so that 2**20 leaves are hashed once."""
    return remembered(low, high) if high - low >= 16 else computed(low, high)


@cache
def remembered(low: int, high: int) -> bytes:
    return computed(low, high)


def computed(low: int, high: int) -> bytes:
    n = high - low
    if n == 0:
        return sha256(b"").digest()
    if n == 1:
        return sha256(b"\x00" + datum(low)).digest()
    k = largest_power_below(n)
    return sha256(b"\x01" + mth(low, low + k) + mth(low + k, high)).digest()


def path(m: int, low: int, high: int) -> list[bytes]:
    """PATH(m, D[low:high]), section 2.1.1."""
    n = high - low
    if n == 1:
        return []
    k = largest_power_below(n)
    if m < k:
        return [*path(m, low, low + k), mth(low + k, high)]
    return [*path(m - k, low + k, high), mth(low, low + k)]


def subproof(m: int, low: int, high: int, whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[low:high], b), section 2.1.2."""
    n = high - low
    if m == n:
        return [] if whole else [mth(low, high)]
    k = largest_power_below(n)
    if m <= k:
        return [*subproof(m, low, low + k, whole), mth(low + k, high)]
    return [*subproof(m - k, low + k, high, False), mth(low, low + k)]


class Counted:
    """The reference's hashes of complete subtrees, and how many were asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def get(self, level: int, index: int) -> bytes:
        self.asked += 1
        return mth(index << level, (index + 1) << level)


def sampled(most: int, seed: int) -> list[int]:
    """All up to 120, then the ends, the powers of two and their neighbours, and a few by chance."""
    if most <= 120:
        return list(range(most + 1))
    edges = {0, 1, most, most - 1, most // 2, largest_power_below(most), largest_power_below(most) - 1}
    return sorted(edges | set(random.Random(seed).sample(range(most), 6)))


def hashes(count: int) -> list[bytes]:
    return [tree.leaf_hash(datum(index)) for index in range(count)]


# --- roots and proofs --------------------------------------------------------------------------------

# The reference vectors of Certificate Transparency: these eight leaves, and the roots of the first 1, 2, … 8.
CT_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
CT_FROM_1_TO_8 = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]


def test_the_known_answers_of_certificate_transparency() -> None:
    leaves = [tree.leaf_hash(bytes.fromhex(leaf)) for leaf in CT_LEAVES]
    levels = Levels(leaves)
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert [tree.root(size, levels).hex() for size in range(1, 9)] == CT_ROOTS
    assert [Frontier().extend(leaves[:size]).root().hex() for size in range(1, 9)] == CT_ROOTS
    assert [part.hex() for part in tree.consistency(1, 8, levels)] == CT_FROM_1_TO_8
    assert [part.hex() for part in tree.inclusion(0, 8, levels)] == CT_FROM_1_TO_8


def test_every_size_to_600_has_the_root_of_the_rfc_grown_leaf_by_leaf_or_made_at_once() -> None:
    frontier, levels = Frontier(), Levels(hashes(MOST))
    for size in range(MOST + 1):
        expected = mth(0, size)
        assert frontier.root() == expected
        assert tree.root(size, levels) == expected
        assert Frontier.from_bytes(frontier.to_bytes()) == frontier
        frontier = frontier.append(tree.leaf_hash(datum(size)))
    assert Frontier().extend(hashes(MOST)).root() == mth(0, MOST)


def test_inclusion_proofs_to_600_are_the_rfcs_and_hold() -> None:
    levels, leaves, shown = Levels(hashes(MOST)), hashes(MOST), 0
    for size in range(1, MOST + 1):
        for index in sampled(size - 1, size):
            proof = tree.inclusion(index, size, levels)
            assert proof == path(index, 0, size)
            assert tree.verify_inclusion(leaves[index], index, size, proof, mth(0, size))
            shown += 1
    assert shown > 12_000


def test_consistency_proofs_to_600_are_the_rfcs_and_hold() -> None:
    levels, shown = Levels(hashes(MOST)), 0
    for new in range(MOST + 1):
        for old in sampled(new, new):
            proof = tree.consistency(old, new, levels)
            assert proof == (subproof(old, 0, new, True) if old else [])
            assert tree.verify_consistency(old, new, proof, mth(0, old), mth(0, new))
            shown += 1
    assert shown > 12_000


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_proofs_in_trees_of_up_to_2_to_the_20_leaves(data: st.DataObject) -> None:
    new = data.draw(st.integers(MOST, 2**20), "new")
    old, index = data.draw(st.integers(0, new), "old"), data.draw(st.integers(0, new - 1), "index")
    counted = Counted()
    grown, included = tree.consistency(old, new, counted), tree.inclusion(index, new, counted)
    assert counted.asked <= 4 * new.bit_length()  # two proofs, each O(log n)
    assert included == path(index, 0, new)
    assert grown == (subproof(old, 0, new, True) if old else [])
    assert tree.root(new, counted) == mth(0, new)
    assert tree.verify_inclusion(mth(index, index + 1), index, new, included, mth(0, new))
    assert tree.verify_consistency(old, new, grown, mth(0, old), mth(0, new))


# --- wrong proofs ------------------------------------------------------------------------------------

INCLUDED = [(0, 1), (0, 2), (1, 2), (0, 5), (4, 5), (3, 8), (6, 7), (12, 13), (255, 256), (256, 257), (299, 600)]
GREW = [
    (0, 3),
    (1, 2),
    (1, 8),
    (2, 2),
    (2, 5),
    (3, 7),
    (4, 5),
    (6, 8),
    (7, 8),
    (64, 65),
    (255, 256),
    (256, 600),
    (300, 600),
]


def misshapen(proof: Sequence[bytes], others: Sequence[bytes]) -> Iterator[list[bytes]]:
    """The proof cut short, drawn out, turned round, and with hashes of a wrong length."""
    for at in range(len(proof)):
        yield [*proof[:at], *proof[at + 1 :]]
        yield list(proof[:at])
        yield [*proof[:at], proof[at][:-1], *proof[at + 1 :]]
        yield [*proof[:at], proof[at] + b"\x00", *proof[at + 1 :]]
        yield [*proof[:at], b"", *proof[at + 1 :]]
    for at in range(len(proof) + 1):
        yield from ([*proof[:at], other, *proof[at:]] for other in [*proof, *others, bytes(32), b""])
    if len(proof) > 1:
        yield list(proof[::-1])


def flipped(value: bytes) -> Iterator[bytes]:
    """The value with each of its bits flipped."""
    for bit in range(len(value) * 8):
        changed = bytearray(value)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


@pytest.mark.parametrize(("index", "size"), INCLUDED)
def test_a_wrong_inclusion_proof_is_refused(index: int, size: int) -> None:
    proof, leaf, root = path(index, 0, size), mth(index, index + 1), mth(0, size)
    assert tree.verify_inclusion(leaf, index, size, proof, root)
    for at, part in enumerate(proof):
        for changed in flipped(part):
            assert not tree.verify_inclusion(leaf, index, size, [*proof[:at], changed, *proof[at + 1 :]], root)
    for wrong in misshapen(proof, [leaf, root]):
        assert not tree.verify_inclusion(leaf, index, size, wrong, root), wrong
    assert not any(tree.verify_inclusion(changed, index, size, proof, root) for changed in flipped(leaf))
    assert not any(tree.verify_inclusion(leaf, index, size, proof, changed) for changed in flipped(root))
    elsewhere = [other for other in range(-2, size + 2) if other != index]
    assert not any(tree.verify_inclusion(leaf, other, size, proof, root) for other in elsewhere)
    assert not tree.verify_inclusion(leaf[:-1], index, size, proof, root)


@pytest.mark.parametrize(("old", "new"), GREW)
def test_a_wrong_consistency_proof_is_refused(old: int, new: int) -> None:
    proof, before, after = subproof(old, 0, new, True) if old else [], mth(0, old), mth(0, new)
    assert tree.verify_consistency(old, new, proof, before, after)
    for at, part in enumerate(proof):
        for changed in flipped(part):
            assert not tree.verify_consistency(old, new, [*proof[:at], changed, *proof[at + 1 :]], before, after)
    for wrong in misshapen(proof, [before, after]):
        assert not tree.verify_consistency(old, new, wrong, before, after), wrong
    assert not any(tree.verify_consistency(old, new, proof, changed, after) for changed in flipped(before))
    if old:  # from the empty tree everything is growth
        assert not any(tree.verify_consistency(old, new, proof, before, changed) for changed in flipped(after))
    assert old == new or not tree.verify_consistency(new, old, proof, after, before)


def test_a_proof_of_another_length_is_refused_also_where_it_leads_to_the_root_given() -> None:
    more = b"m" * 32
    for index, size in INCLUDED:
        proof, leaf, root = path(index, 0, size), mth(index, index + 1), mth(0, size)
        for above in [tree.node_hash(more, root), tree.node_hash(root, more)]:
            assert not tree.verify_inclusion(leaf, index, size, [*proof, more], above)
    for old, new in GREW[1:]:
        proof, before, after = subproof(old, 0, new, True), mth(0, old), mth(0, new)
        over, under = tree.node_hash(more, before), tree.node_hash(more, after)
        assert not tree.verify_consistency(old, new, [*proof, more], over, under)
        assert not tree.verify_consistency(old, new, [*proof, more], before, tree.node_hash(after, more))
    assert not tree.verify_inclusion(mth(0, 1), 0, 8, path(0, 0, 4), mth(0, 4))
    assert not tree.verify_consistency(1, 8, subproof(1, 0, 4, True), mth(0, 1), mth(0, 4))
    assert not tree.verify_consistency(3, 8, subproof(3, 0, 4, True), mth(0, 3), mth(0, 4))


def test_two_hashes_cut_at_another_place_are_not_two_hashes() -> None:
    both = mth(0, 1) + mth(1, 2)
    for at in [0, 31, 33, 64]:
        left, right = both[:at], both[at:]
        assert tree.node_hash(left, right) == mth(0, 2)
        assert not tree.verify_inclusion(left, 0, 2, [right], mth(0, 2))
        assert not tree.verify_inclusion(right, 1, 2, [left], mth(0, 2))
        assert not tree.verify_consistency(1, 2, [right], left, mth(0, 2))


def test_the_empty_tree_has_one_root_and_an_old_tree_of_that_size_too() -> None:
    root = mth(0, 5)
    assert tree.verify_consistency(0, 0, [], EMPTY_ROOT, EMPTY_ROOT)
    assert not tree.verify_consistency(0, 0, [], root, root)
    assert not tree.verify_consistency(0, 5, [], root, root)
    assert not tree.verify_consistency(0, 5, [root], EMPTY_ROOT, root)
    assert not tree.verify_consistency(5, 5, [root], root, root)
    assert not tree.verify_consistency(-1, 5, [], EMPTY_ROOT, root)
    assert not tree.verify_inclusion(root, 0, 0, [], EMPTY_ROOT)


def test_what_does_not_fit_the_tree_is_refused() -> None:
    levels = Levels(hashes(5))
    for index, size in [(-1, 5), (5, 5), (0, 0), (6, 7)]:
        with pytest.raises(NotOfThisTree):
            tree.inclusion(index, size, levels)
    for old, new in [(-1, 5), (5, 4), (1, 6)]:
        with pytest.raises(NotOfThisTree):
            tree.consistency(old, new, levels)
    with pytest.raises(NotOfThisTree):
        tree.root(-1, levels)
    whole = Frontier().extend(hashes(5)).to_bytes()
    for wrong in [b"", whole[:-1], whole + bytes(32), whole[:-32], (4).to_bytes(8, "big") + whole[8:]]:
        with pytest.raises(NotOfThisTree):
            Frontier.from_bytes(wrong)
    with pytest.raises(NotOfThisTree):
        Frontier().append(b"not a hash")


# --- tiles -------------------------------------------------------------------------------------------


def test_tiles_have_the_paths_and_widths_of_the_specification() -> None:
    assert tree.tile_path(0, 1234067, 256) == "tile/0/x001/x234/067"
    assert tree.tile_path(1, 0, 17) == "tile/1/000.p/17"
    assert tree.entries_path(1000, 3) == "tile/entries/x001/000.p/3"
    of_70000 = list(tree.tiles_of(70_000))  # the example of C2SP tlog-tiles
    assert of_70000[:273] == [Tile(0, number, 256) for number in range(273)]
    assert of_70000[273:] == [Tile(0, 273, 112), Tile(1, 0, 256), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert [tile.path for tile in tree.tiles_of(256)] == ["tile/0/000", "tile/1/000.p/1"]
    assert list(tree.tiles_of(0)) == []
    for level, number, width in [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)]:
        with pytest.raises(NotOfThisTree):
            tree.tile_path(level, number, width)


def tile_data(tile: Tile, levels: Levels) -> bytes:
    """The bytes of a tile, as C2SP tlog-tiles says it."""
    first = tile.number * TILE_WIDTH
    return b"".join(levels.get(tile.level * TILE_HEIGHT, first + at) for at in range(tile.width))


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 600, 65_536, 66_000])
def test_roots_and_proofs_come_out_of_tiles_alone(size: int) -> None:
    levels = Levels(hashes(size))
    kept = {(tile.level, tile.number, tile.width): tile_data(tile, levels) for tile in tree.tiles_of(size)}
    assert all(len(data) == 32 * width for (_, _, width), data in kept.items())
    tiles = Tiles(size, lambda *tile: kept[tile])  # a tile that is not of this tree is a KeyError
    assert tree.root(size, tiles) == tree.root(size, levels)
    for at in sampled(size - 1, size)[:20]:
        assert tree.inclusion(at, size, tiles) == tree.inclusion(at, size, levels)
        assert tree.consistency(at, size, tiles) == tree.consistency(at, size, levels)
    for level, index in [(0, size), (size.bit_length(), 0), (-1, 0), (0, -1)]:
        with pytest.raises(NotOfThisTree):
            tiles.get(level, index)
    with pytest.raises(NotOfThisTree):
        tree.root(size, Tiles(size, lambda *tile: kept[tile][:-32]))


def test_a_tile_is_read_once() -> None:
    levels, read = Levels(hashes(600)), []

    def read_tile(level: int, number: int, width: int) -> bytes:
        read.append((level, number))
        return tile_data(Tile(level, number, width), levels)

    tiles = Tiles(600, read_tile)
    for index in range(600):
        tree.inclusion(index, 600, tiles)
    assert sorted(read) == [(0, 0), (0, 1), (0, 2), (1, 0)]


def test_bundles_hold_entries_of_up_to_65535_bytes() -> None:
    longest = b"x" * 65_535
    assert tree.bundle([b"", b"a", longest]) == b"\x00\x00" + b"\x00\x01a" + b"\xff\xff" + longest
    with pytest.raises(NotOfThisTree):
        tree.bundle([b"x" * 65_536])
