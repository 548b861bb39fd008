"""What stands beside an IDVA's thread: red flags with what became of them, and entries that can be sent with a tap.

Rule kept here: the caller has recorded the reading; a flag's reason quotes the officer.
"""

from __future__ import annotations

from dataclasses import dataclass

from conversations.case import Case
from conversations.signposting import live_suggestions
from conversations.signs import flags_of, raised_in
from conversations.tables import Consultation, FlagState
from conversations.work import Work, scope_of
from knowledge.flags import Flag
from knowledge.showing import card

STANDING = {
    FlagState.RAISED.value: "raised",
    FlagState.ASKED.value: "asked, not answered yet",
    FlagState.NOT_SO.value: "officer says not so",
    FlagState.NO.value: "asked: no",
    FlagState.UNKNOWN.value: "asked: not known",
}


@dataclass(frozen=True)
class FlagShown:
    """One red flag."""

    title: str
    stands: bool  # raised, and nobody says otherwise
    standing: str
    why: str
    block: str


@dataclass(frozen=True)
class SuggestionShown:
    """One entry that can be sent."""

    key: str  # "id.version"
    title: str
    card: str
    why: str
    sent: bool


@dataclass(frozen=True)
class SignsShown:
    """All of it."""

    flags: tuple[FlagShown, ...] = ()
    suggestions: tuple[SuggestionShown, ...] = ()


def signs(work: Work, row: Consultation) -> SignsShown:
    """What came up in a consultation, for its IDVA."""
    scope, guide = scope_of(row.id), work.line.guide
    flags = []
    for one in flags_of(work.session, row.id).values():
        block = guide.block(Flag(one.flag))
        why = work.open_words("red_flag", "why", f"{row.id}.{one.flag}", scope, one.why)
        raised = one.state == FlagState.RAISED.value
        flags.append(FlagShown(block.title, raised, STANDING[one.state], why, block.text))
    suggestions = []
    for suggestion, published in live_suggestions(Case(work, row)):
        entry, key = published.entry, f"{published.entry.id}.{published.version}"
        why = work.open_words("suggestion", "why", f"{row.id}.{key}", scope, suggestion.why)
        text = card(entry, work.now)
        suggestions.append(SuggestionShown(key, entry.title, text, why, suggestion.sent_at is not None))
    return SignsShown(tuple(flags), tuple(suggestions))


def raised_titles(work: Work, row: Consultation) -> tuple[str, ...]:
    """The red flags that stand, by name: for whoever is asked to take it."""
    return tuple(work.line.guide.block(Flag(one.flag)).title for one in raised_in(work.session, row.id))
