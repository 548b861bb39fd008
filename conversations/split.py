"""Cutting long words into parts that a chat takes. Pure.

Rules kept here:
- Length is counted in UTF-16 code units, as Telegram does; no grapheme cluster is ever cut.
- A cut falls behind a line end or a blank where there is one in the last fifth of a part.
"""

from __future__ import annotations

import regex

PART = 3_900  # UTF-16 units; leaves room for the part mark and the header under Telegram's 4,096
_CLUSTER = regex.compile(r"\X")


def units(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text) + sum(1 for character in text if ord(character) > 0xFFFF)


def parts(text: str, limit: int = PART) -> list[str]:
    """The text in parts of at most `limit` units; together they are the text."""
    if units(text) <= limit:
        return [text]
    found: list[str] = []
    current: list[str] = []
    size = 0
    for cluster in _clusters(text, limit):
        wide = units(cluster)
        if size + wide > limit:
            keep = _cut(current)
            found.append("".join(current[:keep]))
            current = current[keep:]
            size = units("".join(current))
        current.append(cluster)
        size += wide
    return [*found, "".join(current)]


def _clusters(text: str, limit: int) -> list[str]:
    # A single cluster can be longer than a message (a thousand combining marks): only then is it cut.
    pieces: list[str] = []
    for cluster in _CLUSTER.findall(text):
        if units(cluster) <= limit:
            pieces.append(cluster)
        else:
            pieces.extend(cluster[at : at + limit // 2] for at in range(0, len(cluster), limit // 2))
    return pieces


def _cut(clusters: list[str]) -> int:
    for at in range(len(clusters), len(clusters) * 4 // 5, -1):
        if clusters[at - 1].isspace():
            return at
    return len(clusters)
