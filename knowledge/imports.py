"""Foreign files of services: Open Referral JSON or flat CSV, read whole or refused whole, with file, line and reason.

Rules kept here:
- UTF-8 text only, at most `BIGGEST` bytes; archives are not unpacked; the name must say what it is.
- Every entry meets the same rules as our own; two of one id are refused; nothing is fetched from anywhere.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from knowledge.entry import BadEntry, Entry, Kind, Published
from knowledge.open_referral import entry_from
from knowledge.reading import read_entry, require_distinct, write_entry
from knowledge.rules import faults

BIGGEST = 10 * 1024 * 1024  # bytes
MOST = 20_000  # services
CELL = 4_000  # characters
COLUMNS = (
    "id", "title", "topics", "areas", "phone", "text", "web", "hours", "hours_confirmed", "cost", "for", "languages",
    "body", "source", "source_date", "confirmation", "conflicts", "owner", "checked", "review_by",
)  # fmt: skip


@dataclass(frozen=True)
class Defaults:
    """What stands in where somebody else's file cannot know it."""

    owner: str = ""
    review_by: date | None = None
    topic: str | None = None


def read_file(file: Path, today: date, defaults: Defaults) -> tuple[Entry, ...]:
    """All entries of a file. Raises `BadEntry`: then nothing of it was taken."""
    if file.suffix not in (".json", ".csv"):
        raise BadEntry(file.name, 1, "only .json and .csv are read; unpack an archive first")
    try:
        size = file.stat().st_size
    except OSError as error:
        raise BadEntry(file.name, 1, f"cannot be read: {error.strerror}") from None
    if not 0 < size <= BIGGEST:
        raise BadEntry(file.name, 1, "it is empty" if not size else f"it is larger than {BIGGEST >> 20} MB")
    data = file.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadEntry(file.name, data[: error.start].count(b"\n") + 1, "it is not UTF-8: save it as UTF-8") from None
    found = _from_json(text, file.name, defaults) if file.suffix == ".json" else _from_csv(text, file.name, defaults)
    _require_good(found, file.name, today)
    return tuple(entry for _, entry in found)


def to_csv(published: Sequence[Published]) -> str:
    """The public services as flat CSV. A cell that a spreadsheet would run is put in quotes first (ASVS 1.2.10)."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in published:
        writer.writerow([_safe(cell) for cell in _cells(one.entry)])
    return out.getvalue()


def _from_json(text: str, file: str, defaults: Defaults) -> list[tuple[int, Entry]]:
    try:
        data = json.loads(text, object_pairs_hook=_no_twins, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise BadEntry(file, error.lineno, f"not valid JSON: {error.msg}") from None
    except RecursionError:
        raise BadEntry(file, 1, "nested too deeply") from None
    except ValueError as error:
        raise BadEntry(file, 1, str(error)) from None
    services = data.get("contents", [data]) if isinstance(data, dict) else data
    if not isinstance(services, list) or not all(isinstance(one, dict) for one in services):
        raise BadEntry(file, 1, "it is no service, no list of services, and no page of them")
    if len(services) > MOST:
        raise BadEntry(file, 1, f"more than {MOST} services")
    found = []
    for one in services:
        line = _line_of(text, one)
        try:
            entry = entry_from(one, defaults.owner, defaults.review_by, defaults.topic)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BadEntry(file, line, f"{one.get('name', 'a service')}: {error}") from None
        found.append((line, entry))
    return found


def _from_csv(text: str, file: str, defaults: Defaults) -> list[tuple[int, Entry]]:
    csv.field_size_limit(CELL)
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: list[tuple[int, Entry]] = []
    try:
        header = next(rows, [])
        if tuple(header) != COLUMNS:
            raise BadEntry(file, 1, f"the columns are {', '.join(COLUMNS)}")
        for row in rows:
            if not row:
                continue
            if len(row) != len(COLUMNS):
                raise BadEntry(file, rows.line_num, f"{len(row)} columns instead of {len(COLUMNS)}")
            if len(found) >= MOST:
                raise BadEntry(file, rows.line_num, f"more than {MOST} services")
            cells = dict(zip(COLUMNS, map(_bare, row), strict=True))
            found.append((rows.line_num, _entry_of(cells, file, rows.line_num, defaults)))
    except csv.Error as error:
        raise BadEntry(file, rows.line_num, f"not valid CSV: {error}") from None
    return found


def _entry_of(cells: dict[str, str], file: str, line: int, defaults: Defaults) -> Entry:
    """A row as an entry's file, read by the one reader of entries: one strictness for all."""
    listed = {name: [part.strip() for part in cells[name].split(";") if part.strip()] for name in _LISTS}
    front: dict[str, Any] = {
        "id": cells["id"],
        "title": cells["title"],
        "kind": Kind.SERVICE.value,
        "topics": listed["topics"] or ([defaults.topic] if defaults.topic else []),
        "for": listed["for"],
        "area": listed["areas"],
        "phone": [_phone(part) for part in listed["phone"]],
        "source": [{"name": name, "date": cells["source_date"] or "undated"} for name in listed["source"]],
        "languages": listed["languages"],
        "conflicts": listed["conflicts"],
        "owner": cells["owner"] or defaults.owner,
        "review_by": cells["review_by"] or (defaults.review_by.isoformat() if defaults.review_by else ""),
        **{name: cells[name] for name in _PLAIN},
    }
    kept = {key: value for key, value in front.items() if value}
    try:
        return read_entry(f"---\n{json.dumps(kept, ensure_ascii=False)}\n---\n{cells['body']}\n", file)
    except BadEntry as error:
        raise BadEntry(file, line, error.reason) from None


