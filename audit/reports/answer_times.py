"""How long officers wait for the first answer: the first own words, or the first advice, of an IDVA."""

from __future__ import annotations

from collections import Counter

from audit.reports.figures import Question, Report, Sums, Tally, at_rank, clocked, percent, seconds
from audit.reports.table import Cell, Column, Plot, Table

PROMPT = 120  # seconds within which an answer should come
KINDS = {True: "urgent", False: "other", None: "unknown"}
TITLES = {"urgent": "Urgent", "other": "Not urgent", "unknown": "Not known whether urgent"}
NONE = "none"
STEPS = (
    (30, "Within 30 seconds"),
    (60, "30 seconds to 1 minute"),
    (120, "1 to 2 minutes"),
    (300, "2 to 5 minutes"),
    (600, "5 to 10 minutes"),
    (1800, "10 to 30 minutes"),
    (3600, "30 minutes to 1 hour"),
)


def count(question: Question) -> Tally:
    """By urgency, and by the seconds until the answer."""
    one = question.history
    after = NONE if one.answered_after is None else seconds(one.answered_after)
    yield f"answer/{KINDS[one.was_urgent]}/{after}", 1


def tables(sums: Sums) -> list[Table]:
    """Urgent apart; and how many were answered how soon."""
    by_kind = {kind: sums.under("answer", kind) for kind in TITLES}
    everything: Counter[str] = Counter()
    for counts in by_kind.values():
        everything.update(counts)
    rows = [_row(TITLES[kind], counts) for kind, counts in by_kind.items() if counts or kind != "unknown"]
    columns = (
        Column("Question"),
        Column("Asked", counts=True),
        Column("Answered", counts=True, part_of=1),
        Column("Within 2 minutes", counts=True, part_of=1),
        Column("Share of asked within 2 minutes", based_on=3),
        Column("Median, minutes:seconds", based_on=2),
        Column("90th percentile, minutes:seconds", based_on=2),
    )
    times = Table(
        "Time until the first answer",
        columns,
        (*rows, _row("All", everything)),
        sums.asked,
        sum(by_kind["unknown"].values()),
        "Median and 90th percentile are of those that were answered. Missing: whether it was urgent is not known.",
        total=True,
    )
    return [times, _how_soon(sums, everything)]


def _row(title: str, counts: dict[str, int]) -> tuple[Cell, ...]:
    times = {int(after): count for after, count in counts.items() if after != NONE}
    asked, answered = sum(counts.values()), sum(times.values())
    prompt = sum(count for after, count in times.items() if after <= PROMPT)
    middle, most = clocked(at_rank(times, 0.5)), clocked(at_rank(times, 0.9))
    return (title, asked, answered, prompt, percent(prompt, asked), middle, most)


def _how_soon(sums: Sums, counts: dict[str, int]) -> Table:
    rows, below = [], -1
    for most, title in STEPS:
        rows.append((title, _between(counts, below, most)))
        below = most
    rows += [("Later", _between(counts, below, None)), ("Not answered", counts.get(NONE, 0))]
    columns = (Column("First answer"), Column("Questions", counts=True))
    return Table("How soon questions were answered", columns, tuple(rows), sums.asked, plot=Plot.BARS, shared=False)


def _between(counts: dict[str, int], over: int, most: int | None) -> int:
    times = [(int(after), count) for after, count in counts.items() if after != NONE]
    return sum(count for after, count in times if after > over and (most is None or after <= most))


REPORT = Report("answer-times", "Answer times", "How long officers waited until an IDVA first answered.", count, tables)
