"""A report as it leaves the house: CSV and PDF, without small numbers.

Rules kept here:
- Only what `for_sharing` leaves is written, with n and what is missing beside each table.
- A cell of a CSV that a spreadsheet would take for a formula begins with an apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from audit.disclosure import both_times, typeset, visible
from audit.reports.table import HIDDEN, LEAST, Cell, Table, for_sharing

TEMPLATE = Path(__file__).with_name("report.typ")
MARKING = "OFFICIAL"
FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # the last four: their full-width forms
RULE = (
    f"Numbers from 1 to {LEAST - 1}, and what would give them away, are hidden. Figures show what went together, "
    "not what caused what: there is no comparison group."
)


@dataclass(frozen=True)
class Shared:
    """A report, for whom and why."""

    title: str
    first: date
    last: date
    prepared_at: datetime
    by: str
    recipient: str
    purpose: str
    counted: int  # leaves of the trail that it was made from
    tables: tuple[Table, ...]


def to_csv(shared: Shared) -> bytes:
    """All tables under each other, UTF-8 with the mark that spreadsheets look for."""
    file = io.StringIO(newline="")
    rows = csv.writer(file)
    for fact in _facts(shared):
        rows.writerow(map(_harmless, fact))
    for table in _leaving(shared):
        rows.writerow([])
        rows.writerow([_harmless(table.title)])
        rows.writerow([_harmless(_about(table))])
        rows.writerow(_harmless(column.title) for column in table.columns)
        rows.writerows([_harmless(cell) for cell in row] for row in table.rows)
    return file.getvalue().encode("utf-8-sig")


def to_pdf(shared: Shared) -> bytes:
    """The same as PDF/UA-1."""
    told: dict[str, object] = {
        "title": shared.title,
        "marking": MARKING,
        "prepared": f"Prepared {both_times(shared.prepared_at)}",
        "facts": [[visible(name), visible(value)] for name, value in _facts(shared)],
        "tables": [_told(table) for table in _leaving(shared)],
    }
    return typeset(TEMPLATE, told, shared.prepared_at)


def _leaving(shared: Shared) -> list[Table]:
    return [for_sharing(table) for table in shared.tables if table.shared]


def _facts(shared: Shared) -> Sequence[tuple[str, str]]:
    return (
        ("Report", shared.title),
        ("Questions asked", f"{shared.first:%d %B %Y} to {shared.last:%d %B %Y}"),
        ("Prepared", both_times(shared.prepared_at)),
        ("Prepared by", shared.by),
        ("For", shared.recipient),
        ("Purpose", shared.purpose),
        ("Made from", f"the first {shared.counted} leaves of the trail"),
        ("Small numbers", RULE),
    )


def _about(table: Table) -> str:
    n = f"n = {HIDDEN if table.n is None else table.n}, missing = {HIDDEN if table.missing is None else table.missing}"
    return f"{n}. {table.note}".strip()


def _told(table: Table) -> dict[str, object]:
    return {
        "title": visible(table.title),
        "about": _about(table),
        "columns": [visible(column.title) for column in table.columns],
        "rows": [[visible(_text(cell)) for cell in row] for row in table.rows],
    }


def _text(cell: Cell) -> str:
    return "" if cell is None else str(cell)


def _harmless(cell: Cell) -> str:
    text = _text(cell)
    return f"'{text}" if text.startswith(FORMULA) or text.lstrip().startswith(FORMULA) else text