def _phone(cell: str) -> dict[str, str]:
    number, _, label = cell.partition("=")
    return {"number": number.strip()} | ({"label": label.strip()} if label.strip() else {})


_PLAIN = ("text", "web", "hours", "hours_confirmed", "cost", "confirmation", "checked")
_LISTS = ("topics", "areas", "phone", "for", "languages", "source", "conflicts")


def _require_good(found: Sequence[tuple[int, Entry]], file: str, today: date) -> None:
    seen: dict[str, int] = {}
    for line, entry in found:
        if entry.id in seen:
            raise BadEntry(file, line, f"the id {entry.id} stands there twice, first in line {seen[entry.id]}")
        seen[entry.id] = line
        wrong = faults(entry, today)
        if wrong:
            raise BadEntry(file, line, f"{entry.title}: {'; '.join(wrong)}")
        try:
            read_entry(write_entry(entry), file)  # topics, areas and flags are known; the id is a good one
        except BadEntry as error:
            raise BadEntry(file, line, f"{entry.title}: {error.reason}") from None
    require_distinct([(file, entry) for _, entry in found])


def _cells(entry: Entry) -> list[str]:
    phones = "; ".join(f"{one.number}={one.label}" if one.label else one.number for one in entry.phones)
    return [
        entry.id, entry.title, "; ".join(entry.topics), "; ".join(entry.areas), phones, entry.text, entry.web,
        entry.hours, "yes" if entry.hours_confirmed else "", entry.cost, "; ".join(entry.audience),
        "; ".join(entry.languages), entry.body, "; ".join(one.name.replace(";", ",") for one in entry.sources),
        entry.sources[0].date if entry.sources else "", entry.confirmation.value, "; ".join(entry.conflicts),
        entry.owner, entry.checked.isoformat(), entry.review_by.isoformat(),
    ]  # fmt: skip


def _safe(cell: str) -> str:
    return f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell


def _bare(cell: str) -> str:
    return cell[1:].strip() if cell[:1] == "'" and cell[1:2] in "=+-@\t\r" else cell.strip()


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)} stands twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _line_of(text: str, found: dict[str, Any]) -> int:
    """The line on which a service begins, as near as its own id or name shows."""
    for name in ("id", "name"):
        at = text.find(json.dumps(found.get(name), ensure_ascii=False)) if isinstance(found.get(name), str) else -1
        if at >= 0:
            return text.count("\n", 0, at) + 1
    return 1
