"""Finding by words: BM25 over stemmed words, with a misspelt word read as the nearest one that is known.

Rule kept here: an inverted index of plain arrays, so that a query costs what its own words are worth, not what the
catalogue is long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import snowballstemmer
from rapidfuzz import process
from rapidfuzz.distance import OSA

from knowledge.shorthand import expanded

Scores = npt.NDArray[np.float32]

K1, B = 1.2, 0.6
LONG_ENOUGH = 5  # letters: shorter words are too near to each other to be mended
_COMMON = (
    "a an and are as at be been but by can cant could did do does dont for from get give go got had has have "
    "he her hers hes him his how i id if ill im in into is it its ive just me my no not now of off on or our "
    "out pls please put said say says she shes so some tell than that the their them then there they theyre "
    "this to up us want wants was we well were what when where which who why will with would you your need "
)
COMMON = frozenset(_COMMON.split())


@lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    return str(_STEMMER.stemWord(word.replace("'", "")))


_STEMMER = snowballstemmer.stemmer("english")


def terms(text: str) -> list[str]:
    """The stems that a text is found by, common words left out."""
    return [_stem(word) for word in expanded(text) if word.replace("'", "") not in COMMON]


class WordIndex:
    """Documents by their words."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        """`documents`: the terms of each, in the order in which they are scored."""
        self.size = len(documents)
        lengths = np.array([len(one) for one in documents], np.float32)
        norm = K1 * (1 - B + B * lengths / max(float(lengths.mean()) if self.size else 1.0, 1.0))
        postings: dict[str, list[tuple[int, int]]] = {}
        for at, document in enumerate(documents):
            for term, count in Counter(document).items():
                postings.setdefault(term, []).append((at, count))
        self._postings: dict[str, tuple[npt.NDArray[np.int64], Scores]] = {}
        for term, found in postings.items():
            where = np.array([at for at, _ in found])
            counts = np.array([count for _, count in found], np.float32)
            rarity = np.log(1 + (self.size - len(found) + 0.5) / (len(found) + 0.5))
            self._postings[term] = (where, (rarity * counts * (K1 + 1) / (counts + norm[where])).astype(np.float32))
        self._alike: dict[str, list[str]] = {}  # by first letter, which few people get wrong
        for term in sorted(postings):
            if len(term) >= LONG_ENOUGH:
                self._alike.setdefault(term[0], []).append(term)
        self._mended: dict[str, str | None] = {}

    def known(self, query: Sequence[str]) -> list[str]:
        """The query in words of the index; a misspelt one becomes the nearest, an unknown one is left out."""
        mended = (term if term in self._postings else self._mend(term) for term in query)
        return [term for term in mended if term is not None]

    def scores(self, query: Sequence[str]) -> Scores:
        """The score of every document for a query of `terms`."""
        found = np.zeros(self.size, np.float32)
        for term, count in Counter(self.known(query)).items():
            where, weights = self._postings[term]
            found[where] += weights * min(count, 2)
        return found

    def best_words(self, query: Sequence[str], document: int, limit: int = 3) -> list[str]:
        """The terms that speak most for a document."""
        weights = {}
        for term in set(self.known(query)):
            where, values = self._postings[term]
            at = int(np.searchsorted(where, document))
            if at < len(where) and where[at] == document:
                weights[term] = float(values[at])
        return sorted(weights, key=lambda term: -weights[term])[:limit]

    def _mend(self, term: str) -> str | None:
        if len(term) < LONG_ENOUGH or any(letter.isdigit() for letter in term):
            return None
        if term not in self._mended:
            if len(self._mended) > 20_000:
                self._mended.clear()
            alike, most = self._alike.get(term[0], []), 1 if len(term) < 8 else 2
            near = process.extractOne(term, alike, scorer=OSA.distance, score_cutoff=most)
            self._mended[term] = near[0] if near else None
        return self._mended[term]
