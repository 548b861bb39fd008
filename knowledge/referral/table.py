"""The public directory as one flat table for people: CSV out, CSV in.

Rules kept here:
- A list stands in one cell, an item a line; `number | when or for whom` is a phone.
- A cell that a spreadsheet would take for a formula goes out behind an apostrophe, and comes in without it.
- A column that is not known here is kept with the entry, and is a column again when it goes out.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import date
from enum import Enum
from typing import Any, TypeVar

from knowledge.entry import BadEntry, Confirmation, Entry, Kind, Phone, Published, Source
from knowledge.imports import Row, guarded, rows_of
from knowledge.referral.parts import Wrong, kept
from knowledge.referral.proposed import Found, Refusals
from knowledge.referral.reading import Reading, plain_text
from knowledge.referral.writing import is_refuge, place_given_away, public

COLUMNS = (
    *("slug", "name", "categories", "what_for", "who", "phone", "hours", "website", "cost", "area", "sources"),
    *("source_date", "confirmation", "caveat"),
    *("text", "hours_confirmed", "languages", "owner", "checked", "review_by", "supersedes", "version"),
)
"""The columns that are written, in order."""
NEEDED = ("slug", "name", "what_for", "sources")

Choice = TypeVar("Choice", bound=Enum)


def to_csv(published: Iterable[Published], today: date) -> str:
    """The public directory as CSV, in order of names."""
    rows = [_row(one) for one in public(published, today)]
    columns = list(dict.fromkeys([*COLUMNS, *sorted({name for row in rows for name in row} - set(COLUMNS))]))
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, columns, restval="", lineterminator="\r\n")
    writer.writerow({name: guarded(name) for name in columns})
    for row in rows:
        writer.writerow({name: guarded(cell) for name, cell in row.items()})
    return written.getvalue()


def found_in_table(text: str, file: str, against: Reading) -> list[Found]:
    """The entries of a CSV. Raises `BadEntry` for the whole of it."""
    refusals, found = Refusals(), []
    for row in rows_of(text, file, NEEDED):
        try:
            entry = _entry(row, against)
            found.append(Found(entry, file, row.line))
        except Wrong as wrong:
            refusals.add(BadEntry(file, row.line, wrong.reason))
    refusals.settle()
    return found


def _row(published: Published) -> dict[str, str]:
    entry = published.entry
    theirs = kept(entry)
    if is_refuge([entry.title, entry.body, theirs]) and place_given_away(theirs) is not None:
        theirs = {}
    return {
        **{name: _cell(one) for name, one in theirs.items()},
        "slug": entry.id,
        "name": entry.title,
        "categories": "\n".join(entry.topics),
        "what_for": entry.body,
        "who": "\n".join(entry.audience),
        "phone": "\n".join(f"{one.number} | {one.label}" if one.label else one.number for one in entry.phones),
        "hours": entry.hours,
        "website": entry.web,
        "cost": entry.cost,
        "area": "\n".join(entry.areas),
        "sources": "\n".join(one.name for one in entry.sources),
        "source_date": "\n".join(one.date for one in entry.sources),
        "confirmation": entry.confirmation.value,
        "caveat": "\n".join(entry.conflicts),
        "text": entry.text,
        "hours_confirmed": "yes" if entry.hours_confirmed else "no",
        "languages": "\n".join(entry.languages),
        "owner": entry.owner,
        "checked": entry.checked.isoformat(),
        "review_by": entry.review_by.isoformat(),
        "supersedes": "\n".join(entry.supersedes),
        "version": str(published.version),
    }


def _entry(row: Row, against: Reading) -> Entry:
    """The entry of a row. Raises `Wrong`."""
    cells = {name: plain_text(cell, ()) for name, cell in row.cells.items()}
    more = {name: cell for name, cell in cells.items() if name not in COLUMNS and cell}
    if is_refuge(cells) and place_given_away(list(cells.values())) is not None:
        raise Wrong((), "an address beside the word refuge: addresses of refuges are never written down")
    base = against.live.get(cells["slug"])
    given = against.given
    fields: dict[str, Any] = {
        "id": cells["slug"],
        "title": " ".join(cells["name"].split()),
        "kind": Kind.SERVICE,
        "topics": _lines(cells, "categories") or given.topics or (base.topics if base else ()),
        "body": cells["what_for"].replace("\r\n", "\n"),
        "areas": _lines(cells, "area") or given.areas,
        "sources": _sources(cells),
        "confirmation": _one_of(cells, "confirmation", Confirmation, Confirmation.ONE),
        "owner": cells.get("owner") or given.owner,
        "checked": _day(cells, "checked") or against.today,
        "review_by": _day(cells, "review_by") or given.review_by,
        "flags": base.flags if base else (),
        "audience": _lines(cells, "who"),
        "phones": tuple(_phone(line) for line in _lines(cells, "phone")),
        "text": cells.get("text", ""),
        "web": cells.get("website", ""),
        "hours": cells.get("hours", ""),
        "hours_confirmed": cells.get("hours_confirmed") == "yes",
        "cost": cells.get("cost", ""),
        "languages": _lines(cells, "languages"),
        "says": base.says if base else (),
        "conflicts": _lines(cells, "caveat"),
        "supersedes": _lines(cells, "supersedes"),
    }
    for name, said in (("owner", "--owner"), ("review_by", "--review-by"), ("areas", "--area"), ("topics", "--topic")):
        if not fields[name]:
            raise Wrong((), f"no {name}: fill it in, or say it with {said}")
    beyond = {name: _json(cell) for name, cell in more.items()}
    return Entry(**fields, extra=dict(base.extra if base else {}) | beyond)


def _lines(cells: dict[str, str], name: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in cells.get(name, "").splitlines() if line.strip())


def _phone(line: str) -> Phone:
    number, _, label = line.partition("|")
    return Phone(number.strip(), label.strip())


def _sources(cells: dict[str, str]) -> tuple[Source, ...]:
    names, dates = _lines(cells, "sources"), _lines(cells, "source_date")
    if len(names) < len(dates):
        raise Wrong((), "more dates of sources than sources")
    return tuple(Source(name, dates[at] if at < len(dates) else "undated") for at, name in enumerate(names))


def _day(cells: dict[str, str], name: str) -> date | None:
    said = cells.get(name, "")
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        raise Wrong((), f"{name} is a date such as 2026-11-23; not {said[:40]!r}") from None


def _one_of(cells: dict[str, str], name: str, choices: type[Choice], default: Choice) -> Choice:
    said = cells.get(name, "")
    try:
        return choices(said) if said else default
    except ValueError:
        raise Wrong((), f"{name} is one of {', '.join(one.value for one in choices)}; not {said[:40]!r}") from None


def _cell(value: Any) -> str:
    """A value as a cell: a text as it stands, unless it would read as JSON."""
    written = json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str) and _json(value) == written else written


def _json(cell: str) -> str:
    """A cell as JSON: as it stands if it is JSON already, else as a text."""
    try:
        json.loads(cell)
    except (ValueError, RecursionError):
        return json.dumps(cell, ensure_ascii=False)
    return cell
