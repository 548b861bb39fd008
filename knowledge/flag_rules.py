"""The phrase rules of red flags: read from the curators' table, compiled once, run on every message.

Rules kept here:
- Deterministic and readable: what raised a flag can be shown as the phrase of the table and the words it saw.
- A word in a phrase stands for one word of the message; a gap never crosses a comma or the end of a sentence.
- Denial, general questions, other people and other times, and figures of speech cancel; the table says which.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from rapidfuzz.distance import OSA

from knowledge.phrase import BadPhrase, PhraseIndex, compile_phrase

TABLE = Path(__file__).parent / "flags.toml"
STOP, PAUSE, BLANK = ".", ",", "_"
SHORTEST_MENDED = 7  # letters: shorter words are too near to others to be mended by likeness
AHEAD = 7  # words that a general question reaches
AROUND = 6  # words on both sides that another time reaches
LISTABLE = 2  # words of something that can stand in a list of what is denied
DENIED_AHEAD = 4  # words between "didnt" and what was not done
TURNS = frozenset("but however though although yet except".split())  # noqa: SIM905 - a list of words reads best so
SUBJECTS = frozenset("he hes she shes they theyve theyre perp sus suspect who".split())  # noqa: SIM905
LISTED = frozenset("no nor neither none without nothing nowt denies denied deny denying".split())  # noqa: SIM905
AFTER = frozenset("none nil neg negative denied".split())  # noqa: SIM905

_TOKENS = re.compile(r"[a-z]+\d+|\d+|[a-z]+|[.!?;\n]+|,")


class BadRule(ValueError):
    """The table of red flags is wrong: flag, phrase and reason."""


@dataclass(frozen=True)
class FlagRules:
    """All that the table says of one flag."""

    title: str
    block: str
    question: str
    sources: tuple[str, ...]
    phrases: PhraseIndex
    weak: frozenset[str]  # phrases that `unless` cancels
    unless: PhraseIndex
    beside: Mapping[str, PhraseIndex]  # what raises it when another flag stands
    figures: PhraseIndex  # this flag's own figures of speech: what they cover is not seen


@dataclass(frozen=True)
class Match:
    """Words that a rule saw."""

    start: int  # token
    end: int
    words: str
    phrase: str
    cancelled: str = ""  # why it does not raise


@dataclass(frozen=True)
class RuleTable:
    """The whole table, compiled."""

    flags: Mapping[str, FlagRules]
    spelling: Mapping[str, str]
    keys: tuple[str, ...] = field(repr=False)
    denials: frozenset[str]
    filler: frozenset[str]
    general: PhraseIndex
    ahead: PhraseIndex
    around: PhraseIndex
    figures: PhraseIndex

    def tokens(self, text: str) -> list[str]:
        """The words of a message, mended; the end of a sentence is "." and a comma is ","."""
        plain = re.sub("['’`]", "", text.lower())
        mended = (STOP if token[0] in ".!?;\n" else self._mend(token) for token in _TOKENS.findall(plain))
        return [word for token in mended for word in token.split()]  # "infront" is two words

    def find(self, text: str) -> dict[str, list[Match]]:
        """What the rules see of each flag, with what cancels it. About a millisecond for a message."""
        line = self._without_figures(_Line(self.tokens(text)))
        seen = {slug: list(_matches(flag, flag.phrases, line)) for slug, flag in self.flags.items()}
        short = [one for found in seen.values() for one in found if one.end - one.start <= LISTABLE]
        covered = {at for one in short for at in range(one.start, one.end)}
        zones = self._zones(line)
        found: dict[str, list[Match]] = {}
        for slug, matches in seen.items():
            excused = bool(matches) and self._excused(slug, line)
            for one in matches:
                why = self._cancelled(line.tokens, one, covered, zones)
                if not why and excused and one.phrase in self.flags[slug].weak:
                    why = "the message itself says otherwise"
                found.setdefault(slug, []).append(replace(one, cancelled=why))
        self._add_beside(found, line)
        return found

    def _without_figures(self, line: _Line) -> _Line:
        tokens = list(line.tokens)
        for first, last in line.places(self.figures):
            tokens[first:last] = [BLANK] * (last - first)
        return _Line(tokens)

    def _excused(self, slug: str, line: _Line) -> bool:
        places = line.places(self.flags[slug].unless)
        return any(not self._denied(line.tokens, Match(first, last, "", ""), set()) for first, last in places)

    def _add_beside(self, found: dict[str, list[Match]], line: _Line) -> None:
        """What another flag that stands makes of a mere mention: a child, where the danger is now."""
        for slug, flag in self.flags.items():
            for other, phrases in flag.beside.items():
                stands = any(not one.cancelled for one in found.get(other, []))
                if stands and not self._excused(slug, line):
                    found.setdefault(slug, []).extend(_matches(flag, phrases, line))

    def _cancelled(self, tokens: Sequence[str], match: Match, covered: set[int], zones: set[int]) -> str:
        if match.start in zones:
            return "asked in general, or of other people or times"
        if self._denied(tokens, match, covered):
            return "denied"
        return ""

    def _denied(self, tokens: Sequence[str], match: Match, covered: set[int]) -> bool:
        after = tokens[match.end : match.end + 2]
        if after and (after[0] in AFTER or (after[0] == "no" and (len(after) == 1 or after[1] in (STOP, PAUSE)))):
            return True
        steps = 0
        for at in range(match.start - 1, max(-1, match.start - 14), -1):
            word = tokens[at]
            if word in (STOP, *TURNS):
                return False
            if word in self.denials:
                following = tokens[at + 1] if at + 1 < len(tokens) else ""
                if following in ("only", "just", "sure", "happy"):
                    return False
                return (word in LISTED and steps == 0) or (word not in LISTED and steps <= DENIED_AHEAD)
            if word in self.filler or word == PAUSE or at in covered:
                continue
            if word in SUBJECTS:
                return False
            steps += 1
        return False

    def _zones(self, line: _Line) -> set[int]:
        """The words that are asked in general, supposed, or of other people and times."""
        size = len(line.tokens)
        if line.places(self.general):
            return set(range(size))
        zones: set[int] = set()
        for first, last in line.places(self.ahead):
            ends = (at for at in range(last, size) if line.tokens[at] in SUBJECTS | TURNS | {STOP})
            zones |= set(range(first, min(next(ends, size), last + AHEAD)))
        for first, last in line.places(self.around):
            zones |= set(range(max(0, first - AROUND), min(size, last + AROUND)))
        return zones

    def _mend(self, token: str) -> str:
        if token in self.spelling:
            return self.spelling[token]
        if len(token) >= SHORTEST_MENDED and token.isalpha():
            return _nearest(token, self.keys)
        return token


@lru_cache(maxsize=1)
def load(file: Path = TABLE) -> RuleTable:
    """The table, compiled. Raises `BadRule` with the flag and phrase that is wrong."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadRule(f"{file.name}: {error}") from None
    lists = {name: words.split() for name, words in table.pop("lists").items()}
    spelling, cancels, figures = table.pop("spelling"), table.pop("cancels"), table.pop("figures")
    flags = {slug: _flag(slug, facts, lists) for slug, facts in table.items()}
    return RuleTable(
        flags=flags,
        spelling=spelling,
        keys=tuple(sorted({word for word in spelling.values() if len(word) >= SHORTEST_MENDED})),
        denials=frozenset(cancels["denials"].split()),
        filler=frozenset(cancels["filler"].split()),
        general=_index("cancels", cancels["general"], lists),
        ahead=_index("cancels", cancels["ahead"], lists),
        around=_index("cancels", cancels["around"], lists),
        figures=_index("figures", figures["phrases"], lists),
    )


