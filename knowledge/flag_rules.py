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
from pathlib import Path
from typing import Any

from rapidfuzz.distance import OSA

TABLE = Path(__file__).parent / "flags.toml"
STOP, PAUSE = ".", ","
SHORTEST_MENDED = 7  # letters: shorter words are too near to others to be mended by likeness
AHEAD = 7  # words that a general question reaches
AROUND = 6  # words on both sides that another time reaches
DENIED_AHEAD = 4  # words between "didnt" and what was not done
TURNS = frozenset("but however though although yet except".split())  # noqa: SIM905 - a list of words reads best so
SUBJECTS = frozenset("he hes she shes they theyve theyre perp sus suspect who".split())  # noqa: SIM905
LISTED = frozenset("no nor neither none without nothing nowt denies denied deny denying".split())  # noqa: SIM905
AFTER = frozenset("none nil neg negative denied".split())  # noqa: SIM905

_TOKENS = re.compile(r"[a-z]+\d+|\d+|[a-z]+|[.!?;\n]+|,")
_PARTS = re.compile(r"\(|\)\??|\[|\]|\||<\d>|@\w+|[^\s()\[\]|]+")


class BadRule(ValueError):
    """The table of red flags is wrong: flag, phrase and reason."""


@dataclass(frozen=True)
class Rule:
    """One phrase of the table."""

    phrase: str
    pattern: re.Pattern[str]
    weak: bool = False  # cancelled by the flag's `unless`


@dataclass(frozen=True)
class FlagRules:
    """All that the table says of one flag."""

    title: str
    block: str
    question: str
    sources: tuple[str, ...]
    rules: tuple[Rule, ...]
    unless: tuple[re.Pattern[str], ...]
    beside: Mapping[str, tuple[Rule, ...]]  # what raises it when another flag stands
    figures: tuple[re.Pattern[str], ...]  # this flag's own figures of speech: what they cover is not seen


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
    general: tuple[re.Pattern[str], ...]
    ahead: tuple[re.Pattern[str], ...]
    around: tuple[re.Pattern[str], ...]
    figures: tuple[re.Pattern[str], ...]

    def tokens(self, text: str) -> list[str]:
        """The words of a message, mended; the end of a sentence is "." and a comma is ","."""
        plain = re.sub("['’`]", "", text.lower())
        return [STOP if token[0] in ".!?;\n" else self._mend(token) for token in _TOKENS.findall(plain)]

    def find(self, text: str) -> dict[str, list[Match]]:
        """What the rules see of each flag, with what cancels it. Under a millisecond for a message."""
        tokens = self.tokens(text)
        line = _joined(tokens)
        for figure in self.figures:
            line = figure.sub(lambda seen: "_ " * seen.group().count(" "), line)
        starts = _starts(line)
        seen = {slug: list(_matches(flag, flag.rules, line, starts)) for slug, flag in self.flags.items()}
        covered = {at for found in seen.values() for one in found for at in range(one.start, one.end)}
        zones = self._zones(line, starts, tokens)
        found: dict[str, list[Match]] = {}
        for slug, matches in seen.items():
            excused = self._excused(slug, tokens, line, starts)
            weak = {rule.phrase for rule in self.flags[slug].rules if rule.weak}
            for one in matches:
                why = self._cancelled(tokens, one, covered, zones)
                if not why and excused and one.phrase in weak:
                    why = "the message itself says otherwise"
                found.setdefault(slug, []).append(replace(one, cancelled=why))
        self._add_beside(found, tokens, line, starts)
        return found

    def _excused(self, slug: str, tokens: Sequence[str], line: str, starts: Sequence[int]) -> bool:
        for pattern in self.flags[slug].unless:
            for seen in pattern.finditer(line):
                excuse = Match(_at(starts, seen.start()), _at(starts, seen.end()), seen.group(), "")
                if not self._denied(tokens, excuse, set()):
                    return True
        return False

    def _add_beside(
        self, found: dict[str, list[Match]], tokens: Sequence[str], line: str, starts: Sequence[int]
    ) -> None:
        """What another flag that stands makes of a mere mention: a child, where the danger is now."""
        for slug, flag in self.flags.items():
            for other, rules in flag.beside.items():
                stands = any(not one.cancelled for one in found.get(other, []))
                if stands and not self._excused(slug, tokens, line, starts):
                    found.setdefault(slug, []).extend(_matches(flag, rules, line, starts))

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

    def _zones(self, line: str, starts: Sequence[int], tokens: Sequence[str]) -> set[int]:
        """The words that are asked in general, supposed, or of other people and times."""
        if any(pattern.search(line) for pattern in self.general):
            return set(range(len(tokens)))
        zones: set[int] = set()
        for pattern in self.ahead:
            for seen in pattern.finditer(line):
                first, last = _at(starts, seen.start()), _at(starts, seen.end())
                ends = (at for at in range(last, len(tokens)) if tokens[at] in SUBJECTS | TURNS | {STOP})
                zones |= set(range(first, min(next(ends, len(tokens)), last + AHEAD)))
        for pattern in self.around:
            for seen in pattern.finditer(line):
                first, last = _at(starts, seen.start()), _at(starts, seen.end())
                zones |= set(range(max(0, first - AROUND), min(len(tokens), last + AROUND)))
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
        general=tuple(_compile("cancels", phrase, lists) for phrase in cancels["general"]),
        ahead=tuple(_compile("cancels", phrase, lists) for phrase in cancels["ahead"]),
        around=tuple(_compile("cancels", phrase, lists) for phrase in cancels["around"]),
        figures=tuple(_compile("figures", phrase, lists) for phrase in figures["phrases"]),
    )


