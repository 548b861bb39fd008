"""Where the rules are silent but the meaning is near: which red flags to ask about. Never raises one.

Rules kept here:
- It learns from what people wrote (`flag_phrases.tsv`, `flag_messages.tsv`) and from what the rules see in the
  catalogue's own phrases; change a phrase and it has changed. No message of anybody's is learnt from.
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
from knowledge.topic_model import Phrase, Row, WordVectors

PHRASES = Path(__file__).parent / "flag_phrases.tsv"
MESSAGES = Path(__file__).parent / "flag_messages.tsv"
QUESTIONS = 2
MEANING = 0.7  # share of meaning in the kernel, the rest is words
CALM = 0.5  # ridge: how little one phrase may count for
FLAGS = tuple(Flag)
LEAST = 0.34  # score from which it is worth asking
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

    def __init__(self, table: RuleTable, phrases: Sequence[Phrase], vectors: Vectors, more: Vectors) -> None:
        """`phrases`: the catalogue's, with their `vectors`; `more`: the vectors of what is `taught()`."""
        texts = [*(phrase.text for phrase in phrases), *(one.text for one in taught())]
        self._vectors = np.vstack([vectors, more])
        self._words = WordVectors([terms(text) for text in texts])
        self._texts = texts
        kernel = self._words.kernel([terms(text) for text in texts], self._vectors, MEANING)
        np.fill_diagonal(kernel, kernel.diagonal() + CALM)
        self._dual = _solved(kernel, *_labels(table, phrases))

    def scores(self, text: str, vector: Row) -> Row:
        """How near a message is to each flag, in the order of `FLAGS`: about 0 for not at all, 1 for certain."""
        near = self._vectors @ vector
        kernel = MEANING * near + (1 - MEANING) * self._words.likeness(terms(text))
        found: Row = kernel @ self._dual
        return found

    def near(self, text: str, vector: Row | None, known: AbstractSet[Flag]) -> tuple[Finding, ...]:
        """What to ask about. Without the language model: nothing."""
        if vector is None:
            return ()
        scores = self.scores(text, vector)
        likely = [at for at in np.argsort(-scores) if scores[at] >= LEAST and FLAGS[at] not in known]
        return tuple(
            Finding(FLAGS[at], Tier.ASK, f"near in meaning to: {self._nearest(at, vector)}")
            for at in likely[:QUESTIONS]
        )

    def _nearest(self, flag: int, vector: Row) -> str:
        for_it = np.flatnonzero(self._dual[:, flag] > 0)
        return self._texts[int(for_it[np.argmax(self._vectors[for_it] @ vector)])]


def _solved(ridge: Row, wanted: Row, counted: Row) -> Row:
    """For each column the solution over the rows that count for it, 0 for the others. Most rows count for every column:
    these are eliminated once, for all of them together, and each column solves only what is left of its own."""
    always = counted.all(axis=1)
    core, rest = np.flatnonzero(always), np.flatnonzero(~always)
    across = ridge[np.ix_(core, rest)]
    both = np.linalg.solve(ridge[np.ix_(core, core)], np.hstack([across, wanted[core]]))
    of_rest, of_wanted = both[:, : len(rest)], both[:, len(rest) :]
    left, left_wanted = ridge[np.ix_(rest, rest)] - across.T @ of_rest, wanted[rest] - across.T @ of_wanted
    found = np.zeros_like(wanted)
    for column in range(wanted.shape[1]):
        own = np.flatnonzero(counted[rest, column])
        found[rest[own], column] = np.linalg.solve(left[np.ix_(own, own)], left_wanted[own, column])
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