def _flag(slug: str, facts: Mapping[str, Any], lists: Mapping[str, list[str]]) -> FlagRules:
    missing = {"title", "block", "question", "sources", "phrases"} - facts.keys()
    if missing or not facts["phrases"]:
        raise BadRule(f"{slug}: {', '.join(sorted(missing)) or 'phrases'} is missing")
    unless, weak = facts.get("unless", []), facts.get("weak")
    return FlagRules(
        title=facts["title"],
        block=facts["block"],
        question=facts["question"],
        sources=tuple(facts["sources"]),
        phrases=_index(slug, [*facts["phrases"], *(weak or [])], lists),
        weak=frozenset(facts["phrases"] if weak is None else weak),  # without a list of its own, all of them
        unless=_index(slug, unless, lists),
        beside={other: _index(slug, phrases, lists) for other, phrases in facts.get("beside", {}).items()},
        figures=_index(slug, facts.get("not", []), lists),
    )


def _index(flag: str, phrases: Sequence[str], lists: Mapping[str, list[str]]) -> PhraseIndex:
    try:
        return PhraseIndex([compile_phrase(phrase, lists) for phrase in phrases])
    except BadPhrase as error:
        raise BadRule(f"{flag}: {error}") from None


class _Line:
    """The words of a message, each followed by a blank, and where each begins."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tuple(tokens)
        self.text = "".join(f"{token} " for token in tokens)
        self.starts = [0, *accumulate(len(token) + 1 for token in tokens)]
        self._number = {start: at for at, start in enumerate(self.starts)}

    def find(self, phrases: PhraseIndex) -> Iterator[tuple[str, int, int]]:
        """Every phrase with its first word and the one after its last."""
        for phrase, start, end in phrases.find(self.tokens, self.text, self.starts):
            yield phrase.text, self._number[start], self._number[end]

    def places(self, phrases: PhraseIndex) -> list[tuple[int, int]]:
        """Where phrases stand, whichever they are."""
        return [(first, last) for _, first, last in self.find(phrases)]


def _matches(flag: FlagRules, phrases: PhraseIndex, line: _Line) -> Iterator[Match]:
    taken = line.places(flag.figures)
    for phrase, first, last in line.find(phrases):
        if not any(start < last and first < end for start, end in taken):
            yield Match(first, last, " ".join(line.tokens[first:last]), phrase)


@lru_cache(maxsize=65536)
def _nearest(token: str, keys: tuple[str, ...]) -> str:
    """The key word that a long word is one slip away from, or the word itself."""
    for key in keys:
        if token[0] == key[0] and OSA.distance(token, key, score_cutoff=1) <= 1:
            return key
    return token
