"""Bundles that `lanyard audit check` accepts on another machine (docs/trail.md): the whole log, or some consultations.

Rules kept here:
- A bundle stands on a published checkpoint: it holds what was signed, and nothing that came later.
- Whoever calls this has recorded the export.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit.growth import LeafRow, hashes_of, leaves, read_tile
from audit.tree import TILE_WIDTH, bundle, entries_path, inclusion, tiles_of


@dataclass(frozen=True)
class Disclosed:
    """One wording that goes with a bundle, and what proves it: the salt of its commitment."""

    consultation: str
    number: int
    version: int
    words: str
    salt: bytes


def write_log(session: Session, size: int, checkpoint: bytes, out: Path) -> None:
    """The whole log up to a signed size, as tlog-tiles in a zip. Raises FileExistsError."""
    with ZipFile(out, "x", ZIP_DEFLATED) as file:
        file.writestr("checkpoint", checkpoint)
        for tile in tiles_of(size):
            file.writestr(tile.path, read_tile(session, tile.level, tile.number, tile.width))
            if tile.level == 0:
                start = tile.number * TILE_WIDTH
                entries = bundle(leaves(session, start, start + tile.width))
                file.writestr(entries_path(tile.number, tile.width), entries)


def write_consultations(
    session: Session,
    consultations: Sequence[str],
    size: int,
    checkpoint: bytes,
    out: Path,
    words: Iterable[Disclosed] = (),
) -> None:
    """The leaves of some consultations up to a signed size, each with its proof. Raises FileExistsError."""
    hashes = hashes_of(session, size)
    query = select(LeafRow.index, LeafRow.data).where(LeafRow.consultation_id.in_(consultations), LeafRow.index < size)
    rows = session.execute(query.order_by(LeafRow.index)).all()
    proofs = [
        {"leaf": _b64(data), "index": index, "proof": [_b64(one) for one in inclusion(index, size, hashes)]}
        for index, data in rows
    ]
    told = {"v": 1, "consultations": list(consultations), "leaves": proofs}
    places = {_of_version(data): index for index, data in rows}
    shown = [_shown(one, places) for one in words]
    with ZipFile(out, "x", ZIP_DEFLATED) as file:
        file.writestr("checkpoint", checkpoint)
        file.writestr("proofs.json", json.dumps(told))
        if shown:
            file.writestr("words.json", json.dumps({"v": 1, "messages": shown}))


def _of_version(leaf: bytes) -> tuple[str, int, int] | None:
    """Which wording a leaf commits to, if it does."""
    told = json.loads(leaf)
    facts = told["facts"]
    return (told["consultation"], facts["message"], facts["version"]) if "commitment" in facts else None


def _shown(one: Disclosed, places: dict[tuple[str, int, int] | None, int]) -> dict[str, object]:
    return {
        "consultation": one.consultation,
        "number": one.number,
        "version": one.version,
        "words": one.words,
        "salt": _b64(one.salt),
        "leaf": places[(one.consultation, one.number, one.version)],
    }


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
