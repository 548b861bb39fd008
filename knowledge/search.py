"""Which entries answer these words: by name, by topic, by words and by meaning, for a place, at this moment.

Rules kept here:
- The first three are guidance on the three likeliest topics, unless a service is asked for by name; then come powers
  and services that cover the place, the most local first, those open now before those that are not.
- What is past its review date is never offered, nor a service that does not cover the place.
- Every suggestion says why it came up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

import numpy as np
import numpy.typing as npt

from knowledge.embedding import Embedder, Vectors
from knowledge.entry import Entry, Kind, Published
from knowledge.guide import Chosen
from knowledge.hours import LOCAL, is_open
from knowledge.lexical import WordIndex, terms
from knowledge.places import PLACES, covers, distance
from knowledge.shorthand import words_of
from knowledge.topic_model import SLUGS, Phrase, TopicModel, more_phrases
from knowledge.topics import TOPICS
from knowledge.vectors import VectorStore
from knowledge.weights import Row, Weights

TOPICS_SHOWN = 3
DENIAL = 0.5  # what a denial takes from a topic's score
RAISED = 0.4  # what a raised red flag adds to its own
LIMIT = 6
SECOND_TOPIC = 0.7  # what a further topic of an entry counts against its main one
OWN_WORDS, OWN_MEANING = 0.25, 0.25  # how much an entry's own words and meaning add to its topic's score
NEAR = 0.55  # cosine from which "near in meaning to" is worth saying
GENERIC = frozenset(
    [
        "the",
        "of",
        "and",
        "for",
        "line",
        "helpline",
        "service",
        "services",
        "support",
        "centre",
        "national",
        "team",
        "lancashire",
        "police",
    ]
)
_EXACT_PHONE = re.compile(r"\d[\d ]{5,}\d")


class Search:
    """An index over what is live. Made anew when that changes; safe to use from several threads."""

    def __init__(
        self,
        published: Sequence[Published],
        embedder: Embedder | None,
        store: VectorStore,
        weights: Weights | None = None,
    ) -> None:
        self.published = tuple(published)
        self.embedder = embedder
        entries = [one.entry for one in published]
        phrases = [*learnt_from(entries), *more_phrases()]
        texts = [phrase.text for phrase in phrases]
        summaries = [summary_of(entry) for entry in entries]
        if embedder is not None:
            store.add(self.texts(published), embedder)
        self._topics = TopicModel(phrases, store.of(texts) if embedder is not None else None, weights or Weights())
        self._meaning: Vectors | None = store.of(summaries) if embedder is not None else None
        self._words = WordIndex(
            [terms(f"{entry.title} {entry.title} {' '.join(entry.says)} {entry.body}") for entry in entries]
        )
        self._main = np.array([SLUGS.index(entry.topics[0]) for entry in entries], np.int64)
        other = [(at, SLUGS.index(topic)) for at, entry in enumerate(entries) for topic in entry.topics[1:]]
        self._other_rows = np.array([at for at, _ in other], np.int64)
        self._other_topics = np.array([topic for _, topic in other], np.int64)
        self._guidance = np.array([entry.kind is Kind.GUIDANCE for entry in entries], bool)
        self._names = {name: at for at, entry in enumerate(entries) for name in names_of(entry)}
        self._days: dict[date, npt.NDArray[np.bool_]] = {}
        self._covered: dict[str | None, npt.NDArray[np.bool_]] = {}

    @staticmethod
    def texts(published: Sequence[Published]) -> list[str]:
        """Every text whose vector it needs."""
        entries = [one.entry for one in published]
        phrases = [*learnt_from(entries), *more_phrases()]
        return [*(phrase.text for phrase in phrases), *(summary_of(entry) for entry in entries)]

    def vector_of(self, text: str) -> Row | None:
        """The meaning of a message, to be shared with whoever else needs it; None without the language model."""
        return self.embedder.embed([text])[0] if self.embedder is not None else None

    def suggest(
        self,
        text: str,
        place: str | None,
        now: datetime,
        *,
        vector: Row | None = None,
        limit: int = LIMIT,
        least: float = -1.0,
        denied: Sequence[str] = (),
        raised: Sequence[str] = (),
    ) -> tuple[Chosen, ...]:
        """The best entries first. `least`: the score below which nothing is worth showing. `denied`: topics that the
        message names only to say that they are not so; `raised`: topics of its red flags."""
        if not self.published:
            return ()
        query = terms(text)
        topics, near = self._topics.scores(query, vector)
        topics[[SLUGS.index(topic) for topic in denied]] -= DENIAL
        topics[[SLUGS.index(topic) for topic in raised]] += RAISED
        scores = self._score(query, topics, vector)
        allowed = self._allowed(now.astimezone(LOCAL).date(), place)
        named = [at for at in self._named(text) if allowed[at]]
        order = list(
            dict.fromkeys(
                [*named, *self._first(topics, scores, allowed), *self._then(topics, scores, allowed, place, now)]
            )
        )
        chosen = [at for at in order if at in named or scores[at] >= least]
        return tuple(
            Chosen(one, round(float(scores[at]), 4), self._why(one, query, topics, near, place, at in named))
            for at, one in ((at, self.published[at]) for at in chosen[:limit])
        )

    def _score(self, query: Sequence[str], topics: Row, vector: Row | None) -> Row:
        scores = topics[self._main]
        np.maximum.at(scores, self._other_rows, SECOND_TOPIC * topics[self._other_topics])
        own = self._words.scores(query)
        scores = scores + OWN_WORDS * own / (float(own.max()) + 4.0)
        if vector is not None and self._meaning is not None:
            scores = scores + OWN_MEANING * np.maximum(self._meaning @ vector, 0)
        return scores

    def _first(self, topics: Row, scores: Row, allowed: npt.NDArray[np.bool_]) -> list[int]:
        """The best guidance on each of the likeliest topics."""
        found = []
        for topic in np.argsort(-topics):
            rows = np.flatnonzero(allowed & self._guidance & (self._main == topic))
            if len(rows):
                found.append(int(rows[np.argmax(scores[rows])]))
            if len(found) == TOPICS_SHOWN:
                break
        return found

    def _then(
        self, topics: Row, scores: Row, allowed: npt.NDArray[np.bool_], place: str | None, now: datetime
    ) -> list[int]:
        """Powers and services on these topics: the most local, and those open now, first among equals."""
        likeliest = np.argsort(-topics)[:TOPICS_SHOWN]
        about = np.isin(self._main, likeliest)
        about[self._other_rows[np.isin(self._other_topics, likeliest)]] = True
        rows = np.flatnonzero(allowed & ~self._guidance & about)
        best = rows[np.argsort(-scores[rows])][: 4 * LIMIT]
        return sorted((int(at) for at in best), key=lambda at: -float(scores[at]) - self._bonus(at, place, now))

    def _bonus(self, at: int, place: str | None, now: datetime) -> float:
        entry = self.published[at].entry
        if entry.kind is not Kind.SERVICE:
            return 0.0
        local = 0.3 / (1 + distance(entry.areas, place)) if place else 0.0
        return local + {True: 0.1, None: 0.0, False: -0.1}[is_open(entry.hours, now)]

    def _allowed(self, today: date, place: str | None) -> npt.NDArray[np.bool_]:
        if today not in self._days:
            self._days = {today: np.array([one.entry.review_by >= today for one in self.published], bool)}
        if place not in self._covered:
            self._covered[place] = np.array([covers(one.entry.areas, place) for one in self.published], bool)
        allowed: npt.NDArray[np.bool_] = self._days[today] & self._covered[place]
        return allowed

    def _named(self, text: str) -> list[int]:
        words = words_of(text)
        joined = f" {' '.join(words)} "
        found = [at for name, at in self._names.items() if f" {name} " in joined]
        for phone in _EXACT_PHONE.findall(text):
            digits = phone.replace(" ", "")
            found += [
                at
                for at, one in enumerate(self.published)
                if any(number.number.replace(" ", "") == digits for number in one.entry.phones)
            ]
        return list(dict.fromkeys(found))[:2]

    def _why(
        self, one: Published, query: Sequence[str], topics: Row, near: Row, place: str | None, named: bool
    ) -> tuple[str, ...]:
        entry = one.entry
        topic = max(map(SLUGS.index, entry.topics), key=lambda at: float(topics[at]))
        why = ["asked for by name"] if named else [f"about {TOPICS[SLUGS[topic]].title}"]
        words = self._topics.words_for(query, topic)
        why += [f"words: {', '.join(words)}"] if words else []
        like, nearness = self._topics.nearest(near, topic)
        if nearness >= NEAR:
            why.append(f"near in meaning to: {like}")
        if place is not None and entry.kind is Kind.SERVICE:
            why.append(f"covers {PLACES[place].title}")
        return tuple(why)


def learnt_from(entries: Sequence[Entry]) -> list[Phrase]:
    """The phrases that entries themselves bring: what officers say, and what the entry is called."""
    found = [
        Phrase(entry.topics[0], text) for entry in entries if entry.kind is not Kind.SERVICE for text in entry.says
    ]
    found += [
        Phrase(slug, part)
        for slug, topic in TOPICS.items()
        for part in [topic.title, *re.split("[;:,]", topic.covers)]
        if part.strip()
    ]
    return found


def summary_of(entry: Entry) -> str:
    """What stands for an entry's own meaning."""
    return f"{entry.title}. {entry.body}"


def names_of(entry: Entry) -> list[str]:
    """How somebody would ask for a service by name: its name up to a bracket, if that is more than common words."""
    if entry.kind is not Kind.SERVICE:
        return []
    words = words_of(re.split(r"[(/:]", entry.title)[0])
    return [" ".join(words)] if set(words) - GENERIC and len(" ".join(words)) > 4 else []
