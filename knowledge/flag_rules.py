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
from functools import lru_cache, partial
from itertools import accumulate
from pathlib import Path
from typing import Any

from rapidfuzz.distance import OSA

from knowledge.phrase import BadPhrase, Phrase, PhraseIndex, compile_phrase

TABLE = Path(__file__).parent / "flags.toml"
DENIED = "denied"
CANCELLING = ("general", "ahead", "around", "ours", "talk")
STOP, ASKED, PAUSE, BLANK = ".", ".?", ",", "_"  # a question ends like a sentence, and can be answered by "no"
SHORTEST_MENDED = 7  # letters: shorter words are too near to others to be mended by likeness
AHEAD = 7  # words that a general question reaches
AROUND = 8  # words on both sides that another time reaches
LISTABLE = 2  # words of something that can stand in a list of what is denied
REPORTED = 3  # words between "said" and "if"
ANSWERED = 5  # words between what is asked and its question mark
DENIED_AHEAD = 4  # words between "didnt" and what was not done
TURNS = frozenset("but however though although yet except".split())  # noqa: SIM905 - a list of words reads best so
SUPPOSED = frozenset("if unless when whether incase".split())  # noqa: SIM905
ANSWERS = frozenset("no nah nope naw never none not negative neg nothing".split())  # noqa: SIM905
INSIDE = frozenset("no none never not wasnt werent isnt arent didnt hasnt havent nowhere".split())  # noqa: SIM905
SUBJECTS = frozenset(
    "he hes hell hed she shes shell shed they theyve theyre theyll perp sus suspect who ill im ive youll".split()  # noqa: SIM905
)
SPEECH = frozenset("say says said saying mention mentions mentioned think thinks thought".split())  # noqa: SIM905
REPORTS = SPEECH | frozenset("goes told telling text texted texting messaged threatened".split())  # noqa: SIM905
LISTED = frozenset("no nobody noone nor neither none without nothing nowt denies denied deny denying".split())  # noqa: SIM905
AFTER = frozenset("none nil neg negative denied".split())  # noqa: SIM905

_TOKENS = re.compile(r"[a-z]+\d+|\d+|[a-z]+|[.!?;\n]+|,")


class BadRule(ValueError):
    """The table of red flags is wrong: flag, phrase and reason."""


Phrases = frozenset[str]
"""Phrases by their texts."""


@dataclass(frozen=True)
class FlagRules:
    """All that the table says of one flag."""

    title: str
    block: str
    question: str
    sources: tuple[str, ...]
    phrases: Phrases
    mentions: Phrases  # phrases that only name the matter: talk of forms and training cancels them
    weak: Phrases  # phrases that `unless` cancels
    unless: Phrases
    both: tuple[tuple[str, str], ...]  # pairs of phrases that raise together, wherever in the message
    halves: Phrases  # of these pairs
    beside: Mapping[str, Phrases]  # what raises it when another flag stands
    figures: Phrases  # this flag's own figures of speech: what they cover is not seen


@dataclass(frozen=True)
class Match:
    """Words that a rule saw."""

    start: int  # token
    end: int
    words: str
    phrase: str
    beside: Match | None = None  # the other of a pair
    cancelled: str = ""  # why it does not raise


