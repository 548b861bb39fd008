"""What was learnt from the catalogue's own phrases, by the hash of all that it was learnt from: learning takes two
seconds of a start, so it is done once (`make vectors`), shipped, and done again only where something has changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

Row = npt.NDArray[np.float32]

HERE = Path(__file__).parent
BUILT = HERE / "built" / "weights.npz"


@cache
def _learning() -> bytes:
    """Changes with how it is learnt: with any source or table of this room."""
    files = sorted([*HERE.glob("*.py"), *HERE.glob("*.tsv"), *HERE.glob("*.toml")])
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).digest()


class Weights:
    """Solutions by what was solved. Without a file each is learnt where it is asked for."""

    def __init__(self, file: Path | None = None) -> None:
        self._known: dict[str, Row] = {}
        if file is not None and file.is_file():
            with np.load(file) as data:
                self._known = {name: data[name] for name in data.files}

    def of(self, learn: Callable[[], Row], *learnt_from: bytes) -> Row:
        """What `learn` gives for this, learnt now only if it is not known."""
        hashes = b"".join(hashlib.sha256(one).digest() for one in learnt_from)
        key = hashlib.sha256(_learning() + hashes).hexdigest()
        if key not in self._known:
            self._known[key] = learn()
        return self._known[key]

    def save(self, file: Path = BUILT) -> None:
        """Write all that was asked for or read."""
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(file, **self._known)  # type: ignore[arg-type]  # names are keys of ours
