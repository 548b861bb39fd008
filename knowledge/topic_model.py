"""Which topics a message is about: kernel ridge regression on phrases that people wrote, by words and by meaning.

Rules kept here:
- It learns only from the catalogue's own phrases (`says`, `phrases.tsv`, titles): change a phrase and it has changed.
- Without the language model it goes on by words alone, with the same phrases.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from knowledge.embedding import Vectors
from knowledge.lexical import WordIndex, terms
from knowledge.topics import TOPICS
from knowledge.weights import Row, Weights

ROWS = 256  # of a kernel, made at a time
MEANING = 0.65  # share of meaning in the kernel, the rest is words
CALM = 0.7  # ridge: how little one phrase may count for
WORDS_TOO = 0.2  # how much the plain word score of a topic adds
SLUGS = tuple(TOPICS)
PHRASES = Path(__file__).parent / "phrases.tsv"


@dataclass(frozen=True)
class Phrase:
    """Something an officer might write, and the topic it is about."""

    topic: str
    text: str


def more_phrases() -> tuple[Phrase, ...]:
    """The phrases kept beside the catalogue."""
    with PHRASES.open(encoding="utf-8", newline="") as file:
        return tuple(Phrase(*row) for row in list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:])


class WordVectors:
    """Phrases as weighted words of unit length, held by word: the words' half of the kernel."""

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        self.size = len(documents)
        frequency = Counter(term for document in documents for term in set(document))
        self.rarity = {term: float(np.log((1 + self.size) / (0.5 + count))) for term, count in frequency.items()}
        found: dict[str, list[tuple[int, float]]] = {}
        for at, document in enumerate(documents):
            for term, weight in self.weigh(document).items():
                found.setdefault(term, []).append((at, weight))
        self._held = {
            term: (np.array([at for at, _ in rows]), np.array([weight for _, weight in rows], np.float32))
            for term, rows in found.items()
        }

    def weigh(self, document: Sequence[str]) -> dict[str, float]:
        """A document's weights, of length 1 together."""
        weights = {term: self.rarity[term] for term in set(document) if term in self.rarity}
        length = float(np.sqrt(sum(weight * weight for weight in weights.values()))) or 1.0
        return {term: weight / length for term, weight in weights.items()}

    def likeness(self, query: Sequence[str]) -> Row:
        """The cosine of a query with every phrase."""
        found = np.zeros(self.size, np.float32)
        for term, weight in self.weigh(query).items():
            where, weights = self._held[term]
            found[where] += np.float32(weight) * weights
        return found

    def kernel(
        self,
        documents: Sequence[Sequence[str]],
        vectors: Vectors | None,
        meaning: float,
        alike: Callable[[Row], Row] = lambda cosines: cosines,
    ) -> Row:
        """How like every phrase is to every other, `meaning` being the share of the vectors, `alike` what their cosines
        are worth. Made in place: there are ten million numbers in it."""
        found = np.empty((len(documents), self.size), np.float32)
        for at, document in enumerate(documents):
            found[at] = self.likeness(document)
        if vectors is not None:
            found *= 1 - meaning
            for at in range(0, len(documents), ROWS):
                found[at : at + ROWS] += meaning * alike(vectors[at : at + ROWS] @ vectors.T)
        return found


class TopicModel:
    """Made once from phrases; asked for every message."""

    def __init__(self, phrases: Sequence[Phrase], vectors: Vectors | None, weights: Weights) -> None:
        """`vectors`: one row a phrase, or None to go by words alone."""
        self.phrases = tuple(phrases)
        self._vectors = vectors
        documents = [terms(phrase.text) for phrase in phrases]
        self._words = WordVectors(documents)
        self._about = WordIndex(
            [
                [
                    term
                    for phrase, document in zip(phrases, documents, strict=True)
                    if phrase.topic == slug
                    for term in document
                ]
                for slug in SLUGS
            ]
        )
        targets = np.zeros((len(phrases), len(SLUGS)), np.float32)
        for at, phrase in enumerate(phrases):
            targets[at, SLUGS.index(phrase.topic)] = 1
        self._share = targets.mean(axis=0)
        self._of_topic = [np.flatnonzero(targets[:, at]) for at in range(len(SLUGS))]
        meant = b"" if vectors is None else vectors.tobytes()
        self._dual = weights.of(lambda: self._learn(documents, targets), repr(self.phrases).encode(), meant)

    def _learn(self, documents: Sequence[Sequence[str]], targets: Row) -> Row:
        kernel = self._words.kernel(documents, self._vectors, MEANING)
        np.fill_diagonal(kernel, kernel.diagonal() + CALM)
        found: Row = np.linalg.solve(kernel, targets - self._share).astype(np.float32)
        return found

    def scores(self, query: Sequence[str], vector: Row | None) -> tuple[Row, Row]:
        """The score of every topic (in the order of `SLUGS`; about 0 for none, 1 for certain), and how near the message
        is in meaning to every phrase."""
        known = self._about.known(query)
        near = np.zeros(len(self.phrases), np.float32)
        kernel = self._words.likeness(known)
        if vector is not None and self._vectors is not None:
            near = self._vectors @ vector
            kernel = MEANING * near + (1 - MEANING) * kernel
        plain = self._about.scores(known)
        plain = plain / (float(plain.max()) + 4.0)
        return self._share + kernel @ self._dual + WORDS_TOO * plain, near

    def nearest(self, near: Row, topic: int) -> tuple[str, float]:
        """The phrase of a topic that a message is nearest to in meaning, and how near: a cosine."""
        rows = self._of_topic[topic]
        at = int(rows[np.argmax(near[rows])])
        return self.phrases[at].text, float(near[at])

    def words_for(self, query: Sequence[str], topic: int) -> list[str]:
        """The words of a message that speak most for a topic."""
        return self._about.best_words(query, topic)
