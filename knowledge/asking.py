"""Where the rules are silent but the meaning is near: which red flags to ask about. Never raises one.

Rules kept here:
- It learns from phrases that people wrote (`flag_phrases.tsv`) and from what the rules see in the catalogue's own
  phrases; change a phrase and it has changed. No message of anybody's is learnt from.
- At most `QUESTIONS` a message, the likeliest first; nothing that a rule raised, or that the message denies.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

import numpy as np

from knowledge.embedding import Vectors
from knowledge.flag_rules import RuleTable
from knowledge.flags import Finding, Flag, Tier
from knowledge.lexical import terms
from knowledge.topic_model import Phrase, Row, WordVectors

PHRASES = Path(__file__).parent / "flag_phrases.tsv"
QUESTIONS = 2
MEANING = 0.7  # share of meaning in the kernel, the rest is words
CALM = 0.5  # ridge: how little one phrase may count for
FLAGS = tuple(Flag)
LEAST = 0.30  # score from which it is worth asking
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


def flag_phrases() -> tuple[tuple[Flag, str], ...]:
    """What officers write when a flag is only meant, not said."""
    with PHRASES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    return tuple((Flag(slug), text) for slug, text in rows)


class NearMeaning:
    """Made once; asked for every message."""

    def __init__(self, table: RuleTable, phrases: Sequence[Phrase], vectors: Vectors, more: Vectors) -> None:
        """`phrases`: the catalogue's, with their `vectors`; `more`: the vectors of `flag_phrases()`."""
        own = flag_phrases()
        texts = [phrase.text for phrase in phrases] + [text for _, text in own]
        self._vectors = np.vstack([vectors, more])
        self._words = WordVectors([terms(text) for text in texts])
        self._texts = texts
        words = np.stack([self._words.likeness(terms(text)) for text in texts])
        kernel = MEANING * (self._vectors @ self._vectors.T) + (1 - MEANING) * words
        wanted, counted = _labels(table, phrases, own)
        self._dual = np.zeros((len(texts), len(FLAGS)), np.float32)
        for at in range(len(FLAGS)):
            rows = np.flatnonzero(counted[:, at])
            ridge = kernel[np.ix_(rows, rows)] + CALM * np.eye(len(rows), dtype=np.float32)
            self._dual[rows, at] = np.linalg.solve(ridge, wanted[rows, at])

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


def _labels(table: RuleTable, phrases: Sequence[Phrase], own: Sequence[tuple[Flag, str]]) -> tuple[Row, Row]:
    """For every phrase and flag whether it is one (1 or 0), and whether it counts at all."""
    size = len(phrases) + len(own)
    wanted, counted = np.zeros((size, len(FLAGS)), np.float32), np.ones((size, len(FLAGS)), np.float32)
    for row, phrase in enumerate(phrases):
        seen = table.find(phrase.text)
        for at, flag in enumerate(FLAGS):
            stands = any(not one.cancelled for one in seen.get(flag.value, []))
            wanted[row, at] = stands
            counted[row, at] = stands or phrase.topic not in NEAR_TOPICS[flag]
    for row, (flag, text) in enumerate(own, len(phrases)):
        seen = table.find(text)
        for at, other in enumerate(FLAGS):
            stands = flag is other or any(not one.cancelled for one in seen.get(other.value, []))
            wanted[row, at] = stands
            counted[row, at] = stands
    return wanted, counted
