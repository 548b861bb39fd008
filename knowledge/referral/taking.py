"""A file of any kind that the catalogue takes, as what it proposes: JSON, CSV, an entry's own file, an archive of them.

Rule kept here: all of it or nothing. The live catalogue is only looked at; what is proposed is stored elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import PurePath

from knowledge.entry import BadEntry, Entry
from knowledge.imports import json_of, text_of, unpacked
from knowledge.reading import read_entry
from knowledge.referral.proposed import Found, Given, Note, Proposed, proposed
from knowledge.referral.reading import Reading, found_in
from knowledge.referral.table import found_in_table

ARCHIVE = ".zip"
KINDS = (".json", ".csv", ".md", ARCHIVE)


def take(data: bytes, file: str, given: Given, live: Mapping[str, Entry], today: date) -> Proposed:
    """Everything that a file proposes; `live` is what is in the catalogue now, by id. Raises `BadEntry`."""
    against = Reading(given, live, today)
    files = unpacked(data, file) if _kind(file) == ARCHIVE else {file: data}
    found: list[Found] = []
    left_out: list[Note] = []
    for name, content in sorted(files.items()):
        more, noted = _found(content, name, against)
        found += more
        left_out += noted
    made = proposed(found, live, today)
    return Proposed(made.entries, (*left_out, *made.notes))


def _kind(file: str) -> str:
    kind = PurePath(file).suffix.lower()
    if kind not in KINDS:
        raise BadEntry(file, 1, f"its name ends in none of {', '.join(KINDS)}")
    return kind


def _found(data: bytes, file: str, against: Reading) -> tuple[list[Found], list[Note]]:
    kind, text = _kind(file), text_of(data, file)
    if kind == ".json":
        return found_in(json_of(text, file), against)
    if kind == ".csv":
        return found_in_table(text, file, against), []
    return [Found(read_entry(text, file), file, 1)], []
