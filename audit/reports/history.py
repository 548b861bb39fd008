"""One consultation as its leaves tell it: what every report counts from. Pure.

Rules kept here (docs/reports.md says what each figure means):
- Leaves are folded once, in their order. What a leaf does not say stays unknown (None); nothing is guessed.
- The officer waits from the question, or from whatever they write after the IDVA spoke last, until the IDVA speaks
  or it ends. An IDVA speaks in own words or advice: an entry sent, or a note to a colleague, is neither.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from audit.events import Event

ENDS = frozenset({"advised", "closed_quiet", "withdrawn", "fallback"})
"""States in which nothing is owed, word for word those of docs/states.md."""
SPEAKS = frozenset({"words", "forward", "advice"})
"""Kinds of message by which an IDVA answers."""

Leaf = Mapping[str, Any]


@dataclass
class History:
    """What became of one consultation. Times are milliseconds."""

    asked_at: int
    leaf: int  # that took in the question
    service: str | None = None  # of the officer
    urgent: bool | None = None  # when it was answered; where it was not, the last that is known
    answered_after: int | None = None  # until the first IDVA spoke
    answer_urgent: bool | None = None
    waits: list[int] = field(default_factory=list)  # each time the officer waited for the IDVA's next words
    waits_since: int | None = None
    end: str | None = None  # the trigger by which it ended; None while it is live
    kept: bool = False  # it was kept once, because nobody could take it
    reopened: int = 0
    topics: set[str] = field(default_factory=set)
    raised: set[str] = field(default_factory=set)
    flag_answers: Counter[tuple[str, str]] = field(default_factory=Counter)  # flag, and what the officer said
    entries: Counter[tuple[str, str]] = field(default_factory=Counter)  # entry, and how it was shown
    stated: str | None = None  # the grade, as the officer set it
    later: str | None = None
    marks: dict[str, dict[str, str]] = field(default_factory=dict)  # by review
    signed: set[str] = field(default_factory=set)  # reviews that were signed off
    idvas: Counter[tuple[str, str]] = field(default_factory=Counter)  # who, and what they did

    @property
    def was_urgent(self) -> bool | None:
        """Whether it was urgent when it was answered, or is by all that is known where it was not."""
        return self.urgent if self.answered_after is None else self.answer_urgent


def fold(leaves: Iterable[Leaf]) -> History | None:
    """The history that a consultation's leaves tell; None where the question's own leaf is not among them."""
    history: History | None = None
    for leaf in leaves:
        if history is None:
            history = _begun(leaf)
        elif leaf["event"] in _TELLS:
            _TELLS[leaf["event"]](history, leaf, leaf["facts"])
    return history


def _begun(leaf: Leaf) -> History | None:
    facts = leaf["facts"]
    if leaf["event"] != Event.MESSAGE_RECEIVED.label or facts.get("side") != "officer":
        return None
    at = leaf["t_ms"]
    return History(asked_at=at, leaf=leaf["index"], service=facts.get("service") or None, waits_since=at)


def _said(history: History, leaf: Leaf, facts: Mapping[str, Any]) -> None:
    if facts["side"] == "officer" and history.waits_since is None:
        history.waits_since = leaf["t_ms"]
    if facts["side"] != "idva" or facts["kind"] not in SPEAKS:
        return
    history.idvas[leaf["actor"], "advice" if facts["kind"] == "advice" else "words"] += 1
    if history.answered_after is None:
        history.answered_after = leaf["t_ms"] - history.asked_at
        history.answer_urgent = history.urgent
    _waited(history, leaf["t_ms"])


def _moved(history: History, leaf: Leaf, facts: Mapping[str, Any]) -> None:
    trigger, to = facts["trigger"], facts["to"]
    history.urgent = facts.get("urgent", history.urgent)
    history.kept |= to == "kept"
    if trigger in ("accept", "transfer_accepted"):
        history.idvas[leaf["actor"], "taken"] += 1
    if trigger == "reopen":
        history.reopened += 1
        history.end, history.waits_since = None, leaf["t_ms"]
    if to in ENDS:
        history.end = trigger
        _waited(history, leaf["t_ms"])


def _waited(history: History, until: int) -> None:
    if history.waits_since is not None:
        history.waits.append(until - history.waits_since)
        history.waits_since = None


def _offer_answered(history: History, leaf: Leaf, facts: Mapping[str, Any]) -> None:
    if facts["outcome"] in ("declined", "unanswered", "unreachable"):
        history.idvas[leaf["actor"], facts["outcome"]] += 1


def _offered(history: History, _leaf: Leaf, facts: Mapping[str, Any]) -> None:
    history.idvas[facts["to"], "offered"] += 1


def _detail(history: History, _leaf: Leaf, facts: Mapping[str, Any]) -> None:
    if facts["what"] == "grade":
        history.stated = facts.get("value")
    # Urgent from here on, though no move says so yet: `conversations.routing.is_urgent`.
    if (facts["what"], facts.get("value")) in (("grade", "high"), ("victim_safe", False)):
        history.urgent = True


def _graded(history: History, _leaf: Leaf, facts: Mapping[str, Any]) -> None:
    history.stated, history.later = facts["stated"], facts["later"]


def _raised(history: History, _leaf: Leaf, facts: Mapping[str, Any]) -> None:
    history.raised.add(facts["flag"])
    history.urgent = True


def _flag_answered(history: History, _leaf: Leaf, facts: Mapping[str, Any]) -> None:
    history.flag_answers[facts["flag"], facts["answer"]] += 1


def _shown(history: History, _leaf: Leaf, facts: Mapping[str, Any]) -> None:
    history.entries[facts["entry"], facts["how"]] += 1
    if facts.get("topic") and facts["how"] == "suggested":
        history.topics.add(facts["topic"])


def _marked(history: History, _leaf: Leaf, facts: Mapping[str, Any]) -> None:
    history.marks[facts["review"]] = {name: mark for name, mark in facts.items() if name != "review" and mark}


def _signed_off(history: History, _leaf: Leaf, facts: Mapping[str, Any]) -> None:
    history.signed.add(facts["review"])


_TELLS: dict[str, Callable[[History, Leaf, Mapping[str, Any]], None]] = {
    Event.MESSAGE_RECEIVED.label: _said,
    Event.MOVED.label: _moved,
    Event.OFFERED.label: _offered,
    Event.OFFER_ANSWERED.label: _offer_answered,
    Event.DETAIL_SET.label: _detail,
    Event.GRADED_LATER.label: _graded,
    Event.FLAG_RAISED.label: _raised,
    Event.FLAG_ANSWERED.label: _flag_answered,
    Event.ENTRY_SHOWN.label: _shown,
    Event.REVIEW_MARKED.label: _marked,
    Event.REVIEW_SIGNED_OFF.label: _signed_off,
}

TOLD_BY = tuple(_TELLS)
"""The events that a history is made from."""
