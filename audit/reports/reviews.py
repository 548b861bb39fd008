"""What reviewers made of consultations: signed-off reviews by standard and mark."""

from __future__ import annotations

from audit.reports.figures import Question, Report, Sums, Tally
from audit.reports.table import Column, Rows, Table

STANDARDS = {"safe": "Safe", "right": "Right", "recorded": "Recorded", "kind": "Kind", "timely": "Timely"}
MARKS = {"yes": "Met", "no": "Not met", "na": "Not applicable"}


def count(question: Question) -> Tally:
    """Each signed-off review, and each of its marks."""
    one = question.history
    yield ("reviewed/yes" if one.signed else "reviewed/no"), 1
    for review in one.signed:
        for standard, mark in one.marks.get(review, {}).items():
            yield f"review/{standard}/{mark}", 1


def tables(sums: Sums) -> list[Table]:
    """Marks by standard."""
    columns = (Column("Standard"), *(Column(title, counts=True) for title in MARKS.values()))
    rows: Rows = tuple(
        (title, *(sums.get("review", standard, mark) for mark in MARKS)) for standard, title in STANDARDS.items()
    )
    reviewed = sums.get("reviewed", "yes")
    note = (
        "Signed-off reviews, by the last mark; a consultation may have two. Few are drawn at random: no rates of all."
    )
    return [Table("Reviews by standard", columns, rows, reviewed, 0, note, across=True)]


REPORT = Report("reviews", "Reviews", "What reviewers made of consultations, against the standards.", count, tables)
