"""Where the rules are silent but the meaning is near: which red flags to ask about. Never raises one.

Rules kept here:
- It learns from what we wrote (`flag_phrases.tsv`, `flag_messages.tsv`: all made up) and from what the rules see in the
  catalogue's own phrases; change a phrase and it has changed. No message of anybody's is learnt from.
- It asks sooner where a rule has raised something else: one danger seldom comes alone.
- At most `QUESTIONS` a message, the likeliest first; nothing that a rule raised, or that the message denies.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from knowledge.embedding import Vectors
from knowledge.flag_rules import RuleTable
from knowledge.flags import Finding, Flag, Tier
from knowledge.lexical import terms
from knowledge.topic_model import Phrase, WordVectors
from knowledge.weights import Row, Weights

PHRASES = Path(__file__).parent / "flag_phrases.tsv"
MESSAGES = Path(__file__).parent / "flag_messages.tsv"
QUESTIONS = 2
MEANING = 0.7  # share of meaning in the kernel, the rest is words and the kinds of words
SHARP = 4.0  # how fast likeness fades with distance in meaning: what is far from a message says nothing about it
CALM = 0.3  # ridge: how little one phrase may count for
SAYS_SO = 3.0  # how much more a phrase for a flag counts than one against it: there are twenty against each
KINDS = ("neck", "child", "offspring", "weapon", "sharp", "sharpish", "tool", "thing", "kill", "pills", "land", "kin")
FLAGS = tuple(Flag)
LEAST = 0.38  # score from which it is worth asking
BESIDE = 0.25  # the same where the rules have raised something else: one danger seldom comes alone
# Topics whose phrases are neither for nor against a flag unless a rule sees it: too near to be counted as "no".
NEAR_TOPICS: Mapping[Flag, frozenset[str]] = {
    Flag.IMMEDIATE_DANGER: frozenset({"immediate-danger", "home-security", "bail-custody"}),
    Flag.MEDICAL_EMERGENCY: frozenset({"medical-attention", "strangulation"}),
    Flag.STRANGULATION: frozenset({"strangulation"}),
    Flag.WEAPON: frozenset({"weapons-threats"}),
    Flag.THREAT_TO_KILL: frozenset({"weapons-threats"}),
    Flag.SUICIDE_RISK: frozenset({"suicide-self-harm", "mental-health"}),
    Flag.CHILD_AT_RISK: frozenset({"children", "teen-relationships", "separation-contact", "child-to-parent"}),
    Flag.PREGNANCY: frozenset({"pregnancy"}),
    Flag.SEXUAL_ASSAULT: frozenset({"sexual-violence"}),
    Flag.HONOUR_FORCED_MARRIAGE: frozenset({"honour-forced-marriage", "minoritised-services"}),
    Flag.STALKING: frozenset({"stalking-harassment", "tech-abuse"}),
}


@dataclass(frozen=True)
class Taught:
    """Something to learn from: what officers write, made up by us, and the flags that stand in it."""

    text: str
    flags: frozenset[Flag]
    whole: bool  # a whole message, all of whose flags are named; otherwise a phrase for one flag


@cache
def taught() -> tuple[Taught, ...]:
    """All that it learns from beside the catalogue: phrases that mean a flag without saying it, and whole messages."""
    phrases = [Taught(text, frozenset({Flag(slug)}), whole=False) for slug, text in _rows(PHRASES)]
    messages = [Taught(text, frozenset(map(Flag, slugs.split())), whole=True) for slugs, text in _rows(MESSAGES)]
    return (*phrases, *messages)


def _rows(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.reader(opened, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]


class NearMeaning:
    """Made once; asked for every message."""

    def __init__(
        self, table: RuleTable, phrases: Sequence[Phrase], vectors: Vectors, more: Vectors, weights: Weights
    ) -> None:
        """`phrases`: the catalogue's, with their `vectors`; `more`: the vectors of what is `taught()`."""
        texts = [*(phrase.text for phrase in phrases), *(one.text for one in taught())]
        self._table = table
        self._vectors = np.vstack([vectors, more])
        documents = [self._terms(text) for text in texts]
        self._words = WordVectors(documents)
        self._texts = texts
        self._dual = weights.of(
            lambda: self._learn(documents, phrases), repr(phrases).encode(), self._vectors.tobytes()
        )

    def _learn(self, documents: Sequence[Sequence[str]], phrases: Sequence[Phrase]) -> Row:
        kernel = self._words.kernel(documents, self._vectors, MEANING, _alike)
        wanted, counted = _labels(self._table, phrases)
        calm = np.where(counted > 0, CALM / np.where(wanted > 0, SAYS_SO, 1), np.inf)
        return _solved(kernel, wanted, calm)

    def scores(self, text: str, vector: Row) -> Row:
        """How near a message is to each flag, in the order of `FLAGS`: about 0 for not at all, 1 for certain."""
        near = _alike(self._vectors @ vector)
        kernel = MEANING * near + (1 - MEANING) * self._words.likeness(self._terms(text))
        found: Row = kernel @ self._dual
        return found

    def near(
        self, text: str, vector: Row | None, raised: AbstractSet[Flag], silenced: AbstractSet[Flag]
    ) -> tuple[Finding, ...]:
        """What to ask about. Without the language model: nothing."""
        if vector is None:
            return ()
        scores, least, known = self.scores(text, vector), BESIDE if raised else LEAST, raised | silenced
        likely = [at for at in np.argsort(-scores) if scores[at] >= least and FLAGS[at] not in known]
        return tuple(
            Finding(FLAGS[at], Tier.ASK, f"near in meaning to: {self._nearest(at, vector)}")
            for at in likely[:QUESTIONS]
        )

    def _terms(self, text: str) -> list[str]:
        return [*terms(text), *self._table.kinds(text, KINDS)]

    def _nearest(self, flag: int, vector: Row) -> str:
        for_it = np.flatnonzero(self._dual[:, flag] > 0)
        return self._texts[int(for_it[np.argmax(self._vectors[for_it] @ vector)])]


