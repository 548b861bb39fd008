"""The tree growing with the trail: its frontier with the head, and each tile of 256 hashes kept once it is full.

Rules kept here:
- The tree grows in the transaction that appends the leaf: a leaf is never without its place in the tree.
- A full tile never changes (the database refuses it). What is not full yet is made from the leaves.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import BigInteger, Index, LargeBinary, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from audit.tree import HASH_SIZE, TILE_HEIGHT, TILE_WIDTH, Frontier, Levels, Tiles, leaf_hash
from storage.database import Base

PAGE = 1000  # leaves read at a time


class LeafRow(Base):
    """One leaf: canonical JSON (RFC 8785), exactly the bytes that are hashed."""

    __tablename__ = "leaf"
    __table_args__ = (Index("ix_leaf_event", "event", "idx"),)

    index: Mapped[int] = mapped_column("idx", BigInteger, primary_key=True, autoincrement=False)
    consultation_id: Mapped[str | None] = mapped_column(String(32), index=True)
    event: Mapped[str] = mapped_column(String(40))
    data: Mapped[bytes] = mapped_column(LargeBinary)


class TileRow(Base):
    """A full tile: 256 hashes of 32 bytes, side by side (C2SP tlog-tiles)."""

    __tablename__ = "tile"

    level: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hashes: Mapped[bytes] = mapped_column(LargeBinary)


def leaves(session: Session, start: int, stop: int) -> Iterator[bytes]:
    """The leaves of this range, in order, read a page at a time."""
    while start < stop:
        query = select(LeafRow.data).where(LeafRow.index >= start, LeafRow.index < min(stop, start + PAGE))
        yield from session.scalars(query.order_by(LeafRow.index))
        start += PAGE


def frontier_of(session: Session, size: int, kept: bytes | None) -> Frontier:
    """The tree's frontier; a trail from before it had one builds its tree from the leaves that are there."""
    if kept is not None:
        return Frontier.from_bytes(kept)
    frontier = Frontier()
    for leaf in leaves(session, 0, size):
        frontier = grow(session, frontier, leaf)
    return frontier


def grow(session: Session, frontier: Frontier, leaf: bytes) -> Frontier:
    """Take in the next leaf, and keep the tiles that it fills. The leaf itself is already there."""
    grown = frontier.append(leaf_hash(leaf))
    full, level = grown.size, 0
    while full % TILE_WIDTH == 0:
        full //= TILE_WIDTH
        hashes = read_tile(session, level, full - 1, TILE_WIDTH)
        session.add(TileRow(level=level, number=full - 1, hashes=hashes))
        session.flush()
        level += 1
    return grown


def read_tile(session: Session, level: int, number: int, width: int) -> bytes:
    """The first `width` hashes of a tile. Raises LookupError where leaves or lower tiles are missing."""
    kept = session.get(TileRow, (level, number))
    if kept is not None:
        return kept.hashes[: HASH_SIZE * width]
    start = number * TILE_WIDTH
    if level == 0:
        hashes = [leaf_hash(leaf) for leaf in leaves(session, start, start + width)]
    else:
        query = select(TileRow.hashes).where(
            TileRow.level == level - 1, TileRow.number.between(start, start + width - 1)
        )
        hashes = [_root_of(below) for below in session.scalars(query.order_by(TileRow.number))]
    if len(hashes) < width:
        raise LookupError(f"the trail is not whole at tile {level}/{number}")
    return b"".join(hashes)


def _root_of(hashes: bytes) -> bytes:
    """The hash of a full tile, as it stands in the tile above."""
    parts = [hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)]
    return Levels(parts).get(TILE_HEIGHT, 0)


def hashes_of(session: Session, size: int) -> Tiles:
    """The hashes of the tree of this size, for roots and proofs."""
    return Tiles(size, lambda level, number, width: read_tile(session, level, number, width))
