"""Which entries of the catalogue officers were shown by the line, and which an IDVA sent."""

from __future__ import annotations

from audit.reports.figures import Question, Report, Sums, Tally
from audit.reports.table import Column, Plot, Rows, Table

HOW = {"suggested": "Shown by the line", "sent": "Sent by an IDVA"}


def count(question: Question) -> Tally:
    """Each consultation once for each entry and way."""
    for entry, how in question.history.entries:
        yield f"entry/{entry}/{how}", 1
    if not question.history.entries:
        yield "entries/none", 1


def tables(sums: Sums) -> list[Table]:
    """The most shown first."""
    found = sums.under("entry")
    entries = sorted({name.rpartition("/")[0] for name in found}, key=lambda one: (-_all(found, one), one))
    columns = (Column("Entry"), *(Column(title, counts=True) for title in HOW.values()))
    rows: Rows = tuple((entry, *(found.get(f"{entry}/{how}", 0) for how in HOW)) for entry in entries)
    note = "Missing: questions in which none was shown. Whether an entry was of use is not asked of officers."
    return [Table("Entries", columns, rows, sums.asked, sums.get("entries", "none"), note, plot=Plot.BARS)]


def _all(found: dict[str, int], entry: str) -> int:
    return sum(found.get(f"{entry}/{how}", 0) for how in HOW)


REPORT = Report(
    "entries", "Entries", "Which entries of the catalogue were shown to officers, and which IDVAs sent.", count, tables
)
