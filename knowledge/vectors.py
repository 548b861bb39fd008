"""Vectors of the catalogue's own phrases, by the hash of their text: embedding them all takes seconds, so it is done
once (`make vectors`), shipped, and only what is new is embedded at run time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.embedding import SIZE, TOKENS, Embedder, Vectors

BUILT = Path(__file__).parent / "built" / "vectors.npz"
SCALE = 127 * 4  # int8 for a value of a quarter; larger ones are cut off, and the row is brought back to unit length


def key_of(text: str) -> bytes:
    """16 bytes that change with the text, or with how it is embedded."""
    return hashlib.sha256(f"{TOKENS}:{text}".encode()).digest()[:16]


class VectorStore:
    """Vectors by text."""

    def __init__(self, file: Path = BUILT) -> None:
        self._known: dict[bytes, npt.NDArray[np.int8]] = {}
        if file.is_file():
            with np.load(file) as data:
                keys, rows = data["keys"].tobytes(), data["rows"]
            self._known = {keys[16 * at : 16 * at + 16]: rows[at] for at in range(len(rows))}

    def missing(self, texts: Sequence[str]) -> list[str]:
        """Those that have to be embedded, each once."""
        return [text for text in dict.fromkeys(texts) if key_of(text) not in self._known]

    def add(self, texts: Sequence[str], embedder: Embedder) -> None:
        """Embed what is missing. About 3 ms each."""
        for text in self.missing(texts):
            self.put(text, embedder.embed([text])[0])

    def put(self, text: str, row: npt.NDArray[np.float32]) -> None:
        """Keep the vector of a text."""
        self._known[key_of(text)] = np.clip(np.rint(row * SCALE), -127, 127).astype(np.int8)

    def of(self, texts: Sequence[str]) -> Vectors:
        """The vectors of texts that were added. Raises KeyError for one that was not."""
        if not texts:
            return np.empty((0, SIZE), np.float32)
        rows = np.stack([self._known[key_of(text)] for text in texts]).astype(np.float32)
        found: Vectors = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        return found

    def save(self, texts: Sequence[str], file: Path = BUILT) -> None:
        """Write the vectors of these texts and no others, the same bytes whenever the texts are the same."""
        kept = sorted({key_of(text) for text in texts})
        file.parent.mkdir(parents=True, exist_ok=True)
        keys = np.frombuffer(b"".join(kept), np.uint8)
        np.savez_compressed(file, keys=keys, rows=np.stack([self._known[key] for key in kept]))
