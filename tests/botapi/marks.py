"""Text with its marks (bold, links …), cleaned as Telegram cleans it. Pure.

Ported from TDLib `misc.cpp` (clean_input_string, is_empty_string) and `MessageEntity.cpp` (fix_formatted_text):
control characters become spaces, some invisible ones vanish, both ends are trimmed, and what is left must hold
something that can be seen. Offsets and lengths of marks count UTF-16 code units.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.botapi.calls import JsonObject


class CannotParse(Exception):
    """The marks in this text cannot be read."""


@dataclass(frozen=True)
class Marked:
    """A text and its marks."""

    text: str
    entities: tuple[JsonObject, ...] = ()


# Every space that `strip_empty_characters` turns into one, and every character that is nothing alone.
_NOTHING = re.compile(
    "[ \n\u00a0\u1680\u180e\u2000-\u200f\u202e\u202f\u205f\u2800\u3000\ufeff\ufffc\U000e0000-\U000e007f]*"
)
_REMOVED = frozenset("\r\u0333\u033f\u030a") | frozenset(map(chr, range(0x2028, 0x202F)))
# Of a run of direction marks only the last one stays (replace_offending_characters).
_DIRECTIONS = re.compile("[\u200e\u200f](?=[\u200e\u200f])")


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def clean(marked: Marked) -> Marked | None:
    """Give the text as people will see it; None when there is nothing to see."""
    swept, entities = _swept(marked)
    text = swept.rstrip(" \n")
    first = min((int(entity["offset"]) for entity in entities), default=len(text))
    cut = 0
    while cut < min(first, len(text)) and text[cut] in " \n":
        cut += 1
    text = text[cut:]
    if _NOTHING.fullmatch(text):
        return None
    return Marked(text, _fitted(entities, cut, utf16_length(text)))


def _swept(marked: Marked) -> tuple[str, list[JsonObject]]:
    """Remove and replace single characters, and move the marks along."""
    kept: list[str] = []
    moved = [0]  # for each UTF-16 offset of the old text, the offset in the new one
    at = 0
    for character in _DIRECTIONS.sub("\u200c", marked.text):
        width = 2 if character > "\uffff" else 1
        if character in _REMOVED:
            moved += [at] * width
            continue
        kept.append(" " if character <= " " and character != "\n" else character)
        moved += range(at + 1, at + width + 1)
        at += width
    entities = []
    for entity in marked.entities:
        begin, end = int(entity["offset"]), int(entity["offset"]) + int(entity["length"])
        if 0 <= begin < end < len(moved):
            entities.append(entity | {"offset": moved[begin], "length": moved[end] - moved[begin]})
    return "".join(kept), entities


def _fitted(entities: list[JsonObject], cut: int, length: int) -> tuple[JsonObject, ...]:
    """Move the marks by what was trimmed in front, and end them where the text ends."""
    fitted = []
    for entity in entities:
        begin = entity["offset"] - cut
        size = min(entity["length"], length - begin)
        if size > 0:
            fitted.append(entity | {"offset": begin, "length": size})
    return tuple(sorted(fitted, key=lambda entity: (entity["offset"], -entity["length"])))
