"""Every report there is, in the order of the page."""

from __future__ import annotations

from audit.reports import (
    answer_times,
    demand,
    entries,
    forces,
    grades,
    reviews,
    topics_and_flags,
    unanswered,
    waiting,
    workload,
)
from audit.reports.figures import Question, Report, Tally

REPORTS: dict[str, Report] = {
    room.REPORT.slug: room.REPORT
    for room in (
        answer_times, waiting, demand, unanswered, topics_and_flags, entries, grades, reviews, workload, forces,
    )
}  # fmt: skip


def count(question: Question) -> Tally:
    """All that one consultation adds to the sums of the month it was asked."""
    yield "asked", 1
    for report in REPORTS.values():
        yield from report.count(question)