@dataclass(frozen=True)
class RuleTable:
    """The whole table, compiled."""

    flags: Mapping[str, FlagRules]
    lists: Mapping[str, frozenset[str]] = field(repr=False)  # words of one kind, by name
    spelling: Mapping[str, str]
    keys: tuple[str, ...] = field(repr=False)
    denials: frozenset[str]
    filler: frozenset[str]
    general: Phrases
    ahead: Phrases
    around: Phrases
    ours: Phrases
    talk: Phrases
    figures: PhraseIndex = field(repr=False)
    index: PhraseIndex = field(repr=False)  # of every phrase but the figures: one walk along a message finds all

    def tokens(self, text: str) -> list[str]:
        """The words of a message, mended; the end of a sentence is "." or ".?" and a comma is ","."""
        plain = re.sub("['’`]", "", text.lower())
        mended = (_end(token) if token[0] in ".!?;\n" else self._mend(token) for token in _TOKENS.findall(plain))
        words = [word for token in mended for word in token.split()]  # "infront" is two words
        return words if not words or words[-1] in (STOP, ASKED) else [*words, STOP]

    def kinds(self, text: str, names: Sequence[str]) -> list[str]:
        """Which of these lists a message has a word of."""
        tokens = frozenset(self.tokens(text))
        return [f"@{name}" for name in names if not tokens.isdisjoint(self.lists[name])]

    def find(self, text: str) -> dict[str, list[Match]]:
        """What the rules see of each flag, with what cancels it. About a millisecond for a message."""
        line = _Line(self._without_figures(_Line(self.tokens(text), self.figures)), self.index)
        seen = {
            slug: [*_matches(flag, flag.phrases, line), *_together(flag, line)] for slug, flag in self.flags.items()
        }
        short = [one for found in seen.values() for one in found if one.end - one.start <= LISTABLE]
        covered = {at for one in short for at in range(one.start, one.end)}
        zones, talk = self._zones(line), bool(line.places(self.talk))
        found: dict[str, list[Match]] = {}
        for slug, matches in seen.items():
            excused = bool(matches) and self._excused(slug, line)
            for one in matches:
                why = self._cancelled(line.tokens, one, covered, zones)
                if not why and excused and one.phrase in self.flags[slug].weak:
                    why = "the message itself says otherwise"
                if not why and talk and one.phrase in self.flags[slug].mentions:
                    why = "only spoken of"
                found.setdefault(slug, []).append(replace(one, cancelled=why))
        self._add_beside(found, line)
        return found

    def _without_figures(self, line: _Line) -> list[str]:
        tokens = list(line.tokens)
        for _, first, last in line.found:
            tokens[first:last] = [BLANK] * (last - first)
        return tokens

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
        if match.start in zones and tokens[match.start] not in SUPPOSED:  # a threat can itself begin with "if"
            return "asked in general, or of other people or times"
        if self._denied(tokens, match, covered):
            return DENIED
        return self._cancelled(tokens, match.beside, covered, zones) if match.beside else ""

    def _denied(self, tokens: Sequence[str], match: Match, covered: set[int]) -> bool:
        if _denied_after(tokens, match.end) or _denied_inside(tokens, match):
            return True
        steps = 0
        for at in range(match.start - 1, max(-1, match.start - 14), -1):
            word = tokens[at]
            if word in (STOP, ASKED, *TURNS):
                return False
            if word in self.denials:
                following = tokens[at + 1] if at + 1 < len(tokens) else ""
                if following in ("only", "just", "sure", "happy", "for"):
                    return False
                return (word in LISTED and steps == 0) or (word not in LISTED and steps <= DENIED_AHEAD)
            if word in self.filler or word == PAUSE or at in covered:
                continue
            if word in SUBJECTS and (at == 0 or tokens[at - 1] not in SPEECH):  # "hasnt said hed" is one denial
                return False
            steps += 1
        return False

    def _zones(self, line: _Line) -> set[int]:
        """The words that are asked in general, supposed, or of other people and times."""
        size = len(line.tokens)
        if line.places(self.general):
            return set(range(size))
        zones: set[int] = set()
        ours = {at for first, last in line.places(self.ours) for at in line.clause(first)}
        for first, last in line.places(self.ahead):
            if line.tokens[first] in SUPPOSED and REPORTS & set(line.tokens[max(0, first - REPORTED) : first]):
                continue  # "he said if she goes …": a threat, not a supposition of ours
            ends = (at for at in range(last, size) if line.tokens[at] in SUBJECTS | TURNS | {STOP, ASKED})
            zones |= set(range(first, min(next(ends, size), last + AHEAD)))
        for first, last in line.places(self.around):
            zones |= set(range(max(0, first - AROUND), min(size, last + AROUND))) & set(line.clause(first))
        return zones - ours

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
    read = _Compiler(lists)
    spelling, cancels, figures = table.pop("spelling"), table.pop("cancels"), table.pop("figures")
    flags = {slug: _flag(slug, facts, read) for slug, facts in table.items()}
    spoken = {name: read.phrases("cancels", cancels[name]) for name in CANCELLING}
    every = Phrases().union(*map(_all_of, flags.values()), *spoken.values())
    return RuleTable(
        flags=flags,
        lists={name: frozenset(words) for name, words in lists.items()},
        spelling=spelling,
        keys=tuple(sorted({word for word in spelling.values() if len(word) >= SHORTEST_MENDED})),
        denials=frozenset(cancels["denials"].split()),
        filler=frozenset(cancels["filler"].split()),
        **spoken,
        figures=read.index(read.phrases("figures", figures["phrases"])),
        index=read.index(every),
    )


def _flag(slug: str, facts: Mapping[str, Any], read: _Compiler) -> FlagRules:
    missing = {"title", "block", "question", "sources", "phrases"} - facts.keys()
    if missing or not facts["phrases"]:
        raise BadRule(f"{slug}: {', '.join(sorted(missing)) or 'phrases'} is missing")
    unless, weak, mentions = facts.get("unless", []), facts.get("weak"), facts.get("mentions", [])
    pairs = tuple((one, two) for one, two in facts.get("both", []))
    own = partial(read.phrases, slug)
    return FlagRules(
        title=facts["title"],
        block=facts["block"],
        question=facts["question"],
        sources=tuple(facts["sources"]),
        phrases=own([*facts["phrases"], *mentions, *(weak or [])]),
        mentions=frozenset(mentions),
        weak=frozenset(facts["phrases"] if weak is None else weak),  # without a list of its own, all of them
        unless=own(unless),
        both=pairs,
        halves=own([half for pair in pairs for half in pair]),
        beside={other: own(phrases) for other, phrases in facts.get("beside", {}).items()},
        figures=own(facts.get("not", [])),
    )


