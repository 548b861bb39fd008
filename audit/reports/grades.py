"""The grade as the officer set it, and as a person graded the risk later."""

from __future__ import annotations

from audit.reports.figures import Question, Report, Sums, Tally
from audit.reports.table import Column, Rows, Table

GRADES = {
    "high": "High",
    "medium": "Medium",
    "standard": "Standard",
    "not_done": "Not done",
    "none": "Not given",
}


def count(question: Question) -> Tally:
    """By both."""
    one = question.history
    yield f"grade/{one.stated or 'none'}/{one.later or 'none'}", 1


def tables(sums: Sums) -> list[Table]:
    """Stated against later."""
    found = sums.under("grade")
    columns = (
        Column("As the officer set it"),
        *(Column(f"Later: {title.lower()}", counts=True) for title in GRADES.values()),
    )
    rows: Rows = tuple(
        (title, *(found.get(f"{stated}/{later}", 0) for later in GRADES)) for stated, title in GRADES.items()
    )
    missing = sum(count for name, count in found.items() if name.endswith("/none"))
    note = "Missing: no later grade was recorded. People graded; the line never does."
    return [Table("Grade stated and later", columns, rows, sums.asked, missing, note, across=True)]


REPORT = Report("grades", "Grades", "The grade as the officer set it, and as it was graded later.", count, tables)
