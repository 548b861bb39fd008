"""Questions by the force or trust of who asked."""

from __future__ import annotations

from audit.reports.answer_times import PROMPT
from audit.reports.figures import Question, Report, Sums, Tally, percent, seconds
from audit.reports.table import Cell, Column, Plot, Table

WHAT = ("asked", "answered", "prompt", "urgent", "flagged")
UNKNOWN = "unknown"


def count(question: Question) -> Tally:
    """What came of it, under its force."""
    one = question.history
    so = {
        "asked": True,
        "answered": one.answered_after is not None,
        "prompt": one.answered_after is not None and seconds(one.answered_after) <= PROMPT,
        "urgent": bool(one.was_urgent),
        "flagged": bool(one.raised),
    }
    for what in WHAT:
        if so[what]:
            yield f"force/{one.service or UNKNOWN}/{what}", 1


def tables(sums: Sums) -> list[Table]:
    """By force, in the order of their names."""
    found = sums.under("force")
    forces = sorted({name.partition("/")[0] for name in found} - {UNKNOWN}, key=sums.name)
    columns = (
        Column("Force or trust"),
        Column("Asked", counts=True),
        Column("Answered", counts=True, part_of=1),
        Column("Within 2 minutes", counts=True, part_of=1),
        Column("Urgent", counts=True, part_of=1),
        Column("With a red flag", counts=True, part_of=1),
        Column("Share of asked within 2 minutes", based_on=3),
    )
    rows = [_row(sums.name(force), [found.get(f"{force}/{what}", 0) for what in WHAT]) for force in forces]
    every = [sum(count for name, count in found.items() if name.endswith(f"/{what}")) for what in WHAT]
    missing = found.get(f"{UNKNOWN}/asked", 0)
    if missing:
        rows.append(_row("Not known", [found.get(f"{UNKNOWN}/{what}", 0) for what in WHAT]))
    note = "As the officer belonged to it when asking. Missing: asked before the trail held it."
    table = (*rows, _row("All", every))
    return [Table("By force", columns, table, sums.asked, missing, note, total=True, plot=Plot.BARS)]


def _row(title: str, counts: list[int]) -> tuple[Cell, ...]:
    return (title, *counts, percent(counts[2], counts[0]))


REPORT = Report("forces", "By force", "Questions by the force of the officer who asked.", count, tables)