def _flag(slug: str, facts: Mapping[str, Any], lists: Mapping[str, list[str]]) -> FlagRules:
    missing = {"title", "block", "question", "sources", "phrases"} - facts.keys()
    if missing or not facts["phrases"]:
        raise BadRule(f"{slug}: {', '.join(sorted(missing)) or 'phrases'} is missing")
    unless = tuple(_compile(slug, phrase, lists) for phrase in facts.get("unless", ()))
    everything_weak = bool(unless) and "weak" not in facts
    strong = [Rule(phrase, _compile(slug, phrase, lists), everything_weak) for phrase in facts["phrases"]]
    weak = [Rule(phrase, _compile(slug, phrase, lists), weak=True) for phrase in facts.get("weak", ())]
    return FlagRules(
        title=facts["title"],
        block=facts["block"],
        question=facts["question"],
        sources=tuple(facts["sources"]),
        rules=(*strong, *weak),
        unless=unless,
        beside={
            other: tuple(Rule(phrase, _compile(slug, phrase, lists)) for phrase in phrases)
            for other, phrases in facts.get("beside", {}).items()
        },
        figures=tuple(_compile(slug, phrase, lists) for phrase in facts.get("not", ())),
    )


def _compile(flag: str, phrase: str, lists: Mapping[str, list[str]]) -> re.Pattern[str]:
    """A phrase as a pattern over words that each end with a blank."""
    built = []
    for part in _PARTS.findall(phrase):
        if part in ("(", "["):
            built.append("(?:")
        elif part in (")", ")?"):
            built.append(part)
        elif part == "]":
            built.append(")?")
        elif part == "|":
            built.append("|")
        elif part[0] == "<":
            built.append(rf"(?:[^ .,]+ ){{0,{part[1:-1]}}}")
        elif part[0] == "@":
            if part[1:] not in lists:
                raise BadRule(f"{flag}: no list is called {part}, in: {phrase}")
            built.append(f"(?:(?:{'|'.join(map(re.escape, lists[part[1:]]))}) )")
        else:
            built.append(re.escape(part.removesuffix("*")) + (r"[^ ]* " if part.endswith("*") else " "))
    try:
        return re.compile(r"(?:(?<= )|^)" + "".join(built))
    except re.error as error:
        raise BadRule(f"{flag}: {error}, in: {phrase}") from None


def _joined(tokens: Sequence[str]) -> str:
    return "".join(f"{token} " for token in tokens)


def _starts(line: str) -> list[int]:
    return [0, *(found.end() for found in re.finditer(" ", line))]


def _at(starts: Sequence[int], place: int) -> int:
    low, high = 0, len(starts)
    while low < high:
        middle = (low + high) // 2
        if starts[middle] < place:
            low = middle + 1
        else:
            high = middle
    return low


def _matches(flag: FlagRules, rules: Sequence[Rule], line: str, starts: Sequence[int]) -> Iterator[Match]:
    taken = [seen.span() for figure in flag.figures for seen in figure.finditer(line)]
    for rule in rules:
        for seen in rule.pattern.finditer(line):
            if not any(first < seen.end() and seen.start() < last for first, last in taken):
                yield Match(_at(starts, seen.start()), _at(starts, seen.end()), seen.group().strip(), rule.phrase)


@lru_cache(maxsize=65536)
def _nearest(token: str, keys: tuple[str, ...]) -> str:
    """The key word that a long word is one slip away from, or the word itself."""
    for key in keys:
        if token[0] == key[0] and OSA.distance(token, key, score_cutoff=1) <= 1:
            return key
    return token
