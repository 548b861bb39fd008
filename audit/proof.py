"""The proof of one consultation, made here and now: its leaves, the newest checkpoint, and whether they fit.

Rules kept here:
- Nothing that was worked out before is believed: each leaf is hashed again, its path is walked to the root that the
  checkpoint's signature covers, and the numbers within the consultation have no gap.
- This machine checks itself. Whoever does not believe it checks an export elsewhere (`audit.check`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from sqlalchemy.orm import Session

from audit.checkpoint import Signed
from audit.growth import hashes_of
from audit.notes import NoteRefused
from audit.trail import Head, read_leaves
from audit.tree import Hashes, NotOfThisTree, inclusion, leaf_hash, verify_inclusion

Find = Callable[[int], Signed | None]
"""The newest checkpoint published in an epoch, its signature checked. Raises `NoteRefused` or OSError."""


class Standing(Enum):
    """What came of it, in the words of the page."""

    VERIFIED = "verified here and now"
    NOT_COVERED = "not yet covered by a checkpoint"
    FAILED = "does not verify"


@dataclass(frozen=True)
class Proof:
    """Of one consultation."""

    standing: Standing
    covered: tuple[int, ...]  # numbers of the leaves that the checkpoint covers
    later: tuple[int, ...]  # and of those since
    signed: Signed | None


def no_checkpoints(_epoch: int) -> Signed | None:
    """Where none are published."""
    return None


def prove(session: Session, consultation: str, find: Find) -> Proof:
    """Look at all its leaves against the newest checkpoint."""
    leaves = read_leaves(session, consultation)
    contents = [json.loads(leaf) for leaf in leaves]
    numbers = [one["index"] for one in contents]
    head = session.get(Head, 1)
    try:
        signed = find(head.epoch) if head is not None else None
    except (NoteRefused, OSError):
        return Proof(Standing.FAILED, (), tuple(numbers), None)
    size = signed.checkpoint.size if signed is not None else 0
    covered, later = tuple(at for at in numbers if at < size), tuple(at for at in numbers if at >= size)
    if [one["cseq"] for one in contents] != list(range(len(contents))):
        return Proof(Standing.FAILED, covered, later, signed)
    if signed is None or not covered:
        return Proof(Standing.NOT_COVERED, covered, later, signed)
    hashes = hashes_of(session, size)
    fits = all(_fits(hashes, at, leaf, signed) for at, leaf in zip(numbers, leaves, strict=True) if at < size)
    return Proof(Standing.VERIFIED if fits else Standing.FAILED, covered, later, signed)


def _fits(hashes: Hashes, index: int, leaf: bytes, signed: Signed) -> bool:
    size, root = signed.checkpoint.size, signed.checkpoint.root
    try:
        path = inclusion(index, size, hashes)
    except (NotOfThisTree, LookupError):
        return False
    return verify_inclusion(leaf_hash(leaf), index, size, path, root)
