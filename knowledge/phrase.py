"""The small language in which curators write phrases, and its translation into patterns. Pure.

    word  word*  (a|b c)  [a|b]  @list  <3>

Rule kept here: a pattern runs over words that each end with a blank, and knows which words it can begin with, so that
a message is only tried against phrases that its own words can start.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_PARTS = re.compile(r"\(|\)\??|\[|\]|\||<\d>|@\w+|[^\s()\[\]|]+")


class BadPhrase(ValueError):
    """A phrase cannot be read: the phrase and the reason."""


@dataclass(frozen=True)
class Phrase:
    """One phrase, compiled."""

    text: str
    pattern: re.Pattern[str]
    begins: frozenset[str]  # whole words it can begin with, and "stem*"


@dataclass(frozen=True)
class _Piece:
    pattern: str
    begins: frozenset[str]
    may_be_empty: bool = False


def compile_phrase(text: str, lists: Mapping[str, Sequence[str]]) -> Phrase:
    """A phrase as a pattern. Raises `BadPhrase`."""
    parts = _PARTS.findall(text)
    if not parts or parts[0][0] == "<":
        raise BadPhrase(f"a phrase begins with a word, not with a gap, in: {text}")
    reader = _Reader(text, parts, lists)
    piece = reader.choice()
    if reader.at != len(parts):
        raise BadPhrase(f"a bracket too many, in: {text}")
    if piece.may_be_empty or not piece.begins:
        raise BadPhrase(f"a phrase begins with a word, not with what may be absent, in: {text}")
    return Phrase(text, re.compile(piece.pattern), piece.begins)


class _Reader:
    def __init__(self, text: str, parts: Sequence[str], lists: Mapping[str, Sequence[str]]) -> None:
        self._text, self._parts, self._lists = text, parts, lists
        self.at = 0

    def choice(self) -> _Piece:
        """Alternatives, up to a closing bracket or the end."""
        found = [self._row()]
        while self.at < len(self._parts) and self._parts[self.at] == "|":
            self.at += 1
            found.append(self._row())
        begins = frozenset().union(*(one.begins for one in found))
        pattern = f"(?:{'|'.join(one.pattern for one in found)})"
        return _Piece(pattern, begins, any(one.may_be_empty for one in found))

    def _row(self) -> _Piece:
        pattern, begins, empty = "", frozenset[str](), True
        for piece in self._pieces():
            pattern += piece.pattern
            if empty:
                begins |= piece.begins
            empty = empty and piece.may_be_empty
        return _Piece(pattern, begins, empty)

    def _pieces(self) -> Iterator[_Piece]:
        while self.at < len(self._parts) and self._parts[self.at] not in ("|", ")", ")?", "]"):
            part = self._parts[self.at]
            self.at += 1
            yield self._bracket(part) if part in ("(", "[") else self._atom(part)

    def _bracket(self, opened: str) -> _Piece:
        piece = self.choice()
        closing = self._parts[self.at] if self.at < len(self._parts) else ""
        if closing not in ((")", ")?") if opened == "(" else ("]",)):
            raise BadPhrase(f"a bracket is not closed, in: {self._text}")
        self.at += 1
        if closing == ")":
            return piece
        return _Piece(piece.pattern + "?", piece.begins, may_be_empty=True)

    def _atom(self, part: str) -> _Piece:
        if part[0] == "<":
            return _Piece(rf"(?:[^ .,]+ ){{0,{part[1:-1]}}}", frozenset(), may_be_empty=True)
        if part[0] == "@":
            words = self._lists.get(part[1:])
            if words is None:
                raise BadPhrase(f"no list is called {part}, in: {self._text}")
            return _Piece(f"(?:{'|'.join(_word(word) for word in words)})", frozenset(words))
        return _Piece(_word(part), frozenset({part}))


def _word(word: str) -> str:
    stem = word.removesuffix("*")
    return re.escape(stem) + (r"[^ .,]* " if word.endswith("*") else " ")


class PhraseIndex:
    """Many phrases, found by the words they can begin with."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._by_word: dict[str, list[Phrase]] = {}
        self._by_stem: list[tuple[str, Phrase]] = []
        for phrase in phrases:
            for word in phrase.begins:
                if word.endswith("*"):
                    self._by_stem.append((word[:-1], phrase))
                else:
                    self._by_word.setdefault(word, []).append(phrase)
        self._known: dict[str, tuple[Phrase, ...]] = {}

    def find(self, tokens: Sequence[str], line: str, starts: Sequence[int]) -> Iterator[tuple[Phrase, int, int]]:
        """Every phrase with where it stands in the line: first character and last."""
        known = self._known
        for token, start in zip(tokens, starts, strict=False):
            for phrase in known[token] if token in known else self._beginning_with(token):
                seen = phrase.pattern.match(line, start)
                if seen is not None:
                    yield phrase, start, seen.end()

    def _beginning_with(self, token: str) -> tuple[Phrase, ...]:
        if len(self._known) > 50_000:
            self._known.clear()
        by_stem = [phrase for stem, phrase in self._by_stem if token.startswith(stem)]
        self._known[token] = tuple(dict.fromkeys([*self._by_word.get(token, ()), *by_stem]))
        return self._known[token]
