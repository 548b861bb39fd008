"""What each IDVA was asked and did, and how long they were on duty."""

from __future__ import annotations

from audit.reports.figures import Question, Report, Sums, Tally
from audit.reports.table import Column, Plot, Rows, Table

DID = {
    "taken": "Taken",
    "offered": "Offered",
    "declined": "Declined",
    "unanswered": "Offer not answered",
    "unreachable": "Not reached",
    "words": "Messages written",
    "advice": "Advice given",
}


def count(question: Question) -> Tally:
    """What each did in it."""
    for (person, did), times in question.history.idvas.items():
        yield f"idva/{person}/{did}", times


def tables(sums: Sums) -> list[Table]:
    """By person, in the order of their names."""
    found = sums.under("idva")
    ids = {name.partition("/")[0] for name in found} | set(sums.cover.hours)
    people = sorted(ids, key=lambda one: (sums.name(one), one))
    columns = (Column("IDVA"), *(Column(title, counts=True) for title in DID.values()), Column("Hours on duty"))
    rows: Rows = tuple(
        (
            sums.name(person),
            *(found.get(f"{person}/{did}", 0) for did in DID),
            round(sums.cover.hours.get(person, 0.0), 1),
        )
        for person in people
    )
    note = "A load is no measure of worth: what is hard takes long. When shared, IDVAs are numbered, not named."
    return [Table("Workload of each IDVA", columns, rows, sums.asked, 0, note, plot=Plot.BARS)]


REPORT = Report("workload", "Workload", "What each IDVA was asked and did.", count, tables, people=True)
