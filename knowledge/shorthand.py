"""Police shorthand and everyday short forms: expanded to be found, never in what is kept or shown.

Rules kept here:
- Only what the maintained table holds is expanded (`shorthand.tsv`): meanings apart by " / ", none: not known to us.
- A form with several meanings, or none, is asked about; a guess could be the wrong law.
"""

from __future__ import annotations

import csv
import re
from functools import lru_cache
from pathlib import Path

from knowledge.guide import Unclear

_WORD = re.compile(r"[^\W_]+(?:[&'’*][^\W_]+)*")
MOST_WORDS = 3  # in one short form


@lru_cache(maxsize=1)
def _table() -> dict[str, tuple[str, ...]]:
    with (Path(__file__).parent / "shorthand.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    return {short: tuple(one.strip() for one in meanings.split("/") if one.strip()) for short, meanings in rows}


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return [found.group().replace("’", "'") for found in _WORD.finditer(text.lower())]


def expanded(text: str) -> list[str]:
    """The words of a text, and those of the short forms in it that have exactly one meaning."""
    words, table = words_of(text), _table()
    more: list[str] = []
    for size in range(1, MOST_WORDS + 1):
        for at in range(len(words) - size + 1):
            meanings = table.get(" ".join(words[at : at + size]), ())
            if len(meanings) == 1:
                more += words_of(meanings[0])
    return words + more


def unclear(text: str) -> tuple[Unclear, ...]:
    """Short forms with more than one meaning or none, as they were written: in capitals, so that "nick him" is not."""
    table, found = _table(), {}
    for match in _WORD.finditer(text):
        short = match.group()
        meanings = table.get(short.lower())
        if meanings is not None and len(meanings) != 1 and short.isupper():
            found[short] = Unclear(short, meanings)
    return tuple(found.values())
