"""Officers' minutes spent waiting for an IDVA's words: for the first, and each time after they wrote on."""

from __future__ import annotations

from audit.reports.answer_times import KINDS, TITLES
from audit.reports.figures import Question, Report, Sums, Tally
from audit.reports.table import Cell, Column, Table


def count(question: Question) -> Tally:
    """Milliseconds, by urgency: the first wait apart from later ones."""
    one = question.history
    if not one.waits:
        return
    kind = KINDS[one.was_urgent]
    yield f"waiting/{kind}/questions", 1
    yield f"waiting/{kind}/first", one.waits[0]
    yield f"waiting/{kind}/later", sum(one.waits[1:])


def tables(sums: Sums) -> list[Table]:
    """Minutes by urgency."""
    by_kind = {kind: sums.under("waiting", kind) for kind in TITLES}
    rows = [_row(TITLES[kind], [found]) for kind, found in by_kind.items() if found or kind != "unknown"]
    everything = _row("All", list(by_kind.values()))
    columns = (
        Column("Question"),
        Column("Questions", counts=True),
        Column("Minutes until the first answer or the end", based_on=1),
        Column("Minutes of later waits", based_on=1),
        Column("Minutes in all", based_on=1),
        Column("Minutes for each question", based_on=1),
    )
    waited = sum(found.get("questions", 0) for found in by_kind.values())
    note = "Missing: questions whose officer still waits for the first answer."
    rows.append(everything)
    return [Table("Minutes officers waited", columns, tuple(rows), sums.asked, sums.asked - waited, note, total=True)]


def _row(title: str, found: list[dict[str, int]]) -> tuple[Cell, ...]:
    questions, first, later = (sum(one.get(name, 0) for one in found) for name in ("questions", "first", "later"))
    minutes = [round(value / 60_000, 1) for value in (first, later, first + later)]
    return (title, questions, *minutes, round(minutes[2] / questions, 1) if questions else None)


REPORT = Report("waiting", "Waiting", "How many minutes officers spent waiting for an IDVA to write.", count, tables)