class _Compiler:
    """Reads phrases, each once, however many flags have it."""

    def __init__(self, lists: Mapping[str, list[str]]) -> None:
        self._lists = lists
        self._read: dict[str, Phrase] = {}

    def phrases(self, flag: str, phrases: Sequence[str]) -> Phrases:
        """Phrases that can all be read. Raises `BadRule`."""
        try:
            self._read |= {
                phrase: compile_phrase(phrase, self._lists) for phrase in phrases if phrase not in self._read
            }
        except BadPhrase as error:
            raise BadRule(f"{flag}: {error}") from None
        return frozenset(phrases)

    def index(self, phrases: Phrases) -> PhraseIndex:
        """What finds all of these."""
        return PhraseIndex([self._read[phrase] for phrase in sorted(phrases)])


def _all_of(flag: FlagRules) -> Phrases:
    return flag.phrases.union(flag.unless, flag.halves, flag.figures, *flag.beside.values())


class _Line:
    """The words of a message, each followed by a blank, and where each begins."""

    def __init__(self, tokens: Sequence[str], index: PhraseIndex) -> None:
        self.tokens = tuple(tokens)
        text = "".join(f"{token} " for token in tokens)
        starts = [0, *accumulate(len(token) + 1 for token in tokens)]
        number = {start: at for at, start in enumerate(starts)}
        self.found = [(seen.text, number[start], number[end]) for seen, start, end in index.find(tokens, text, starts)]

    def find(self, phrases: Phrases) -> Iterator[tuple[str, int, int]]:
        """Every one of these phrases that stands here, with its first word and the one after its last."""
        return ((phrase, first, last) for phrase, first, last in self.found if phrase in phrases)

    def clause(self, at: int) -> range:
        """The words of the sentence, or the part of it up to a turn such as "but", in which a word stands."""
        ends = [where for where, token in enumerate(self.tokens) if token in (STOP, ASKED) or token in TURNS]
        first = max((where + 1 for where in ends if where < at), default=0)
        return range(first, min((where for where in ends if where >= at), default=len(self.tokens)))

    def places(self, phrases: Phrases) -> list[tuple[int, int]]:
        """Where phrases stand, whichever they are."""
        return [(first, last) for _, first, last in self.find(phrases)]


def _matches(flag: FlagRules, phrases: Phrases, line: _Line) -> Iterator[Match]:
    taken = line.places(flag.figures)
    for phrase, first, last in line.find(phrases):
        if not any(start < last and first < end for start, end in taken):
            yield Match(first, last, " ".join(line.tokens[first:last]), phrase)


def _together(flag: FlagRules, line: _Line) -> Iterator[Match]:
    """Pairs of phrases that both stand, wherever in the message: the second, with the first beside it."""
    halves = list(_matches(flag, flag.halves, line)) if flag.both else []
    for one, two in flag.both:
        firsts = [half for half in halves if half.phrase == one]
        seconds = (half for half in halves if half.phrase == two for first in firsts[:1] if not _overlap(first, half))
        for second in list(seconds)[:1]:
            words, phrase = f"{firsts[0].words} … {second.words}", f"{one} & {two}"
            yield replace(second, words=words, phrase=phrase, beside=firsts[0])


def _end(token: str) -> str:
    return ASKED if "?" in token else STOP


def _denied_after(tokens: Sequence[str], end: int) -> bool:
    """ "weapons none", "suicidal no, …", "pregnant? no" """
    after = tokens[end : end + 2]
    if after and after[0] == PAUSE and after[1:2] and after[1] in ANSWERS:
        return end + 2 == len(tokens) or tokens[end + 2] in (STOP, ASKED, PAUSE)
    if after and (after[0] in AFTER or (after[0] == "no" and (len(after) == 1 or after[1] in (STOP, PAUSE)))):
        return True
    for at in range(end, min(end + ANSWERED, len(tokens) - 1)):
        if tokens[at] == ASKED:
            return tokens[at + 1] in ANSWERS
        if tokens[at] == STOP:
            break
    return False


def _denied_inside(tokens: Sequence[str], match: Match) -> bool:
    """A denial in a gap of the phrase: "hands never near her neck"."""
    return any(word in INSIDE and word not in match.phrase for word in tokens[match.start + 1 : match.end - 1])


def _overlap(one: Match, other: Match) -> bool:
    return one.start < other.end and other.start < one.end


@lru_cache(maxsize=65536)
def _nearest(token: str, keys: tuple[str, ...]) -> str:
    """The key word that a long word is one slip away from, or the word itself."""
    for key in keys:
        if token[0] == key[0] and OSA.distance(token, key, score_cutoff=1) <= 1:
            return key
    return token
