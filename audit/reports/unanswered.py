"""What no IDVA answered, and what was asked while none was on duty."""

from __future__ import annotations

from audit.reports.answer_times import PROMPT
from audit.reports.figures import Question, Report, Sums, Tally, percent, seconds
from audit.reports.table import Cell, Column, Plot, Rows, Table

LIVE = "live"
ENDS = {
    "withdraw": "The officer needed it no more",
    "lead_took": "The duty lead dealt with it in person",
    "lapse": "Handed to the named fallback",
    "quiet": "Closed: the officer fell silent",
    LIVE: "Still waiting",
}
DUTY = {"on": "While an IDVA was on duty", "off": "While none was (out of hours)"}


def count(question: Question) -> Tally:
    """By how it ended, where it was not answered; and by whether anybody was on duty."""
    one, duty = question.history, "on" if question.covered else "off"
    if one.answered_after is None:
        yield f"unanswered/{one.end or LIVE}", 1
    else:
        yield f"duty/{duty}/answered", 1
        if seconds(one.answered_after) <= PROMPT:
            yield f"duty/{duty}/prompt", 1
    yield f"duty/{duty}/asked", 1
    if one.kept:
        yield f"duty/{duty}/kept", 1


def tables(sums: Sums) -> list[Table]:
    """What became of the unanswered; in and out of hours."""
    found = sums.under("unanswered")
    rows: list[tuple[Cell, ...]] = [(title, found.get(end, 0)) for end, title in ENDS.items()]
    rows += [(sums.name(end), count) for end, count in sorted(found.items()) if end not in ENDS]
    rows.append(("All", sum(found.values())))
    columns = (Column("What became of it"), Column("Questions", counts=True))
    ends = Table("Questions that no IDVA answered", columns, tuple(rows), sums.asked, total=True, plot=Plot.BARS)
    return [ends, _hours(sums)]


def _hours(sums: Sums) -> Table:
    by_duty = [(title, sums.under("duty", duty)) for duty, title in DUTY.items()]
    names = ("asked", "answered", "prompt", "kept")
    every = {name: sum(found.get(name, 0) for _, found in by_duty) for name in names}
    columns = (
        Column("Asked"),
        Column("Questions", counts=True),
        Column("Answered", counts=True, part_of=1),
        Column("Within 2 minutes", counts=True, part_of=1),
        Column("Kept, because nobody could take it", counts=True, part_of=1),
        Column("Share answered", based_on=2),
    )
    rows: Rows = tuple(
        (title, *(found.get(name, 0) for name in names), percent(found.get("answered", 0), found.get("asked", 0)))
        for title, found in [*by_duty, ("All", every)]
    )
    return Table("In and out of hours", columns, rows, sums.asked, total=True)


REPORT = Report(
    "unanswered",
    "Unanswered and out of hours",
    "Questions that no IDVA answered, and those asked while none was on duty.",
    count,
    tables,
)