def _alike(cosines: Row) -> Row:
    found: Row = np.exp(SHARP * (cosines - 1))
    return found


def _solved(kernel: Row, wanted: Row, calm: Row) -> Row:
    """For each column the ridge solution, with `calm` for each row and column: infinite where a row does not count.
    Rows as calm in every column are eliminated once, for all of them; each column solves what is left of its own."""
    shared = np.isfinite(calm).all(axis=1) & (calm == calm[:, :1]).all(axis=1)
    core, rest = np.flatnonzero(shared), np.flatnonzero(~shared)
    across = kernel[np.ix_(core, rest)]
    ridge = kernel[np.ix_(core, core)]
    np.fill_diagonal(ridge, ridge.diagonal() + calm[core, 0])
    both = np.linalg.solve(ridge, np.hstack([across, wanted[core]]))
    of_rest, of_wanted = both[:, : len(rest)], both[:, len(rest) :]
    left, left_wanted = kernel[np.ix_(rest, rest)] - across.T @ of_rest, wanted[rest] - across.T @ of_wanted
    found = np.zeros_like(wanted)
    for column in range(wanted.shape[1]):
        own = np.flatnonzero(np.isfinite(calm[rest, column]))
        ridge = left[np.ix_(own, own)]
        np.fill_diagonal(ridge, ridge.diagonal() + calm[rest[own], column])
        found[rest[own], column] = np.linalg.solve(ridge, left_wanted[own, column])
    found[core] = of_wanted - of_rest @ found[rest]
    return found


def _labels(table: RuleTable, phrases: Sequence[Phrase]) -> tuple[Row, Row]:
    """For every phrase and flag whether it is one (1 or 0), and whether it counts at all."""
    size = len(phrases) + len(taught())
    wanted, counted = np.zeros((size, len(FLAGS)), np.float32), np.ones((size, len(FLAGS)), np.float32)
    for row, phrase in enumerate(phrases):
        stands = _standing(table, phrase.text)
        for at, flag in enumerate(FLAGS):
            wanted[row, at] = flag in stands
            counted[row, at] = flag in stands or phrase.topic not in NEAR_TOPICS[flag]
    for row, one in enumerate(taught(), len(phrases)):
        stands = one.flags if one.whole else one.flags | _standing(table, one.text)
        for at, flag in enumerate(FLAGS):
            wanted[row, at] = flag in stands
            counted[row, at] = one.whole or flag in stands
    return wanted, counted


def _standing(table: RuleTable, text: str) -> frozenset[Flag]:
    seen = table.find(text)
    return frozenset(Flag(slug) for slug, found in seen.items() if any(not one.cancelled for one in found))
