"""How good search and red flags are on labelled messages: the measures, and the reader of a labelled file.

Columns, tab-separated: id, text, topics (the primary first), flags, not_flags; lists with commas.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.flags import Flag, Tier
from knowledge.guide import Seen
from knowledge.topics import TOPICS

COLUMNS = ("id", "text", "topics", "flags", "not_flags")
FIRST = 3


class BadLabels(ValueError):
    """A labelled file is wrong: file, line and reason."""


@dataclass(frozen=True)
class Labelled:
    """One message with what people say of it."""

    id: str
    text: str
    topics: tuple[str, ...]
    flags: frozenset[str]
    not_flags: frozenset[str]


def read_labels(file: Path) -> list[Labelled]:
    """The messages of a labelled file. Raises `BadLabels`."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadLabels(f"{file}: cannot be read as UTF-8 text ({type(error).__name__})") from None
    rows = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    if not rows or tuple(rows[0]) != COLUMNS:
        raise BadLabels(f"{file}, line 1: the columns are {', '.join(COLUMNS)}, with tabs between")
    return [_labelled(file, at, row) for at, row in enumerate(rows[1:], 2) if row]


def _labelled(file: Path, line: int, row: Sequence[str]) -> Labelled:
    cells = [*row, *[""] * (len(COLUMNS) - len(row))]
    if len(cells) != len(COLUMNS):
        raise BadLabels(f"{file}, line {line}: {len(row)} columns instead of {len(COLUMNS)}")
    topics, flags, not_flags = (tuple(one.strip() for one in cell.split(",") if one.strip()) for cell in cells[2:])
    for what, slugs, known in (
        ("topic", topics, TOPICS.keys()),
        ("red flag", (*flags, *not_flags), {flag.value for flag in Flag}),
    ):
        for slug in slugs:
            if slug not in known:
                raise BadLabels(f"{file}, line {line}: no {what} is called {slug!r}")
    return Labelled(cells[0], cells[1], topics, frozenset(flags), frozenset(not_flags))


def topic_measures(labelled: Sequence[Labelled], topics_of: Callable[[str], Sequence[str]]) -> dict[str, float]:
    """How often a right topic, and the primary one, is among the first three. `topics_of`: those found, in order."""
    asked = [one for one in labelled if one.topics]
    found = [tuple(topics_of(one.text))[:FIRST] for one in asked]
    right = sum(bool(set(got) & set(one.topics)) for one, got in zip(asked, found, strict=True))
    primary = sum(one.topics[0] in got for one, got in zip(asked, found, strict=True))
    size = len(asked)
    return {"messages": size, "right_topic": _share(right, size), "primary_topic": _share(primary, size)}


def flag_measures(labelled: Sequence[Labelled], look: Callable[[str], Seen]) -> dict[str, Any]:
    """Recall of each flag, raised and raised or asked, and how often one is raised or asked wrongly."""
    there, raised, noticed = Counter[str](), Counter[str](), Counter[str]()
    quiet = wrongly_raised = wrongly_asked = denied = denied_raised = 0
    for one in labelled:
        findings = look(one.text).findings
        up = {found.flag.value for found in findings if found.tier is Tier.RAISED}
        asked = {found.flag.value for found in findings if found.tier is Tier.ASK}
        there.update(one.flags)
        raised.update(one.flags & up)
        noticed.update(one.flags & (up | asked))
        denied += len(one.not_flags)
        denied_raised += len(one.not_flags & up)
        if not one.flags:
            quiet, wrongly_raised, wrongly_asked = quiet + 1, wrongly_raised + bool(up), wrongly_asked + bool(asked)
    by_flag = {
        flag.value: {
            "examples": there[flag.value],
            "raised": _share(raised[flag.value], there[flag.value]),
            "raised_or_asked": _share(noticed[flag.value], there[flag.value]),
        }
        for flag in Flag
        if there[flag.value]
    }
    return {
        "by_flag": by_flag,
        "raised": _share(raised.total(), there.total()),
        "raised_or_asked": _share(noticed.total(), there.total()),
        "not_flags": {"labels": denied, "wrongly_raised": _share(denied_raised, denied)},
        "without_flags": {
            "messages": quiet,
            "wrongly_raised": _share(wrongly_raised, quiet),
            "wrongly_asked": _share(wrongly_asked, quiet),
        },
    }


def topics_in_order(seen: Seen) -> list[str]:
    """The main topics of what was found, in order."""
    return [chosen.published.entry.topics[0] for chosen in seen.chosen]


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
