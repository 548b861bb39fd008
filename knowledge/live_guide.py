"""The guide over the live catalogue: rules of red flags at once, search and questions as soon as they are made.

Rules kept here:
- The rules of red flags need nothing but their table: they work from the first message on, whatever else fails.
- When another release of the catalogue is live, what was made from the old one goes on until the new one is ready.
- Without the language model search goes on by words alone, nothing is asked about, and `health` says so.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from knowledge.asking import NearMeaning, taught
from knowledge.embedding import Embedder, ModelMissing, give_back
from knowledge.entry import Published
from knowledge.flag_rules import load
from knowledge.flags import Block, Flag, Flags, Tier
from knowledge.guide import Seen
from knowledge.library import live, live_number
from knowledge.search import Search, learnt_from
from knowledge.shorthand import unclear
from knowledge.vectors import VectorStore
from knowledge.weights import BUILT, Weights

log = logging.getLogger(__name__)

WARM = 30  # of what the flags are taught by are looked up beforehand
NOBODY_WAITS = datetime(2026, 1, 1, tzinfo=UTC)
WORTH_SHOWING = 0.45  # score below which an entry is not put before anybody


# A raised flag brings its guidance up; what a message denies it does not ask about ("isnt pregnant").
TOPIC_OF = {
    Flag.PREGNANCY: "pregnancy",
    Flag.STRANGULATION: "strangulation",
    Flag.IMMEDIATE_DANGER: "immediate-danger",
    Flag.MEDICAL_EMERGENCY: "medical-attention",
    Flag.WEAPON: "weapons-threats",
    Flag.THREAT_TO_KILL: "weapons-threats",
    Flag.SUICIDE_RISK: "suicide-self-harm",
    Flag.CHILD_AT_RISK: "children",
    Flag.SEXUAL_ASSAULT: "sexual-violence",
    Flag.HONOUR_FORCED_MARRIAGE: "honour-forced-marriage",
    Flag.STALKING: "stalking-harassment",
}


@dataclass(frozen=True)
class _Made:
    """What was made from one release."""

    number: int | None
    search: Search | None
    flags: Flags
    entries: dict[tuple[str, int], Published]


class LiveGuide:
    """See `Guide`. Safe to use from several threads."""

    def __init__(self, make_embedder: Callable[[], Embedder] = Embedder, store: VectorStore | None = None) -> None:
        self._make_embedder = make_embedder
        self._table = load()
        self._store = store or VectorStore()
        self._weights = Weights(BUILT)
        self._embedder: Embedder | None = None
        self.health = "the catalogue is not loaded yet"
        self._making = threading.Lock()
        self._made = _Made(None, None, Flags(self._table), {})

    def renew(self, session: Session) -> bool:
        """Look whether another release is live, and make everything from it. Seconds, the first time. Gives whether."""
        number = live_number(session)
        if number is None or number == self._made.number or not self._making.acquire(blocking=False):
            return False
        try:
            self.make(live(session), number)
        finally:
            self._making.release()
        return True

    def make(self, published: Sequence[Published], number: int | None = None) -> None:
        """Make everything from these entries."""
        embedder = self._embedder = self._embedder or self._load_model()
        search = Search(published, embedder, self._store, self._weights)
        flags = Flags(self._table, self._asking(published, embedder) if embedder else None)
        entries = {(one.entry.id, one.version): one for one in published}
        made = _Made(number, search, flags, entries)
        for one in taught()[:: len(taught()) // WARM]:  # what is slow the first time is done before anybody waits
            self._look(made, one.text, None, NOBODY_WAITS)
        self._made = made
        give_back()

    def look(self, words: str, place: str | None, now: datetime) -> Seen:
        """See `Guide`. Never raises: what cannot be looked up is left out."""
        try:
            return self._look(self._made, words, place, now, WORTH_SHOWING)
        except Exception as error:  # noqa: BLE001 - a fault in looking things up must never stop a question
            log.error("the guide failed: %s", type(error).__name__)
        try:
            return Seen(Flags(self._table).find(words))
        except Exception as error:  # noqa: BLE001 - the same
            log.error("the rules failed: %s", type(error).__name__)
            return Seen()

    def block(self, flag: Flag) -> Block:
        """See `Guide`."""
        return self._made.flags.block(flag)

    def entry(self, entry_id: str, version: int) -> Published | None:
        """See `Guide`."""
        return self._made.entries.get((entry_id, version))

    def suggest(self, words: str, place: str | None, now: datetime) -> Seen:
        """As `look`, but with every entry however low its score, and raising what fails: for the command line."""
        return self._look(self._made, words, place, now)

    @staticmethod
    def _look(made: _Made, words: str, place: str | None, now: datetime, least: float = -1.0) -> Seen:
        if made.search is None:
            return Seen(made.flags.find(words), unclear=unclear(words))
        vector = made.search.vector_of(words)
        looked = made.flags.look(words, vector)
        denied = [TOPIC_OF[flag] for flag in looked.denied]
        raised = [TOPIC_OF[one.flag] for one in looked.findings if one.tier is Tier.RAISED]
        chosen = made.search.suggest(words, place, now, vector=vector, least=least, denied=denied, raised=raised)
        return Seen(looked.findings, chosen, unclear(words))

    def save_vectors(self, published: Sequence[Published]) -> int:
        """Keep the vectors of these entries and of all phrases, and what is learnt from them, for later starts. Gives
        how many vectors."""
        texts = [*Search.texts(published), *(one.text for one in taught())]
        self._store.save(texts)
        self._weights = Weights()  # none that an older catalogue was learnt from
        self.make(published)
        self._weights.save()
        return len(set(texts))

    def _load_model(self) -> Embedder | None:
        try:
            embedder = self._make_embedder()
        except ModelMissing as error:
            self.health = f"search goes on by words alone: {error}"
            log.error("no language model: %s", error)
            return None
        self.health = "whole"
        return embedder

    def _asking(self, published: Sequence[Published], embedder: Embedder) -> NearMeaning:
        phrases = learnt_from([one.entry for one in published])
        own = [one.text for one in taught()]
        texts = [phrase.text for phrase in phrases]
        self._store.add([*texts, *own], embedder)
        return NearMeaning(self._table, phrases, self._store.of(texts), self._store.of(own), self._weights)
